# SPDX-License-Identifier: MIT
"""A server in several threads is one server."""

import pytest

from conftest import stop

WORKERS = ("--workers", "2")


@pytest.mark.parametrize("own_sockets", [1000, 50, 0])
def test_hundreds_at_once(server, nc_run, own_sockets):
    host = server("--echo", "--stats", *WORKERS, "--max-connected", own_sockets)
    program = nc_run("--clients", 200, "--count", 3, "127.0.0.1", host.port)
    assert program.status == 0, program.err
    assert b"received 600 replies" in program.out + program.err
    found = stop(host)
    assert found["conn.established"] == 200
    assert found["conn.accepted"] == 200
    assert found.get("net.connected", 0) == min(own_sockets, 200)
    assert found["net.handed-over"] > 0
    assert "net.handover-full" not in found


def test_a_restart_is_one_restart(server, nc, free_port):
    host = server("--echo", "-v", "--stats", *WORKERS, "--max-connected", "0")
    for life in range(4):
        client = nc("--insecure", "-p", free_port, "127.0.0.1", host.port)
        client.send(f"life {life}".encode())
        client.wait_for("out", f"life {life}")
        client.signal(9)
        client.wait()
    found = stop(host)
    assert found["conn.restarted"] == 3
    assert found["conn.established"] == 4


def test_the_limit_is_that_of_all_threads(server, nc, nc_run):
    host = server("-v", "--stats", *WORKERS, "--max-conns", "3")
    kept = [nc("--insecure", "127.0.0.1", host.port) for _ in range(3)]
    host.wait_for("err", "Client established", 3)
    refused = nc_run("--insecure", "127.0.0.1", host.port, data=b"me too")
    assert refused.status != 0
    for client in kept:
        client.send(b"still here\n")
    host.wait_for("out", "still here\n", 3)
    found = stop(host)
    assert found["conn.established"] == 3
    assert found["conn.limit-clients"] >= 1
