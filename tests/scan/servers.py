# SPDX-License-Identifier: MIT
"""The servers of the table: how each is started, and when it is ready.

A server is a Server: a function from (programs, identities, port) to a command line, and what tells that
it listens. Servers whose program is not here raise Missing."""

import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import Callable

ROOT = pathlib.Path(__file__).resolve().parents[2]
PSK = "c0ffee00c0ffee00"
WAIT_S = 60


class Missing(Exception):
    pass


@dataclass
class Server:
    """`command(at)` gives the arguments; at.port, at.keys (folder), at.program(name)."""

    command: Callable
    ready: str = ""  # printed on stdout when it listens; empty: the kernel's table of ports tells
    port_pattern: str = ""  # it picks its port itself and prints it so


class At:
    """What a command line is made of."""

    def __init__(self, bin_folder, keys):
        self.bin, self.keys, self.port = pathlib.Path(bin_folder), keys, free_port()

    def own(self, name):
        return self._there(self.bin / name)

    def openssl(self, version):
        return "openssl" if version == "system" else self._there(ROOT / f"build/openssl/{version}/bin/openssl")

    def peer(self, suite, name):
        """A program of ci/peers, or of this machine when `suite` is None."""
        return self._there(ROOT / f"build/peers/{suite}/bin/{name}") if suite else self._installed(name)

    def pem(self, name):
        return self.keys / f"{name}.pem", self.keys / f"{name}-key.pem"

    @staticmethod
    def _there(path):
        if not path.exists():
            raise Missing(f"{path} is not here: ci/scan makes it")
        return path

    @staticmethod
    def _installed(name):
        if not shutil.which(name):
            raise Missing(f"{name} is not installed")
        return name


def free_port():
    """For UDP and for its neighbour: coap-server takes the port below the one of DTLS."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as t:
            s.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError):
                t.bind(("127.0.0.1", s.getsockname()[1] - 1))
                return s.getsockname()[1]


def port_is_bound(port):
    return re.search(f":{port:04X} 0+:0000 ", pathlib.Path("/proc/net/udp").read_text() +
                     pathlib.Path("/proc/net/udp6").read_text()) is not None


class Running:
    """A started server. stop() ends it; .port is where it listens, .said() what it printed."""

    def __init__(self, server, bin_folder, keys):
        self.at = At(bin_folder, keys)
        self.args = [str(a) for a in server.command(self.at)]
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.args, stdin=subprocess.PIPE, stdout=self.output, stderr=subprocess.STDOUT,
                                        cwd=keys, env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent"})
        self.port = self.at.port
        self._wait(server)

    def _wait(self, server):
        end = time.monotonic() + WAIT_S
        while not self._listens(server):
            if self.process.poll() is not None or time.monotonic() > end:
                said = self.said()
                self.stop()
                raise AssertionError(f"the server does not start: {' '.join(self.args)}\n{said}")
            time.sleep(0.02)

    def _listens(self, server):
        if server.port_pattern:
            found = re.search(server.port_pattern, self.said())
            self.port = int(found.group(1)) if found else self.port
            return bool(found)
        return bool(re.search(server.ready, self.said())) if server.ready else port_is_bound(self.port)

    def said(self):
        self.output.seek(0)
        return self.output.read().decode(errors="replace")

    def memory_kb(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        if self.alive():
            self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        if self.alive():
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()


@contextlib.contextmanager
def running(server, bin_folder, keys):
    started = Running(server, bin_folder, keys)
    try:
        yield started
    finally:
        started.stop()


# --- the families ---

def s_server(version, *args, cert="ecdsa"):
    """OpenSSL's own. cert None: no certificate."""

    def command(at):
        own = ("-cert", at.pem(cert)[0], "-key", at.pem(cert)[1]) if cert else ("-nocert",)
        # s_server takes only the first certificate of -cert.
        chain = ("-cert_chain", at.keys / f"{cert}-rest.pem") if cert in ("chain", "disorder") else ()
        versions = () if any(str(a).startswith("-dtls") for a in args) else ("-dtls",)
        return [at.openssl(version), "s_server", *versions, "-accept", f"127.0.0.1:{at.port}", *own, *chain,
                *(at.keys / a[1:] if isinstance(a, str) and a.startswith("@") else a for a in args)]

    return Server(command, ready="ACCEPT")


def gnutls(*args, suite=None, cert="ecdsa"):
    def command(at):
        own = ("--x509certfile", at.pem(cert)[0], "--x509keyfile", at.pem(cert)[1]) if cert else ()
        return [at.peer(suite, "gnutls-serv"), "--udp", "--echo", "-p", at.port, *own,
                *(at.keys / a[1:] if isinstance(a, str) and a.startswith("@") else a for a in args)]

    return Server(command)


def small(program, *args, suite=None, cert="ecdsa"):
    """wolfssl_scan or mbedtls_scan (tests/scan/peers), over the installed library or one of ci/peers."""

    def command(at):
        own = ("-c", at.pem(cert)[0], "-k", at.pem(cert)[1]) if cert else ()
        path = at.peer(suite, program) if suite else at.own(program)
        return [path, *own, *(at.keys / a[1:] if isinstance(a, str) and a.startswith("@") else a for a in args)]

    return Server(command, port_pattern=r"port (\d+)")


def coap(backend, *args, suite=None, cert="ecdsa"):
    def command(at):
        own = ("-c", at.pem(cert)[0], "-j", at.pem(cert)[1], "-n") if cert else ()
        return [at.peer(suite, f"coap-server-{backend}"), "-A", "127.0.0.1", "-p", at.port - 1, *own, *args]

    return Server(command)


def coturn(*args, cert="ecdsa"):
    def command(at):
        return [at.peer("coturn", "turnserver"), "-n", "--no-cli", "-L", "127.0.0.1", "--tls-listening-port", at.port,
                "--listening-port", at.port - 1, "--cert", at.pem(cert)[0], "--pkey", at.pem(cert)[1],
                "--log-file", "stdout", "--pidfile", "/dev/null", "-b", "/nonexistent/turndb", *args]

    return Server(command)


def socat(cert="ecdsa"):
    def command(at):
        return [at.peer(None, "socat"), f"OPENSSL-DTLS-SERVER:{at.port},bind=127.0.0.1,verify=0,fork,"
                f"cert={at.pem(cert)[0]},key={at.pem(cert)[1]}", "PIPE"]

    return Server(command)


def ours(*args, cert="ecdsa"):
    """nc_dtls -l --echo; its counters come at the end, and at SIGUSR1."""

    def command(at):
        own = ("-c", at.pem(cert)[0], "-k", at.pem(cert)[1]) if cert else ()
        return [at.own("nc_dtls"), "-l", "--echo", "--stats", "-v", *own,
                *(at.keys / a[1:] if isinstance(a, str) and a.startswith("@") else a for a in args), "127.0.0.1", at.port]

    return Server(command, ready="Hosting at")
