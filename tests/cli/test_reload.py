# SPDX-License-Identifier: MIT
"""A server reads its certificates and keys again, and no client notices but new ones."""

import json
import os
import pathlib
import pty
import re
import signal
import subprocess

import pytest

from conftest import BIN, NC

WORKERS = [(), ("--workers", "2")]


def openssl(*args):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, text=True).stdout


def make(folder):
    """A certificate of its own, in place of the one before."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-keyout",
            folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=localhost")
    return openssl("x509", "-in", folder / "cert.pem", "-noout", "-fingerprint", "-sha256").strip()


def talks(nc_run, port, *args):
    program = nc_run(*args, "127.0.0.1", port, data=b"hello")
    assert program.status in (0, 5), program.err
    return program.status == 0 and program.out == b"hello"


def reload(host, times=1):
    host.signal(signal.SIGHUP)
    host.wait_for("err", "again", times)


@pytest.fixture
def own(server, tmp_path):
    """A server with a certificate that can be replaced."""

    def start(*args):
        first = make(tmp_path)
        return server("-v", "--echo", "-c", tmp_path / "cert.pem", "-k", tmp_path / "key.pem", *args, cert=False), first

    return start


@pytest.mark.parametrize("workers", WORKERS)
def test_new_clients_get_the_new_certificate(own, nc, nc_run, tmp_path, workers):
    host, old = own(*workers)
    kept = [nc("--pin", old, "127.0.0.1", host.port) for _ in range(8)]
    for i, client in enumerate(kept):
        client.send(b"before %d" % i)
        client.wait_for("out", f"before {i}")
    new = make(tmp_path)
    assert talks(nc_run, host.port, "--pin", old)  # nobody has told it
    reload(host)
    for _ in range(8):  # with workers each of them gets some
        assert talks(nc_run, host.port, "--pin", new)
    assert not talks(nc_run, host.port, "--pin", old)
    for i, client in enumerate(kept):
        client.send(b"after %d" % i)
        client.wait_for("out", f"after {i}")


@pytest.mark.parametrize("workers", WORKERS)
def test_what_cannot_be_used_changes_nothing(own, nc_run, tmp_path, workers):
    host, old = own(*workers)
    (tmp_path / "cert.pem").write_text("no certificate\n")
    host.signal(signal.SIGHUP)
    host.wait_for("err", f"SIGHUP: .*{re.escape(str(tmp_path / 'cert.pem'))}.*old files")
    assert talks(nc_run, host.port, "--pin", old)
    new = make(tmp_path)
    reload(host)
    assert talks(nc_run, host.port, "--pin", new)


def test_keys_of_identities_are_read_again(server, nc_run, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("ann:00112233445566778899aabbccddeeff\n")
    host = server("-v", "--echo", "--psk-file", keys, cert=False)
    ann = ("--psk", "00112233445566778899aabbccddeeff", "--psk-identity", "ann")
    bob = ("--psk", "ffeeddccbbaa99887766554433221100", "--psk-identity", "bob")
    assert nc_run(*ann, "127.0.0.1", host.port, data=b"x").status == 0
    assert nc_run(*bob, "-w", "5", "127.0.0.1", host.port, data=b"x").status != 0
    keys.write_text("bob:ffeeddccbbaa99887766554433221100\n")
    reload(host)
    assert nc_run(*bob, "127.0.0.1", host.port, data=b"x").status == 0
    assert nc_run(*ann, "-w", "5", "127.0.0.1", host.port, data=b"x").status != 0


def test_a_session_of_before_is_not_resumed(own, nc_run, tmp_path):
    """Whoever gave its ticket under the old files proves itself anew."""
    host, _ = own()
    session = ("--insecure", "--json", "--session", tmp_path / "session")

    def resumed():
        program = nc_run(*session, "-q", "0.3", "127.0.0.1", host.port, data=b"x")
        return [e["resumed"] for e in map(json.loads, program.lines) if e["event"] == "ready"]

    assert resumed() == [False] and resumed() == [True]
    make(tmp_path)
    reload(host)
    assert resumed() == [False] and resumed() == [True]


def test_many_reloads_take_no_memory(own, nc, tmp_path):
    host, old = own()
    client = nc("--pin", old, "127.0.0.1", host.port)
    client.send(b"first")
    client.wait_for("out", "first")

    def resident():
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{host.process.pid}/status").read_text()).group(1))

    for i in range(20):
        reload(host, i + 1)
    before = resident()
    for i in range(20, 120):
        reload(host, i + 1)
    client.send(b"last")
    client.wait_for("out", "last")
    if b"__asan_init" not in NC.read_bytes():  # it keeps what was freed for a while
        assert resident() < before + 1024, before


def test_without_files_it_ends(server):
    host = server("-v", cert=False)
    host.signal(signal.SIGHUP)
    assert host.wait() == 128 + signal.SIGHUP


def test_a_terminal_that_goes_ends_it(pki):
    """The old meaning of SIGHUP."""
    pid, terminal = pty.fork()
    if not pid:
        os.execv(BIN / "nc_dtls", ["nc_dtls", "-l", "-v", "-c", str(pki / "cert.pem"), "-k", str(pki / "key.pem"),
                                   "127.0.0.1", "0"])
    said = b""
    while b"Hosting" not in said:
        said += os.read(terminal, 4096)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) in (128 + signal.SIGHUP, 1)
