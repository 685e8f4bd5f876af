# SPDX-License-Identifier: MIT
"""What is sent arrives: over loopback, over a path of 100 Mbit/s, through an interface that is slower than
stdin. What this host drops or refuses is said, and --strict makes it an exit status."""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from conftest import DEADLINE, TERM, counters, needs_namespaces, stop

MEGABYTES = 20
SO_TIMESTAMPNS = 35
WIRE_OVERHEAD = 28 + 38  # IPv4 and UDP; Ethernet with preamble and gap

alone = needs_namespaces


@pytest.fixture(scope="session")
def payload(tmp_path_factory):
    path = tmp_path_factory.mktemp("payload") / "data"
    path.write_bytes(os.urandom(MEGABYTES * 1_000_000))
    return path


class Router:
    """A path of 100 Mbit/s in front of a server. Whether a datagram finds room in its queue is computed from the
    time at which the kernel received it, so it does not matter when this thread runs."""

    def __init__(self, port, bits=100e6, queue=64 << 10):
        self.bits, self.queue, self.dropped, self.passed = bits, queue, 0, 0
        self.down, self.up = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for s in (self.down, self.up):
            s.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE
            s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            s.settimeout(0.2)
        self.down.bind(("127.0.0.1", 0))
        self.up.connect(("127.0.0.1", int(port)))
        self.port, self.client, self.stopped = str(self.down.getsockname()[1]), None, False
        self.threads = [threading.Thread(target=self.forward, args=way, daemon=True)
                        for way in ((self.down, True), (self.up, False))]
        for thread in self.threads:
            thread.start()

    def forward(self, source, upward):
        backlog, last, free = 0.0, 0.0, 0.0
        while not self.stopped:
            try:
                data, control, _, peer = source.recvmsg(65536, 256)
            except TimeoutError:
                continue
            except OSError:
                continue  # an ICMP error
            if upward:
                self.client = peer
            seconds, nanoseconds = struct.unpack("qq", control[0][2][:16])
            now, size = seconds + nanoseconds / 1e9, len(data) + WIRE_OVERHEAD
            backlog = max(0.0, backlog - (now - last) * self.bits / 8)
            last = now
            if backlog + size > self.queue:
                self.dropped += 1
                continue
            backlog += size
            self.passed += 1
            # After this thread has waited it may not burst: no cable carries more than twice its rate.
            free = max(free, time.monotonic()) + size * 8 / (2 * self.bits)
            if free - time.monotonic() > 0.002:
                time.sleep(free - time.monotonic())
            self.up.send(data) if upward else self.down.sendto(data, self.client)

    def close(self):
        self.stopped = True
        for thread in self.threads:
            thread.join(DEADLINE)
        self.down.close()
        self.up.close()


@pytest.fixture
def router():
    made = []

    def start(*args):
        made.append(Router(*args))
        return made[-1]

    yield start
    for one in made:
        one.close()


def straight(port):
    return port


def up(server, nc, payload, *args, via=straight):
    """stdin of a client to a server; the server's and the client's program, ended."""
    host = server("--stats", "--strict")
    with payload.open("rb") as source:
        client = nc("--insecure", "--strict", *args, "127.0.0.1", via(host.port), stdin=source)
        assert client.wait() == 0
    deadline = time.monotonic() + DEADLINE
    before = -1
    while len(host.out) != before and time.monotonic() < deadline:  # nothing more comes
        before = len(host.out)
        time.sleep(0.5)
    host.signal(TERM)
    host.wait()
    return host, client


def down(server, nc, payload, *args, via=straight):
    """stdin of a server to a client; the client's and the server's program, ended."""
    with payload.open("rb") as source:
        host = server("--stats", "--strict", "-q", "1", *args, stdin=source)
        client = nc("--insecure", "--strict", "-d", "127.0.0.1", via(host.port))
        assert host.wait() == 0
        assert client.wait() == 0
    return client, host


def test_everything_arrives_over_loopback(server, nc, payload):
    data = payload.read_bytes()
    for way in (up, down):
        to, origin = way(server, nc, payload)
        assert len(to.out) == len(data) and to.out == data, way
        assert b"lost on this host" not in to.err + origin.err


def duration(program):
    """Of its data events: from the first to the last one sent."""
    times = [json.loads(line)["time"] for line in program.lines if b'"direction":"sent"' in line.encode()]
    return times[-1] - times[0]


def test_both_directions_take_the_same_time(server, nc, payload):
    """Within 10 %: on a busy machine one of five pairs has to show it."""
    ratios = []
    for _ in range(5):
        _, client = up(server, nc, payload, "--json")
        _, host = down(server, nc, payload, "--json")
        ratios.append(duration(host) / duration(client))
        if 0.9 < ratios[-1] < 1.1:
            return
    pytest.fail(f"{ratios}")


def test_a_path_of_100_mbit_loses_nothing(server, nc, payload, router):
    data = payload.read_bytes()
    for way in (up, down):
        path = []
        to, _ = way(server, nc, payload, "--mtu", "1472", via=lambda port, p=path: p.append(router(port)) or p[0].port)
        assert path[0].dropped == 0 and path[0].passed > MEGABYTES * 600
        assert to.out == data, way


def test_without_a_rate_that_path_loses(server, nc, payload, router):
    """The negative control: the router does drop what is too fast."""
    path = []
    to, _ = up(server, nc, payload, "--mtu", "1472", "--rate", "0",
               via=lambda port: path.append(router(port)) or path[0].port)
    assert path[0].dropped > 100 and len(to.out) < MEGABYTES * 1_000_000


def test_rate_is_kept(server, nc, tmp_path):
    path = tmp_path / "small"
    path.write_bytes(bytes(1_000_000))
    to, client = up(server, nc, path, "--rate", "4M", "--json")
    assert len(to.out) == 1_000_000
    assert 1.9 < duration(client) + 16384 * 8 / 4e6 < 10


def test_a_receiver_that_stops_loses_and_says_so(server, nc, payload):
    """Nothing is lost in silence: what was dropped and what arrived are what was sent."""
    host = server("--strict", "--json")
    client = nc("--insecure", "--json", "--rate", "0", "127.0.0.1", host.port)
    client.send(b"first")
    host.wait_for("err", '"direction":"received"')
    host.signal(signal.SIGSTOP)
    client.process.stdin.write(payload.read_bytes())
    client.end_stdin()
    assert client.wait() == 0
    host.signal(signal.SIGCONT)
    host.wait_for("err", '"event":"data"', count=20)
    time.sleep(1)
    host.signal(TERM)
    assert host.wait() == 7
    sent, got = (json.loads(p.lines[-1]) for p in (client, host))
    assert sent["event"] == got["event"] == "end" and got["dropped"] > 100
    # close_notify may be among them.
    assert got["received"] + got["dropped"] - sent["sent"] in (0, 1)
    assert f"{got['dropped']} received datagrams dropped (full queue or wrong checksum)" in got["text"]


def ip(*args):
    subprocess.run(["ip", *args], check=True)


@alone
def test_what_has_no_route_is_not_sent(server, nc):
    host = server()
    client = nc("--insecure", "--json", "--strict", "127.0.0.1", host.port)
    client.send(b"before")
    host.wait_for("out", "before")
    ip("address", "del", "127.0.0.1/8", "dev", "lo")
    try:
        for i in range(20):
            client.send(b"%d" % i)
            time.sleep(0.02)  # a read each
        client.end_stdin()
        assert client.wait() == 7
    finally:
        ip("address", "add", "127.0.0.1/8", "dev", "lo")
    events = [json.loads(line) for line in client.lines]
    end = events[-1]
    assert end["event"] == "end" and end["sent"] == 1 and end["sent_bytes"] == 6
    assert end["refused"] >= 1 and end["refused_bytes"] == 30  # 0 to 19 without a blank
    assert "Network is unreachable" in end["text"]
    assert sum(e["event"] == "data" for e in events) == 1


@alone
@pytest.mark.parametrize("rate, limit", (("20mbit", "20k"), ("60mbit", "1m")))
def test_a_slow_interface_is_waited_for(server, nc, tmp_path, rate, limit):
    """Its queue is full all the time: ENOBUFS with a short queue, EAGAIN with a long one.

    On one core: a queue of lo that is emptied now by the sender, now by a timer of another core, reorders
    (measured with 20 lines of send() and recv(): up to 29 of 2,400).
    """
    if not shutil.which("tc"):
        pytest.skip("no tc here")
    path = tmp_path / "data"
    path.write_bytes(os.urandom(5_000_000))
    made = subprocess.run(["tc", "qdisc", "replace", "dev", "lo", "root", "tbf", "rate", rate, "burst", "70k",
                           "limit", limit], check=False)
    if made.returncode:
        pytest.skip("no tbf in this kernel")
    cores = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(cores)})
        host = server("--stats", "--strict")
        with path.open("rb") as source:
            client = nc("--insecure", "--strict", "--stats", "--mtu", "1400", "--rate", "0", "127.0.0.1", host.port,
                        stdin=source)
            assert client.wait() == 0
        deadline = time.monotonic() + DEADLINE
        while len(host.out) < 5_000_000 and time.monotonic() < deadline:
            time.sleep(0.05)
        stop(host)
    finally:
        os.sched_setaffinity(0, cores)
        subprocess.run(["tc", "qdisc", "del", "dev", "lo", "root"], check=True)
    assert host.out == path.read_bytes()
    assert counters(client)["guard.kept"] > 10 and "guard.unsent" not in counters(client)
