# SPDX-License-Identifier: MIT
"""nc_dtls --workers: what a user sees is one server."""

import json
import re

from conftest import TERM, stop

WORKERS = ("--workers", "2")


def test_stdin_goes_to_the_clients_of_all_threads(server, nc):
    host = server("-v", "--line", *WORKERS)
    clients = [nc("--insecure", "127.0.0.1", host.port) for _ in range(6)]
    host.wait_for("err", "Client established", 6)
    for i in range(20):
        host.send(f"line {i}\n".encode())
    for client in clients:
        client.wait_for("out", "line 19\n")
        assert client.out.splitlines() == [f"line {i}".encode() for i in range(20)]
    stop(host)


def test_commands_run_in_all_threads(server, nc_run):
    host = server("-v", *WORKERS, "--exec", "cat; echo done")
    answers = [nc_run("--insecure", "-q", "1", "127.0.0.1", host.port, data=b"x").out for _ in range(6)]
    assert answers == [b"x"] * 6
    host.wait_for("err", "ended (with|by)", 6)
    stop(host)


def test_events_are_whole_and_totals_are_sums(server, nc_run):
    host = server("--json", "--echo", *WORKERS)
    assert nc_run("--clients", 100, "127.0.0.1", host.port).status == 0
    host.signal(10)  # SIGUSR1
    host.wait_for("err", '"event":"counters"')
    host.signal(TERM)
    assert host.wait() == 128 + TERM
    events = [json.loads(line) for line in host.err.splitlines()]
    kinds = [e["event"] for e in events]
    assert kinds.count("ready") == kinds.count("closed") == 100
    assert kinds[-1] == "end"
    assert (events[-1]["received"], events[-1]["sent"]) == (100, 100)
    assert next(e for e in events if e["event"] == "counters")["conn.established"] == 100


def test_once_is_refused(nc_run):
    program = nc_run("-l", "--once", *WORKERS, "0")
    assert program.status == 2 and re.search(rb"--workers and --once", program.err)
