# SPDX-License-Identifier: MIT
"""A pcap file, and the Ethernet, IPv4, UDP and ICMP headers that go into it."""

import ipaddress
import struct

ETHERNET, UDP, TCP, ICMP = 1, 17, 6, 1


class Pcap:
    """Packets in the order of their times, written at close()."""

    def __init__(self, path, link=ETHERNET):
        self.path, self.link = path, link
        self.packets = []
        self.ip_id = 0
        self.frame = ethernet  # what an IP packet is put into: a function of src, dst, packet

    def add(self, ns, frame):
        self.packets.append((ns, frame))

    def udp(self, ns, src, dst, payload, ttl=64):
        """src and dst: (address, port)."""
        self.ip(ns, src[0], dst[0], UDP, udp_header(src, dst, payload) + payload, ttl)

    def tcp(self, ns, src, dst, seq, payload):
        """A segment with data; its checksum is left to the network card."""
        head = struct.pack("!HHIIBBHHH", src[1], dst[1], seq & 0xFFFFFFFF, 1, 0x50, 0x18, 65535, 0, 0)
        self.ip(ns, src[0], dst[0], TCP, head + payload)

    def ip(self, ns, src, dst, protocol, body, ttl=64, fragment=0x4000):
        self.ip_id = (self.ip_id + 1) & 0xFFFF
        header = ip_header(src, dst, protocol, len(body), ttl, self.ip_id, fragment)
        self.add(ns, self.frame(src, dst, header + body))

    def icmp_error(self, ns, sender, kind, code, quoted, mtu=0):
        """quoted: (src, dst, payload) of the UDP datagram that it is about."""
        src, dst, payload = quoted
        udp = udp_header(src, dst, payload) + payload
        ip = ip_header(src[0], dst[0], UDP, len(udp), 64, 1)
        head = struct.pack("!BB", kind, code)
        rest = struct.pack("!HH", 0, mtu) + (ip + udp)[:548]
        body = head + struct.pack("!H", checksum(head + b"\0\0" + rest)) + rest
        self.ip(ns, sender, src[0], ICMP, body)

    def close(self):
        with open(self.path, "wb") as f:
            self.write(f, sorted(self.packets, key=lambda p: p[0]))

    def write(self, f, packets, order="<", nano=False, snaplen=65535):
        f.write(struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, snaplen, self.link))
        for ns, frame in packets:
            part, kept = ns % 10**9 // (1 if nano else 1000), frame[:snaplen]
            f.write(struct.pack(order + "IIII", ns // 10**9, part, len(kept), len(frame)) + kept)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packed(address):
    return ipaddress.IPv4Address(address).packed


def ethernet(src, dst, packet, ethertypes=b"\x08\x00"):
    return b"\2\0" + packed(dst) + b"\2\0" + packed(src) + ethertypes + packet


def ip_header(src, dst, protocol, length, ttl, ip_id, fragment=0x4000):
    """fragment: flags and offset; 0x4000 = do not fragment."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, ip_id, fragment, ttl, protocol, 0)
    head += packed(src) + packed(dst)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:]


def udp_header(src, dst, payload):
    length = 8 + len(payload)
    ports = struct.pack("!HHH", src[1], dst[1], length)
    pseudo = packed(src[0]) + packed(dst[0]) + struct.pack("!HH", UDP, length)
    return ports + struct.pack("!H", checksum(pseudo + ports + b"\0\0" + payload) or 0xFFFF)
