# SPDX-License-Identifier: MIT
"""What somebody off-path can send: UDP with a false source, and ICMP errors. Needs root."""

import os
import socket
import struct
import threading
import time

VERSION = 0xFEFD
CCS, ALERT, HANDSHAKE, DATA, HEARTBEAT, CID, ACK = range(20, 27)
HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, VERIFY_REQUEST = 0, 1, 2, 3
CERTIFICATE, KEY_EXCHANGE, HELLO_DONE, CLIENT_KEY, FINISHED = 11, 12, 14, 16, 20


def record(content, body, epoch=0, seq=1000, version=VERSION, length=None):
    return struct.pack("!BHHHIH", content, version, epoch, seq >> 32, seq & 0xFFFFFFFF,
                       len(body) if length is None else length) + body


def message(kind, body=b"", seq=5, length=None, offset=0, fragment=None):
    length = len(body) if length is None else length
    fragment = len(body) if fragment is None else fragment
    return (struct.pack("!B", kind) + length.to_bytes(3, "big") + struct.pack("!H", seq)
            + offset.to_bytes(3, "big") + fragment.to_bytes(3, "big") + body)


def client_hello(random=None, cookie=b"", seq=0, record_seq=1000):
    """One that a server with a P-256 certificate answers: its curve is among the groups."""
    body = (struct.pack("!H", VERSION) + (random or os.urandom(32)) + b"\0" + bytes([len(cookie)]) + cookie
            + bytes.fromhex("0004c02bc02f0100") + bytes.fromhex("0012000a00060004001d0017000d000400020403"))
    return record(HANDSHAKE, message(CLIENT_HELLO, body, seq), seq=record_seq)


def alert(level, description):
    return record(ALERT, bytes([level, description]))


def handshake(*args, **kwargs):
    return record(HANDSHAKE, message(*args, **kwargs))


# The kinds of datagrams of which OpenSSL's own DTLS dies, in some version and state, and their kin.
KINDS = {
    # Protected records that no key made.
    **{f"protected-{n}-bytes": record(DATA, b"x" * n, epoch=1) for n in (0, 1, 15, 16, 23, 24, 64, 1200)},
    **{f"protected-type-{t}": record(t, os.urandom(40), epoch=1) for t in (CCS, ALERT, HANDSHAKE, HEARTBEAT, 99)},
    "protected-high-number": record(DATA, os.urandom(40), epoch=1, seq=2**48 - 1),
    "epoch-2": record(DATA, os.urandom(40), epoch=2),
    "epoch-65535": record(HANDSHAKE, os.urandom(40), epoch=65535),
    "unified-header": b"\x2f\x00\x01\x00\x20" + os.urandom(32),
    # Plaintext records of other types.
    "plain-data": record(DATA, b"hello"),
    "plain-data-empty": record(DATA, b""),
    "plain-heartbeat": record(HEARTBEAT, b"\1\0\4abcd" + b"p" * 16),
    "plain-cid": record(CID, os.urandom(30)),
    "plain-ack": record(ACK, b"\0\x10" + bytes(16)),
    "plain-type-99": record(99, b"abc"),
    "plain-ccs": record(CCS, b"\1"),
    "plain-ccs-bad": record(CCS, b"\1\1"),
    "old-version": record(HANDSHAKE, message(FINISHED, bytes(12)), version=0x0100),
    "tls-version": record(HANDSHAKE, message(FINISHED, bytes(12)), version=0x0303),
    # Alerts.
    "alert-fatal": alert(2, 40),
    "alert-close-notify": alert(1, 0),
    "alert-warning": alert(1, 112),
    "alert-cut": record(ALERT, b"\2"),
    # Handshake messages that contradict themselves or the state.
    "handshake-5-bytes": record(HANDSHAKE, b"\1\0\0\0\0"),
    "handshake-empty": record(HANDSHAKE, b""),
    "handshake-16-MB": handshake(CERTIFICATE, b"x" * 50, length=0xFFFFFF, fragment=50),
    "handshake-beyond-its-end": handshake(CERTIFICATE, b"x" * 50, length=60, offset=40),
    "handshake-longer-than-record": handshake(CERTIFICATE, b"x" * 10, length=100, fragment=100),
    "handshake-unknown-type": handshake(77, b"x" * 10),
    "hello-request": handshake(HELLO_REQUEST, seq=1),
    "verify-request": handshake(VERIFY_REQUEST, b"\xfe\xff\x14" + os.urandom(20), seq=0),
    "plain-finished": handshake(FINISHED, os.urandom(12), seq=6),
    "client-hello": client_hello(),
    "client-hello-bad-cookie": client_hello(cookie=os.urandom(20), seq=1),
    # Records that contradict the datagram.
    "record-cut": record(HANDSHAKE, b"abc", length=300),
    "record-too-long": record(HANDSHAKE, b"x" * 1000, length=0xFFFF),
    "header-cut": record(DATA, b"")[:7],
    "one-byte": b"\x16",
    "empty": b"",
    "text": b"GET / HTTP/1.0\r\n\r\n",
}


def _raw(protocol):
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
    return s


def _ip(protocol, source, target, payload):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0,
                         socket.inet_aton(source), socket.inet_aton(target))
    return header + payload


def _udp(source, target, payload):
    return struct.pack("!HHHH", source, target, 8 + len(payload), 0) + payload


def _checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def send(source, target, payload):
    """A datagram that claims to come from `source`; both are (address, port)."""
    with _raw(socket.IPPROTO_RAW) as s:
        s.sendto(_ip(17, source[0], target[0], _udp(source[1], target[1], payload)), (target[0], 0))


def _icmp(kind, code, victim, other, mtu, quote):
    quoted = _ip(17, victim[0], other[0], _udp(victim[1], other[1], quote + bytes(len(quote) % 2)))
    body = struct.pack("!BBHHH", kind, code, 0, 0, mtu) + quoted
    body = body[:2] + struct.pack("!H", _checksum(body)) + body[4:]
    return _ip(1, "127.0.0.9", victim[0], body)


def _icmp6(kind, code, victim, other, mtu, quote):
    """The kernel adds the IP header and the checksum."""
    udp = _udp(victim[1], other[1], quote)
    quoted = struct.pack("!IHBB16s16s", 6 << 28, len(udp), 17, 64, socket.inet_pton(socket.AF_INET6, victim[0]),
                         socket.inet_pton(socket.AF_INET6, other[0])) + udp
    return struct.pack("!BBHI", kind, code, 0, mtu) + quoted


def send_icmp(kind, code, victim, other, mtu=0, quote=b"x" * 8):
    """An ICMP error about a datagram that `victim` sent to `other`, from nowhere in particular."""
    with _raw(socket.IPPROTO_RAW) as s:
        s.sendto(_icmp(kind, code, victim, other, mtu, quote), (victim[0], 0))


class IcmpStorm:
    """The same ICMP error, `rate` times a second while a block lasts; .sent counts."""

    def __init__(self, kind, code, victim, other, mtu=0, rate=20000):
        six = ":" in victim[0]
        self.socket = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) if six else \
            _raw(socket.IPPROTO_RAW)
        self.error = (_icmp6 if six else _icmp)(kind, code, victim, other, mtu, b"x" * 8)
        self.target, self.rate, self.sent = (victim[0], 0), rate, 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        begin = time.monotonic()
        while not self.stop.wait(0.0005):
            while self.sent < (time.monotonic() - begin) * self.rate and not self.stop.is_set():
                self.socket.sendto(self.error, self.target)
                self.sent += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.socket.close()


ICMP_ERRORS = {"port-unreachable": (3, 3, 0), "host-unreachable": (3, 1, 0), "net-unreachable": (3, 0, 0),
               "prohibited": (3, 13, 0), "protocol-unreachable": (3, 2, 0), "too-big-576": (3, 4, 576),
               "too-big-68": (3, 4, 68), "time-exceeded": (11, 0, 0)}


def flood(target, count, base=0):
    """`count` ClientHellos, each from another address of 127/8 and with another random."""
    hello = bytearray(_ip(17, "127.0.0.1", target[0], _udp(1, target[1], client_hello(bytes(32)))))
    at = bytes(hello).index(bytes(32))
    with _raw(socket.IPPROTO_RAW) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        for i in range(base, base + count):
            hello[13:16] = (1 << 16 | (i * 7919) & 0xFFFF).to_bytes(3, "big")
            hello[20:22] = (1024 + i % 60000).to_bytes(2, "big")
            hello[at:at + 8] = i.to_bytes(8, "big")
            s.sendto(hello, target)
    return len(hello) - 28
