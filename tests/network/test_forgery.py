# SPDX-License-Identifier: MIT
"""Nobody off-path can stop an association: every kind of forgery at both ends."""

import re

import pytest

import forge
from conftest import USR1, counters, needs_raw_sockets, stop

pytestmark = needs_raw_sockets


class Pair:
    """A client and an echoing server, established, that can be asked for a round trip."""

    def __init__(self, nc, server, *args, via=None, port=0, host="127.0.0.1"):
        self.server, self.host = server, host
        to = via or server.port
        source = ("-p", port) if port else ()
        self.client = nc("-v", "--insecure", "--stats", "-q", "60", *source, *args, host, to)
        self.sent = 0

    def establish(self):
        found = self.server.wait_for("err", r"Client established from: \S+:(\d+)")
        self.seen_from = (self.host, int(found.group(1)))
        self.at = (self.host, int(self.server.port))
        self.round_trip()

    def round_trip(self):
        self.sent += 1
        token = f"<{self.sent}>"
        self.client.send(token.encode())
        self.client.wait_for("out", token)

    def ends(self, side):
        """(false source, target) of a forgery at this side."""
        return (self.seen_from, self.at) if side == "server" else (self.at, self.seen_from)

    def received(self, side):
        """net.received of that side, by SIGUSR1."""
        program = getattr(self, side)
        before = len(re.findall(rb"net\.received", program.err))
        program.signal(USR1)
        return int(program.wait_for("err", r"net\.received +(\d+)", before + 1).group(1))


@pytest.fixture
def pair(nc, server):
    p = Pair(nc, server("--echo", "-v", "--stats"))
    p.establish()
    return p


@pytest.mark.parametrize("side", ["server", "client"])
def test_established(pair, side):
    """One kind after the other; each arrives, none is obeyed, and the association is the same one."""
    for kind, datagram in forge.KINDS.items():
        before = pair.received(side)
        forge.send(*pair.ends(side), datagram)
        pair.round_trip()
        assert pair.received(side) == before + 2, f"{kind}: not both the forgery and the data arrived"
    established = stop(pair.server)["conn.established"]
    assert established == 1
    caught = {n: c for n, c in counters(getattr(pair, side)).items() if n.startswith(("guard.", "gate."))}
    # Well-sized protected records and text go further: OpenSSL drops them by their MAC.
    assert sum(caught.values()) > len(forge.KINDS) // 2, caught


def held_handshake(nc, server, relay, free_port, args=()):
    """A handshake on a slow network, at the moment when the server has admitted the client, which
    will not hear of it for a while."""
    net = relay(server.port, "--delay", "200")
    p = Pair(nc, server, *args, via=net.port, port=free_port)
    found = server.wait_for("err", r"Client connected from: 127\.0\.0\.1:(\d+)")
    at_server = (("127.0.0.1", int(found.group(1))), ("127.0.0.1", int(server.port)))
    at_client = (("127.0.0.1", int(net.port)), ("127.0.0.1", free_port))
    return p, at_server, at_client


@pytest.mark.parametrize("side", ["server", "client"])
def test_mid_handshake(nc, server, relay, free_port, side):
    p, at_server, at_client = held_handshake(nc, server("--echo", "-v", "--stats"), relay, free_port)
    for datagram in forge.KINDS.values():
        forge.send(*(at_server if side == "server" else at_client), datagram)
    p.establish()
    assert stop(p.server)["conn.established"] == 1


@pytest.mark.parametrize("side", ["server", "client"])
def test_without_the_guard_one_alert_kills(nc, server, relay, free_port, side):
    """The negative control: the same forgery, obeyed."""
    raw = ("--raw",)
    host = server("--echo", "-v", "--stats", *(raw if side == "server" else ()))
    p, at_server, at_client = held_handshake(nc, host, relay, free_port, raw if side == "client" else ())
    forge.send(*(at_server if side == "server" else at_client), forge.KINDS["alert-fatal"])
    p.client.end_stdin()
    victim = p.server if side == "server" else p.client
    victim.wait_for("err", "alert")
    assert "conn.established" not in stop(host)


CBC = ("--ciphers", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")


@pytest.mark.parametrize("raw", [(), ("--raw",)], ids=["guarded", "raw"])
def test_encrypt_then_mac(nc, server, raw):
    """One forged record kills an association of any OpenSSL that has encrypt-then-MAC
    (openssl#24972); ours do without it."""
    p = Pair(nc, server("--echo", "-v", "--stats", *CBC, *raw), *CBC, *raw)
    p.establish()
    forge.send(*p.ends("server"), forge.KINDS["protected-64-bytes"])
    if raw:
        p.server.wait_for("err", "bad_record_mac")
    else:
        p.round_trip()


@pytest.mark.parametrize("raw", [(), ("--raw",)], ids=["guarded", "raw"])
def test_one_byte_of_a_protected_record(nc, nc_run, server, raw):
    """CVE-2026-75806: the end of an association of OpenSSL 1.1.1, which no Debian has mended."""
    p = Pair(nc, server("--echo", "-v", "--stats", *raw))
    p.establish()
    forge.send(*p.ends("server"), forge.KINDS["protected-1-bytes"])
    if not raw:
        p.round_trip()
    elif b"OpenSSL 1.1.1" in nc_run("-V").out:
        p.server.wait_for("err", "Removing peer")


@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize("error", forge.ICMP_ERRORS)
def test_icmp_errors_are_not_obeyed(pair, side, error):
    kind, code, mtu = forge.ICMP_ERRORS[error]
    other, victim = pair.ends(side)
    for _ in range(3):
        forge.send_icmp(kind, code, victim, other, mtu)
        pair.round_trip()
    assert stop(pair.server)["conn.established"] == 1
