# SPDX-License-Identifier: MIT
"""What the tests of the command line share: programs as objects to wait on.

Nothing here sleeps for luck. Whatever a test waits for has a deadline, and a
deadline missed shows what the program has said so far."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(os.environ.get("SDTLS_BIN", ROOT / "build/dev/bin"))
NC = BIN / "nc_dtls"
PROBE = BIN / "dtls_probe"
DEADLINE = 60


def namespaces():
    return subprocess.run(["unshare", "--net", "ip", "link", "set", "lo", "up"], capture_output=True,
                          check=False).returncode == 0


def raw_sockets():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
    except PermissionError:
        return False
    return True


needs_namespaces = pytest.mark.skipif(not namespaces(), reason="network namespaces cannot be made here")
needs_raw_sockets = pytest.mark.skipif(not raw_sockets(), reason="raw sockets cannot be had here")


def environment(**changes):
    env = {k: v for k, v in os.environ.items() if k not in ("SSLKEYLOGFILE", "NO_COLOR", "CLICOLOR_FORCE")}
    env.update(changes)
    return env


class Program:
    """A running program; its output is collected while it runs."""

    def __init__(self, *args, stdin=None, env=None, **popen):
        self.args = [str(a) for a in args]
        self.process = subprocess.Popen(
            self.args, stdin=subprocess.PIPE if stdin is None else stdin, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment(**(env or {})), bufsize=0, **popen)
        self.out, self.err = b"", b""
        self.news = threading.Condition()
        self.readers = [threading.Thread(target=self._collect, args=(name,), daemon=True)
                        for name in ("out", "err")]
        for reader in self.readers:
            reader.start()

    def _collect(self, name):
        stream = getattr(self.process, "std" + name)
        while data := os.read(stream.fileno(), 65536):
            with self.news:
                setattr(self, name, getattr(self, name) + data)
                self.news.notify_all()
        with self.news:
            self.news.notify_all()

    def _story(self):
        return f"{' '.join(self.args)}\nstdout: {self.out!r}\nstderr:\n{self.err.decode(errors='replace')}"

    def wait_for(self, stream, pattern, count=1):
        """Waits until stdout or stderr has `count` matches; returns the last."""
        deadline = time.monotonic() + DEADLINE
        with self.news:
            while True:
                found = list(re.finditer(pattern.encode(), getattr(self, stream)))
                if len(found) >= count:
                    return found[-1]
                ended = self.process.poll() is not None and not any(r.is_alive() for r in self.readers)
                left = deadline - time.monotonic()
                if ended or left <= 0:
                    pytest.fail(f"no {pattern!r} ({len(found)} of {count}) from {self._story()}")
                self.news.wait(min(left, 0.2))

    def send(self, data):
        self.process.stdin.write(data)

    def end_stdin(self):
        self.process.stdin.close()

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """The exit status, and all output collected."""
        try:
            status = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running: {self._story()}")
        for reader in self.readers:
            reader.join(DEADLINE)
        return status

    def finish(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self.readers:
            reader.join(DEADLINE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        assert b"Sanitizer" not in self.err, self._story()

    @property
    def lines(self):
        return self.err.decode().splitlines()


@pytest.fixture
def run():
    """Starts programs; whatever still runs at the end of the test is ended."""
    started = []

    def start(*args, **kwargs):
        started.append(Program(*args, **kwargs))
        return started[-1]

    yield start
    for program in started:
        program.finish()


@pytest.fixture
def nc(run):
    """nc_dtls with its stdin open."""
    return lambda *args, **kwargs: run(NC, *args, **kwargs)


@pytest.fixture
def nc_run(run):
    """nc_dtls run to its end with this stdin."""

    def start(*args, data=b"", **kwargs):
        program = run(NC, *args, **kwargs)
        try:
            program.send(data)
        except BrokenPipeError:
            pass  # ended without reading it
        program.end_stdin()
        program.status = program.wait()
        return program

    return start


@pytest.fixture
def server(nc, pki):
    """A listening nc_dtls; .port is where."""

    def start(*args, cert=True, **kwargs):
        own = ("-c", pki / "cert.pem", "-k", pki / "key.pem") if cert else ()
        program = nc("-l", "127.0.0.1", *own, *args, **kwargs)
        program.port = program.wait_for("err", r'(?:Hosting at: |"address":")127\.0\.0\.1:(\d+)').group(1).decode()
        return program

    return start


@pytest.fixture
def free_port():
    """A port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """cert.pem and key.pem for localhost, signed by themselves; other.pem, a key
    of nobody; client.pem and client-key.pem."""
    folder = tmp_path_factory.mktemp("pki")
    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30")
    openssl("req", "-x509", *ec, "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    openssl("req", "-x509", *ec, "-keyout", folder / "client-key.pem", "-out", folder / "client.pem",
            "-subj", "/CN=a client")
    openssl("genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", folder / "other.pem")
    return folder


TERM, INT, USR1 = signal.SIGTERM, signal.SIGINT, signal.SIGUSR1


@pytest.fixture
def relay(run):
    """A bad network in front of a server's port; .port is where clients go, .counts() ends it."""

    def start(port, *args):
        program = run(BIN / "relay", "127.0.0.1", port, *args)
        program.port = program.wait_for("err", r"Relaying at: 127\.0\.0\.1:(\d+)").group(1).decode()

        def counts():
            program.signal(TERM)
            assert program.wait() == 0
            return json.loads(program.out)

        program.counts = counts
        return program

    return start


def counters(program):
    """What --stats printed: name -> number, those that are not zero."""
    return {name: int(value) for name, value in re.findall(r"^([a-z]+\.[a-z-]+) +(\d+)$", program.err.decode(), re.M)}


def stop(program):
    """Ends a server in good order and returns its counters, when it has --stats."""
    program.signal(TERM)
    assert program.wait() == 128 + TERM
    return counters(program)
