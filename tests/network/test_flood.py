# SPDX-License-Identifier: MIT
"""A flood of spoofed ClientHellos costs nothing but time, and real clients still connect."""

import os
import pathlib
import threading

import forge
from conftest import NC, USR1, needs_raw_sockets, stop

pytestmark = needs_raw_sockets
COUNT = int(os.environ.get("SDTLS_FLOOD", 1000000))
WARM_UP = 20000


def resident_kb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def settled(host):
    """Waits until the server has read what waits: it answers a signal when its queue lets it."""
    before = host.err.count(b"net.received")
    host.signal(USR1)
    host.wait_for("err", r"net\.received +\d+", before + 1)


def test_spoofed_hellos(server, nc_run):
    host = server("--echo", "-v", "--stats")
    pid = host.process.pid
    target = ("127.0.0.1", int(host.port))
    assert nc_run("--insecure", *target, data=b"before").out == b"before"
    forge.flood(target, WARM_UP)
    settled(host)
    memory, files = resident_kb(pid), descriptors(pid)

    length = []
    flood = threading.Thread(target=lambda: length.append(forge.flood(target, COUNT, WARM_UP)))
    flood.start()
    connected = 0
    while flood.is_alive():
        program = nc_run("--insecure", "-w", "20", "-q", "2", *target, data=b"meanwhile")
        assert (program.status, program.out) == (0, b"meanwhile"), program.err
        connected += 1
    flood.join()
    settled(host)
    assert connected >= 1
    if b"__asan_init" not in NC.read_bytes():  # it keeps what was freed
        assert resident_kb(pid) - memory <= 256
    assert descriptors(pid) - files <= 1  # the last client's socket may be on its way out
    found = stop(host)
    hellos = found["gate.no-cookie"]
    assert hellos > (COUNT + WARM_UP) / 4, "the flood did not arrive"
    assert found["conn.accepted"] == connected + 1
    # One answer a hello at the most; it has 48 bytes, tests/unit/gate_gate_test.c holds it to that.
    assert found["net.sent"] <= hellos + 20 * (connected + 1)
    assert length[0] > 48
    print(f"{hellos} hellos answered or dropped, {connected} clients meanwhile")
