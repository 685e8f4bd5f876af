# SPDX-License-Identifier: MIT
"""A network between two UDP programs that loses, doubles, delays or changes what it is told to.

It stands on loopback: the client talks to PORT_CLIENT, the server sits on PORT_SERVER. Both
legs go into one capture, each datagram when it was received and when it was sent."""

import heapq
import select
import socket
import time
from dataclasses import dataclass, field

import dtls
from pcap import Pcap

HOST, PORT_CLIENT, PORT_SERVER = "127.0.0.1", 5684, 4433


@dataclass
class Rule:
    """What happens to the datagrams that match: `act` returns [(delay, bytes)] to forward."""

    match: callable
    act: callable
    nth: range = range(10**9)
    hits: int = field(default=0)


def first(match, act):
    """Only the first of them."""
    return Rule(match, act, range(1))


def sent(side, kind=None, content=None, epoch=None, over=0, cookie=None):
    """Matches datagrams of a side; kind: a handshake type."""
    def match(d):
        if d.side != side or len(d.raw) <= over:
            return False
        if cookie is not None and bool(d.cookie()) != cookie:
            return False
        if kind is not None:
            return d.has(dtls.HANDSHAKE, kind, 0)
        return content is None or d.has(content, None, epoch)
    return match


def either(*matches):
    return lambda d: any(m(d) for m in matches)


def drop(_box, _d):
    return []


def twice(_box, d):
    return [(0, d.raw), (0.0005, d.raw)]


def delay(seconds):
    return lambda _box, d: [(seconds, d.raw)]


def truncate(size):
    return lambda _box, d: [(0, d.raw[:size])]


def corrupt(_box, d):
    return [(0, d.raw[:-1] + bytes([d.raw[-1] ^ 1]))]


def answer(data):
    """The network replies in the other's place."""
    def act(box, d):
        box.forward("s" if d.side == "c" else "c", data)
        return []
    return act


def reflect(box, d):
    box.forward("s" if d.side == "c" else "c", d.raw)
    return []


def rebind(box, d):
    """From here on the server sees another port."""
    box.rebind()
    return [(0, d.raw)]


class Middlebox:
    def __init__(self, path, rules, back_port=0):
        self.pcap = Pcap(path)
        self.rules = list(rules)
        self.server, self.client = (HOST, PORT_SERVER), None
        self.front = udp_socket(PORT_CLIENT)
        self.back = [udp_socket(back_port)]
        self.waiting = []  # (when, order, side, data)
        self.log = []      # what was received
        self.order = 0

    def rebind(self):
        self.back.insert(0, udp_socket(0))

    def run(self, until, seconds):
        """Until that says so; False when it did not within so many seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if until(self):
                return True
            self.turn()
        return False

    def turn(self):
        wait = 0.05
        if self.waiting:
            wait = min(wait, max(0, self.waiting[0][0] - time.monotonic()))
        back = self.back if self.client else []  # what comes before there is a client can wait
        for s in select.select([self.front, *back], [], [], wait)[0]:
            self.receive(s)
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            _, _, side, data = heapq.heappop(self.waiting)
            self.forward(side, data)

    def receive(self, s):
        try:
            raw, peer = s.recvfrom(65535)
        except ConnectionError:  # an ICMP error: nobody listens there
            return
        side = "c" if s is self.front else "s"
        if side == "c":
            self.client = peer
        self.pcap.udp(time.time_ns(), peer, s.getsockname(), raw)
        datagram = dtls.parse(side, raw)
        self.log.append(datagram)
        for after, data in self.judge(datagram):
            self.order += 1
            heapq.heappush(self.waiting, (time.monotonic() + after, self.order, side, data))

    def judge(self, datagram):
        for rule in self.rules:
            if rule.match(datagram):
                rule.hits += 1
                if rule.hits - 1 in rule.nth:
                    return rule.act(self, datagram)
        return [(0, datagram.raw)]

    def forward(self, side, data):
        """side: who is said to have sent it."""
        s, peer = (self.back[0], self.server) if side == "c" else (self.front, self.client)
        self.pcap.udp(time.time_ns(), s.getsockname(), peer, data)
        try:
            s.sendto(data, peer)
        except ConnectionError:
            pass

    def count(self, match):
        return sum(1 for d in self.log if match(d))

    def close(self):
        for s in (self.front, *self.back):
            s.close()
        self.pcap.close()


def udp_socket(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((HOST, port))
    return s
