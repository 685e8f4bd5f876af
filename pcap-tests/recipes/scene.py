# SPDX-License-Identifier: MIT
"""Conversations written by hand: who sends which records when, always the same to the byte."""

import hashlib
from dataclasses import dataclass

import der
import dtls
from dtls import ALERT, CCS, DATA, HANDSHAKE
from pcap import Pcap

START = 1780272000  # 1 June 2026
CLIENT, SERVER = ("198.51.100.7", 50000), ("192.0.2.9", 4433)
OTHER = ("203.0.113.5", 40000)
WITHIN, TURN = 0.0002, 0.010  # seconds: between datagrams of a flight; until the peer replies
ECDSA_SUITE, PSK_SUITE = 0xC02B, 0xD001  # both ECDHE with AES-128-GCM
COOKIE = bytes(range(20))
AEAD = 24  # bytes that AES-GCM adds in DTLS 1.2


def opaque(size, *label):
    """Bytes that look random."""
    out = b""
    while len(out) < size:
        out += hashlib.sha256(repr((label, len(out))).encode()).digest()
    return out[:size]


class Scene:
    """A clock and the packets so far."""

    def __init__(self, path):
        self.pcap, self.now, self.last = Pcap(path), START * 10**9, None

    def wait(self, seconds):
        self.now += round(seconds * 10**9)
        self.last = None

    def put(self, src, dst, payload):
        if self.last:
            self.wait(WITHIN if self.last == src else TURN)
        self.last = src
        self.pcap.udp(self.now, src, dst, payload)

    def icmp(self, sender, kind, code, quoted, mtu=0):
        """quoted: (src, dst, payload)."""
        self.wait(WITHIN)
        self.pcap.icmp_error(self.now, sender, kind, code, quoted, mtu)


@dataclass
class Item:
    """A record to be: its number comes when it is sent."""

    content: int
    body: bytes = b""
    sealed: int = -1  # bytes of plaintext; what they are cannot be seen


CHANGE = Item(CCS, b"\1")
FINISHED = Item(HANDSHAKE, sealed=24)
CLOSE = Item(ALERT, sealed=2)


def data(size=40):
    return Item(DATA, sealed=size)


def alert(description, level=2):
    return Item(ALERT, bytes([level, description]))


class Talk:
    """One association between a client and a server."""

    def __init__(self, scene, client=CLIENT, server=SERVER, suite=ECDSA_SUITE, label="", **hello):
        self.scene, self.address = scene, {"c": client, "s": server}
        self.suite, self.label = suite, label or repr(client)
        self.hello_options = {"suites": (suite,), **hello}
        self.numbers = {("c", 0): 0, ("s", 0): 0, ("c", 1): 0, ("s", 1): 0}
        self.message_seq = {"c": 0, "s": 0}
        self.flight = {"c": [], "s": []}
        self.sent = b""

    # Records and datagrams.

    def send(self, side, *items, lost=False):
        """One datagram; a lost one uses up its record numbers and is not captured."""
        self.sent = b"".join(self.pack(side, item) for item in items)
        if not lost:
            self.put(side, self.sent)

    def put(self, side, payload):
        self.scene.put(self.address[side], self.address["s" if side == "c" else "c"], payload)

    def pack(self, side, item):
        epoch = int(item.sealed >= 0)
        seq = self.numbers[side, epoch]
        self.numbers[side, epoch] += 1
        body = item.body
        if epoch:
            explicit = (1 << 48 | seq).to_bytes(8, "big")
            body = explicit + opaque(item.sealed + AEAD - 8, self.label, side, seq)
        return dtls.record(item.content, body, seq, epoch)

    def message(self, side, kind, body, cuts=()):
        """The items of a new message, cut at these offsets."""
        seq = self.message_seq[side]
        self.message_seq[side] += 1
        return self.pieces(kind, body, seq, cuts)

    @staticmethod
    def pieces(kind, body, seq, cuts=()):
        edges = [0, *cuts, len(body)]
        return [Item(HANDSHAKE, dtls.fragment(kind, body, seq, a, b)) for a, b in zip(edges, edges[1:])]

    def fly(self, side, *datagrams, lost=()):
        """A flight; lost: which of its datagrams do not arrive."""
        self.flight[side] = datagrams
        self.again(side, lost)

    def again(self, side, lost=()):
        """The last flight of this side once more, with new record numbers."""
        for n, items in enumerate(self.flight[side]):
            self.send(side, *items, lost=n in lost)

    # Messages.

    def hello_body(self, cookie=b"", **options):
        random = opaque(32, self.label, "client random")
        return dtls.client_hello(random, cookie=cookie, **{**self.hello_options, **options})

    def hello(self, cookie=b"", cuts=(), lost=()):
        """Each fragment is a datagram of its own."""
        items = self.message("c", dtls.CLIENT_HELLO, self.hello_body(cookie), cuts)
        self.fly("c", *([i] for i in items), lost=lost)

    def verify(self, cookie=COOKIE):
        """Its record number is that of the ClientHello (RFC 6347 section 4.2.1)."""
        self.numbers["s", 0] = max(0, self.numbers["c", 0] - 1)
        self.send("s", *Talk.pieces(dtls.VERIFY, dtls.verify_request(cookie), 0))
        self.message_seq["s"] = 1

    def cookie_exchange(self, cookie=COOKIE):
        self.hello()
        self.verify(cookie)
        self.hello(cookie)

    def server_hello(self, random=None, **options):
        random = random or opaque(32, self.label, "server random")
        return dtls.server_hello(random, self.suite, **options)

    def server_messages(self, padding=0, random=None, certificate_cuts=(), **options):
        """Flight 4, a list of records for each message."""
        cert = der.certificate("server.example", START - 86400, START + 86400 * 30, padding)
        key = b"\3\0\x1d" + dtls.vector(1, opaque(32, self.label, "share"))
        out = [self.message("s", dtls.SERVER_HELLO, self.server_hello(random, **options))]
        if self.suite == PSK_SUITE:
            key = b"\0\0" + key
        else:
            out.append(self.message("s", dtls.CERTIFICATE, dtls.certificate(cert), certificate_cuts))
            key += b"\4\3" + dtls.vector(2, opaque(71, self.label, "signature"))
        return out + [self.message("s", dtls.KEY_EXCHANGE, key), self.message("s", dtls.HELLO_DONE, b"")]

    def flight4(self, lost=(), **options):
        """In one datagram."""
        self.fly("s", sum(self.server_messages(**options), []), lost=lost)

    def client_key(self, identity=b"user"):
        share = dtls.vector(1, opaque(32, self.label, "client share"))
        body = dtls.vector(2, identity) + share if self.suite == PSK_SUITE else share
        return self.message("c", dtls.CLIENT_KEY, body)

    def flight5(self, lost=()):
        self.fly("c", [*self.client_key(), CHANGE, FINISHED], lost=lost)

    def flight6(self, lost=()):
        self.fly("s", [CHANGE, FINISHED], lost=lost)

    def finish(self):
        self.flight5()
        self.flight6()

    def establish(self, cookie=COOKIE, **options):
        self.cookie_exchange(cookie)
        self.flight4(**options)
        self.finish()

    def chat(self, rounds=3, every=0.1):
        """Data in both directions."""
        for _ in range(rounds):
            self.send("c", data())
            self.send("s", data())
            self.scene.wait(every)

    def close(self):
        self.send("c", CLOSE)
        self.send("s", CLOSE)

    def whole(self, **options):
        """From the first hello to the last goodbye."""
        self.establish(**options)
        self.chat()
        self.close()


RECIPES = {}


def recipe(write):
    """Registers a function that plays in a scene under its own name."""
    def make(path):
        scene = Scene(path)
        write(scene)
        scene.pcap.close()
    RECIPES[write.__name__] = make
    return write


def retries(scene, work, times=(1, 2, 4)):
    """Does it again and again, as a client's timer would."""
    for seconds in times:
        scene.wait(seconds)
        work()


def another(scene, seconds=30):
    """Somebody else's handshake much later: what did not happen until then does not come."""
    scene.wait(seconds)
    Talk(scene, OTHER, ("192.0.2.200", 4433)).whole(cookie=opaque(20, "another"))
