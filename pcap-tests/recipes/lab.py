# SPDX-License-Identifier: MIT
"""Client, router and server, each in a network namespace, and a capture on a link of the router.

The recipe's own namespace is the router, so nothing here needs a name outside of it."""

import os
import socket
import struct
import subprocess
import threading
import time

from pcap import Pcap
from peers import stop

CLIENT, SERVER, NOWHERE = "10.0.1.2", "10.0.2.2", "10.0.3.2"
CLIENT6, SERVER6 = "fd00:1::2", "fd00:2::2"
IPV4, IPV6, NEIGHBOUR = b"\x08\x00", b"\x86\xdd", range(130, 144)
TO_CLIENT, TO_SERVER = "rc", "rs"  # the router's interfaces
EVERYTHING, TIMESTAMP_NS = 3, 35  # ETH_P_ALL, SO_TIMESTAMPNS


def ip(*args, namespace=None):
    subprocess.run(["ip", *(["-n", namespace] if namespace else []), *args], check=True)


def build(mtu_client=1500):
    """mtu_client: of the link between router and client, at the router's end."""
    os.makedirs("/run/netns", exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run/netns"], check=True)
    for host, interface, net, net6 in (("client", TO_CLIENT, "10.0.1", "fd00:1:"),
                                       ("server", TO_SERVER, "10.0.2", "fd00:2:")):
        ip("netns", "add", host)
        ip("link", "add", interface, "type", "veth", "peer", "name", "e0", "netns", host)
        ip("addr", "add", f"{net}.1/24", "dev", interface)
        ip("addr", "add", f"{net6}:1/64", "dev", interface, "nodad")
        ip("link", "set", interface, "up")
        ip("addr", "add", f"{net}.2/24", "dev", "e0", namespace=host)
        ip("addr", "add", f"{net6}:2/64", "dev", "e0", "nodad", namespace=host)
        ip("link", "set", "lo", "up", namespace=host)
        ip("link", "set", "e0", "up", namespace=host)
        ip("route", "add", "default", "via", f"{net}.1", namespace=host)
        ip("-6", "route", "add", "default", "via", f"{net6}:1", namespace=host)
    ip("link", "set", TO_CLIENT, "mtu", str(mtu_client))
    for switch in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        with open(f"/proc/sys/net/{switch}", "w") as f:
            f.write("1")


class Tap:
    """Copies what passes an interface, but for ARP and its like of IPv6 (RFC 4861)."""

    def __init__(self, interface):
        self.packets = []  # (ns, frame)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERYTHING))
        self.socket.setsockopt(socket.SOL_SOCKET, TIMESTAMP_NS, 1)
        self.socket.bind((interface, EVERYTHING))
        self.socket.settimeout(0.05)
        self.running = True
        self.thread = threading.Thread(target=self.loop)
        self.thread.start()

    def loop(self):
        while self.running:
            try:
                frame, ancillary, _, _ = self.socket.recvmsg(65535, 64)
            except TimeoutError:
                continue
            if is_wanted(frame):
                seconds, ns = struct.unpack("qq", ancillary[0][2])
                self.packets.append((seconds * 10**9 + ns, frame))

    def count(self, match):
        """match: a function of an IP packet."""
        return sum(1 for _, frame in list(self.packets) if match(frame[14:]))

    def wait(self, until, seconds=12):
        """until: a function of the tap."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if until(self):
                return
            time.sleep(0.02)
        raise RuntimeError("not what was to happen")

    def save(self, path):
        time.sleep(0.2)  # what was sent last shall be in the file
        self.running = False
        self.thread.join()
        out = Pcap(path)
        for ns, frame in self.packets:
            out.add(ns, frame)
        out.close()


def is_wanted(frame):
    if frame[12:14] == IPV6:
        multicast_or_neighbour = frame[20] == 0 or (frame[20] == socket.IPPROTO_ICMPV6 and frame[54] in NEIGHBOUR)
        return not multicast_or_neighbour
    return frame[12:14] == IPV4


def protocol(packet):
    return packet[9] if packet[0] >> 4 == 4 else packet[6]


def is_icmp(packet):
    return protocol(packet) in (socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6)


def from_client(packet):
    source = packet[12:16] == socket.inet_pton(socket.AF_INET, CLIENT) if packet[0] >> 4 == 4 else \
        packet[8:24] == socket.inet_pton(socket.AF_INET6, CLIENT6)
    return source and protocol(packet) == socket.IPPROTO_UDP


def is_data(packet):
    """Application data (RFC 6347 section 4.1) from the client."""
    return from_client(packet) and packet[28 if packet[0] >> 4 == 4 else 48] == 23


def capture(path, interface, work):
    """work: starts programs, waits for the outcome, and returns them."""
    tap, started = Tap(interface), []
    try:
        work(tap, started)
    finally:
        tap.save(path)
        stop(*started)
