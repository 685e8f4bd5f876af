# SPDX-License-Identifier: MIT
"""Ends that come back: RFC 6347 section 4.2.8, and servers that die."""

import socket

import pytest

import forge
from conftest import DEADLINE, TERM, stop

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
