# SPDX-License-Identifier: MIT
"""dtls_scan and servers that mean harm, hide, or are something else: bounded time and memory, clean output,
one clear line, the documented exit status."""

import concurrent.futures
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import pytest

import hostile
import identities
from conftest import BIN
from servers import Missing, PSK, ours, running, s_server

SCAN = BIN / "dtls_scan"
LIMIT_S = 20  # of the scans here
SLACK_S = 6  # what a scan may take beyond its limit, on a loaded machine
MEMORY_KB = 40_000  # a scan of OpenSSL takes 8,000
SIDE_BY_SIDE = 9  # scans
SAMPLE_S = 0.02  # of memory
SANITIZER = 12  # times that, when built with sanitizers


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return identities.make(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def scan():
    """Runs dtls_scan to its end; .report is its JSON line, if any. Its output is clean, its time and memory bounded."""

    return run_scan


def run_scan(port, *args, host="127.0.0.1", limit=LIMIT_S):
    return Scan([str(SCAN), "--json", "--timeout", str(limit), *map(str, args), host, str(port)], limit)


class Scan:
    def __init__(self, args, limit):
        begin = time.monotonic()
        out, err = os.pipe(), os.pipe()
        pid = os.posix_spawn(args[0], args, environment(), file_actions=[
            (os.POSIX_SPAWN_DUP2, out[1], 1), (os.POSIX_SPAWN_DUP2, err[1], 2)])
        os.close(out[1])
        os.close(err[1])
        self.text = {}
        readers = [threading.Thread(target=self.collect, args=(name, fd)) for name, fd in (("out", out[0]), ("err", err[0]))]
        for reader in readers:
            reader.start()
        memory = peak_memory(pid)
        _, status = os.waitpid(pid, 0)
        for reader in readers:
            reader.join()
        self.status = os.waitstatus_to_exitcode(status)
        self.seconds = time.monotonic() - begin
        self.out, self.err = self.text["out"], self.text["err"]
        self.clean(memory, limit)
        self.report = json.loads(self.out.splitlines()[-1]) if self.out else None

    def collect(self, name, fd):
        with os.fdopen(fd, "rb") as stream:
            self.text[name] = stream.read()

    def clean(self, memory, limit):
        assert self.status >= 0 and b"Sanitizer" not in self.err, self.err
        for text in (self.out, self.err):
            assert not re.search(rb"[^\n -~]", text), text
        assert self.seconds < limit + SLACK_S
        built_with = SANITIZER if b"__asan_init" in SCAN.read_bytes() else 1
        assert memory < MEMORY_KB * built_with

    def level(self, check):
        return {r["id"]: r["level"] for r in self.report["results"]}.get(check)

    def value(self, check):
        return {r["id"]: r["value"] for r in self.report["results"]}.get(check)


def peak_memory(pid):
    """In kB, when the program has ended. Not ru_maxrss: that counts the memory of who started it as well."""
    peak = 0
    while not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
        found = re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())
        peak = max(peak, int(found.group(1)) if found else 0)
        time.sleep(SAMPLE_S)
    return peak


def environment():
    return {k: v for k, v in os.environ.items() if k != "SSLKEYLOGFILE"} | {"ASAN_OPTIONS": "detect_leaks=1"}


NOT_DTLS = ("ssh", "echo", "dns", "escapes")
SILENT = ("silent",)
DTLS_OF_A_KIND = tuple(name for name in hostile.ALL if name not in NOT_DTLS + SILENT)


@pytest.fixture(scope="module")
def harmed():
    """A scan of each of them. Most of a scan is waiting, so they run side by side."""
    servers = {name: hostile.Answers(hostile.ALL[name]) for name in hostile.ALL}
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield {name: pool.submit(run_scan, server.port) for name, server in servers.items()}
    for server in servers.values():
        server.close()


@pytest.mark.parametrize("name", DTLS_OF_A_KIND)
def test_whatever_it_sends(harmed, name):
    """Nobody connects to these: no check may claim that."""
    done = harmed[name].result()
    assert done.status in (0, 3, 4, 5), done.err
    if done.report:
        assert done.report["sent"] <= 700


@pytest.mark.parametrize("name", NOT_DTLS)
def test_another_service(harmed, name):
    done = harmed[name].result()
    assert done.status == 4 and not done.report
    assert len(done.err.splitlines()) == 1, done.err


@pytest.mark.parametrize("name", SILENT)
def test_nobody_answers(harmed, name):
    done = harmed[name].result()
    assert done.status == 3 and len(done.err.splitlines()) == 1, done.err


def test_nobody_listens(scan):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    done = scan(port)
    assert done.status == 3 and b"refused" in done.err and len(done.err.splitlines()) == 1
    assert done.seconds < SLACK_S


def test_a_service_that_only_speaks_tcp(scan):
    with socket.create_server(("127.0.0.1", 0)) as s:
        done = scan(s.getsockname()[1])
    assert done.status == 3 and len(done.err.splitlines()) == 1, done.err
    assert b"TCP" in done.err


def test_a_name_that_does_not_resolve(scan):
    done = scan(4433, host="no-such-name.invalid")
    assert done.status == 3 and b"no-such-name.invalid" in done.err and len(done.err.splitlines()) == 1


def start(server, keys):
    try:
        return running(server, BIN, keys)
    except Missing as e:
        pytest.skip(str(e))


MARKUP = "<script>alert(1)</script>\x1b]0;pwned\x07\x1b[31m"


def test_markup_and_escapes_in_a_certificate(scan, keys, tmp_path):
    """Names of certificates, identity hints: text that a server chooses."""
    identities.self_signed(keys, "markup", "ecdsa", f"/O={MARKUP}/CN={MARKUP.replace('/', '')}", None)
    page = tmp_path / "page.html"
    with start(s_server("system", "-listen", "-psk", PSK, "-psk_hint", MARKUP, cert="markup"), keys) as server:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            text = pool.submit(text_report, keys)
            done = scan(server.port, "--html", page)
        people = text.result()
    assert done.status in (0, 5) and b"pwned" in done.out
    text = page.read_text()
    assert "<script" not in text and "\x1b" not in text and "&lt;script&gt;" in text
    assert "pwned" in people and "\x1b" not in people


def text_report(keys):
    with start(s_server("system", "-listen", "-psk", PSK, "-psk_hint", MARKUP, cert="markup"), keys) as server:
        return subprocess.run([SCAN, "--color", "never", "-v", "--timeout", str(LIMIT_S), "127.0.0.1", str(server.port)],
                              capture_output=True, text=True, check=False).stdout


def between(port, passes):
    return hostile.Between(port, passes)


@pytest.mark.parametrize("after", [3, 10, 60])
def test_a_server_that_goes_mute(scan, keys, after):
    """It is recognised, and what was found before is kept."""
    with start(ours(), keys) as server:
        middle = between(server.port, lambda n: n <= after)
        done = scan(middle.port)
        middle.close()
    assert done.status == 5 and done.report["ended_early"] == "mute", done.out
    if after >= 10:
        assert done.value("versions"), done.out
    assert done.report["sent"] < after + 40


def test_a_server_that_pauses_is_not_called_mute(scan, keys):
    """Ten datagrams in a row are lost: it goes on."""
    with start(ours(), keys) as server:
        middle = between(server.port, lambda n: not 20 <= n < 24)
        done = scan(middle.port, "--only", "protocol")
        middle.close()
    assert done.status == 0 and done.report["ended_early"] is None, done.out


def test_one_client_at_a_time(scan, keys):
    """s_server without -listen serves the first address that shows a cookie, and no other until that ends."""
    with start(s_server("system"), keys) as server:
        done = scan(server.port)
    assert done.value("versions")["1.2"] is True
    assert done.status in (0, 5)
