# SPDX-License-Identifier: MIT
"""What a server allows, and that it forgets in time."""

import os
import resource
import socket
import time

import forge
from conftest import DEADLINE, stop


def half_open(port):
    """A client that proves its address and then says no more."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(DEADLINE)
    s.connect(("127.0.0.1", int(port)))
    random = os.urandom(32)
    s.send(forge.client_hello(random, record_seq=0))
    verify = s.recv(2048)
    assert verify[13] == forge.VERIFY_REQUEST and len(verify) == 48
    s.send(forge.client_hello(random, cookie=verify[28:48], seq=1, record_seq=1))
    return s


def descriptors(host):
    return len(os.listdir(f"/proc/{host.process.pid}/fd"))


def wait_until(condition, what):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_half_open_clients_are_forgotten_at_the_deadline(server):
    host = server("-v", "--stats", "-w", "1")
    before = descriptors(host)
    clients = [half_open(host.port) for _ in range(10)]
    host.wait_for("err", "Client connected", 10)
    assert descriptors(host) == before + 10
    wait_until(lambda: descriptors(host) == before, "sockets of half-open clients stay")
    host.wait_for("err", "no handshake within 1.0 s", 10)  # and not refused for another reason
    for s in clients:
        s.close()
    found = stop(host)
    assert found["conn.failed"] == 10
    assert "conn.established" not in found


def test_no_descriptor_before_the_cookie(server):
    host = server("-v", "--stats")
    before = descriptors(host)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(DEADLINE)
        s.connect(("127.0.0.1", int(host.port)))
        for _ in range(100):
            s.send(forge.client_hello())
            assert len(s.recv(2048)) == 48
    assert descriptors(host) == before
    assert stop(host)["gate.no-cookie"] == 100


def test_clients_beyond_the_descriptors_are_served_from_the_listener(server, nc_run):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    host = server("--echo", "--stats", "--max-connected", "1000", preexec_fn=few)
    program = nc_run("--clients", "100", "127.0.0.1", host.port)
    assert program.status == 0, program.err
    found = stop(host)
    assert found["conn.established"] == 100
    assert found["net.socket-failed"] > 50


def test_more_clients_than_allowed_are_refused(server, nc_run):
    host = server("--stats", "-m", "2")
    program = nc_run("--clients", "5", "-w", "2", "127.0.0.1", host.port)
    assert program.status == 3
    found = stop(host)
    assert found["conn.established"] == 2
    assert found["conn.limit-clients"] > 0


def test_idle_clients_are_closed(server, nc):
    host = server("-v", "--idle", "1")
    client = nc("-v", "--insecure", "127.0.0.1", host.port)
    assert client.wait() == 0  # the server said goodbye
    host.wait_for("err", "no data for|idle")


def test_half_open_clients_do_not_keep_a_good_one_out(server, nc_run):
    host = server("-v", "--stats", "--echo", "-w", "3")
    clients = [half_open(host.port) for _ in range(50)]
    host.wait_for("err", "Client connected", 50)
    program = nc_run("--insecure", "-q", "1", "127.0.0.1", host.port, data=b"good")
    assert (program.status, program.out) == (0, b"good")
    host.wait_for("err", "no handshake within", 50)
    for s in clients:
        s.close()
    found = stop(host)
    assert (found["conn.failed"], found["conn.established"]) == (50, 1)


def test_one_host_does_not_take_all_the_half_open_places(server, nc_run):
    """1,024 for an address; others are served all the same."""
    host = server("--stats", "--echo", "-w", "60")
    clients = [half_open(host.port) for _ in range(1100)]  # kept: a port used again were a restart
    other = nc_run("--insecure", "-s", "127.0.0.2", "-q", "1", "127.0.0.1", host.port, data=b"other")
    assert (other.status, other.out) == (0, b"other"), other.err
    same = nc_run("--insecure", "-w", "1", "127.0.0.1", host.port)
    assert same.status == 3
    for s in clients:
        s.close()
    found = stop(host)
    assert found["conn.accepted"] == 1024 + 1
    assert found["conn.limit-host"] >= 1100 - 1024
    assert found["conn.established"] == 1
