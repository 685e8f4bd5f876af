# SPDX-License-Identifier: MIT
"""Servers that mean harm or are something else: each is a function from one datagram to its answers."""

import itertools
import socket
import struct
import threading

DTLS12 = b"\xfe\xfd"
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


class Answers(threading.Thread):
    """A UDP server of 127.0.0.1. `answer(data, address)` gives None, a datagram, or a list of them; a datagram
    may be (seconds, bytes): it comes late."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port, self.answer, self.seen = self.socket.getsockname()[1], answer, 0
        self.late = []
        self.start()

    def run(self):
        while True:
            try:
                data, address = self.socket.recvfrom(1 << 16)
            except OSError:
                return
            if data == b"end":
                return
            self.seen += 1
            replies = self.answer(data, address)
            for reply in replies if isinstance(replies, list) else [replies] if replies is not None else []:
                self.send(reply, address)

    def send(self, reply, address):
        if isinstance(reply, tuple):
            timer = threading.Timer(reply[0], self.send, (reply[1], address))
            timer.daemon = True
            timer.start()
            return
        try:
            self.socket.sendto(reply, address)
        except OSError:
            pass

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"end", ("127.0.0.1", self.port))
        self.join()
        self.socket.close()


# --- what they send ---

def record(kind, body, seq=bytes(8), version=DTLS12):
    return bytes([kind]) + version + seq + struct.pack("!H", len(body)) + body


def fragment(kind, body, length=None, at=0, message_seq=0):
    length = len(body) if length is None else length
    return (bytes([kind]) + length.to_bytes(3, "big") + struct.pack("!H", message_seq) + at.to_bytes(3, "big") +
            len(body).to_bytes(3, "big") + body)


def handshake(hello, kind, body, **how):
    return record(22, fragment(kind, body, **how), hello[3:11])


def verify(hello, cookie):
    return handshake(hello, 3, b"\xfe\xff" + bytes([len(cookie)]) + cookie)


def is_hello(data):
    return len(data) > 25 and data[0] == 22 and data[13] == 1


def has_cookie(data):
    session = data[25 + 34]
    return is_hello(data) and data[25 + 35 + session] > 0


def server_hello(hello, suite=b"\xc0\x2b", version=DTLS12, session=b"", extensions=b"", random=bytes(range(32)), **how):
    body = version + random + bytes([len(session)]) + session + suite + b"\0"
    if extensions:
        body += struct.pack("!H", len(extensions)) + extensions
    return handshake(hello, 2, body, **how)


# --- who sends it ---

def hundred_answers(hello, _):
    """Each hello is answered with 100 requests for different cookies."""
    return [verify(hello, bytes([n]) * 20) for n in range(100)]


def hundred_hellos(hello, _):
    return [server_hello(hello, random=bytes([n]) * 32) for n in range(100)]


def endless_fragments(hello, _, count=itertools.count()):
    """A certificate of 16 MB, in fragments that never end, of messages that differ."""
    return [server_hello(hello)] + [
        handshake(hello, 11, bytes(1000), length=0xffffff, at=(1000 * next(count)) % 0xfff000, message_seq=n % 9)
        for n in range(60)]


def many_messages(hello, _):
    """200 messages begin, none ends."""
    return [handshake(hello, 11, bytes(50), length=60000, message_seq=n) for n in range(200)]


def giant_lengths(hello, _):
    """Each length says more than there is, or as much as it can."""
    session = b"\xff" * 10
    return [
        record(22, b"")[:-2] + b"\xff\xff",
        record(22, fragment(2, b"", length=0xffffff, at=0xffffff)),
        handshake(hello, 2, DTLS12 + bytes(32) + b"\xff" + session),
        handshake(hello, 2, DTLS12 + bytes(32) + b"\0\xc0\x2b\0\xff\xff" + session),
        handshake(hello, 2, DTLS12 + bytes(32) + b"\0\xc0\x2b\0\0\x04\0\x10\xff\xff"),
        handshake(hello, 3, b"\xfe\xff\xff" + session),
        handshake(hello, 11, b"\xff\xff\xff\xff\xff\xff" + session),
        server_hello(hello, session=bytes(255)),
        record(21, b"\2"),
        record(22, bytes(16000)),
    ]


def cookie_of_255(hello, _):
    return verify(hello, b"c" * 255) if is_hello(hello) else None


def empty_cookie(hello, _):
    return verify(hello, b"")


def cookies_without_end(hello, _, count=itertools.count()):
    """No cookie is ever good enough."""
    return verify(hello, struct.pack("!Q", next(count)))


def retries_without_end(hello, _):
    """A HelloRetryRequest for a group, whatever is offered."""
    return server_hello(hello, b"\x13\x01", random=RETRY, extensions=b"\0\x2b\0\2\xfe\xfc\0\x33\0\2\0\x18")


def what_was_not_offered(hello, _):
    """A version of the future, a suite of nobody, extensions that nobody asked for."""
    return server_hello(hello, b"\xfa\xfa", b"\x7f\x7f", bytes(32),
                        b"".join(struct.pack("!HH", 0x4a4a + n, 3) + b"\x1b[m" for n in range(500)))


def alert_storm(hello, _):
    return [record(21, bytes([1 + n % 3, n])) for n in range(100)]


def slow(hello, _):
    """2 s late, which is later than many clients wait."""
    return [(2, verify(hello, b"cookie"))]


def silent(*_):
    return None


def ssh(*_):
    return b"SSH-2.0-OpenSSH_9.2p1\r\n"


def echo(data, _):
    return data


def dns(data, _):
    return data[:2] + b"\x81\x81" + data[4:]


def escapes(*_):
    return b"\x1b]0;pwned\x07\x1b[2J<script>alert(1)</script>\r\n" * 20


def noise(data, _, count=itertools.count()):
    """Bytes of each kind, of which some look like records; the same in each run."""
    n = next(count)
    mixed = bytes((31 * n + 17 * i * i + data[i % len(data)]) & 0xff for i in range(n % 1400))
    return [mixed, record(20 + n % 8, mixed, hello_seq(data)), handshake(data, n % 26, mixed)]


def hello_seq(data):
    return data[3:11].ljust(8, b"\0")


ALL = {f.__name__: f for f in (
    hundred_answers, hundred_hellos, endless_fragments, many_messages, giant_lengths, cookie_of_255, empty_cookie,
    cookies_without_end, retries_without_end, what_was_not_offered, alert_storm, slow, silent, ssh, echo, dns, escapes,
    noise)}


class Between(threading.Thread):
    """Forwards between clients and a server on 127.0.0.1, as long as `passes(number)` says for the client's
    datagrams, counted over all ports: what mutes, bans and slows down."""

    def __init__(self, port, passes):
        super().__init__(daemon=True)
        self.down = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.down.bind(("127.0.0.1", 0))
        self.port, self.to, self.passes = self.down.getsockname()[1], ("127.0.0.1", port), passes
        self.number, self.up = 0, {}
        self.start()

    def run(self):
        while True:
            try:
                data, address = self.down.recvfrom(1 << 16)
            except OSError:
                return
            if data == b"end":
                return
            self.number += 1
            if self.passes(self.number):
                self.server_of(address).send(data)

    def server_of(self, address):
        if address not in self.up:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.connect(self.to)
            self.up[address] = s
            threading.Thread(target=self.back, args=(s, address), daemon=True).start()
        return self.up[address]

    def back(self, s, address):
        while True:
            try:
                data = s.recv(1 << 16)
                self.down.sendto(data, address)
            except ConnectionRefusedError:
                continue
            except OSError:
                return

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"end", ("127.0.0.1", self.port))
        self.join()
        for s in (self.down, *self.up.values()):
            s.close()
