# SPDX-License-Identifier: MIT
"""Forged records by the hundred: of every length, for each kind of cipher, and in the middle of a handshake."""

import os

import pytest

import forge
from conftest import needs_raw_sockets
from pair import end
from test_forgery import Pair, held_handshake

pytestmark = needs_raw_sockets
both_sides = pytest.mark.parametrize("side", ["server", "client"])

CIPHERS = {"gcm": "ECDHE-ECDSA-AES128-GCM-SHA256", "ccm": "ECDHE-ECDSA-AES128-CCM",
           "ccm8": "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0", "chacha": "ECDHE-ECDSA-CHACHA20-POLY1305",
           "cbc": "ECDHE-ECDSA-AES128-SHA256"}


def established(nc, server, cipher, *args):
    cipher = CIPHERS[cipher]
    p = Pair(nc, server("--echo", "-v", "--stats", "--ciphers", cipher, *args), "--ciphers", cipher, *args)
    p.establish()
    p.client.wait_for("err", cipher.split(":")[0])  # what was asked for
    return p


@both_sides
@pytest.mark.parametrize("cipher", CIPHERS)
def test_protected_records_of_every_length(nc, server, cipher, side):
    """Each cipher has lengths of its own that end an association somewhere: CVE-2026-75806, openssl#24972."""
    p = established(nc, server, cipher)
    before = p.received(side)
    for n in range(70):
        for content in (forge.DATA, forge.ALERT, forge.HANDSHAKE):
            forge.send(*p.ends(side), forge.record(content, os.urandom(n), epoch=1, seq=1000 + n))
        p.round_trip()
    assert p.received(side) == before + 70 * 4, "not all of them arrived"
    end(p, side)


@both_sides
def test_without_the_guard_one_protected_record_kills(nc, server, side):
    """The negative control: encrypt-then-MAC, which is not negotiated otherwise."""
    p = established(nc, server, "cbc", "--raw")
    forge.send(*p.ends(side), forge.record(forge.DATA, os.urandom(64), epoch=1))
    victim = p.server if side == "server" else p.client
    victim.wait_for("err", "connection failed: .*bad_record_mac")


@both_sides
@pytest.mark.parametrize("kind,caught", [("protected-1-bytes", "guard.short"), ("protected-64-bytes", "guard.early"),
                                         ("alert-warning", "guard.alert"), ("hello-request", "guard.handshake")])
def test_many_of_one_kind_mid_handshake(nc, server, relay, free_port, side, kind, caught):
    """Records set aside for later, and warnings, are things of which a few do no harm and many do."""
    p, at_server, at_client = held_handshake(nc, server("--echo", "-v", "--stats"), relay, free_port)
    for _ in range(200):
        forge.send(*(at_server if side == "server" else at_client), forge.KINDS[kind])
    p.establish()
    found = end(p, side)
    assert found.get(caught, 0) >= 200 - 16, found  # 16 early ones are kept
