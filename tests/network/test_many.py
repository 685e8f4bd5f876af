# SPDX-License-Identifier: MIT
"""Every client that the network can carry gets connected."""

import os
import pathlib
import re

import pytest

from conftest import counters, stop

IMPAIR = ("--loss", "5", "--dup", "5", "--reorder", "5")


def load(nc_run, port, n, *args):
    program = nc_run("--clients", n, *args, "127.0.0.1", port)
    return program, int(re.search(rb"connected (\d+) of", program.out + program.err).group(1))


def test_twenty_processes_at_once(server, nc, run):
    host = server("-v", "--stats")
    clients = [nc("--insecure", "127.0.0.1", host.port) for _ in range(20)]
    for i, client in enumerate(clients):
        client.send(f"client {i}\n".encode())
        client.end_stdin()
    assert [c.wait() for c in clients] == [0] * 20
    host.wait_for("out", "client .*\n", 20)
    assert sorted(host.out.splitlines()) == sorted(f"client {i}".encode() for i in range(20))
    assert stop(host)["net.connected"] == 20


def connected_sockets(program):
    """Local and remote end of each connected UDP socket of a process, as the kernel has them."""
    own = {os.readlink(f"/proc/{program.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{program.process.pid}/fd")}
    rows = [line.split() for line in pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]]
    return {(row[1], row[2]) for row in rows if f"socket:[{row[9]}]" in own and row[2] != "00000000:0000"}


@pytest.mark.parametrize("own_sockets", [20, 5, 0])
def test_the_kernel_tells_of_a_socket_for_each(server, nc, own_sockets):
    host = server("-v", "--echo", "--max-connected", own_sockets)
    clients = [nc("--insecure", "127.0.0.1", host.port) for _ in range(20)]
    for client in clients:
        client.send(b"there")
    for client in clients:
        client.wait_for("out", "there")
    found = connected_sockets(host)
    assert len(found) == own_sockets
    assert found <= {(far, near) for client in clients for near, far in connected_sockets(client)}


@pytest.mark.parametrize("own_sockets", [1000, 100, 0])
def test_a_thousand_at_once(server, nc_run, own_sockets):
    """With a socket each, as many as that, or none: all are served."""
    host = server("--echo", "--stats", "--max-connected", own_sockets)
    # One host has a fourth of them half open at most, so some hellos are repeated: on a loaded machine for longer
    # than the 30 s of the default.
    program, connected = load(nc_run, host.port, 1000, "-w", "55")
    assert (program.status, connected) == (0, 1000)
    assert b"received 1000" in program.out + program.err
    found = stop(host)
    assert found.get("net.connected", 0) == own_sockets
    assert found.get("net.shared", 0) == 1000 - own_sockets
    assert found["conn.established"] == 1000


@pytest.mark.parametrize("sockets", [(), ("--max-connected", "0")], ids=["connected", "shared"])
def test_two_hundred_over_a_bad_network(server, relay, nc_run, sockets):
    host = server("--stats", "--max-conns", 300, *sockets)
    net = relay(host.port, *IMPAIR, "--seed", os.environ.get("SDTLS_SEED", "1"))
    program, connected = load(nc_run, net.port, 200, "--timer", "200")
    assert (program.status, connected) == (0, 200)
    for direction in net.counts().values():
        assert direction["dropped"] > 10 and direction["duplicated"] > 10 and direction["reordered"] > 0
    found = stop(host)
    assert found["conn.established"] == 200
    assert found["conn.accepted"] == 200  # a duplicate or late hello makes no second client


def test_loss_that_nothing_survives_is_noticed(server, relay, nc_run):
    """The negative control of the test above."""
    net = relay(server().port, "--loss", "100")
    program, connected = load(nc_run, net.port, 5, "-w", "1")
    assert (program.status, connected) == (3, 0)
    assert net.counts()["c2s"]["passed"] == 0


@pytest.mark.parametrize("direction", ["c2s", "s2c"])
@pytest.mark.parametrize("number", range(6))
def test_any_single_datagram_may_get_lost(server, relay, nc_run, direction, number):
    host = server("--echo", "--stats")
    net = relay(host.port, f"--{direction}-drop", number)
    program = nc_run("--insecure", "--timer", "50", "--stats", "-q", "0.5", "127.0.0.1", net.port, data=b"x")
    assert program.status == 0
    lost = net.counts()[direction]["dropped"]
    assert lost == (1 if number < 4 else lost)
    assert stop(host)["conn.established"] == 1
    # The first three of the client (two hellos, its second flight) are the handshake's.
    if direction == "c2s" and number < 3:
        assert counters(program)["conn.retransmits"] > 0
        assert program.out == b"x"


def test_every_datagram_twice(server, relay, nc_run):
    host = server("--echo", "--stats")
    net = relay(host.port, "--dup", "100")
    program = nc_run("--insecure", "127.0.0.1", net.port, data=b"once")
    assert program.out == b"once"  # the record layer drops the copy
    assert net.counts()["s2c"]["duplicated"] > 3
    assert stop(host)["conn.accepted"] == 1
