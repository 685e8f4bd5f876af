# SPDX-License-Identifier: MIT
"""Written by hand: sessions in which one side falls silent, has ended, or was never there (section J)."""

from dtls import ALERT, HANDSHAKE
from scene import CLIENT, COOKIE, Item, Talk, data, recipe, retries

ELSEWHERE = (CLIENT[0], 50007)


@recipe
def wrong_destination(s):
    """The server answers to a port that signalling gave it."""
    t = Talk(s)
    t.hello()

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
def wrong_destination_cookie(s):
    """The request for a cookie reaches the client, what follows does not."""
    t = Talk(s)
    t.cookie_exchange()

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
def peer_silent_stopped_not(s):
    """A burst of requests, and the capture ends before the answers."""
    t = Talk(s)
    t.establish()
    t.chat(rounds=4)
    s.wait(120)
    for _ in range(10):
        t.send("c", data())


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
