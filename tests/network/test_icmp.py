# SPDX-License-Identifier: MIT
"""ICMP errors and errors of send(): an association lives through them, forged or not."""

import pathlib
import subprocess
import threading
import time

import pytest

import forge
from conftest import DEADLINE, NC, USR1, counters, needs_raw_sockets
from pair import end
from test_forgery import held_handshake, pair  # noqa: F401 (a fixture)
from test_multihomed import two_hosts, within  # noqa: F401 (a fixture)

pytestmark = needs_raw_sockets

both_sides = pytest.mark.parametrize("side", ["server", "client"])
each_error = pytest.mark.parametrize("error", forge.ICMP_ERRORS)


def icmp_received():
    """What the kernel of this network namespace has received of ICMP."""
    names, values = [line.split() for line in pathlib.Path("/proc/net/snmp").read_text().splitlines()
                     if line.startswith("Icmp:")]
    return int(values[names.index("InDestUnreachs")]) + int(values[names.index("InTimeExcds")])


def counted(program, name, at_least):
    """Waits until it has counted that many, told by SIGUSR1: an error waits in the socket's queue."""
    deadline = time.monotonic() + DEADLINE
    asked = 0
    while True:
        asked += 1
        program.signal(USR1)
        program.wait_for("err", r"conn\.(established|connecting)", asked)
        if counters(program).get(name, 0) >= at_least:
            return
        assert time.monotonic() < deadline, f"{name} does not get to {at_least}"
        time.sleep(0.02)


@both_sides
@each_error
def test_established(pair, side, error):
    kind, code, mtu = forge.ICMP_ERRORS[error]
    other, victim = pair.ends(side)
    before = icmp_received()
    for _ in range(3):
        forge.send_icmp(kind, code, victim, other, mtu)
        pair.round_trip()
    assert icmp_received() - before == 3
    counted(getattr(pair, side), "net.icmp", 3)
    assert end(pair, side).get("net.icmp", 0) == 3


@both_sides
@each_error
def test_mid_handshake(nc, server, relay, free_port, side, error):
    kind, code, mtu = forge.ICMP_ERRORS[error]
    p, at_server, at_client = held_handshake(nc, server("--echo", "-v", "--stats"), relay, free_port)
    other, victim = at_server if side == "server" else at_client
    before = icmp_received()
    for _ in range(3):
        forge.send_icmp(kind, code, victim, other, mtu)
    p.establish()
    assert icmp_received() - before == 3
    counted(getattr(p, side), "net.icmp", 3)
    assert end(p, side).get("net.icmp", 0) == 3


def test_a_full_send_buffer(two_hosts, run, pki):
    """A neighbour that answers no ARP: what waits for it fills the buffer of the socket (EAGAIN)."""
    (here, there), ip = two_hosts
    subprocess.run([*within(here), "sysctl", "-qw", f"net.ipv4.neigh.cable.unres_qlen_bytes={1 << 24}"], check=True)
    host = run(*within(there), NC, "-l", "--echo", "-v", "-4", "-c", pki / "cert.pem", "-k", pki / "key.pem")
    port = host.wait_for("err", r"Hosting at: 0\.0\.0\.0:(\d+)").group(1).decode()
    client = run(*within(here), NC, "-v", "--insecure", "--stats", "10.77.0.2", port)
    client.send(b"before")
    client.wait_for("out", "before")
    ip("-n", there, "link", "set", "cable", "arp", "off")
    ip("-n", here, "neigh", "flush", "dev", "cable")
    sender = threading.Thread(target=client.send, args=(b"x" * (4 << 20),))
    sender.start()  # the client takes no more than it can send
    counted(client, "net.send-full", 10)
    ip("-n", there, "link", "set", "cable", "arp", "on")
    ip("-n", here, "neigh", "flush", "dev", "cable")
    sender.join()
    client.send(b"<after>")
    client.wait_for("out", "<after>")
