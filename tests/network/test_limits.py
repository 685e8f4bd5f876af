"""What a server holds for its clients is bounded, and given back."""

import contextlib
import os
import resource
import time

import pytest

from conftest import DEADLINE, stop
from hello import HalfClient


def descriptors(program):
    return len(os.listdir(f"/proc/{program.process.pid}/fd"))


def wait_until(condition):
    """For states that no line of output tells."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def nofile(limit):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def test_a_half_open_client_is_forgotten_and_its_socket_closed(server):
    host = server("-v", "--stats", "-w", "1", "--timer", "200")
    before = descriptors(host)
    with HalfClient(host.port) as client:
        client.half_open()
        host.wait_for("err", "Client connected from")
        assert descriptors(host) == before + 1
        host.wait_for("err", "the client sent no more after its first flight")
    wait_until(lambda: descriptors(host) == before)
    found = stop(host)
    assert (found["conn.accepted"], found["conn.failed"]) == (1, 1)
    assert found["conn.retransmits"] > 0
    assert "conn.established" not in found


def test_an_unproven_client_costs_nothing(server):
    host = server("-v", "--stats")
    before = descriptors(host)
    from hello import client_hello
    with HalfClient(host.port) as client:
        for _ in range(50):
            client.ask(client_hello())
        assert descriptors(host) == before
    found = stop(host)
    assert found["gate.no-cookie"] == 50
    assert "conn.accepted" not in found and b"Client connected" not in host.err


def test_fifty_half_open_clients_do_not_stop_a_good_one(server, nc_run):
    host = server("-v", "--stats", "--echo", "-w", "3")
    before = descriptors(host)
    with contextlib.ExitStack() as clients:
        for i in range(50):
            clients.enter_context(HalfClient(host.port, random=bytes([i]) * 32)).half_open()
        program = nc_run("--insecure", "-q", "5", "-w", "10", "--idle", "1", "127.0.0.1", host.port, data=b"good\n")
        assert program.out == b"good\n"
        host.wait_for("err", "the client sent no more after its first flight", 50)
    wait_until(lambda: descriptors(host) == before)
    assert stop(host)["conn.failed"] == 50


def test_one_client_too_many_waits_for_a_place(server, nc, nc_run):
    host = server("-v", "--stats", "--max-conns", "2")
    first, second = nc("-v", "--insecure", "127.0.0.1", host.port), nc("-v", "--insecure", "127.0.0.1", host.port)
    for client in (first, second):
        client.wait_for("err", "Connected to:")
    third = nc_run("-w", "1", "127.0.0.1", host.port)
    assert third.status == 3
    first.end_stdin()
    assert first.wait() == 0
    host.wait_for("err", "Removing peer")
    assert nc_run("--insecure", "127.0.0.1", host.port, data=b"third\n").status == 0
    host.wait_for("out", "third\n")
    found = stop(host)
    assert found["conn.established"] == 3
    assert found["conn.limit-clients"] > 0


@pytest.mark.parametrize("asked_for", [[], ["--max-connected", "1000"]], ids=["default", "too-many"])
def test_clients_without_a_descriptor_are_served_from_the_listener(server, nc_run, asked_for):
    host = server("--stats", "--echo", *asked_for, preexec_fn=nofile(80))
    load = nc_run("--insecure", "--clients", "120", "127.0.0.1", host.port)
    assert load.status == 0
    assert b"sent 120, received 120\nconnected 120 of 120\n" in load.out
    found = stop(host)
    assert found["net.connected"] + found["net.shared"] == 120
    assert 0 < found["net.connected"] < 80
    # The default keeps clear of the limit; who asks for more meets it.
    assert ("net.socket-failed" in found) == bool(asked_for)


def test_an_idle_client_is_closed_in_good_order(server, nc):
    host = server("-v", "--stats", "--idle", "1")
    before = descriptors(host)
    client = nc("-v", "--insecure", "127.0.0.1", host.port)
    client.wait_for("err", "Connected to:")
    host.wait_for("err", r"Removing peer [\d.:]+: no data for 1000 ms")
    assert client.wait() == 0  # told by close_notify
    wait_until(lambda: descriptors(host) == before)
    assert stop(host)["conn.established"] == 1


def test_a_client_that_hears_nothing_ends_with_idle(server, nc):
    host = server("-v")
    client = nc("--insecure", "--idle", "1", "127.0.0.1", host.port)
    assert client.wait() == 3
    assert client.lines[-1].endswith("no data for 1000 ms")
    host.wait_for("err", "Removing peer")
