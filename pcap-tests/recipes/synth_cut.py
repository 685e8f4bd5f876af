# SPDX-License-Identifier: MIT
"""Written by hand: captures that lack something: their beginning, a direction, the ends of packets."""

import dtls
from scene import CHANGE, CLIENT, COOKIE, FINISHED, RECIPES, Scene, Talk, alert, another, data, opaque, recipe, retries
from synth_answer import STUN_REQUEST, STUN_SUCCESS


def unseen(t, work):
    """What happens before the capture begins."""
    put, t.put = t.put, lambda side, payload: None
    work()
    t.put = put


def only(t, side):
    put, t.put = t.put, lambda s, payload: put(s, payload) if s == side else None


@recipe
def begins_in_cookie_rounds(s):
    """Three hellos are under way when the capture begins; each gets its request, the last ones after the cookie."""
    t = Talk(s)

    def asked():
        t.hello()
        t.again("c")
        t.again("c")
    unseen(t, asked)
    for n in range(3):
        t.verify()
        s.wait(0.1)
        if not n:
            t.hello(COOKIE)
    s.wait(0.15)
    t.flight4(padding=400)
    t.finish()
    t.chat()


@recipe
def begins_at_last_hello(s):
    """The client asked for seconds; the capture has only the last two hellos, and no sign of loss."""
    t = Talk(s)
    unseen(t, lambda: (t.hello(), t.again("c"), t.again("c")))
    t.again("c")
    s.wait(8)
    t.again("c")
    s.wait(0.03)
    t.verify()
    t.hello(COOKIE)
    t.flight4()
    t.finish()
    t.chat()


@recipe
def begins_at_finished(s):
    """Of the client's flight the capture has the Finished only, between the server's pieces."""
    t = Talk(s)
    unseen(t, lambda: (t.cookie_exchange(), t.flight4()))
    key = t.client_key()
    unseen(t, lambda: t.send("c", *key, CHANGE))
    t.send("s", *t.message("s", dtls.HELLO_DONE, b""))
    t.send("c", FINISHED)
    s.wait(1)
    for item in (*key, CHANGE, FINISHED):
        t.send("c", item)
    t.flight6()
    t.chat()


@recipe
def begins_at_far_number(s):
    """The first record has a wild number, as some stacks give alerts; the next ones go on as before."""
    t = Talk(s)
    unseen(t, t.establish)
    number = t.numbers["c", 1]
    t.numbers["c", 1] = 1 << 40
    t.send("c", data())
    t.numbers["c", 1] = number
    t.chat(rounds=5)


@recipe
def two_handshakes_one_way(s):
    """Of both handshakes from one port the capture has the server's packets only."""
    for label in ("old", "new"):
        t = Talk(s, label=label)
        only(t, "s")
        t.establish()
        t.chat(rounds=2)
        s.wait(5)


@recipe
def stun_one_way(s):
    """The client answers checks that the capture does not show: what the server sends is not in it."""
    t = Talk(s)
    only(t, "c")
    t.hello()

    def again():
        t.put("c", STUN_REQUEST)
        t.put("c", STUN_SUCCESS)
        t.again("c")
    retries(s, again)
    another(s)


@recipe
def restart_in_unknown_session_not(s):
    """The same, but the hello comes from the side that was the client by its port."""
    t = Talk(s)
    unseen(t, t.establish)
    t.chat(rounds=5)
    t = Talk(s, label="again")
    t.hello()
    retries(s, lambda: t.again("c"))


@recipe
def stray_hello_in_unknown_session(s):
    """The network delivers the hello of a session once more, in a capture that begins in it."""
    t = Talk(s)
    unseen(t, t.hello)
    first = t.sent
    unseen(t, lambda: (t.verify(), t.hello(COOKIE), t.flight4(), t.finish()))
    t.chat()
    t.put("c", first)
    t.chat()


def asks(s, code):
    """Who ends one handshake after the server's flight, and shows the cookie of another from a second port."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.send("c", alert(code))
    s.wait(1)
    for port in (50001, 50002):
        t = Talk(s, (CLIENT[0], port), label="question")
        t.hello()
        t.verify(cookie=opaque(20, port))
        s.wait(0.5)
    another(s)


@recipe
def canceled(s):
    """With user_canceled: this is a question, not a failure."""
    asks(s, 90)


@recipe
def canceled_unheard(s):
    """The server does not take the alert for the client's, and repeats its flight: still a question."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.send("c", alert(90))
    retries(s, lambda: t.again("s"))


@recipe
def canceled_not(s):
    asks(s, 80)


@recipe
def canceled_after_silence(s):
    """A client whose hellos nobody answers, and whose user then gives up: this is a failure."""
    t = Talk(s)
    t.hello()
    retries(s, lambda: t.again("c"))
    s.wait(4)
    t.send("c", alert(90, level=1))


@recipe
def ice_before_the_capture(s):
    """A WebRTC session whose checks went before the first packet: the address may be proven."""
    t = Talk(s, exts=dtls.OFFER + ((14, dtls.vector(2, b"\0\1") + b"\0"),))
    t.hello()
    t.flight4(padding=1000)
    t.finish()
    t.chat()


def refused(s):
    t = Talk(s)
    t.cookie_exchange()
    t.send("s", alert(40))
    another(s)


def restarted(s):
    for label in ("old", "new"):
        t = Talk(s, label=label)
        t.establish()
        t.chat(rounds=2)
        s.wait(0.1)


def snapped(play, snaplen):
    def make(path):
        s = Scene(path)
        play(s)
        with open(path, "wb") as f:
            s.pcap.write(f, s.pcap.packets, snaplen=snaplen)
    return make


def disordered(path):
    """The interface wrote the packets of its two queues out of order; their times are right."""
    s = Scene(path)
    t = Talk(s)
    t.cookie_exchange()
    t.fly("s", *t.server_messages())
    for item in (*t.client_key(), CHANGE, FINISHED):
        t.send("c", item)
    t.send("s", CHANGE)
    t.send("s", FINISHED)
    t.chat()
    t.close()
    packets = s.pcap.packets
    for n in range(3, len(packets) - 1, 2):
        packets[n], packets[n + 1] = packets[n + 1], packets[n]
    with open(path, "wb") as f:
        s.pcap.write(f, packets)


RECIPES["file_disordered"] = disordered
RECIPES["file_snapped_refusal"] = snapped(refused, 90)
RECIPES["file_snapped_restart"] = snapped(restarted, 80)
