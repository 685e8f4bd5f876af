# SPDX-License-Identifier: MIT
"""What looks like loss, copies or disorder and is not, beside what is."""

import dtls
from dtls import CCS, DATA, HANDSHAKE
from scene import CHANGE, CLOSE, COOKIE, FINISHED, PSK_SUITE, Item, Talk, another, data, opaque, recipe, retries


@recipe
def small_messages(s):
    """Three whole messages, each in a small datagram of its own: nothing was cut."""
    t = Talk(s, suite=PSK_SUITE)
    t.cookie_exchange()
    t.fly("s", *t.server_messages())
    t.finish()
    t.chat()


@recipe
def timer_below_round_trip(s):
    """The client asks three times before the first answer can be there; each copy gets its answer."""
    t = Talk(s)
    t.hello()
    for _ in range(2):
        s.wait(0.1)
        t.again("c")
    s.wait(0.15)
    t.verify()
    t.hello(COOKIE)
    for _ in range(2):
        s.wait(0.1)
        t.verify()
        t.again("c")
    s.wait(0.15)
    t.flight4(padding=400)
    t.finish()
    t.chat()


@recipe
def restart_after_close(s):
    """Both sides closed before the client began again from the same port."""
    Talk(s, label="old").whole()
    s.wait(10)
    Talk(s, label="new").whole()


@recipe
def amplification_small(s):
    """The server's flight is small; only what it sends once the address is proved is large."""
    t = Talk(s, suite=PSK_SUITE)
    t.hello()
    t.flight4()
    t.finish()
    t.chat()


def finish_apart(t, ccs_late):
    """The server's last flight, its Finished and its ChangeCipherSpec in datagrams of their own."""
    t.flight5()
    change, finished = t.pack("s", CHANGE), t.pack("s", FINISHED)
    first, second = (finished, change) if ccs_late else (change, finished)
    t.put("s", first)
    t.scene.wait(0.06)
    t.put("s", second)


@recipe
def finished_overtakes(s):
    """The record numbers tell that Finished came first, 60 ms early; the server does not repeat."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    finish_apart(t, True)
    retries(s, lambda: t.again("c"), (1, 2, 4, 8))
    another(s)


@recipe
def finished_overtakes_not(s):
    """The first ChangeCipherSpec was lost; the one behind Finished was sent again."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.flight5()
    t.fly("s", [CHANGE], [FINISHED], lost=(0,))
    s.wait(1)
    t.again("c")
    t.again("s")
    t.chat()


@recipe
def last_flight_in_pieces(s):
    """Three datagrams, 60 ms apart, are one flight and no copies."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.flight5()
    t.send("s", *t.message("s", dtls.TICKET, bytes(4) + dtls.vector(2, opaque(160, "ticket"))))
    for item in (CHANGE, FINISHED):
        s.wait(0.06)
        t.send("s", item)
    t.chat()


@recipe
def server_late(s):
    """No cookie. Four hellos, the answer 1.3 s after the last; the path takes 10 ms."""
    t = Talk(s)
    t.hello()
    retries(s, lambda: t.again("c"), (1, 2, 4))
    s.wait(1.3)
    t.flight4()
    t.finish()
    t.chat()


@recipe
def server_late_not(s):
    """The answer comes 10 ms after the second hello, within the second."""
    t = Talk(s)
    t.hello()
    s.wait(0.5)
    t.again("c")
    t.flight4()
    t.finish()
    t.chat()


@recipe
def data_without_finished(s):
    """The capture misses the last flights; data of both sides proves the session."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.send("c", *t.client_key())
    t.numbers["c", 1] = t.numbers["s", 1] = 40
    s.wait(30)
    t.chat()


@recipe
def data_without_finished_not(s):
    """Only the client sends data: the server may never have finished."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.send("c", *t.client_key())
    t.numbers["c", 1] = 40
    for _ in range(4):
        t.send("c", data())
        s.wait(1)


def finish_carried(t):
    """The server's Finished goes on with the numbers of epoch 0, its data begins at 1."""
    t.cookie_exchange()
    t.flight4()
    t.flight5()
    t.send("s", CHANGE)
    t.numbers["s", 1] = t.numbers["s", 0]
    t.send("s", FINISHED)
    t.numbers["s", 1] = 1


@recipe
def number_reused(s):
    """The data reaches the number of the Finished: one nonce for two records."""
    t = Talk(s)
    finish_carried(t)
    t.chat(10)


@recipe
def number_set_back(s):
    """The number of the Finished will be used again, but was not yet."""
    t = Talk(s)
    finish_carried(t)
    t.chat(2)


@recipe
def number_reused_not(s):
    """The network copies one record and lets another one overtake."""
    t = Talk(s)
    t.establish()
    t.send("s", data())
    t.put("s", t.sent)
    late = t.pack("s", data())
    t.send("s", data())
    t.put("s", late)
    t.chat()


@recipe
def far_number(s):
    """An alert with a number far away is neither a copy nor the end of a large gap."""
    t = Talk(s)
    t.establish()
    t.chat(5)
    t.numbers["c", 1] = 0xFFFFFFFF0000
    t.send("c", CLOSE)
    t.numbers["c", 1] = 7
    t.chat(2)


@recipe
def renegotiates(s):
    """A second handshake in the session: ChangeCipherSpec in epoch 1, Finished in epoch 2."""
    t = Talk(s)
    t.establish()
    t.chat()
    for side in "cscs":
        t.send(side, Item(HANDSHAKE, sealed=180 if side == "c" else 120))
    for side in "cs":
        finished = dtls.record(HANDSHAKE, opaque(48, side, "epoch 2"), 0, 2)
        t.put(side, t.pack(side, Item(CCS, sealed=1)) + finished)
    for side in "cs":
        t.put(side, dtls.record(DATA, opaque(64, side, "after"), 1, 2))


@recipe
def renegotiates_not(s):
    """The Finished is sent again, in epoch 1: a retransmission."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.flight5()
    t.flight6(lost=(0,))
    s.wait(1)
    t.again("c")
    t.again("s")
    t.chat()


@recipe
def appdata_loss_of_any_size(s):
    """Each fourth record is missing, but large ones arrive: their size does not explain it."""
    t = Talk(s)
    t.establish()
    for n in range(32):
        t.send("c", data(1300 if n % 4 == 1 else 100), lost=n % 4 == 3)
        t.send("s", data(30))
        s.wait(0.2)


def flight4_as_stream(s, lost=()):
    """The sender's flight leaves through a pipe that cuts it anywhere; on the timer each record goes alone."""
    t = Talk(s)
    t.cookie_exchange()
    flight = t.server_messages(padding=700)
    stream = b"".join(t.pack("s", item) for items in flight for item in items)
    for n, piece in enumerate((stream[:600], stream[600:])):
        if n not in lost:
            t.put("s", piece)
    s.wait(1)
    t.fly("s", *flight)
    t.finish()
    t.chat()


@recipe
def record_cut(s):
    """One record in two datagrams: no number is missing, and there is no connection ID."""
    flight4_as_stream(s)


@recipe
def record_cut_not(s):
    """The second datagram is lost: its records are missing."""
    flight4_as_stream(s, lost=(1,))


@recipe
def counts_from_one(s):
    """A client whose record numbers begin with 1, and a server that answers the second hello."""
    t = Talk(s)
    t.numbers["c", 0] = 1
    t.hello()
    s.wait(2)
    t.again("c")
    t.flight4()
    t.finish()
    t.chat()
