# SPDX-License-Identifier: MIT
"""Storms and stalls: they delay nobody, and nothing is lost. Each test has a control beside it, which
shows that the same attack does harm where there is no safeguard."""

import contextlib
import signal
import socket
import statistics
import subprocess
import sys
import time

import pytest

import forge
from conftest import DEADLINE, USR1, needs_raw_sockets
from test_forgery import Pair

pytestmark = needs_raw_sockets

ERRORS, TRIPS = 20000, 200  # at least, in each storm
HOSTS = {"v4": "127.0.0.1", "v6": "::1"}
STORMS = {"port-unreachable": ("v4", 3, 3, 0), "host-unreachable": ("v4", 3, 1, 0), "too-big": ("v4", 3, 4, 576),
          "port-unreachable-v6": ("v6", 1, 4, 0), "too-big-v6": ("v6", 2, 0, 1280)}


def established(nc, pki, host, *args):
    server = nc("-l", host, "--echo", "-v", "--stats", "-c", pki / "cert.pem", "-k", pki / "key.pem", *args)
    server.port = server.wait_for("err", r"Hosting at: \S+:(\d+)").group(1).decode()
    pair = Pair(nc, server, host=host)
    pair.establish()
    return pair


def trip(pair):
    begin = time.monotonic()
    pair.round_trip()  # it waits for the very token: a lost one fails the test
    return time.monotonic() - begin


def endure(pair, victim, other, kind, code, mtu):
    """Round trips in a storm; none is lost, 99 of 100 take no second, most take as long as before."""
    calm = statistics.median(trip(pair) for _ in range(TRIPS // 2))
    times = []
    with forge.IcmpStorm(kind, code, victim, other, mtu) as storm:
        begin = time.monotonic()
        while len(times) < TRIPS or storm.sent < ERRORS:
            times.append(trip(pair))
        rate = storm.sent / (time.monotonic() - begin)
    late = sum(t > 1 for t in times)
    print(f"{storm.sent} errors, {rate:.0f}/s: {len(times)} round trips, {late} late; median "
          f"{statistics.median(times) * 1e6:.0f} us, before {calm * 1e6:.0f} us")
    assert late * 100 <= len(times)
    assert statistics.median(times) <= 5 * calm + 0.005


@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize("error", STORMS)
def test_icmp(nc, pki, side, error):
    family, kind, code, mtu = STORMS[error]
    pair = established(nc, pki, HOSTS[family])
    other, victim = pair.ends(side)
    endure(pair, victim, other, kind, code, mtu)


def test_icmp_at_a_shared_socket(nc, pki):
    pair = established(nc, pki, HOSTS["v4"], "--max-connected", "0")
    other, victim = pair.ends("server")
    endure(pair, victim, other, 3, 3, 0)


def test_icmp_fills_the_buffer_of_a_program_that_reads_no_reports():
    """The control: Linux takes the memory of reports from the receive buffer of the socket."""
    sent, received = 20, 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        two.connect(one.getsockname())
        two.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
        with forge.IcmpStorm(3, 3, two.getsockname(), one.getsockname()) as storm:
            while storm.sent < 2000:
                time.sleep(0.01)
        for _ in range(sent):
            one.sendto(b"data", two.getsockname())
        with contextlib.suppress(BlockingIOError):
            while True:
                with contextlib.suppress(ConnectionRefusedError):
                    received += two.recv(99, socket.MSG_DONTWAIT) == b"data"
    assert received < sent


@pytest.fixture
def flood():
    """Spoofed hellos from a process of its own, as fast as it can."""
    started = []

    def start(port):
        code = f"import forge\nwhile True: forge.flood(('127.0.0.1', {port}), 100000)"
        started.append(subprocess.Popen([sys.executable, "-c", code], cwd=forge.__file__.rsplit("/", 1)[0]))

    yield start
    for process in started:
        process.kill()
        process.wait()


def refused(host):
    """How many hellos the server has answered, told by SIGUSR1; and how long it took to tell."""
    asked = host.err.count(b"gate.no-cookie")
    begin = time.monotonic()
    host.signal(USR1)
    found = host.wait_for("err", r"gate\.no-cookie +(\d+)", asked + 1)
    return int(found.group(1)), time.monotonic() - begin


def test_hellos(server, nc_run, flood, nc):
    """Signals, stdin, the clients there are and new ones get their turn while hellos arrive all the time."""
    host = server("-v", "--stats")
    client = nc("-v", "--insecure", "127.0.0.1", host.port)
    client.send(b"<before>")
    host.wait_for("out", "<before>")
    flood(host.port)
    deadline = time.monotonic() + DEADLINE
    while refused(host)[0] < 10000:
        assert time.monotonic() < deadline, "the flood does not arrive"
    signals, stdin, first = [], [], refused(host)[0]
    for i in range(20):
        begin = time.monotonic()
        host.send(f"<out {i}>".encode())
        client.wait_for("out", f"<out {i}>")
        stdin.append(time.monotonic() - begin)
        client.send(f"<in {i}>".encode())
        host.wait_for("out", f"<in {i}>")
        signals.append(refused(host)[1])
    new = nc_run("--insecure", "-w", str(DEADLINE), "-N", "127.0.0.1", host.port, data=b"<new>")
    assert new.status == 0, new.err
    host.wait_for("out", "<new>")
    last, _ = refused(host)
    print(f"{last - first} hellos refused meanwhile; a signal waits {statistics.median(signals) * 1e3:.1f} ms, "
          f"stdin {statistics.median(stdin) * 1e3:.1f} ms")
    # It never ended: 20 times 2 waits is much longer than between two batches of hellos.
    assert last - first > 1000
    assert statistics.median(signals) < 0.1 and statistics.median(stdin) < 0.1


@pytest.mark.parametrize("side", ["server", "client"])
def test_a_stall_is_no_silence(nc, server, side):
    """A suspended program finds its idle limit over, and 20 records that came in time."""
    idle = ("--idle", "1")
    host = server("-v", *(idle if side == "server" else ()))
    client = nc("-v", "--insecure", *(idle if side == "client" else ()), "127.0.0.1", host.port)
    program, peer = (host, client) if side == "server" else (client, host)
    host.wait_for("err", "Client established")
    peer.send(b"<before>")
    program.wait_for("out", "<before>")
    program.signal(signal.SIGSTOP)
    begin = time.monotonic()
    for i in range(20):
        peer.send(f"<{i}>".encode())
        time.sleep(0.01)  # each a datagram of its own
    while time.monotonic() - begin < 1.5:
        time.sleep(0.1)
    program.signal(signal.SIGCONT)
    program.wait_for("out", "<19>")
    assert program.out == b"<before>" + b"".join(b"<%d>" % i for i in range(20))
    # The control: the limit is kept when nothing comes.
    program.wait_for("err", "idle limit reached")
