# SPDX-License-Identifier: MIT
"""Ends that come back: RFC 6347 section 4.2.8, and servers that die."""

import socket
import time

import pytest

import forge
from conftest import DEADLINE, TERM, stop
from tap import tap  # noqa: F401, a fixture

KILL = 9


SOCKETS = pytest.mark.parametrize("sockets", [(), ("--max-connected", "0")], ids=["connected", "shared"])


@SOCKETS
def test_a_client_that_starts_anew_on_its_port_is_served(server, nc, free_port, sockets):
    host = server("--echo", "-v", "--stats", *sockets)
    for life in range(3):
        client = nc("--insecure", "-p", free_port, "127.0.0.1", host.port)
        client.send(f"life {life}".encode())
        client.wait_for("out", f"life {life}")
        client.signal(KILL)
        client.wait()
    found = stop(host)
    assert found["conn.restarted"] == 2
    assert found["conn.established"] == 3
    assert b"started again" in host.err


def test_a_client_is_told_that_its_server_is_gone(server, nc, free_port):
    host = server("-v")
    client = nc("-v", "--insecure", "--idle", "2", "127.0.0.1", host.port)
    host.wait_for("err", "Client established")
    host.signal(KILL)
    host.wait()
    client.send(b"anybody?")
    client.wait_for("err", "ICMP")
    client.send(b"hello?")
    client.wait()  # --idle ends it: nothing hangs for ever
    assert b"no data for" in client.err or b"idle" in client.err


def test_a_server_that_comes_back_serves_new_clients_on_its_port(server, nc, nc_run, pki):
    first = server("--echo", "-v")
    client = nc("-v", "--insecure", "127.0.0.1", first.port)
    first.wait_for("err", "Client established")
    first.signal(KILL)
    first.wait()
    second = nc("-l", "--echo", "-v", "-c", pki / "cert.pem", "-k", pki / "key.pem", "127.0.0.1", first.port)
    second.wait_for("err", "Hosting at")
    assert nc_run("--insecure", "127.0.0.1", first.port, data=b"new").out == b"new"
    client.send(b"lost")  # of an association that the new server does not know
    client.signal(TERM)
    assert client.wait() == 128 + TERM
    second.signal(TERM)
    assert second.wait() == 128 + TERM


def test_a_server_that_ends_says_goodbye(server, nc):
    host = server("-v")
    client = nc("-v", "--insecure", "127.0.0.1", host.port)
    host.wait_for("err", "Client established")
    stop(host)
    assert client.wait() == 0


@SOCKETS
def test_a_hello_without_cookie_ends_no_association(server, nc, free_port, sockets):
    """Who has not proved the address gets a HelloVerifyRequest and changes nothing."""
    host = server("--echo", "-v", "--stats", *sockets)
    client = nc("-v", "--insecure", "-p", free_port, "127.0.0.1", host.port)
    client.wait_for("err", "Connected to")
    client.signal(KILL)
    client.wait()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(DEADLINE)
        s.bind(("127.0.0.1", free_port))
        s.connect(("127.0.0.1", int(host.port)))
        s.send(forge.client_hello())
        assert s.recv(2048)[13] == forge.VERIFY_REQUEST
    assert b"Removing peer" not in host.err
    assert "conn.restarted" not in stop(host)


def test_a_client_of_a_restarted_server_does_not_hang(server, nc):
    first = server("-v")
    client = nc("-v", "--insecure", "--idle", "2", "127.0.0.1", first.port)
    client.wait_for("err", "Connected to")
    first.signal(KILL)
    first.wait()
    second = server("-v", "--stats", first.port)
    client.send(b"are you there?")
    assert client.wait() == 3
    assert client.lines[-1].endswith("no data for 2000 ms")
    found = stop(second)
    assert found["gate.epoch"] > 0  # records of an association that it does not know
    assert "conn.accepted" not in found and second.out == b""


@SOCKETS
def test_doubled_hellos_make_one_client(server, relay, nc_run, sockets):
    host = server("--echo", "-v", "--stats", *sockets)
    net = relay(host.port, "--c2s-dup", "100")
    client = nc_run("--insecure", "-q", "1", "127.0.0.1", net.port, data=b"once")
    assert (client.status, client.out) == (0, b"once")
    assert net.counts()["c2s"]["duplicated"] >= 4
    assert host.err.count(b"Client connected from") == 1
    found = stop(host)
    assert (found["conn.accepted"], found["conn.established"]) == (1, 1)
    assert "conn.restarted" not in found


class Observed:
    """A client and an echoing server, and whoever is on the path: it sees all, and sends from the client's address."""

    def __init__(self, host, nc, tap):
        self.host, self.nc, self.sent, self.said = host, nc, [], 0
        self.wire = tap(host.port, self.record)

    def record(self, data):
        self.sent.append(data)
        return data

    def connect(self):
        self.client = self.nc("--insecure", "-v", "127.0.0.1", self.wire.port)
        self.client.wait_for("err", "Connected to")
        self.round_trip()

    def round_trip(self):
        self.said += 1
        self.client.send(f"<{self.said}>".encode())
        self.client.wait_for("out", f"<{self.said}>")

    def hello(self):
        """The last one with a cookie that a client sent."""
        return [d for d in self.sent if d[0] == forge.HANDSHAKE and d[13] == forge.CLIENT_HELLO and d[18] == 1][-1]

    def prove(self, random):
        """A hello of the observer's own, with the cookie that it saw coming back."""
        before = len(self.answers())
        self.wire.up.send(forge.client_hello(random, record_seq=0))
        self.until(lambda: len(self.answers()) > before)
        self.wire.up.send(forge.client_hello(random, cookie=self.answers()[-1][28:48], seq=1, record_seq=1))

    def answers(self):
        """Every HelloVerifyRequest so far."""
        return [d for d in self.wire.answers if len(d) == 48 and d[13] == forge.VERIFY_REQUEST]

    def until(self, condition):
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, "no HelloVerifyRequest"
            time.sleep(0.01)


@SOCKETS
def test_a_replayed_hello_ends_no_association(server, nc, tap, sockets):
    """The client's own hello of an earlier association from the same port, 50 times; and after the end."""
    seen = Observed(server("--echo", "-v", "--stats", *sockets), nc, tap)
    seen.connect()
    hello = seen.hello()
    seen.client.end_stdin()
    assert seen.client.wait() == 0
    seen.host.wait_for("err", "Removing peer")
    for _ in range(50):
        seen.wire.up.send(hello)
    seen.connect()
    assert seen.hello() != hello
    for _ in range(50):
        seen.wire.up.send(hello)
        seen.wire.up.send(seen.hello())
        seen.round_trip()
    assert seen.host.err.count(b"Removing peer") == 1
    found = stop(seen.host)
    assert (found["conn.accepted"], found["conn.established"], found["conn.replayed"]) == (2, 2, 100)
    assert "conn.restarted" not in found


@SOCKETS
def test_an_association_stays_until_the_other_handshake_is_complete(server, nc, tap, sockets):
    """The observer proves the address again and again: one handshake at a time begins, and none of them ends the
    association. The control: the client that comes back does."""
    seen = Observed(server("--echo", "-v", "--stats", *sockets), nc, tap)
    seen.connect()
    for i in range(10):
        seen.prove(bytes([i]) * 32)
        seen.host.wait_for("err", "Client connected from", 2 + i)
        seen.round_trip()
    assert seen.host.err.count(b"Client established from") == 1
    assert seen.host.err.count(b"Removing peer") == 9  # each of the observer's gives way to the next
    seen.client.signal(KILL)
    seen.client.wait()
    seen.connect()
    seen.host.wait_for("err", "Removing peer", 11)
    found = stop(seen.host)
    assert (found["conn.accepted"], found["conn.established"], found["conn.restarted"]) == (12, 2, 11)


def test_a_recorded_hello_ends_no_handshake(server, nc, tap):
    """The hello of a handshake that was never completed, while another one is under way."""
    seen = Observed(server("--echo", "-v", "--stats"), nc, tap)
    seen.prove(b"o" * 32)
    seen.host.wait_for("err", "Client connected from")
    old = forge.client_hello(b"o" * 32, cookie=seen.wire.answers[0][28:48], seq=1, record_seq=1)
    seen.prove(b"n" * 32)  # has a cookie that was made beside the first one
    seen.host.wait_for("err", "Client connected from", 2)
    for i in range(20):
        before = len(seen.answers())
        seen.wire.up.send(old)
        seen.until(lambda: len(seen.answers()) > before)
    seen.prove(b"m" * 32)
    seen.host.wait_for("err", "Client connected from", 3)
    found = stop(seen.host)
    assert (found["conn.accepted"], found["conn.restarted"]) == (3, 2)
    assert found["gate.bad-cookie"] == 20
