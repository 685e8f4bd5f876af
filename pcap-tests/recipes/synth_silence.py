# SPDX-License-Identifier: MIT
"""Written by hand: sessions in which one side falls silent, has ended, or was never there (section J)."""

import struct

import dtls
from dtls import ALERT, HANDSHAKE
from scene import CLIENT, OTHER, SERVER, Item, Talk, data, opaque, recipe, retries
from synth_answer import STUN_REQUEST, STUN_SUCCESS

ELSEWHERE = (CLIENT[0], 50007)


def answers_elsewhere(s, t):
    """The server's flight goes to another port of the client each time, and the client repeats its own."""
    def reply():
        t.address["c"] = ELSEWHERE
        t.flight4() if not t.flight["s"] else t.again("s")
        t.address["c"] = CLIENT
    reply()

    def again():
        t.again("c")
        reply()
    retries(s, again)


@recipe
def wrong_destination(s):
    """The server answers to a port that signalling gave it."""
    t = Talk(s)
    t.hello()
    answers_elsewhere(s, t)


@recipe
def wrong_destination_cookie(s):
    """The request for a cookie reaches the client, what follows does not."""
    t = Talk(s)
    t.cookie_exchange()
    answers_elsewhere(s, t)


@recipe
def wrong_destination_not(s):
    """The same client asks from two ports at the same time; one of them is not answered."""
    mute = Talk(s, label="one")
    other = Talk(s, client=ELSEWHERE, label="two")

    def both():
        mute.again("c")
        other.again("c")
        other.again("s")
    mute.hello()
    other.hello()
    other.flight4()
    retries(s, both)
    other.finish()


@recipe
def wrong_destination_first(s):
    """The server's first flight goes to another port; it corrects itself when the client repeats its hello."""
    t = Talk(s)
    t.hello()
    t.address["c"] = ELSEWHERE
    t.flight4()
    t.address["c"] = CLIENT
    s.wait(1)
    t.again("c")
    t.again("s")
    t.finish()
    t.chat()


@recipe
def wrong_destination_first_not(s):
    """A hello is lost; meanwhile the server finishes with another port, whose own hello was not captured."""
    t = Talk(s)
    other = Talk(s, client=ELSEWHERE, label="two")
    other.message("c", dtls.CLIENT_HELLO, b"")
    t.hello()
    other.flight4()
    other.flight5()
    other.flight6()
    s.wait(1)
    t.again("c")
    t.flight4()
    t.finish()
    t.chat()


@recipe
def peer_silent(s):
    """The server forgets the session; requests go on until the client gives up."""
    t = Talk(s)
    t.establish()
    t.chat(rounds=4, every=1)
    for _ in range(8):
        t.send("c", data())
        s.wait(1)
    t.send("c", Item(ALERT, sealed=2))


@recipe
def peer_silent_client(s):
    """The client is gone; the server goes on as before."""
    t = Talk(s)
    t.establish()
    t.chat(rounds=20, every=0.5)
    for _ in range(30):
        t.send("s", data())
        s.wait(0.5)


@recipe
def peer_silent_not(s):
    """Reports go one way, and the server says something now and then; at the end the client stops."""
    t = Talk(s)
    t.establish()
    t.chat(rounds=1)
    for _ in range(3):
        for _ in range(8):
            t.send("c", data())
            s.wait(1)
        t.send("s", data())
    for _ in range(6):
        t.send("c", data())
        s.wait(1)
    s.wait(60)


@recipe
def peer_silent_stream_not(s):
    """The client asks twice, then the server sends a stream that needs no answers."""
    t = Talk(s)
    t.establish()
    t.chat(rounds=2)
    for _ in range(40):
        t.send("s", data(200))
        s.wait(0.5)


@recipe
def peer_silent_stopped_not(s):
    """A burst of requests, and the capture ends before the answers."""
    t = Talk(s)
    t.establish()
    t.chat(rounds=4)
    s.wait(120)
    for _ in range(10):
        t.send("c", data())


@recipe
def peer_silent_few(s):
    """A request is repeated as CoAP does it, and nobody answers any more."""
    t = Talk(s)
    t.establish()
    t.chat(rounds=3)
    s.wait(300)
    for seconds in (2.5, 5, 10, 20):
        t.send("c", data())
        s.wait(seconds)


@recipe
def peer_silent_few_not(s):
    """Three records within a second, and a minute later the end."""
    t = Talk(s)
    t.establish()
    t.chat(rounds=3)
    s.wait(300)
    for _ in range(3):
        t.send("c", data())
        s.wait(0.4)
    s.wait(60)
    t.send("c", Item(ALERT, sealed=2))


@recipe
def restart_in_unknown_session(s):
    """The capture begins in a session, in which one side then sends a hello: perhaps its former server."""
    t = Talk(s)
    put, t.put = t.put, lambda side, payload: None
    t.establish()
    t.put = put
    t.chat(rounds=5)
    t = Talk(s, client=SERVER, server=CLIENT, label="swapped")
    t.hello()
    retries(s, lambda: t.again("c"))


@recipe
def data_after_close(s):
    """The client does not notice that the server has closed."""
    t = Talk(s)
    t.establish()
    t.chat()
    t.send("s", Item(ALERT, sealed=2))
    for _ in range(5):
        s.wait(2)
        t.send("c", data())


@recipe
def data_after_close_not(s):
    """Data that crosses the close on the path."""
    t = Talk(s)
    t.establish()
    t.chat()
    t.send("s", Item(ALERT, sealed=2))
    for _ in range(3):
        t.send("c", data())
    t.send("c", Item(ALERT, sealed=2))


@recipe
def data_after_refusal_not(s):
    """The server refuses a renegotiation with a warning, and the session goes on one way."""
    t = Talk(s)
    t.establish()
    t.chat()
    t.send("c", Item(HANDSHAKE, sealed=200))
    t.send("s", Item(ALERT, sealed=2))
    for _ in range(5):
        s.wait(2)
        t.send("c", data())


@recipe
def mid_session_not_dtls_not(s):
    """The capture begins in a session; something else comes from the server's port."""
    t = Talk(s)
    put, t.put = t.put, lambda side, payload: None
    t.establish()
    t.put = put
    for n in range(6):
        t.send("c", data())
        t.put("s", bytes([1, n]) + b"no DTLS at all")
        s.wait(0.5)


def checks(t, rounds=1):
    """ICE checks of both sides, which both answer."""
    for _ in range(rounds):
        for asks, answers in (("c", "s"), ("s", "c")):
            t.put(asks, STUN_REQUEST)
            t.put(answers, STUN_SUCCESS)


@recipe
def flight_lost_stun_passes(s):
    """Near the client: the server's large flight is lost each time, its STUN packets arrive."""
    t = Talk(s)
    checks(t)
    t.hello()
    checks(t, 2)

    def again():
        t.again("c")
        checks(t, 2)
    retries(s, again)


@recipe
def flight_lost_rtp_passes_not(s):
    """Media packets as large as a flight arrive: it is not the size."""
    t = Talk(s)
    t.hello()

    def again():
        t.again("c")
        for n in range(3):
            t.put("s", b"\x80\x60" + bytes([0, n]) + opaque(1100, "rtp", n))
    retries(s, again)


@recipe
def flight_unheard_stun_passes(s):
    """Near the server: all goes out, the client answers STUN requests only."""
    t = Talk(s)
    checks(t)
    t.hello()
    t.flight4(padding=500)

    def again():
        t.again("c")
        t.again("s")
        checks(t)
    retries(s, again)


@recipe
def flight_in_one_datagram(s):
    """Near the server: records of a small size, joined to a datagram that no path takes in one piece."""
    t = Talk(s)
    t.hello()
    t.flight4(padding=3500, certificate_cuts=(1200, 2400))

    def again():
        t.again("c")
        t.again("s")
    retries(s, again)


@recipe
def pieces_lost_without_cookie(s):
    """Near the client: two pieces of the certificate never come, small ones do."""
    t = Talk(s)
    t.hello()
    hello, cert, key, done = t.server_messages(padding=2400, certificate_cuts=(1300, 2600))
    t.fly("s", hello, *([i] for i in cert), key + done, lost=(1, 2))

    def again():
        t.again("c")
        t.again("s", lost=(1, 2))
    retries(s, again)


def long_chain(t):
    cuts = tuple(range(1200, 20000, 1200))
    hello, cert, key, done = t.server_messages(padding=20000, certificate_cuts=cuts)
    t.fly("s", hello, *([i] for i in cert), key + done)


@recipe
def message_too_large(s):
    """The client asks again and again although all of the certificate arrives."""
    t = Talk(s)
    t.cookie_exchange()
    long_chain(t)

    def again():
        t.again("c")
        t.again("s")
    retries(s, again)


@recipe
def message_too_large_not(s):
    """A client that takes it."""
    t = Talk(s)
    t.cookie_exchange()
    long_chain(t)
    t.finish()
    t.chat()
    t.close()


def swapped(s, t):
    """The former server as client."""
    return Talk(s, client=SERVER, server=CLIENT, label="swapped", suite=t.suite)


@recipe
def roles_swapped(s):
    """Keepalives of one byte, then the server begins a handshake."""
    t = Talk(s)
    t.establish()
    t.chat()
    for _ in range(4):
        s.wait(60)
        t.put("c", b"\1")
    other = swapped(s, t)
    other.hello()
    retries(s, lambda: other.again("c"))


@recipe
def roles_swapped_not(s):
    """Two peers that can do both (RFC 7252)."""
    t = Talk(s)
    t.establish()
    t.chat()
    s.wait(60)
    swapped(s, t).whole()


@recipe
def restart_after_close_not(s):
    """The session before was closed in order."""
    Talk(s).whole()
    s.wait(5)
    Talk(s, label="again").whole()


def padded(t, *sides):
    """A relay that forwards the padding of ChannelData."""
    put = t.put
    t.put = lambda side, payload: put(side, payload + bytes(-len(payload) % 4 if side in sides else 0))
    return t


@recipe
def trailing_bytes(s):
    """Both sides read the records and ignore the rest."""
    padded(Talk(s), "c", "s").whole()


@recipe
def trailing_bytes_dropped(s):
    """The server takes the hellos, which end on a multiple of 4, and drops what is padded later."""
    t = padded(Talk(s), "c")
    t.cookie_exchange()
    t.flight4()
    t.flight5()
    retries(s, lambda: t.again("c"))


@recipe
def trailing_bytes_server_dropped(s):
    """The client drops the server's padded flight."""
    t = padded(Talk(s), "s")
    t.cookie_exchange()
    t.flight4(padding=1)

    def again():
        t.again("c")
        t.again("s")
    retries(s, again)


@recipe
def trailing_bytes_not(s):
    """What begins like a record, and goes on as something else."""
    t = Talk(s)
    for n in range(4):
        t.put("c", b"\x17\xfe\xfd\0\1" + bytes([0, 0, 0, 0, 0, n, 0, 20]) + opaque(20, "data", n) + b"\1\2\3")


def stun(kind, label, *attributes):
    """attributes: (type, value)."""
    body = b"".join(struct.pack("!HH", t, len(v)) + v + bytes(-len(v) % 4) for t, v in attributes)
    return struct.pack("!HHI", kind, len(body), 0x2112A442) + opaque(12, "stun", label) + body


def ice(t, rounds, every=0.5, names=(b"abcd", b"efgh")):
    """Checks of both sides with user names (RFC 8445 section 7.1.1); the client nominates."""
    ours, theirs = names
    for n in range(rounds):
        for asks, answers, name in (("c", "s", theirs + b":" + ours), ("s", "c", ours + b":" + theirs)):
            more = [(0x25, b"")] if asks == "c" else []
            t.put(asks, stun(0x0001, (asks, n), (0x6, name), *more))
            t.put(answers, stun(0x0101, (asks, n), (0x20, bytes(8))))
        t.scene.wait(every)


def before(s):
    """The capture begins some seconds earlier."""
    s.put(CLIENT, ("192.0.2.53", 53), b"a question")
    s.wait(3)


@recipe
def no_hello(s):
    """Both ends wait as server."""
    before(s)
    ice(Talk(s), 20)


@recipe
def no_hello_other_pair_not(s):
    """The same session has DTLS on another pair of addresses."""
    before(s)
    t, idle = Talk(s), Talk(s, client=OTHER)
    for n in range(10):
        ice(idle, 1)
        ice(t, 1)
        if n == 2:
            t.establish()
    t.close()


@recipe
def no_hello_media_not(s):
    """Media with keys from signalling (SDES): DTLS is not wanted."""
    before(s)
    t = Talk(s)
    for n in range(20):
        ice(t, 1)
        t.put("c", b"\x80\x60" + bytes([0, n]) + opaque(60, "rtp", n))


@recipe
def no_hello_stun_server_not(s):
    """A client asks a STUN server for its address; no user names."""
    before(s)
    t = Talk(s, server=("192.0.2.9", 3478))
    for n in range(20):
        t.put("c", stun(0x0001, n))
        t.put("s", stun(0x0101, n, (0x20, bytes(8))))
        s.wait(1)


@recipe
def no_hello_slow_not(s):
    """The hello comes after ten seconds."""
    before(s)
    t = Talk(s)
    ice(t, 20)
    t.whole()


@recipe
def restart_right_after_close(s):
    """The server may still have the session that was closed a moment ago."""
    Talk(s).whole()
    s.wait(0.2)
    Talk(s, label="again").whole()
