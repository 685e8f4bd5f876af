# SPDX-License-Identifier: MIT
"""Output that nobody reads: stderr, stdout, the stdin of a command. Clients are served, signals are
obeyed, and what is lost is said."""

import fcntl
import json
import os
import re
import subprocess
import threading
import time

import pytest

from conftest import DEADLINE, NC, TERM, environment

F_SETPIPE_SZ = 1031  # fcntl has the name from Python 3.10 on
LEAST = 4096
OBEYED_S = 1.0
# A program that has not come so far may run on a busy machine.
SLACK_S = 1.0


class Pipe:
    """Small, and read only when the test says so."""

    def __init__(self):
        self.read_end, self.write_end = os.pipe()
        fcntl.fcntl(self.write_end, F_SETPIPE_SZ, LEAST)
        self.data = b""

    def close_write_end(self):
        os.close(self.write_end)
        self.write_end = None

    def read_until(self, enough):
        """Reads until enough(data), or the end."""
        deadline = time.monotonic() + DEADLINE
        os.set_blocking(self.read_end, False)
        while not enough(self.data):
            assert time.monotonic() < deadline, self.data[-1000:]
            try:
                more = os.read(self.read_end, 65536)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            if not more:
                break
            self.data += more
        return self.data

    def read_to_the_end(self):
        return self.read_until(lambda data: False)

    def close(self):
        for end in (self.read_end, self.write_end):
            if end is not None:
                os.close(end)


@pytest.fixture
def pipe():
    made = []

    def make():
        made.append(Pipe())
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def host(pki, free_port):
    """nc_dtls -l with the files it is given for stdout and stderr; .port is where."""
    started = []

    def start(*args, **files):
        command = (NC, "-l", "127.0.0.1", free_port, "-c", pki / "cert.pem", "-k", pki / "key.pem", *args)
        program = subprocess.Popen([str(a) for a in command], stdin=files.pop("stdin", subprocess.DEVNULL),
                                   env=environment(), **files)
        program.port = str(free_port)
        started.append(program)
        return program

    yield start
    for program in started:
        program.kill()
        program.wait()
        for stream in (program.stdin, program.stdout, program.stderr):
            if stream:
                stream.close()


def ends_in_time(program):
    begin = time.monotonic()
    program.terminate()
    status = program.wait(DEADLINE)
    assert time.monotonic() - begin < OBEYED_S + SLACK_S
    return status


def await_port(nc_run, port):
    while nc_run("-z", "-w", "1", "127.0.0.1", port).status:
        pass


def connected(load):
    return int(re.search(rb"connected (\d+) of", load.out).group(1))


def test_unread_stderr_stops_nobody(host, pipe, nc_run):
    err = pipe()
    server = host("-vvvv", "--echo", stdout=subprocess.DEVNULL, stderr=err.write_end)
    err.close_write_end()
    await_port(nc_run, server.port)
    # Each client makes about 10 kB of lines: 200 are far more than pipe and memory hold.
    load = nc_run("--clients", "200", "--rate", "100", "--insecure", "127.0.0.1", server.port)
    assert connected(load) == 200 and b"received 200 replies" in load.out
    # It goes on, and takes up lines again, after it has said what is missing.
    text = err.read_until(lambda data: b" lost: stderr was not read\n" in data)
    lost = int(re.search(rb"\nnc_dtls: (\d+) lines? lost: stderr was not read\n", text).group(1))
    assert lost > 1000
    assert all(line.count(b"Client connected from") < 2 for line in text.splitlines())
    assert ends_in_time(server) == 128 + TERM
    assert b"lost on this host: " in err.read_to_the_end() and b"not written to stderr" in err.data


def test_a_signal_ends_who_cannot_write_to_stderr(host, pipe, nc_run):
    err = pipe()
    server = host("-vvvv", stdout=subprocess.DEVNULL, stderr=err.write_end)
    err.close_write_end()
    await_port(nc_run, server.port)
    nc_run("--clients", "20", "--insecure", "127.0.0.1", server.port)
    assert ends_in_time(server) == 128 + TERM


def test_json_lines_stay_whole(host, pipe, nc_run):
    err = pipe()
    server = host("--json", "-vv", stdout=subprocess.DEVNULL, stderr=err.write_end)
    err.close_write_end()
    await_port(nc_run, server.port)
    nc_run("--clients", "200", "--rate", "100", "--insecure", "127.0.0.1", server.port)
    err.read_until(lambda data: b'"event":"lost"' in data)
    server.terminate()
    events = [json.loads(line) for line in err.read_to_the_end().splitlines()]
    assert next(e for e in events if e["event"] == "lost")["lines"] > 0
    assert events[-1]["event"] == "end" and events[-1]["lines_lost"] > 0


def feed(client, data):
    """Writes to its stdin for as long as it takes."""
    def write():
        try:
            client.send(data)
            client.end_stdin()
        except (BrokenPipeError, ValueError):
            pass
    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def test_unread_stdout_loses_nothing_that_fits_and_stops_nobody(host, pipe, nc, nc_run):
    out, data = pipe(), os.urandom(1_000_000)
    server = host("-v", "--stats", stdin=subprocess.PIPE, stdout=out.write_end, stderr=subprocess.PIPE)
    out.close_write_end()
    await_port(nc_run, server.port)
    first = nc("--insecure", "127.0.0.1", server.port)
    feed(first, data).join(DEADLINE)
    # All is sent: the first one waits for replies, is paused, and its goodbye waits, too.
    assert first.wait() == 0
    others = [nc("-v", "--insecure", "127.0.0.1", server.port) for _ in range(5)]
    for client in others:
        client.wait_for("err", "Connected to")
    server.stdin.write(b"to all of you\n")
    server.stdin.flush()
    for client in others:
        client.wait_for("out", "to all of you\n")
    assert out.read_until(lambda got: len(got) >= len(data)) == data
    assert ends_in_time(server) == 128 + TERM
    said = server.stderr.read().decode()
    assert "lost on this host" not in said and not re.search(r"^net\.overflow", said, re.M)


def test_what_does_not_fit_is_said(host, pipe, nc, nc_run):
    out, data = pipe(), bytes(12_000_000)
    server = host("--strict", stdout=out.write_end, stderr=subprocess.PIPE)
    out.close_write_end()
    await_port(nc_run, server.port)
    client = nc("--insecure", "--rate", "0", "127.0.0.1", server.port)
    feed(client, data).join(DEADLINE)
    assert client.wait() == 0
    assert ends_in_time(server) == 7
    said = server.stderr.read().decode()
    dropped = re.search(r"lost on this host: (\d+) received datagrams dropped \(full queue or wrong checksum\); "
                        r"(\d+) bytes not written to stdout; 1 peer not read to the end", said)
    assert dropped, said
    # In memory is what was read before the peer was paused, and no more.
    assert 256 << 10 <= int(dropped.group(2)) <= (256 << 10) + 2 * 16384


def test_a_command_that_does_not_read_holds_up_its_own_peer_only(host, nc, nc_run, tmp_path):
    go, data = tmp_path / "go", os.urandom(1_000_000)
    command = f"read name; case $name in slow) until [ -e {go} ]; do sleep 0.05; done;; esac; exec cat"
    server = host("-e", command, "--stats", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    await_port(nc_run, server.port)
    slow = nc("--insecure", "-q", "30", "127.0.0.1", server.port)
    slow.send(b"slow\n")
    slow_feed = feed(slow, data)
    for i in range(5):
        quick = nc("--insecure", "127.0.0.1", server.port)
        quick.send(b"quick\n%d bottles\n" % i)
        quick.wait_for("out", f"{i} bottles\n")
    slow_feed.join(DEADLINE)
    assert slow.out == b""
    go.touch()
    deadline = time.monotonic() + DEADLINE
    while len(slow.out) < len(data):
        assert time.monotonic() < deadline, len(slow.out)
        time.sleep(0.02)
    assert slow.out == data
    slow.signal(TERM)
    slow.wait()
    server.terminate()
    assert server.wait(DEADLINE) == 128 + TERM
    assert "dropped" not in server.stderr.read().decode()


def test_a_signal_ends_a_server_whose_commands_do_not_read(host, nc, nc_run):
    server = host("-e", "trap '' TERM; while :; do sleep 1; done", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    await_port(nc_run, server.port)
    client = nc("--insecure", "127.0.0.1", server.port)
    feed(client, bytes(1_000_000)).join(DEADLINE)
    client.wait()
    assert ends_in_time(server) == 128 + TERM


def test_a_full_disk_ends_it_with_a_word(host, nc, nc_run):
    with open("/dev/full", "wb") as full:
        server = host(stdout=full, stderr=subprocess.PIPE)
        await_port(nc_run, server.port)
        nc_run("--insecure", "127.0.0.1", server.port, data=b"x")
        assert server.wait(DEADLINE) == 2
    said = server.stderr.read().decode()
    assert "cannot write to stdout: No space left on device" in said and "1 byte not written to stdout" in said


def test_replies_wait_for_a_slow_reader(server, nc, pipe):
    """stdin has ended, and its 0.2 s have passed: what the peer sent still comes."""
    host, out = server("--echo"), pipe()
    client = subprocess.Popen([NC, "--insecure", "127.0.0.1", host.port], stdin=subprocess.PIPE, stdout=out.write_end,
                              stderr=subprocess.PIPE, env=environment())
    out.close_write_end()
    data = os.urandom(700_000)
    client.stdin.write(data)
    client.stdin.close()
    time.sleep(1)  # longer than it waits for replies: they wait in memory and in the socket
    assert client.poll() is None
    assert out.read_to_the_end() == data
    assert client.wait(DEADLINE) == 0
    assert client.stderr.read() == b""
    client.stderr.close()
