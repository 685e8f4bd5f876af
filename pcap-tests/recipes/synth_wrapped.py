# SPDX-License-Identifier: MIT
"""The same good handshake in other wrappings and file formats."""

import struct

from pcap import UDP, Pcap, ethernet, ip_header, udp_header
from scene import CLIENT, RECIPES, SERVER, Scene, Talk

MAC = b"\2\0\0\0\0\1\0\0"
OUTER = ("10.1.0.1", "10.1.0.2")
NULL, PPP, RAW, SLL, SLL2 = 0, 9, 101, 113, 276  # link types of a capture


def in_udp(port, head):
    """An outer packet; head: a function of the inner one."""
    def frame(src, dst, packet):
        ends = (OUTER[0], port), (OUTER[1], port)
        inner = head(src, dst, packet)
        body = udp_header(*ends, inner) + inner
        return ethernet(*OUTER, ip_header(*OUTER, UDP, len(body), 64, 1) + body)
    return frame


def in_ip(protocol, head=b""):
    return lambda src, dst, packet: ethernet(*OUTER, ip_header(*OUTER, protocol, len(head + packet), 64, 1)
                                             + head + packet)


def tagged(ethertypes):
    return lambda src, dst, packet: ethernet(src, dst, packet, bytes.fromhex(ethertypes))


def headed(head):
    return lambda src, dst, packet: head + packet


def pppoe(src, dst, packet):
    return ethernet(src, dst, struct.pack("!BBHHH", 0x11, 0, 7, len(packet) + 2, 0x21) + packet, b"\x88\x64")


LINKS = {
    "link_raw": (RAW, headed(b"")),
    "link_null": (NULL, headed(struct.pack("<I", 2))),
    "link_ppp": (PPP, headed(b"\xff\x03\x00\x21")),
    "link_sll": (SLL, headed(struct.pack("!HHH8sH", 0, 1, 6, MAC, 0x0800))),
    "link_sll2": (SLL2, headed(struct.pack("!HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, MAC))),
    "in_vlan": (1, tagged("81000005 0800")),
    "in_qinq": (1, tagged("88a80005 81000006 0800")),
    "in_mpls": (1, tagged("8847 00010040 00011140")),
    "in_pppoe": (1, pppoe),
    "in_ipip": (1, in_ip(4)),
    "in_gre": (1, in_ip(47, b"\0\0\x08\0")),
    "in_vxlan": (1, in_udp(4789, lambda src, dst, packet: b"\x08\0\0\0\0\0\5\0" + ethernet(src, dst, packet))),
    "in_gtpu": (1, in_udp(2152, lambda src, dst, packet: struct.pack("!BBHI", 0x30, 0xFF, len(packet), 9) + packet)),
}


def linked(link, frame):
    def make(path):
        scene = Scene(path)
        scene.pcap.link, scene.pcap.frame = link, frame
        Talk(scene).whole()
        scene.pcap.close()
    return make


def carried(port, wrap):
    """In the payload of UDP. wrap: a function of the sender's side and the datagram."""
    def make(path):
        scene = Scene(path)
        talk = Talk(scene, server=(SERVER[0], port))
        put = talk.put
        talk.put = lambda side, payload: put(side, wrap(side, payload))
        talk.whole()
        scene.pcap.close()
    return make


def channel_data(_side, payload):
    """RFC 8656 section 12."""
    return struct.pack("!HH", 0x4001, len(payload)) + payload


def indication(side, payload):
    """Send to the TURN server, Data from it (RFC 8656 section 11)."""
    peer = struct.pack("!HHBBH4s", 0x0012, 8, 0, 1, 5000 ^ 0x2112, bytes.fromhex("e1baa527"))
    padding = bytes(-len(payload) % 4)
    attributes = peer + struct.pack("!HH", 0x0013, len(payload)) + payload + padding
    return struct.pack("!HHI", 0x0016 if side == "c" else 0x0017, len(attributes), 0x2112A442) + bytes(12) + attributes


def in_tcp(wrap, cuts=()):
    """Over a connection to a relay. cuts: where in a message a new segment begins."""
    def make(path):
        scene = Scene(path)
        talk = Talk(scene, server=(SERVER[0], 3478))
        seq = {"c": 0xFFFFFF00, "s": 77}

        def segment(side, data):
            ends = talk.address[side], talk.address["s" if side == "c" else "c"]
            scene.pcap.tcp(scene.now, *ends, seq[side], data)
            seq[side] += len(data)

        def put(side, payload):
            message = wrap(side, payload)
            message += bytes(-len(message) % 4)
            edges = [0, *(c for c in cuts if c < len(message)), len(message)]
            for start, stop in zip(edges, edges[1:]):
                scene.wait(0.005)
                segment(side, message[start:stop])
        talk.put = put
        talk.whole()
        scene.pcap.close()
    return make


def closed_behind_relay(path):
    """The relay's host reports that its port is closed; the error quotes a Send indication."""
    scene = Scene(path)
    talk = Talk(scene, server=(SERVER[0], 3478))
    put = talk.put
    talk.put = lambda side, payload: put(side, indication(side, payload))
    talk.hello()
    scene.icmp(SERVER[0], 3, 3, (CLIENT, talk.address["s"], indication("c", talk.sent)))
    scene.pcap.close()


def web_socket(_side, payload):
    """Something else, in which a few bytes look like a channel."""
    return b"\x40\x01\x00\x10" + payload.replace(b"\xfe", b"\xfa")


def source_packet(_side, payload):
    """RDP over UDP: what is acknowledged (one run, to a multiple of 4 bytes), then two sequence numbers."""
    return bytes.fromhex("c76d5c17 0400 000c 0001 4c00 9fd6752c 9fd6752c") + payload


def other_packet(_side, payload):
    """The same, with parity instead of data: no record."""
    return source_packet(_side, bytes(4) + payload)


def late_peer(side, payload):
    """An indication with its data in front of the peer's address, as some relays send them."""
    whole = indication(side, payload)
    peer, rest = whole[20:32], whole[32:]
    return whole[:20] + (rest + peer if side == "s" else peer + rest)


def snapped_indications(path):
    """Of each frame 160 bytes, so that of most the peer's address is cut off."""
    carried(3478, late_peer)(path)
    link, packets = 1, []
    with open(path, "rb") as f:
        f.read(24)
        while head := f.read(16):
            seconds, part, size, _ = struct.unpack("<IIII", head)
            packets.append((seconds * 10**9 + part * 1000, f.read(size)))
    pcap = Pcap(path, link)
    with open(path, "wb") as f:
        pcap.write(f, packets, snaplen=160)


def written(write):
    def make(path):
        scene = Scene(path)
        Talk(scene).whole()
        with open(path, "wb") as f:
            write(scene.pcap, f, scene.pcap.packets)
    return make


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def pcapng(pcap, f, packets):
    """Times in nanoseconds (if_tsresol 9)."""
    f.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
    f.write(block(1, struct.pack("<HHI", pcap.link, 0, 65535) + struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)))
    for ns, frame in packets:
        head = struct.pack("<IIIII", 0, ns >> 32, ns & 0xFFFFFFFF, len(frame), len(frame))
        f.write(block(6, head + frame))


def cut(pcap, f, packets):
    """The disk was full in the middle of the last packet."""
    pcap.write(f, packets)
    f.truncate(f.tell() - 10)


RECIPES.update({name: linked(*how) for name, how in LINKS.items()})
RECIPES.update({
    "in_turn_channel": carried(3478, channel_data),
    "in_turn_indication": carried(3478, indication),
    "in_capwap": carried(5246, lambda side, payload: b"\1\0\0\0" + payload),
    "in_capwap_reserved": carried(5246, lambda side, payload: (b"\1\0\0\0" if side == "c" else b"\1\0\3\0") + payload),
    "icmp_in_turn": closed_behind_relay,
    "in_turn_snapped": snapped_indications,
    "in_turn_tcp": in_tcp(indication),
    "in_turn_tcp_cut": in_tcp(channel_data, (40, 41, 300)),
    "in_tcp_not": in_tcp(web_socket),
    "in_rdpudp": carried(3389, source_packet),
    "in_rdpudp_not": carried(3389, other_packet),
    "file_pcapng": written(pcapng),
    "file_big_endian": written(lambda pcap, f, packets: pcap.write(f, packets, ">")),
    "file_snapped": written(lambda pcap, f, packets: pcap.write(f, packets, snaplen=96)),
    "file_cut": written(cut),
    "file_nanoseconds": written(lambda pcap, f, packets: pcap.write(f, packets, nano=True)),
})
