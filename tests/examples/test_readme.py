# SPDX-License-Identifier: MIT
"""The README: its C code, compiled against the installed library and run, and its build commands."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SDTLS_BUILD", ROOT / "build/dev"))
CFLAGS = os.environ.get("SDTLS_CFLAGS", "").split()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
    return prefix


@pytest.fixture(scope="module")
def programs(installed, tmp_path_factory):
    """The README's C blocks in order: server, client, server that carries its datagrams."""
    folder = tmp_path_factory.mktemp("programs")
    blocks = re.findall(r"```c\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert len(blocks) == 3
    env = dict(os.environ, PKG_CONFIG_PATH=os.pathsep.join(map(str, installed.glob("**/pkgconfig"))))
    flags = subprocess.run(
        ["pkg-config", f"--define-variable=prefix={installed}", "--cflags", "--libs", "sukat_dtls"],
        env=env, check=True, capture_output=True, text=True).stdout.split()
    libdir = next(f[2:] for f in flags if f.startswith("-L"))
    paths = []
    for name, code in zip(("server", "client", "carrier"), blocks):
        source = folder / f"{name}.c"
        source.write_text(code)
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", *CFLAGS, source, "-o", folder / name,
                        *flags, f"-Wl,-rpath,{libdir}"], check=True)
        paths.append(folder / name)
    return paths


def bound(port):
    """Whether anybody has this UDP port; the README's server prints nothing."""
    wanted = f":{port:04X} "
    return any(wanted in pathlib.Path(f"/proc/net/{t}").read_text() for t in ("udp", "udp6"))


def wait_until_bound(process, port):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read()
        if bound(port):
            return
        time.sleep(0.01)
    pytest.fail("the server never bound its port")


def test_lengths_are_as_promised(programs):
    lines = [len(p.with_suffix(".c").read_text().splitlines()) for p in programs]
    assert lines[0] <= 11 and lines[1] <= 15  # "10-line" and "13-line", plus #include


@pytest.fixture
def identity(tmp_path):
    """A folder with cert.pem, which contains the key as well."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "1", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   cwd=tmp_path, check=True, stderr=subprocess.DEVNULL)
    cert = tmp_path / "cert.pem"
    cert.write_text(cert.read_text() + (tmp_path / "key.pem").read_text())
    return tmp_path


def test_program_with_its_own_socket_echoes_dtls_and_what_is_not_dtls(programs, identity):
    _, client, carrier = programs
    if bound(4434):
        pytest.skip("something else uses port 4434")
    process = subprocess.Popen([carrier], cwd=identity, stderr=subprocess.PIPE, text=True)
    try:
        wait_until_bound(process, 4434)
        done = subprocess.run([client, "localhost", "4434"], cwd=identity, timeout=20,
                              capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "hello", "")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.settimeout(20)
            other.sendto(b"\x00\x01 as STUN begins", ("127.0.0.1", 4434))
            assert other.recv(2048) == b"\x00\x01 as STUN begins"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_client_gets_its_echo(programs, identity):
    server, client, _ = programs
    if bound(4433):
        pytest.skip("something else uses port 4433")
    process = subprocess.Popen([server], cwd=identity, stderr=subprocess.PIPE, text=True)
    try:
        wait_until_bound(process, 4433)
        done = subprocess.run([client, "localhost", "4433"], cwd=identity, timeout=20,
                              capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "hello", "")
        refused = subprocess.run([client, "127.0.0.1", "4433"], cwd=identity, timeout=20,
                                 capture_output=True, text=True)
        assert refused.returncode == 1 and refused.stderr  # the certificate is not for this name
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_build_commands_work_in_their_order(tmp_path):
    """One after another, from one folder that ci/demo has built in. Building is cut down to one layer."""
    names = subprocess.run([ROOT / "ci/files", "."], check=True, capture_output=True, text=True).stdout
    for name in names.splitlines():
        if not name.startswith(("fuzz/corpus/", "pcap-tests/captures/")):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "build/release").mkdir(parents=True)
    block = re.search(r"## Building by hand\n\n```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S).group(1)
    lines = [line.split("#")[0].strip() for line in block.splitlines()]
    assert sum("cmake" in line for line in lines) >= 3
    for line in lines:
        if not line.startswith("ctest"):
            command = re.sub(r"(--build \S+( -j| \w+)?)", r"\1 --target sd_base", line)
            subprocess.run(command, shell=True, check=True, cwd=tmp_path, stdout=subprocess.DEVNULL)
