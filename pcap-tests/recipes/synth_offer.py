# SPDX-License-Identifier: MIT
"""Written by hand: what hellos, alerts and certificates say against each other."""

import der
import dtls
from scene import CHANGE, FINISHED, START, Talk, alert, another, opaque, recipe, retries

SRTP = (14, dtls.vector(2, dtls.numbers(7)) + b"\0")
SESSION = opaque(32, "session")
SCSV = 0x00FF
JPAKE_SUITE = 0xC0FF
DRAFT = 0x7F26  # the number of a draft of DTLS 1.3
CLOSE_NOTIFY = alert(0, level=1)


# Secure renegotiation.

@recipe
def no_renegotiation_info(s):
    """A client as strict as OpenSSL 3 stops before it has read the server's certificate."""
    t = Talk(s)
    t.cookie_exchange()
    hello, *rest = t.server_messages(exts=(dtls.EMS,))
    t.send("s", *hello)
    t.send("c", alert(40))
    t.send("s", *sum(rest, []))


@recipe
def no_renegotiation_info_not(s):
    """Nobody asked for it, so nobody answers it; and a client that asks, and does not mind."""
    Talk(s, exts=(dtls.POINTS, dtls.GROUPS, dtls.SIGALGS, dtls.EMS)).whole(exts=(dtls.EMS,))
    s.wait(1)
    Talk(s, ("198.51.100.8", 50000)).whole(exts=(dtls.EMS,))


# Session IDs.

@recipe
def session_id_echoed(s):
    t = Talk(s, session=SESSION)
    t.cookie_exchange()
    t.flight4(session=SESSION)
    t.send("c", alert(10))


@recipe
def session_id_echoed_not(s):
    """First the ID of a session that goes on, then a full handshake with an ID of its own."""
    t = Talk(s, session=SESSION)
    t.cookie_exchange()
    t.send("s", *t.message("s", dtls.SERVER_HELLO, t.server_hello(session=SESSION)), CHANGE, FINISHED)
    t.send("c", CHANGE, FINISHED)
    t.chat()
    t.close()
    s.wait(1)
    t = Talk(s, ("198.51.100.8", 50000), session=opaque(32, "unknown"))
    t.whole(session=opaque(32, "other"))


@recipe
def session_of_before_refused(s):
    """The server does not know the session any more that it gave a minute ago."""
    Talk(s, label="first").whole(session=SESSION)
    s.wait(60)
    Talk(s, ("198.51.100.7", 50001), label="second", session=SESSION).whole()


@recipe
def session_id_is_a_mark(s):
    """A VPN client puts a mark of its application there (as AnyConnect and openconnect do)."""
    Talk(s, session=SESSION).whole()


# The longest record.

def limited(s, bytes_sent, offered, chosen, cuts=(), host="198.51.100.7"):
    """A handshake up to the server's flight, each record in a datagram of its own."""
    t = Talk(s, (host, 50000), exts=(*dtls.OFFER, *offered))
    t.cookie_exchange()
    exts = (dtls.RENEGOTIATION, dtls.EMS, *chosen)
    for items in t.server_messages(padding=bytes_sent, exts=exts, certificate_cuts=cuts):
        for item in items:
            t.send("s", item)
    return t


@recipe
def record_too_large(s):
    """The record with the certificate is longer than the 1024 bytes agreed."""
    t = limited(s, 900, [(1, b"\2")], [(1, b"\2")])
    t.send("c", alert(22))


@recipe
def record_too_large_not(s):
    """The same certificate in two records; then a server that does not agree to a limit."""
    t = limited(s, 900, [(1, b"\2")], [(1, b"\2")], (700,))
    t.finish()
    t.close()
    s.wait(1)
    t = limited(s, 900, [(1, b"\2")], [], host="198.51.100.8")
    t.finish()
    t.close()


@recipe
def record_size_limit(s):
    """A client that takes 600 bytes at most drops what is longer."""
    t = limited(s, 600, [(28, dtls.numbers(600))], [(28, dtls.numbers(16384))])
    retries(s, lambda: t.again("c"))


# The offer.

@recipe
def closes_at_once(s):
    """A server without a suite in common that closes instead of an alert."""
    t = Talk(s)
    t.hello()
    t.send("s", CLOSE_NOTIFY)

    def again():
        t.again("c")
        t.send("s", CLOSE_NOTIFY)
    retries(s, again)


@recipe
def closes_once(s):
    """One hello, one close_notify, and the capture ends."""
    t = Talk(s)
    t.hello()
    t.send("s", CLOSE_NOTIFY)


@recipe
def closes_at_once_not(s):
    """The client itself closes while it waits."""
    t = Talk(s)
    t.hello()
    t.send("c", CLOSE_NOTIFY)
    another(s)


@recipe
def alert_of_dtls10(s):
    """A server that knows only DTLS 1.0."""
    t = Talk(s)
    t.cookie_exchange()
    t.put("s", dtls.record(dtls.ALERT, b"\2\50", 1, version=dtls.DTLS10))


@recipe
def illegal_parameter(s):
    """Something in the server's flight, and the capture does not show what."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.send("c", alert(47))


@recipe
def dtls13_draft(s):
    """A draft of DTLS 1.3 has neither renegotiation nor extended master secret."""
    versions = dtls.versions_offered(DRAFT, dtls.DTLS12)
    share = (51, dtls.numbers(0x1D) + dtls.vector(2, opaque(32, "share")))
    t = Talk(s, suite=0x1301, suites=(0x1301, 0xC02B), exts=(*dtls.OFFER, versions))
    t.hello()
    hello = t.server_hello(exts=(share, (43, dtls.numbers(DRAFT))))
    t.send("s", *t.message("s", dtls.SERVER_HELLO, hello))
    for side in "ss" "c" "s" "c":
        record = bytes([0x2E]) + dtls.numbers(s.now & 0xFFFF) + dtls.vector(2, opaque(60, side, s.now))
        t.put(side, record)


# SRTP.

@recipe
def srtp_data(s):
    """A browser offers it although it wants a data channel."""
    Talk(s, exts=(*dtls.OFFER, SRTP)).whole()


# EC J-PAKE.

def jpake(s):
    t = Talk(s, suite=JPAKE_SUITE, exts=((256, opaque(330, "round one")),))
    t.cookie_exchange()
    hello = t.server_hello(exts=((256, opaque(330, "server's round one")),))
    key = b"\3\0\x17" + opaque(165, "round two")
    t.fly("s", [*t.message("s", dtls.SERVER_HELLO, hello), *t.message("s", dtls.KEY_EXCHANGE, key),
                *t.message("s", dtls.HELLO_DONE, b"")])
    t.fly("c", [*t.message("c", dtls.CLIENT_KEY, opaque(166, "client's round two")), CHANGE, FINISHED])
    return t


@recipe
def wrong_password(s):
    """The server drops the Finished that another password made."""
    t = jpake(s)
    retries(s, lambda: t.again("c"), (1, 2, 4, 8))


@recipe
def wrong_password_not(s):
    t = jpake(s)
    t.flight6()
    t.chat()
    t.close()


# Certificates against what was offered or asked for.

RSA_SUITE = 0xC02F  # ECDHE with a certificate for RSA; the certificate here is one for ECDSA
TYPES = {"rsa": b"\1", "ecdsa": b"\x40"}


def refused_flight(s, description, port=50000, **how):
    t = Talk(s, ("198.51.100.7", port), **how)
    t.cookie_exchange()
    t.flight4()
    t.send("c", alert(description))


@recipe
def certificate_unfit(s):
    """A suite for RSA with a certificate for ECDSA; then a key on a curve that was not offered."""
    refused_flight(s, 47, suite=RSA_SUITE)
    s.wait(1)
    groups = (10, dtls.vector(2, dtls.numbers(0x1D)))
    refused_flight(s, 40, 50001, exts=(dtls.POINTS, groups, dtls.SIGALGS, dtls.EMS, dtls.RENEGOTIATION))
    s.wait(1)
    schemes = (13, dtls.vector(2, dtls.numbers(0x0503, 0x0804)))
    refused_flight(s, 47, 50002, exts=(dtls.POINTS, dtls.GROUPS, schemes, dtls.EMS, dtls.RENEGOTIATION))


def asked(s, kind, schemes=(0x0403,), port=50000):
    """The server asks for a certificate of this kind."""
    t = Talk(s, ("198.51.100.7", port))
    t.cookie_exchange()
    *first, done = t.server_messages()
    t.message_seq["s"] -= 1
    names = dtls.vector(2, dtls.vector(2, der.name("Device Root")) + dtls.vector(2, der.name("Other Root")))
    asks = dtls.vector(1, TYPES[kind]) + dtls.vector(2, dtls.numbers(*schemes)) + names
    request, done = t.message("s", dtls.CERT_REQUEST, asks), t.message("s", dtls.HELLO_DONE, b"")
    t.send("s", *sum(first, []), *request, *done)
    return t


def mutual(s, kind, schemes=(0x0403,)):
    """The client sends one for ECDSA."""
    t = asked(s, kind, schemes)
    own = der.certificate("client", START - 86400, START + 86400)
    proof = dtls.numbers(0x0403) + dtls.vector(2, opaque(71, "proof"))
    t.send("c", *t.message("c", dtls.CERTIFICATE, dtls.certificate(own)), *t.client_key(),
           *t.message("c", dtls.CERT_VERIFY, proof), CHANGE, FINISHED)
    return t


@recipe
def client_certificate_unfit(s):
    mutual(s, "rsa").send("s", alert(43))


@recipe
def client_signature_unfit(s):
    mutual(s, "ecdsa", (0x0503,)).send("s", alert(47))


@recipe
def client_certificate_unfit_not(s):
    """The right kind; the server refuses for a reason of its own."""
    mutual(s, "ecdsa").send("s", alert(46))


# What the server chose, and the order of messages.

DHE_SUITE = 0x009E  # DHE with RSA


@recipe
def choice_not_offered(s):
    """A group that the client does not offer; then a suite."""
    groups = (10, dtls.vector(2, dtls.numbers(0x17)))
    refused_flight(s, 47, exts=(dtls.POINTS, groups, dtls.SIGALGS, dtls.EMS, dtls.RENEGOTIATION))
    s.wait(1)
    refused_flight(s, 47, 50001, suites=(0xC02C,))


@recipe
def choice_not_offered_not(s):
    """The last of several groups, and an alert about something else."""
    groups = (10, dtls.vector(2, dtls.numbers(0x0A0A, 0x17, 0x1D)))
    refused_flight(s, 80, exts=(dtls.POINTS, groups, dtls.SIGALGS, dtls.EMS, dtls.RENEGOTIATION))


@recipe
def message_order(s):
    """A server without its certificate; then a client that does not answer the request for one."""
    t = Talk(s)
    t.cookie_exchange()
    hello, _, key, done = t.server_messages()
    t.message_seq["s"] = 1
    t.send("s", *hello, *t.pieces(dtls.KEY_EXCHANGE, key[0].body[12:], 2), *t.pieces(dtls.HELLO_DONE, b"", 3))
    t.send("c", alert(10))
    s.wait(1)
    t = asked(s, "ecdsa", port=50001)
    t.send("c", *t.client_key(), CHANGE, FINISHED)
    t.send("s", alert(10))


@recipe
def message_order_not(s):
    """Messages that come in another order than they were sent in; the alert is about something else."""
    t = Talk(s)
    t.cookie_exchange()
    first = [t.pack("s", item) for item in sum(t.server_messages(), [])]
    for record in (first[0], first[2], first[1], first[3]):
        t.put("s", record)
    t.send("c", alert(80))


def prime(s, bits, port=50000):
    t = Talk(s, ("198.51.100.7", port), suite=DHE_SUITE, suites=(DHE_SUITE, 0x00FF))
    t.cookie_exchange()
    hello, _, _, done = t.server_messages()
    del done
    number = b"\xff" + opaque(bits // 8 - 1, "prime")
    key = dtls.vector(2, number) + dtls.vector(2, b"\2") + dtls.vector(2, number[::-1])
    key += dtls.numbers(0x0401) + dtls.vector(2, opaque(256, "signature"))
    t.send("s", *hello)
    t.send("s", *t.pieces(dtls.KEY_EXCHANGE, key, 3))
    t.send("c", alert(40))


@recipe
def weak_prime(s):
    """A Diffie-Hellman prime of 1024 bits. The certificate before it was not captured."""
    prime(s, 1024)


@recipe
def weak_prime_not(s):
    prime(s, 2048)


def device(s, number, serial, point, description):
    """A device with a certificate of its own under the name that all of them have."""
    t = Talk(s, server=(f"192.0.2.{number}", 4433), label=f"device {number}")
    t.cookie_exchange()
    own = der.certificate("device", START - 86400, START + 86400, serial=serial, point=point)
    hello, _, key, done = t.server_messages()
    t.send("s", *hello, *t.pieces(dtls.CERTIFICATE, dtls.certificate(own), 2), *key, *done)
    if description:
        t.send("c", alert(description))
        return
    t.finish()
    t.close()


@recipe
def same_issuer_serial(s):
    """Two devices that made their own certificates, each with the serial number 1."""
    device(s, 1, 1, der.POINT, 0)
    s.wait(1)
    device(s, 2, 1, der.OTHER_POINT, 42)


@recipe
def same_issuer_serial_not(s):
    """Each with a number of its own; the client refuses for another reason."""
    device(s, 1, 1, der.POINT, 0)
    s.wait(1)
    device(s, 2, 2, der.OTHER_POINT, 42)


@recipe
def closes_in_the_middle(s):
    """The client's application does not like the certificate and closes, instead of an alert."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.send("c", CLOSE_NOTIFY)
    another(s)
