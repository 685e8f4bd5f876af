# SPDX-License-Identifier: MIT
"""Written by hand: who answers, cookies, offers (sections A to D of the catalogue)."""

import dtls
from scene import CLIENT, COOKIE, OTHER, PSK_SUITE, SERVER, Talk, alert, another, opaque, recipe, retries

SECOND = ("192.0.2.10", 4433)
MODERN = (*dtls.OFFER, dtls.versions_offered(dtls.DTLS13, dtls.DTLS12))
STUN_REQUEST = bytes.fromhex("000100002112a442") + opaque(12, "stun")
STUN_SUCCESS = bytes.fromhex("0101000c2112a442") + opaque(12, "stun") + bytes.fromhex("002000080001e1baa5265f0d")


@recipe
def ok_synth(s):
    Talk(s).whole()


@recipe
def ok_synth_psk(s):
    Talk(s, suite=PSK_SUITE).whole()


# A: nobody answers.

@recipe
def no_response_not(s):
    """The capture ends before anybody could say that there is no answer."""
    Talk(s).hello()


def half(s, side):
    """A handshake that went well; only what this side sent was captured."""
    t = Talk(s)
    put = t.put
    t.put = lambda sender, payload: put(sender, payload) if sender == side else s.wait(0.01)
    t.whole()


@recipe
def only_client_captured(s):
    half(s, "c")


@recipe
def only_server_captured(s):
    half(s, "s")


@recipe
def capture_drops(s):
    """The capture missed packets of both sides at the same time."""
    t = Talk(s)
    t.hello()
    t.verify()
    put, t.put = t.put, lambda side, payload: None
    t.hello(COOKIE)
    t.flight4()
    t.flight5()
    t.put = put
    s.wait(0.03)
    t.flight6()
    t.chat()


@recipe
def wrong_source_address(s):
    t = Talk(s)
    t.hello()

    def reply():
        t.address["s"] = SECOND
        t.verify()
        t.address["s"] = SERVER
    reply()

    def again():
        t.again("c")
        reply()
    retries(s, again)


@recipe
def wrong_source_address_not(s):
    """Two servers; one is silent, the other answers what it was asked itself."""
    silent = Talk(s, label="one")
    silent.hello()
    Talk(s, (CLIENT[0], 50001), SECOND, label="two").whole()
    retries(s, lambda: silent.again("c"))


@recipe
def icmp_other_flow_not(s):
    """Errors about somebody else's datagrams."""
    t = Talk(s)
    t.cookie_exchange()
    for code, port in ((3, 53), (1, 123)):
        s.icmp(SERVER[0], 3, code, ((CLIENT[0], CLIENT[1]), (SERVER[0], port), b"no DTLS at all"))
    t.flight4()
    t.finish()
    t.chat()
    t.close()


@recipe
def not_dtls_peer_not(s):
    """STUN before and RTP after a handshake on the same ports (RFC 7983)."""
    t = Talk(s)
    t.put("c", STUN_REQUEST)
    t.put("s", STUN_SUCCESS)
    t.establish()
    for n in range(3):
        t.put("s", b"\x80\x60" + dtls.numbers(n) + opaque(60, "rtp", n))
    t.close()


@recipe
def not_dtls_at_all(s):
    """TLS over UDP, QUIC, LLMNR: no handshake of DTLS."""
    t = Talk(s)
    t.put("c", b"\x16\x03\x01\x00\x30\x01\x00\x00\x2c\x03\x03" + opaque(42, "tls"))
    t.put("c", b"\xc3\0\0\0\1\x08" + opaque(60, "quic"))
    t.put("c", b"\x16\xfe\0\0\0\1\0\0\0\0\0\0" + b"\4wpad\0\0\1\0\1")
    t.put("c", b"PK\x14\xfe\xfd" + opaque(60, "zip"))


# B: the cookie phase.

@recipe
def hvr_unanswered(s):
    """The client gives up when it is asked for a cookie."""
    t = Talk(s)
    t.hello()
    t.verify()
    another(s)


@recipe
def hvr_unanswered_not(s):
    """The capture ends right after the request."""
    t = Talk(s)
    t.hello()
    t.verify()


@recipe
def cookie_loop(s):
    """The server cannot verify its own cookie."""
    t = Talk(s)
    t.hello()
    t.verify()
    for _ in range(5):
        t.hello(COOKIE)
        t.verify()
    another(s)


@recipe
def cookie_loop_not(s):
    """One more request with another cookie is legal (RFC 6347 section 4.2.1)."""
    t = Talk(s)
    t.hello()
    t.verify()
    t.hello(COOKIE)
    t.verify(COOKIE[::-1])
    t.hello(COOKIE[::-1])
    t.flight4()
    t.finish()
    t.chat()


@recipe
def rebinding_mid_handshake(s):
    """A NAT gives each datagram of the client another port."""
    t = Talk(s)
    t.hello()
    t.verify()
    for port in range(50001, 50005):
        t.address["c"] = (CLIENT[0], port)
        t.hello(COOKIE)
        t.verify(opaque(20, port))
        s.wait(1)
    another(s)


@recipe
def rebinding_mid_handshake_not(s):
    """The client begins anew from another port."""
    first = Talk(s)
    first.hello()
    retries(s, lambda: first.again("c"))
    s.wait(60)
    Talk(s, (CLIENT[0], 50001)).whole()


@recipe
def cookie_unanswered_not(s):
    t = Talk(s)
    t.hello()
    t.verify()
    t.hello(COOKIE)
    s.wait(1)
    t.again("c")
    t.flight4()
    t.finish()
    t.chat()


def large_hello(s):
    """One with a post-quantum key share, in two datagrams."""
    share = (51, dtls.vector(2, dtls.numbers(0x11EC) + dtls.vector(2, opaque(1216, "ML-KEM"))))
    return Talk(s, exts=(*dtls.OFFER, share))


@recipe
def listen_fragmented_hello(s):
    """The server answers the first fragment, and then knows nothing of the second hello."""
    t = large_hello(s)
    first, rest = t.message("c", dtls.CLIENT_HELLO, t.hello_body(), (1100,))
    t.send("c", first)
    t.verify()
    t.send("c", rest)
    t.hello(COOKIE, cuts=(1100,))
    retries(s, lambda: t.again("c"))


@recipe
def listen_fragmented_hello_not(s):
    t = large_hello(s)
    t.hello(cuts=(1100,))
    t.verify()
    t.hello(COOKIE, cuts=(1100,))
    t.flight4()
    t.finish()
    t.chat()
    t.close()


@recipe
def hvr_then_flight4(s):
    """A second request and the server's flight, both for one hello."""
    t = Talk(s)
    t.cookie_exchange()
    t.verify()
    t.flight4()
    t.finish()
    t.chat()


@recipe
def hvr_then_flight4_not(s):
    """The second request answers a hello that the network doubled."""
    t = Talk(s)
    t.hello()
    t.put("c", t.sent)
    t.verify()
    t.put("s", t.sent)
    t.hello(COOKIE)
    t.flight4()
    t.finish()
    t.chat()


@recipe
def cookie_weak(s):
    """Two clients, one cookie."""
    Talk(s).whole()
    s.wait(5)
    Talk(s, OTHER).whole()


@recipe
def cookie_weak_not(s):
    """The same client twice: its cookie may be the same."""
    Talk(s).whole()
    s.wait(5)
    Talk(s, (CLIENT[0], 50001)).whole()
    s.wait(5)
    Talk(s, OTHER).whole(cookie=COOKIE[::-1])


@recipe
def amplification_ice(s):
    """No cookie, but ICE has checked the path (RFC 8445)."""
    t = Talk(s)
    t.put("c", STUN_REQUEST)
    t.put("s", STUN_SUCCESS)
    t.hello()
    t.flight4(padding=1000)
    t.finish()
    t.chat()


@recipe
def amplification_unproven(s):
    """No cookie, and a large flight to whoever claims to be the client."""
    t = Talk(s)
    t.hello()
    t.flight4(padding=1000)
    retries(s, lambda: t.again("s"))


# C: negotiation.

@recipe
def bad_extension(s):
    """The server answers an extension (ALPN) that the client did not send."""
    t = Talk(s)
    t.cookie_exchange()
    alpn = (16, dtls.vector(2, dtls.vector(1, b"coap")))
    t.flight4(exts=(dtls.RENEGOTIATION, dtls.EMS, alpn))
    t.send("c", alert(110))


@recipe
def bad_extension_not(s):
    """renegotiation_info may answer the cipher suite that stands for it (RFC 5746 section 3.3)."""
    offer = (dtls.POINTS, dtls.GROUPS, dtls.SIGALGS, dtls.EMS)
    Talk(s, suites=(0xC02B, 0x00FF), exts=offer).whole()


@recipe
def dtls13_fallback(s):
    """The client can do 1.3, the server too (its random says so), and yet it is 1.2."""
    t = Talk(s, exts=MODERN)
    t.whole(random=opaque(24, "fallback") + b"DOWNGRD\1")


@recipe
def psk_identity_unknown(s):
    """A server that says so (RFC 4279 section 2)."""
    t = Talk(s, suite=PSK_SUITE)
    t.cookie_exchange()
    t.flight4()
    t.flight5()
    t.send("s", alert(115))


def protected(epoch, size, *label):
    """A record of DTLS 1.3 with 16 bits of number and a length (RFC 9147 section 4)."""
    return bytes([0x2C | epoch & 3]) + opaque(2, "number", *label) + dtls.numbers(size) + opaque(size, *label)


def dtls13(s, retry=True):
    """Up to the server's flight."""
    share = (51, dtls.vector(2, dtls.numbers(0x1D) + dtls.vector(2, opaque(32, "share"))))
    t = Talk(s, suites=(0x1301,), exts=(*MODERN, share))
    selected = (43, dtls.numbers(dtls.DTLS13))
    t.suite = 0x1301
    t.hello()
    if retry:
        magic = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
        cookie = (44, dtls.vector(2, COOKIE))
        t.send("s", *t.message("s", dtls.SERVER_HELLO, t.server_hello(magic, exts=(selected, cookie))))
        t.hello_options["exts"] = (*MODERN, share, cookie)
        t.hello()
    answer = (51, dtls.numbers(0x1D) + dtls.vector(2, opaque(32, "answer")))
    hello = t.message("s", dtls.SERVER_HELLO, t.server_hello(exts=(selected, answer)))
    t.send("s", *hello)
    for n, size in enumerate((30, 700, 100, 53)):
        t.put("s", protected(2, size, "server flight", n))
    return t


@recipe
def dtls13_ok(s):
    t = dtls13(s)
    t.put("c", protected(2, 53, "client finished"))
    t.put("s", protected(3, 40, "ack"))
    for n in range(4):
        t.put("c", protected(3, 60, "to server", n))
        t.put("s", protected(3, 60, "to client", n))
        s.wait(0.1)


@recipe
def dtls13_loss(s):
    """The server's flight is lost behind the capture, and comes again."""
    t = dtls13(s)
    s.wait(1)
    for n, size in enumerate((30, 700, 100, 53)):
        t.put("s", protected(2, size, "again", n))
    t.put("c", protected(2, 53, "client finished"))
    t.put("s", protected(3, 40, "ack"))
    for n in range(4):
        t.put("c", protected(3, 60, "to server", n))
        t.put("s", protected(3, 60, "to client", n))


@recipe
def dtls13_refused(s):
    """No group in common."""
    t = Talk(s, suites=(0x1301,), exts=MODERN)
    t.hello()
    t.send("s", alert(40))


@recipe
def dtls13_silent(s):
    """No answer to the first hello."""
    share = (51, dtls.vector(2, dtls.numbers(0x1D) + dtls.vector(2, opaque(32, "share"))))
    t = Talk(s, suites=(0x1301,), exts=(*MODERN, share))
    t.hello()
    retries(s, lambda: t.again("c"))


@recipe
def weak_crypto_suite(s):
    """3DES, no extended master secret, no secure renegotiation."""
    t = Talk(s, suite=0xC008, suites=(0x000A, 0x0005, 0xC008), exts=(dtls.POINTS, dtls.GROUPS))
    t.whole(exts=())
