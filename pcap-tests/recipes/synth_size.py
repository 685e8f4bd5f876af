# SPDX-License-Identifier: MIT
"""Written by hand: sizes, keys, several associations, time (sections E to I of the catalogue)."""

import struct

import dtls
from dtls import HANDSHAKE
from pcap import UDP, udp_header
from scene import (CHANGE, CLIENT, CLOSE, COOKIE, ECDSA_SUITE, FINISHED, OTHER, PSK_SUITE, SERVER, Item, Talk, alert,
                   another, data, opaque, recipe, retries)

NEXT_PORT = (CLIENT[0], 50001)


# E: size.

@recipe
def ptb_abort(s):
    """The router says how large, the server takes it for an error."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4(padding=700)
    s.icmp("192.0.2.1", 3, 4, (SERVER, CLIENT, t.sent), mtu=900)
    retries(s, lambda: t.again("c"))


@recipe
def ptb_ok(s):
    """The server sends smaller pieces at once."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4(padding=700)
    s.icmp("192.0.2.1", 3, 4, (SERVER, CLIENT, t.sent), mtu=900)
    t.message_seq["s"] = 1
    t.fly("s", *t.server_messages(padding=700, certificate_cuts=(600,)))
    t.finish()
    t.chat()
    t.close()


@recipe
def sender_never_sent(s):
    """The certificate is never sent; no record number is missing."""
    t = Talk(s)
    t.cookie_exchange()
    t.fly("s", t.server_messages()[0])

    def again():
        t.again("c")
        t.again("s")
    retries(s, again, (1, 2, 4, 8))


def first_ip_fragment(s, t, lost_numbers):
    """What the packet filter lets through of a large datagram."""
    payload = b"".join(t.pack("s", item) for item in lost_numbers)
    body = udp_header(SERVER, CLIENT, payload) + payload
    s.wait(0.01)
    s.pcap.ip(s.now, SERVER[0], CLIENT[0], UDP, body[:1480], fragment=0x2000)
    s.last = SERVER


@recipe
def ip_fragments_lost(s):
    t = Talk(s)
    t.cookie_exchange()
    flight = sum(t.server_messages(padding=1500), [])
    first_ip_fragment(s, t, flight)

    def again():
        t.again("c")
        first_ip_fragment(s, t, flight)
    retries(s, again)


def refragmented(s):
    """The second half of the certificate is lost; all of it comes again, cut elsewhere."""
    t = Talk(s)
    t.cookie_exchange()
    hello, cert, *rest = t.server_messages(padding=900, certificate_cuts=(600,))
    t.fly("s", hello, cert[:1], cert[1:], sum(rest, []), lost=(2,))
    s.wait(1)
    body = cert[0].body[12:] + cert[1].body[12:]
    t.fly("s", hello, *([p] for p in t.pieces(dtls.CERTIFICATE, body, 2, (400, 800))), sum(rest, []))
    return t


@recipe
def refragmentation_intolerance(s):
    t = refragmented(s)

    def again():
        t.again("c")
        t.again("s")
    retries(s, again, (0.5, 2, 4))


@recipe
def refragmentation_intolerance_not(s):
    t = refragmented(s)
    t.finish()
    t.chat()


@recipe
def bytes_changed(s):
    """The server signs again for its retransmission (RFC 6347 section 4.2.4 forbids it)."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    s.wait(1)
    *before, key, done = t.flight["s"][0]
    changed = Item(HANDSHAKE, key.body[:-71] + opaque(71, "other signature"))
    t.fly("s", [*before, changed, done])
    t.send("c", alert(47))


@recipe
def appdata_size_loss(s):
    """Each fourth record of the client is larger than the path."""
    t = Talk(s)
    t.establish()
    for n in range(32):
        t.send("c", data(1200 if n % 4 == 3 else 100), lost=n % 4 == 3)
        t.send("s", data(30))
        s.wait(0.2)


@recipe
def appdata_size_loss_not(s):
    """Large and small ones arrive."""
    t = Talk(s)
    t.establish()
    for n in range(16):
        t.send("c", data(1200 if n % 4 == 3 else 100))
        t.send("s", data(30))
        s.wait(0.2)


# F: keys.

@recipe
def finished_mismatch(s):
    """The server could read the client's Finished, and its hash is another."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.flight5()
    t.send("s", alert(51))


@recipe
def wrong_psk_alert(s):
    """A server that says that it cannot decrypt (RFC 6347 section 4.1.2.7 lets it)."""
    t = Talk(s, suite=PSK_SUITE)
    t.cookie_exchange()
    t.flight4()
    t.flight5()
    t.send("s", alert(20))


def refused_plainly(s, suite):
    """Servers that end a handshake with handshake_failure or internal_error, whatever the reason."""
    for client, code in ((CLIENT, 40), (OTHER, 80)):
        t = Talk(s, client, suite=suite)
        t.cookie_exchange()
        t.flight4()
        t.flight5()
        t.send("s", alert(code))
        s.wait(1)


@recipe
def psk_refused_plainly(s):
    refused_plainly(s, PSK_SUITE)


@recipe
def psk_refused_plainly_not(s):
    """The same alerts, but the keys come from a certificate."""
    refused_plainly(s, ECDSA_SUITE)


@recipe
def ccs_finished_reorder(s):
    """The client's Finished overtakes what must come before it; its timer repeats all."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    parts = [t.pack("c", item) for item in (*t.client_key(), CHANGE, FINISHED)]
    for n in (0, 2, 1):
        t.put("c", parts[n])
    s.wait(1)
    t.message_seq["c"] -= 1
    t.finish()
    t.chat()


@recipe
def ccs_finished_reorder_not(s):
    """Each in a datagram of its own, in order."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.fly("c", t.client_key(), [CHANGE], [FINISHED])
    t.flight6()
    t.chat()


@recipe
def early_appdata(s):
    """Data before the server has finished."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.flight5()
    t.send("c", data())
    t.flight6()
    t.chat()


# G: several.

@recipe
def path_fingerprint_block(s):
    """One kind of hello is never answered, another always."""
    for n in range(2):
        blocked = Talk(s, (CLIENT[0], 50000 + 2 * n), suites=(0xC02B, 0xC02F, 0xCCA9),
                       exts=(*dtls.OFFER, dtls.sni("blocked.example")))
        blocked.hello()
        retries(s, lambda b=blocked: b.again("c"))
        s.wait(20)
        Talk(s, (CLIENT[0], 50001 + 2 * n)).whole()
        s.wait(20)


@recipe
def path_fingerprint_block_not(s):
    """The same hello is answered when the server is up again."""
    t = Talk(s)
    t.hello()
    retries(s, lambda: t.again("c"))
    s.wait(60)
    Talk(s, NEXT_PORT).whole()


@recipe
def client_restart_unanswered(s):
    """The server holds on to the old association (RFC 6347 section 4.2.8)."""
    old = Talk(s, label="old")
    old.establish()
    old.chat()
    s.wait(10)
    new = Talk(s, label="new")
    new.hello()

    def again():
        old.send("s", data())
        new.again("c")
    retries(s, again)
    old.send("s", data())


@recipe
def client_restart_not(s):
    """The network delivers the first hello once more, later."""
    t = Talk(s)
    t.hello()
    first = t.sent
    t.verify()
    t.hello(COOKIE)
    t.flight4()
    t.finish()
    t.chat()
    t.put("c", first)
    t.chat()


@recipe
def nat_rebinding_unanswered(s):
    """A new port, no connection id: the server does not know it."""
    t = Talk(s)
    t.establish()
    t.chat()
    s.wait(40)
    t.address["c"] = NEXT_PORT
    for _ in range(6):
        t.send("c", data())
        s.wait(2)


@recipe
def nat_rebinding_not(s):
    """Somebody else's association goes on meanwhile, begun before the capture."""
    t, older = Talk(s), Talk(s, NEXT_PORT)
    older.numbers.update({("c", 1): 7000, ("s", 1): 9000})
    t.establish()
    for _ in range(8):
        t.send("c", data())
        older.send("c", data(90))
        older.send("s", data(70))
        t.send("s", data())
        s.wait(0.3)


CID = (54, dtls.vector(1, b"\1\2\3\4"))


def with_id(t, side, size=60):
    """A record with a connection id (RFC 9146 section 4)."""
    seq = t.numbers[side, 1]
    t.numbers[side, 1] += 1
    return (struct.pack("!BHHHI", dtls.CID, dtls.DTLS12, 1, 0, seq) + b"\1\2\3\4"
            + dtls.vector(2, opaque(size, t.label, side, "cid", seq)))


@recipe
def cid_migration(s):
    """The client moves, its connection id does not, the server follows."""
    t = Talk(s, exts=(*dtls.OFFER, CID))
    t.cookie_exchange()
    t.flight4(exts=(dtls.RENEGOTIATION, dtls.EMS, CID))
    t.send("c", *t.client_key(), CHANGE)
    t.put("c", with_id(t, "c"))
    t.send("s", CHANGE)
    t.put("s", with_id(t, "s"))
    for n in range(8):
        if n == 4:
            s.wait(60)
            t.address["c"] = NEXT_PORT
        t.put("c", with_id(t, "c"))
        t.put("s", with_id(t, "s"))
        s.wait(0.5)


@recipe
def server_restart(s):
    """After a while the server knows nothing of the client, and says so in plaintext."""
    t = Talk(s)
    t.establish()
    t.chat()
    s.wait(20)
    t.numbers["s", 0] = 0
    for _ in range(4):
        t.send("c", data())
        t.send("s", alert(10))
        s.wait(2)


@recipe
def server_restart_not(s):
    """The server says goodbye, and then nothing more."""
    t = Talk(s)
    t.establish()
    t.chat()
    t.send("s", CLOSE)
    t.send("c", CLOSE)
    another(s)


def side_by_side(s, first, second, gap):
    """Two handshakes, the second begins before the first is done."""
    first.hello()
    s.wait(gap)
    second.hello()
    for step in ("verify", "hello", "flight4", "flight5", "flight6", "chat"):
        for t in (first, second):
            getattr(t, step)(*([COOKIE] if step == "hello" else []))


@recipe
def duplicate_handshake(s):
    """The application tries again after 0.3 s, from a new port."""
    side_by_side(s, Talk(s), Talk(s, NEXT_PORT), 0.3)


@recipe
def duplicate_handshake_not(s):
    """Two hosts at the same time."""
    side_by_side(s, Talk(s), Talk(s, OTHER), 0.3)


@recipe
def port_reuse_collision(s):
    """Two processes behind one port take turns."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    for n, seconds in enumerate((1, 2, 4)):
        s.wait(seconds)
        t.again("c")
        t.message_seq["s"] = 1
        t.flight4(random=opaque(32, "another process", n % 2))
    another(s)


@recipe
def port_reuse_collision_not(s):
    """The same flight again."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    s.wait(1)
    t.again("s")
    t.finish()
    t.chat()


# H: time.

@recipe
def slow_peer(s):
    """The client needs 2.5 s to answer; the path takes 10 ms."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    s.wait(1)
    t.again("s")
    s.wait(1.5)
    t.finish()
    t.chat()


@recipe
def final_flight_timer(s):
    """The server repeats its last flight though nobody asked."""
    t = Talk(s)
    t.establish()
    t.send("c", data())
    for seconds in (1, 2):
        s.wait(seconds)
        t.again("s")
    t.chat()


@recipe
def one_way_appdata(s):
    """Twenty seconds of data to a server that never replies."""
    t = Talk(s)
    t.establish()
    for _ in range(20):
        t.send("c", data())
        s.wait(1)


@recipe
def one_way_appdata_not(s):
    t = Talk(s)
    t.establish()
    t.chat(10, 1)


def late_record(s, behind):
    """A record that comes when `behind` newer ones have."""
    t = Talk(s)
    t.establish()
    late = t.pack("c", data())
    for n in range(behind):
        t.send("c", data())
        if n % 8 == 0:
            t.send("s", data())
        s.wait(0.02)
    t.put("c", late)
    t.chat()


@recipe
def replay_window(s):
    late_record(s, 80)


@recipe
def replay_window_not(s):
    late_record(s, 10)


@recipe
def idle_new_port(s):
    """Two minutes of silence, then the client has another port."""
    t = Talk(s)
    t.establish()
    t.chat()
    s.wait(120)
    t.address["c"] = NEXT_PORT
    t.chat()


@recipe
def idle_not(s):
    """Two minutes of silence, and the same port."""
    t = Talk(s)
    t.establish()
    t.chat()
    s.wait(120)
    t.chat()
    t.close()


@recipe
def begins_in_the_middle(s):
    """The capture begins with the client's second flight."""
    t = Talk(s)
    put, t.put = t.put, lambda side, payload: None
    t.cookie_exchange()
    t.flight4()
    t.put = put
    t.finish()
    t.chat()


@recipe
def unexplained_alert(s):
    """internal_error: only the client's log can tell."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.send("c", alert(80))


@recipe
def unexplained_silence(s):
    """The client stops in the middle of its flight, and nobody repeats anything."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.send("c", *t.client_key())
    another(s)


@recipe
def keys_unfinished(s):
    """The capture ends where the client's flight does."""
    t = Talk(s)
    t.cookie_exchange()
    t.flight4()
    t.flight5()
