# SPDX-License-Identifier: MIT
"""Written by hand: the last flights, out of order or in part."""

import der
import dtls
from scene import CHANGE, CLOSE, COOKIE, FINISHED, RECIPES, START, Scene, Talk, alert, data, opaque, recipe, retries
from synth_offer import RSA_SUITE


def asked_for_certificate(t):
    """Up to the server's flight, which has a CertificateRequest; then the client's messages."""
    t.cookie_exchange()
    hello, certificate, key = t.server_messages()[:3]
    t.message_seq["s"] -= 1
    request = t.message("s", dtls.CERT_REQUEST, b"\1\x40" + dtls.vector(2, dtls.numbers(0x0403)) + dtls.vector(2, b""))
    t.fly("s", [*hello, *certificate, *key, *request, *t.message("s", dtls.HELLO_DONE, b"")])
    mine = dtls.certificate(der.certificate("client.example", START - 86400, START + 86400 * 30))
    return (t.message("c", dtls.CERTIFICATE, mine), t.client_key(),
            t.message("c", dtls.CERT_VERIFY, dtls.numbers(0x0403) + dtls.vector(2, opaque(71, "proof"))))


@recipe
def verify_overtaken(s):
    """ChangeCipherSpec and Finished overtake the CertificateVerify; the client's timer repeats all."""
    t = Talk(s)
    certificate, key, verify = asked_for_certificate(t)
    parts = [b"".join(t.pack("c", i) for i in items) for items in ((*certificate, *key), verify, (CHANGE, FINISHED))]
    for n in (0, 2, 1):
        t.put("c", parts[n])
    s.wait(1)
    t.fly("c", [*certificate, *key, *verify, CHANGE, FINISHED])
    t.flight6()
    t.chat()


@recipe
def verify_overtaken_not(s):
    """The CertificateVerify was lost and comes again, with a later number than the ChangeCipherSpec."""
    t = Talk(s)
    certificate, key, verify = asked_for_certificate(t)
    t.fly("c", [*certificate, *key], verify, [CHANGE, FINISHED], lost=(1,))
    s.wait(1)
    t.again("c")
    t.flight6()
    t.chat()


@recipe
def first_records_of_a_session(s):
    """Two records, one of each side, and no more."""
    t = Talk(s)
    put, t.put = t.put, lambda side, payload: None
    t.establish()
    t.put = put
    t.chat(rounds=1)


# The last flight of the server.

def promise_ticket(t):
    t.cookie_exchange()
    t.flight4(exts=(dtls.RENEGOTIATION, dtls.EMS, dtls.TICKETS))
    t.flight5()
    return t.message("s", dtls.TICKET, bytes(4) + dtls.vector(2, opaque(160, "ticket")))


@recipe
def ticket_lost(s):
    """The NewSessionTicket is lost, and the client does not accept the rest."""
    t = Talk(s, exts=(*dtls.OFFER, dtls.TICKETS))
    t.fly("s", promise_ticket(t), [CHANGE, FINISHED], lost=(0,))
    t.send("c", CLOSE)


@recipe
def ticket_lost_not(s):
    """The client has nothing to say and closes; another one gets its ticket with the second copy."""
    t = Talk(s, exts=(*dtls.OFFER, dtls.TICKETS))
    t.fly("s", promise_ticket(t), [CHANGE, FINISHED])
    t.send("c", CLOSE)
    t = Talk(s, ("198.51.100.8", 50000), exts=(*dtls.OFFER, dtls.TICKETS))
    t.fly("s", promise_ticket(t), [CHANGE, FINISHED], lost=(0,))
    s.wait(1)
    t.again("c")
    t.again("s")
    t.send("c", CLOSE)


# Answers that come late.

def at(s, seconds):
    s.now, s.last = START * 10**9 + round(seconds * 10**9), None


@recipe
def timer_below_round_trip_server(s):
    """Captured at the server: the round trip takes 300 ms, and the client's timer first 100 ms."""
    t = Talk(s)
    hello, second = (t.message("c", dtls.CLIENT_HELLO, t.hello_body(cookie)) for cookie in (b"", COOKIE))
    for seconds in (0.15, 0.25, 0.45):
        at(s, seconds)
        t.send("c", *hello)
        t.verify()
    for seconds in (0.46, 0.56):
        at(s, seconds)
        t.send("c", *second)
        if seconds < 0.5:
            t.flight4()
        else:
            t.again("s")
    at(s, 0.78)
    t.finish()
    t.chat()


@recipe
def answers_together(s):
    """A busy server reads three copies of the hello at once; the way takes 40 ms."""
    t = Talk(s)
    t.hello()
    retries(s, lambda: t.again("c"), times=(1, 2))
    s.wait(1.3)
    t.flight4()
    t.again("s")
    t.again("s")
    s.wait(0.04)
    t.flight5()
    s.wait(0.04)
    t.flight6()
    t.chat()


# What the client drops without a word.

def dropped_flight(s, **hello):
    """The server repeats its flight with the client's hello, which never changes."""
    t = Talk(s, **hello)
    t.cookie_exchange()
    t.flight4()
    retries(s, lambda: (t.again("c"), t.again("s")))


@recipe
def certificate_unfit_silent(s):
    dropped_flight(s, suite=RSA_SUITE)


@recipe
def choice_not_offered_silent(s):
    groups = (10, dtls.vector(2, dtls.numbers(0x17)))
    dropped_flight(s, exts=(dtls.POINTS, groups, dtls.SIGALGS, dtls.EMS, dtls.RENEGOTIATION))


@recipe
def message_order_silent(s):
    """No certificate, and the messages are numbered without it."""
    t = Talk(s)
    t.cookie_exchange()
    hello, _, key, _ = t.server_messages()
    rest = t.pieces(dtls.KEY_EXCHANGE, key[0].body[12:], 2) + t.pieces(dtls.HELLO_DONE, b"", 3)
    t.fly("s", [*hello, *rest])
    retries(s, lambda: (t.again("c"), t.again("s")))


@recipe
def dropped_without_fault_not(s):
    """The same silence, and nothing in the flight that explains it."""
    dropped_flight(s)


@recipe
def record_too_large_silent(s):
    """The client takes 1024 bytes, as agreed, and drops what is longer."""
    limit = (1, b"\2")
    t = Talk(s, exts=(*dtls.OFFER, limit))
    t.cookie_exchange()
    t.flight4(padding=900, exts=(dtls.RENEGOTIATION, dtls.EMS, limit))
    retries(s, lambda: (t.again("c"), t.again("s")))


@recipe
def first_copy_lost(s):
    """Captured behind the loss: of the client's flight only the second copy is seen."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.flight5(lost=(0,))
    s.wait(1)
    t.again("c")
    t.flight6()
    t.chat()


# What looks like loss or a copy, and is none.

@recipe
def request_for_each_piece(s):
    """A server asks for the cookie at each piece of a hello (GnuTLS 3.7), with the same record."""
    t = Talk(s)
    t.hello(cuts=(60,))
    t.verify()
    t.put("s", t.sent)
    t.hello(COOKIE, cuts=(60,))
    t.flight4()
    t.finish()
    t.chat()


def repeated_flight(t):
    """A client that needs long for the server's flight, so that it comes again: nothing was lost."""
    t.flight4(padding=900, certificate_cuts=(600,))
    t.scene.wait(1)
    t.again("s")
    t.scene.wait(0.1)
    t.finish()
    t.chat()


@recipe
def begins_after_hellos(s):
    """The capture begins with the server's flight, and the client's numbers at 2."""
    t = Talk(s)
    put, t.put = t.put, lambda side, payload: None
    t.cookie_exchange()
    t.put = put
    repeated_flight(t)


def snapped(path):
    """Of each frame 120 bytes: what a datagram lacks may be records."""
    s = Scene(path)
    t = Talk(s)
    t.cookie_exchange()
    repeated_flight(t)
    with open(path, "wb") as f:
        s.pcap.write(f, s.pcap.packets, snaplen=120)


RECIPES["file_snapped_repetition"] = snapped


@recipe
def new_random_one_way(s):
    """Only the client was captured, which takes a new random for the hello with the cookie (CAPWAP)."""
    t = Talk(s)
    put, t.put = t.put, lambda side, payload: put(side, payload) if side == "c" else None
    t.hello()
    t.verify()
    t.label = "new random"
    t.hello(COOKIE)
    t.flight4()
    t.finish()
    t.chat()


@recipe
def begins_with_last_flight(s):
    """The first packet is the server's ticket; then only the client talks."""
    t = Talk(s, exts=(*dtls.OFFER, dtls.TICKETS))
    put, t.put = t.put, lambda side, payload: None
    ticket = promise_ticket(t)
    t.put = put
    t.fly("s", ticket, [CHANGE, FINISHED])
    s.wait(1)
    t.again("s")
    for _ in range(4):
        t.send("c", data())
        s.wait(2)


# Hellos that cannot be read.

@recipe
def malformed_hello(s):
    """Bytes behind the extensions of a client; then a server that answers an extension twice."""
    t = Talk(s)
    t.fly("c", t.message("c", dtls.CLIENT_HELLO, t.hello_body() + bytes(4)))
    t.send("s", alert(50))
    s.wait(1)
    t = Talk(s, ("198.51.100.8", 50000))
    t.cookie_exchange()
    t.flight4(exts=(dtls.RENEGOTIATION, dtls.EMS, dtls.EMS))
    t.send("c", alert(47))


@recipe
def malformed_hello_not(s):
    """decode_error for another reason; an empty list of extensions is no flaw."""
    t = Talk(s, exts=())
    t.hello()
    t.send("s", alert(50))


@recipe
def fallback_refused(s):
    """A second try with DTLS 1.0, marked as one (RFC 7507)."""
    t = Talk(s, suites=(0xC009, 0x5600), version=dtls.DTLS10)
    t.cookie_exchange()
    t.send("s", alert(86))


@recipe
def fallback_refused_not(s):
    """The mark alone, and a server that does not mind."""
    t = Talk(s, suites=(0xC02B, 0x5600))
    t.whole()
