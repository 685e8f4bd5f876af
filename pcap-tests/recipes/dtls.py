# SPDX-License-Identifier: MIT
"""DTLS on the wire: enough to recognise a datagram, and to build one."""

import struct
from dataclasses import dataclass, field

CCS, ALERT, HANDSHAKE, DATA, HEARTBEAT, CID, ACK = range(20, 27)
CLIENT_HELLO, SERVER_HELLO, VERIFY, TICKET = 1, 2, 3, 4
CERTIFICATE, KEY_EXCHANGE, CERT_REQUEST, HELLO_DONE = 11, 12, 13, 14
CERT_VERIFY, CLIENT_KEY, FINISHED = 15, 16, 20
DTLS10, DTLS12, DTLS13 = 0xFEFF, 0xFEFD, 0xFEFC


@dataclass
class Record:
    content: int
    epoch: int
    seq: int
    body: bytes
    # Of a plaintext handshake record: its fragment.
    kind: int = -1
    message_seq: int = -1
    length: int = 0
    offset: int = 0


@dataclass
class Datagram:
    """One of the client ("c") or of the server ("s")."""

    side: str
    raw: bytes
    records: list = field(default_factory=list)

    def has(self, content, kind=None, epoch=None):
        return any(r.content == content and kind in (None, r.kind) and epoch in (None, r.epoch)
                   for r in self.records)

    def cookie(self):
        """Of a ClientHello; None = there is none in it."""
        for r in self.records:
            if r.kind == CLIENT_HELLO and r.offset == 0:
                at = 12 + 34
                at += 1 + r.body[at]
                return r.body[at + 1:at + 1 + r.body[at]]
        return None


def parse(side, raw):
    out, rest = Datagram(side, raw), raw
    while len(rest) >= 13:
        content, _, epoch, high, low, length = struct.unpack("!BHHHIH", rest[:13])
        out.records.append(read_record(content, epoch, (high << 32) | low, rest[13:13 + length]))
        rest = rest[13 + length:]
    return out


def read_record(content, epoch, seq, body):
    r = Record(content, epoch, seq, body)
    if content == HANDSHAKE and epoch == 0 and len(body) >= 12:
        r.kind, r.length = body[0], int.from_bytes(body[1:4], "big")
        r.message_seq, r.offset = int.from_bytes(body[4:6], "big"), int.from_bytes(body[6:9], "big")
    return r


def record(content, body, seq, epoch=0, version=DTLS12):
    return struct.pack("!BHHHIH", content, version, epoch, seq >> 32, seq & 0xFFFFFFFF, len(body)) + body


def fragment(kind, body, message_seq, start=0, stop=None):
    stop = len(body) if stop is None else stop
    piece = body[start:stop]
    return (bytes([kind]) + len(body).to_bytes(3, "big") + struct.pack("!H", message_seq)
            + start.to_bytes(3, "big") + len(piece).to_bytes(3, "big") + piece)


def vector(width, data):
    """A vector with its length in front (RFC 8446 section 3.4)."""
    return len(data).to_bytes(width, "big") + data


def numbers(*values):
    return b"".join(struct.pack("!H", v) for v in values)


def extensions(pairs):
    """pairs: (type, body)."""
    return vector(2, b"".join(struct.pack("!H", t) + vector(2, b) for t, b in pairs))


GROUPS = (10, vector(2, numbers(0x001D, 0x0017)))
SIGALGS = (13, vector(2, numbers(0x0403, 0x0804, 0x0401)))
POINTS = (11, vector(1, b"\0"))
EMS, RENEGOTIATION, TICKETS = (23, b""), (0xFF01, b"\0"), (35, b"")
ETM = (22, b"")
OFFER = (POINTS, GROUPS, SIGALGS, EMS, RENEGOTIATION)


def sni(name):
    return (0, vector(2, b"\0" + vector(2, name.encode())))


def versions_offered(*values):
    return (43, vector(1, numbers(*values)))


def client_hello(random, suites, cookie=b"", session=b"", exts=OFFER, version=DTLS12):
    return (struct.pack("!H", version) + random + vector(1, session) + vector(1, cookie)
            + vector(2, numbers(*suites)) + b"\1\0" + extensions(exts))


def server_hello(random, suite, session=b"", exts=(RENEGOTIATION, EMS), version=DTLS12):
    return struct.pack("!H", version) + random + vector(1, session) + numbers(suite) + b"\0" + extensions(exts)


def verify_request(cookie):
    return numbers(DTLS10) + vector(1, cookie)


def certificate(*chain):
    return vector(3, b"".join(vector(3, c) for c in chain))
