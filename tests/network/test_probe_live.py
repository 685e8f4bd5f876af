# SPDX-License-Identifier: MIT
"""dtls_probe beside nc_dtls: what is on the wire, while it is there."""

import array
import fcntl
import json
import os
import pathlib
import pwd
import signal
import subprocess
import termios
import time

import pytest

from conftest import PROBE, environment, needs_raw_sockets, stop

F_SETPIPE_SZ = 1031  # fcntl has the name from Python 3.10 on

pytestmark = needs_raw_sockets


@pytest.fixture
def probe(run):
    """A live capture of one UDP port on loopback, begun."""

    def start(port, *args):
        program = run(PROBE, "-i", "lo", "-f", f"udp port {port} or icmp", *args)
        program.wait_for("err", "Capturing on lo")
        return program

    return start


def ended(program):
    program.signal(signal.SIGINT)
    status = program.wait()
    return status, [json.loads(line) for line in program.out.splitlines()]


def handshakes(lines):
    """The last word on each: an association that had more to tell is told again."""
    last = {line["handshake"]: line for line in lines if line["type"] == "handshake"}
    return list(last.values())


def found(lines):
    return {f["id"] for h in handshakes(lines) for f in h["findings"]}


@pytest.mark.parametrize("clients", [1, 20])
def test_healthy_handshakes_have_nothing_to_explain(probe, server, nc, clients):
    host = server("-v", "--echo")
    watch = probe(host.port, "--json", "--expect", "ok")
    # Each from an address of its own: on a slow machine they might be one that starts again too early.
    running = [nc("--insecure", "-s", f"127.0.1.{n + 1}", "127.0.0.1", host.port) for n in range(clients)]
    for number, client in enumerate(running):
        client.send(b"hello %d" % number)
    for number, client in enumerate(running):
        client.wait_for("out", f"hello {number}")
        client.end_stdin()
        assert client.wait() == 0
    stop(host)
    status, lines = ended(watch)
    assert status == 0, lines
    assert [h["outcome"] for h in handshakes(lines)] == ["ok"] * clients
    assert found(lines) <= {"close"}
    messages = [[r["message"] for r in line["records"]] for line in lines if line["type"] == "packet"]
    flights = [["Client Hello"], ["Hello Verify Request"], ["Client Hello"],
               ["Server Hello", "Certificate", "Server Key Exchange", "Server Hello Done"],
               ["Client Key Exchange", "Change Cipher Spec", "Encrypted Handshake Message"],
               ["New Session Ticket", "Change Cipher Spec", "Encrypted Handshake Message"]]
    for flight in flights:
        assert messages.count(flight) == clients * flights.count(flight), flight
    assert lines[-1]["type"] == "summary" and lines[-1]["dropped"] == 0


def test_a_closed_port_is_told_while_the_capture_goes_on(probe, nc_run, free_port):
    watch = probe(free_port, "--summary")
    assert nc_run("--insecure", "-w", "5", "127.0.0.1", free_port).status == 1
    watch.wait_for("out", "fatal icmp-port-unreachable")
    watch.signal(signal.SIGTERM)
    assert watch.wait() == 1


def test_copies_of_what_was_seen(probe, server, nc_run, free_port, tmp_path):
    host = server("-v", "--echo")
    everything, failed = tmp_path / "all.pcapng", tmp_path / "failed.pcapng"
    watch = probe(f"{host.port} or udp port {free_port}", "--json", "-w", everything,
                  "--save-failed", failed)
    assert nc_run("--insecure", "-q", "0.1", "127.0.0.1", host.port, data=b"x").status == 0
    assert nc_run("--insecure", "-w", "5", "127.0.0.1", free_port).status == 1
    _, lines = ended(watch)
    assert sorted(h["outcome"] for h in handshakes(lines)) == ["failed", "ok"]
    for path, outcomes in (everything, ["failed", "ok"]), (failed, ["failed"]):
        again = subprocess.run([PROBE, "-r", path, "--json"], capture_output=True, check=False)
        copied = [json.loads(line) for line in again.stdout.splitlines()]
        assert sorted(h["outcome"] for h in handshakes(copied)) == outcomes
    assert b"icmp-port-unreachable" in failed.read_bytes()


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return {key: value.split() for key, value in (line.split(":", 1) for line in status)}


def has_filter():
    return b"filter: none" not in subprocess.run([PROBE, "--version"], capture_output=True, check=True).stdout


def is_confined(pid, capabilities=0):
    nobody, fields = pwd.getpwnam("nobody"), status_of(pid)
    assert fields["Uid"] == [str(nobody.pw_uid)] * 4 and fields["Gid"] == [str(nobody.pw_gid)] * 4
    assert fields["Groups"] == [] and fields["NoNewPrivs"] == ["1"]
    for name in (n for n in fields if n.startswith("Cap") and n != "CapBnd"):
        assert int(fields[name][0], 16) == (capabilities if name in ("CapEff", "CapPrm") else 0), name
    assert not has_filter() or fields["Seccomp"] == ["2"]


def children(pid):
    return [int(n) for n in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def test_privileges_are_gone_once_it_captures(probe, free_port):
    assert status_of("self")["Uid"] == ["0"] * 4  # the control: who starts it is root
    watch = probe(free_port)
    is_confined(watch.process.pid)
    assert children(watch.process.pid) == []
    watch.signal(signal.SIGINT)
    assert watch.wait() == 0


@pytest.mark.parametrize("when", ["before", "later", "replaced"])
def test_a_key_log_of_root_is_followed_without_root(probe, server, nc_run, tmp_path, when):
    """It is opened by a process that may read everything and do nothing else."""
    keys, copy = tmp_path / "keys", tmp_path / "copy.pcapng"
    host = server("-v", "--echo")
    if when != "later":
        keys.touch(0o600)
    watch = probe(host.port, "--json", "--keylog", keys, "-w", copy)
    is_confined(watch.process.pid)
    waiting = children(watch.process.pid)
    assert len(waiting) == 1
    for pid in waiting:
        is_confined(pid, capabilities=1 << 2)  # CAP_DAC_READ_SEARCH
    if when == "replaced":
        keys.rename(tmp_path / "keys.1")
    assert nc_run("--insecure", "--keylog", keys, "-q", "0.1", "127.0.0.1", host.port, data=b"x").status == 0
    assert keys.stat().st_mode & 0o777 == 0o600
    status, lines = ended(watch)
    messages = {r["message"] for line in lines if line["type"] == "packet" for r in line["records"]}
    assert status == 0 and "Finished" in messages, lines
    assert b"CLIENT_RANDOM" in copy.read_bytes()


@pytest.mark.parametrize("interface, why", [("no-such-if", "no-such-if"), ("lo", "parse")])
def test_what_cannot_be_captured_is_one_line(run, interface, why):
    program = run(PROBE, "-i", interface, *(["-f", "udp prt 1"] if interface == "lo" else []))
    assert program.wait() == 2
    assert len(program.lines) == 1 and why in program.lines[0]


def test_a_signal_that_comes_twice_loses_nothing(probe, server, nc_run):
    host = server("-v", "--echo")
    watch = probe(host.port, "--json")
    assert nc_run("--insecure", "-q", "0.1", "127.0.0.1", host.port, data=b"x").status == 0
    watch.process.send_signal(signal.SIGSTOP)  # both are pending when it goes on
    watch.signal(signal.SIGINT)
    watch.signal(signal.SIGTERM)
    watch.process.send_signal(signal.SIGCONT)
    assert watch.wait() == 0
    assert json.loads(watch.out.splitlines()[-1])["ok"] == 1


def test_a_signal_ends_who_cannot_write_to_stdout(server, nc_run):
    """What it finds is more than an unread pipe holds."""
    host = server("--echo")
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, F_SETPIPE_SZ, 4096)
    watch = subprocess.Popen([str(PROBE), "-i", "lo", "-f", f"udp port {host.port}", "--json", "-v"], stdout=write_end,
                             stderr=subprocess.PIPE, env=environment())
    try:
        os.close(write_end)
        assert b"Capturing on lo" in watch.stderr.readline()
        nc_run("--clients", "60", "--insecure", "127.0.0.1", host.port)
        wait_until_stuck(read_end)
        begin = time.monotonic()
        watch.terminate()
        assert watch.wait(30) == 2 and time.monotonic() - begin < 2
        assert b"cannot write the result to stdout" in watch.stderr.read()
    finally:
        watch.kill()
        watch.wait()
        watch.stderr.close()
        os.close(read_end)


def wait_until_stuck(read_end):
    """Nothing more comes: how much a pipe of one page takes depends on the sizes of the writes."""
    deadline, size, since = time.monotonic() + 30, 0, time.monotonic()
    while not size or time.monotonic() - since < 1:
        assert time.monotonic() < deadline
        if unread(read_end) != size:
            size, since = unread(read_end), time.monotonic()
        time.sleep(0.02)


def unread(fd):
    size = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, size)
    return size[0]
