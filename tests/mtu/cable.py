# SPDX-License-Identifier: MIT
"""Two hosts in network namespaces, and between them a cable that is a path: routers that
count down TTLs, a smaller MTU somewhere, ICMP errors that are sent, filtered or wrong, loss,
delay, duplicates. All of it is decided by a seed, packet by packet, in user space: the kernel
has no netem here."""

import ctypes
import dataclasses
import fcntl
import heapq
import itertools
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time

ETH_P_ALL, PACKET_IGNORE_OUTGOING, SOL_PACKET = 3, 23, 263
IPV4, IPV6, UDP, ICMP, ICMPV6 = 0x0800, 0x86DD, 17, 1, 58
CLIENT4, SERVER4, CLIENT6, SERVER6 = "10.9.0.2", "10.9.0.3", "fd09::2", "fd09::3"
ROUTERS = [("10.9.0.11", "fd09::11"), ("10.9.0.12", "fd09::12")]
QUOTE = {IPV4: 548, IPV6: 1232}


@dataclasses.dataclass
class Way:
    """One direction."""

    mtu: int = 0  # IP packet that passes the router `at`; 0 = any
    at: int = 1
    icmp: bool = True  # the router says what is too big,
    says: int | None = None  # with this number, if not the true one,
    errors: int = 1 << 30  # and so often at most
    udp_only: bool = False  # the limit is for UDP only
    forged: int = 0  # with each packet comes an ICMP error with this MTU that quotes no payload
    clear_df: bool = False
    drop_fragments: bool = False
    loss: float = 0
    large: int = 0  # packets from this size on are lost with `large_loss`
    large_loss: float = 0
    delay: float = 0
    jitter: float = 0
    duplicates: float = 0
    change_after: int = 0  # packets; then the MTU is `change_to`
    change_to: int = 0
    udp_seen: int = 0
    sizes: list = dataclasses.field(default_factory=list)  # of the UDP packets that came


def checksum(data, start=0):
    if len(data) % 2:
        data += b"\0"
    total = start + sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4_header(header, **changes):
    """The header with other length, fragment word, TTL, and a checksum that fits."""
    fields = list(struct.unpack("!BBHHHBBH4s4s", header[:20]))
    for name, value in changes.items():
        fields[{"length": 2, "fragment": 4, "ttl": 5}[name]] = value
    fields[7] = 0
    fields[7] = checksum(struct.pack("!BBHHHBBH4s4s", *fields) + header[20:])
    return struct.pack("!BBHHHBBH4s4s", *fields) + header[20:]


class Packet:
    def __init__(self, frame):
        self.ethernet, self.kind, self.ip = frame[:14], struct.unpack("!H", frame[12:14])[0], frame[14:]
        self.df, self.protocol = True, 0
        if self.kind == IPV4:
            self.ip = self.ip[: struct.unpack("!H", self.ip[2:4])[0]]  # Ethernet pads short ones
            self.protocol, self.word = self.ip[9], struct.unpack("!H", self.ip[6:8])[0]
            self.df = bool(self.word & 0x4000)
        elif self.kind == IPV6:
            self.protocol = self.ip[6]

    @property
    def routed(self):
        """Neighbour discovery stays on the link."""
        discovery = self.kind == IPV6 and self.protocol == ICMPV6 and self.ip[40] in (133, 134, 135, 136)
        return self.kind in (IPV4, IPV6) and not discovery

    @property
    def frame(self):
        return self.ethernet + self.ip

    def clear_df(self):
        if self.kind == IPV4 and self.df:
            self.ip = ipv4_header(self.ip[:20], fragment=self.word & ~0x4000) + self.ip[20:]
            self.df, self.word = False, self.word & ~0x4000

    def count_down(self):
        """False when its time is over."""
        if self.kind == IPV4:
            ttl = self.ip[8] - 1
            self.ip = ipv4_header(self.ip[:20], ttl=max(ttl, 0)) + self.ip[20:]
        else:
            ttl = self.ip[7] - 1
            self.ip = self.ip[:7] + bytes([max(ttl, 0)]) + self.ip[8:]
        return ttl > 0

    def fragments(self, mtu):
        data, step = self.ip[20:], (mtu - 20) // 8 * 8
        for at in range(0, len(data), step):
            more = 0x2000 if at + step < len(data) else self.word & 0x2000
            part = data[at : at + step]
            word = (self.word & 0x1FFF) + at // 8 | more
            yield self.ethernet + ipv4_header(self.ip[:20], length=20 + len(part), fragment=word) + part

    def error(self, router, kind, code, value, quoted=None):
        """The ICMP error that the router sends back."""
        quote = self.ip[: quoted or QUOTE[self.kind]]
        ethernet = self.ethernet[6:12] + self.ethernet[:6] + self.ethernet[12:]
        body = struct.pack("!BBHI", kind, code, 0, value) + quote
        if self.kind == IPV4:
            source = socket.inet_aton(ROUTERS[router][0])
            body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, ICMP, 0, source, self.ip[12:16])
            return ethernet + ipv4_header(head) + body
        source, target = socket.inet_pton(socket.AF_INET6, ROUTERS[router][1]), self.ip[8:24]
        pseudo = source + target + struct.pack("!II", len(body), ICMPV6)
        body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
        return ethernet + struct.pack("!IHBB", 0x60000000, len(body), ICMPV6, 64) + source + target + body


def interface(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((name, 0))
    s.setblocking(False)
    return s


class Cable(threading.Thread):
    """Carries packets between two interfaces of this namespace, `there` and `back`."""

    def __init__(self, interfaces, there, back, seed):
        super().__init__(daemon=True)
        self.sockets = [interface(name) for name in interfaces]
        self.ways = [there, back]
        self.random = random.Random(seed)
        self.queue, self.order = [], itertools.count()
        self.stop_read, self.stop_write = os.pipe()

    def later(self, side, frame, way):
        when = time.monotonic() + way.delay + way.jitter * self.random.random()
        heapq.heappush(self.queue, (when, next(self.order), side, frame))

    def too_big(self, way, packet):
        if way.udp_only and packet.protocol != UDP:
            return False
        return bool(way.mtu) and len(packet.ip) > way.mtu

    def lost(self, way, packet):
        if packet.protocol == UDP and way.change_after:
            way.udp_seen += 1
            if way.udp_seen > way.change_after:
                way.mtu = way.change_to
        if way.large and len(packet.ip) >= way.large and self.random.random() < way.large_loss:
            return True
        fragment = packet.kind == IPV4 and packet.word & 0x3FFF
        return (way.drop_fragments and fragment) or self.random.random() < way.loss

    def refuse(self, side, way, packet, router):
        if way.icmp and way.errors > 0:
            way.errors -= 1
            value = way.mtu if way.says is None else way.says
            kind = (3, 4) if packet.kind == IPV4 else (2, 0)
            self.later(1 - side, packet.error(router, *kind, value), self.ways[1 - side])

    def route(self, side, packet):
        """The frames that come out at the other end."""
        way = self.ways[side]
        if way.clear_df:
            packet.clear_df()
        routers = range(len(ROUTERS)) if side == 0 else range(len(ROUTERS) - 1, -1, -1)
        for router in routers:
            if not packet.count_down():
                kind = (11, 0) if packet.kind == IPV4 else (3, 0)
                self.later(1 - side, packet.error(router, *kind, 0), self.ways[1 - side])
                return []
            if router == way.at and self.too_big(way, packet):
                if not packet.df:
                    return list(packet.fragments(way.mtu))
                self.refuse(side, way, packet, router)
                return []
        return [packet.frame]

    def carry(self, side, frame):
        packet, way = Packet(frame), self.ways[side]
        if packet.protocol == UDP:
            way.sizes.append(len(packet.ip))
        if not packet.routed:
            self.later(side, frame, Way())
        elif not self.lost(way, packet):
            if way.forged and packet.protocol == UDP:
                kind, headers = ((3, 4), 28) if packet.kind == IPV4 else ((2, 0), 48)
                self.later(1 - side, packet.error(0, *kind, way.forged, headers), way)
            for out in self.route(side, packet):
                self.later(side, out, way)
                if self.random.random() < way.duplicates:
                    self.later(side, out, way)

    def deliver(self):
        while self.queue and self.queue[0][0] <= time.monotonic():
            _, _, side, frame = heapq.heappop(self.queue)
            try:
                self.sockets[1 - side].send(frame)
            except OSError:
                pass  # the interface is down, or takes no frame of this size: lost

    def run(self):
        while True:
            wait = max(self.queue[0][0] - time.monotonic(), 0) if self.queue else None
            readable, _, _ = select.select([*self.sockets, self.stop_read], [], [], wait)
            if self.stop_read in readable:
                return
            for side, s in enumerate(self.sockets):
                if s in readable:
                    self.carry(side, s.recv(1 << 17))
            self.deliver()

    def stop(self):
        os.write(self.stop_write, b".")
        self.join()
        for s in self.sockets:
            s.close()
        os.close(self.stop_read)
        os.close(self.stop_write)


def ip(*args):
    subprocess.run(["ip", *map(str, args)], check=True, capture_output=True)


def switch_off_offloads(name):
    """In the child: checksums are made before the packet leaves, and nothing is glued."""
    for command in (0x17, 0x24, 0x2C):  # ETHTOOL_STXCSUM, SGSO, SGRO
        value = ctypes.create_string_buffer(struct.pack("II", command, 0))
        request = struct.pack("16sP", name.encode(), ctypes.addressof(value)).ljust(40, b"\0")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            try:
                fcntl.ioctl(s, 0x8946, request)  # SIOCETHTOOL
            except OSError:
                pass


class Lab:
    """The client's and the server's host; `there` and `back` may be changed while it runs."""

    def __init__(self, there=None, back=None, seed=1, client_mtu=1500, server_mtu=1500):
        self.there, self.back = there or Way(), back or Way()
        self.names = [f"mtu{side}{os.getpid()}" for side in "cs"]
        self.cable = None
        try:
            for index, (name, mtu) in enumerate(zip(self.names, (client_mtu, server_mtu))):
                self.add_host(index, name, mtu)
            self.cable = Cable(["plug0", "plug1"], self.there, self.back, seed)
            self.cable.start()
        except BaseException:
            self.close()
            raise

    def add_host(self, index, name, mtu):
        ip("netns", "add", name)
        subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0",
                        "net.ipv4.ping_group_range=0 2147483647"], check=True, capture_output=True)
        ip("link", "add", f"plug{index}", "mtu", mtu, "type", "veth", "peer", "name", "eth0", "netns", name,
           "mtu", mtu)
        ip("-n", name, "addr", "add", f"{(CLIENT4, SERVER4)[index]}/24", "dev", "eth0")
        if mtu >= 1280:
            ip("-n", name, "addr", "add", f"{(CLIENT6, SERVER6)[index]}/64", "dev", "eth0", "nodad")
        for link in (["-n", name, "link", "set", "lo"], ["-n", name, "link", "set", "eth0"],
                     ["link", "set", f"plug{index}"]):
            ip(*link, "up")
        subprocess.run(["ip", "netns", "exec", name, sys.executable, __file__, "eth0"], check=True)
        switch_off_offloads(f"plug{index}")

    @property
    def client(self):
        return ["ip", "netns", "exec", self.names[0]]

    @property
    def server(self):
        return ["ip", "netns", "exec", self.names[1]]

    def close(self):
        if self.cable:
            self.cable.stop()
        for index, name in enumerate(self.names):
            subprocess.run(["ip", "link", "del", f"plug{index}"], check=False, capture_output=True)
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


if __name__ == "__main__":
    switch_off_offloads(sys.argv[1])
