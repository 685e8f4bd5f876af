# SPDX-License-Identifier: MIT
"""--clients, and sockets that are handed over."""

import json
import os
import re
import socket

import pytest

from conftest import INT, NC, TERM


def test_all_clients_connect_and_get_their_echo(server, nc_run):
    host = server("--echo")
    load = nc_run("--clients", "50", "--count", "3", "--insecure", "127.0.0.1", host.port)
    assert load.status == 0 and load.err == b""
    lines = load.out.decode().splitlines()
    assert re.fullmatch(r"handshake min/median/p95/max [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms", lines[0])
    assert lines[1:] == ["sent 150 messages, received 150 replies", "connected 50 of 50 clients"]


def test_the_server_hears_every_client(server, nc_run):
    host = server("-v")
    assert nc_run("--clients", "20", "--insecure", "127.0.0.1", host.port).status == 0
    host.wait_for("err", "Removing peer", count=20)
    assert sorted(host.out.decode().splitlines()) == sorted(f"hello from client {i}" for i in range(1, 21))


def test_rate_spreads_the_clients(server, nc_run):
    host = server("--echo")
    load = nc_run("--json", "--clients", "10", "--rate", "20", "--insecure", "127.0.0.1", host.port)
    assert load.status == 0
    times = [json.loads(line)["time"] for line in load.lines if '"ready"' in line]
    assert len(times) == 10 and times[-1] - times[0] > 0.3


def test_one_client_too_many_fails_the_run(server, nc_run):
    host = server("-m", "3")
    load = nc_run("--json", "--clients", "5", "-w", "2", "--insecure", "127.0.0.1", host.port)
    assert load.status == 4
    summary = json.loads(load.lines[-1])
    assert summary["event"] == "load"
    assert (summary["connected"], summary["failed"], summary["reasons"]) == (3, 2, {"ALERT_RECEIVED": 2})


def test_an_interrupted_run_still_sums_up(server, nc):
    host = server("-m", "1", "-v")
    load = nc("--clients", "2", "--insecure", "127.0.0.1", host.port)
    host.wait_for("err", "Client established from")
    load.signal(INT)
    assert load.wait() == 128 + INT
    assert b"connected 1 of 2 clients\n" in load.out
    host.wait_for("err", "Removing peer")


@pytest.fixture
def bound():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        yield s


def test_a_socket_from_the_service_manager_is_served(bound, run, nc_run, pki):
    """What systemd does: the socket is fd 3, LISTEN_PID is the process itself."""
    port = bound.getsockname()[1]
    script = (f"exec 3<&{bound.fileno()}; export LISTEN_FDS=1 LISTEN_PID=$$;"
              f"exec {NC} -l -v -e 'env; cat' -c {pki}/cert.pem -k {pki}/key.pem")
    host = run("bash", "-c", script, pass_fds=[bound.fileno()])
    host.wait_for("err", rf"Hosting at: 127\.0\.0\.1:{port}\n")
    client = nc_run("--insecure", "-q", "2", "127.0.0.1", port, data=b"activated\n")
    assert b"activated\n" in client.out
    assert b"LISTEN_FDS" not in client.out, "not for our children"


def test_a_client_that_came_before_the_server_is_served(bound, nc, pki):
    """Its ClientHello waits in the socket: that is what activation is about."""
    client = nc("-v", "127.0.0.1", bound.getsockname()[1])
    client.send(b"patience\n")
    bound.settimeout(30)
    bound.recvfrom(1, socket.MSG_PEEK)
    host = nc("-l", "-v", "--stats", "--fd", bound.fileno(), "-c", pki / "cert.pem", "-k", pki / "key.pem",
              pass_fds=[bound.fileno()])
    host.wait_for("out", "patience\n")
    host.signal(TERM)
    host.wait()
    assert b"gate.bad-cookie" not in host.err


def test_an_fd_is_served(bound, nc, nc_run, pki):
    host = nc("-l", "--fd", bound.fileno(), "--echo", "-v", "-c", pki / "cert.pem", "-k", pki / "key.pem",
              pass_fds=[bound.fileno()])
    port = host.wait_for("err", r"Hosting at: 127\.0\.0\.1:(\d+)\n").group(1).decode()
    assert nc_run("127.0.0.1", port, data=b"fd\n").out == b"fd\n"
    host.signal(TERM)
    assert host.wait() == 128 + TERM


def test_an_fd_that_is_no_socket_is_refused(nc_run, tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    program = nc_run("-l", "--fd", fd, pass_fds=[fd])
    os.close(fd)
    assert program.status in (1, 2)
    assert len(program.lines) == 1 and program.lines[0].startswith("nc_dtls: ")
