# SPDX-License-Identifier: MIT
"""The servers that are measured: how each is started for a role, and how it says what it received.

Roles: sink (counts or prints what arrives), echo, burst (answers each message 16 times), psk, and
hello (refuses hellos without a cookie). Handshakes are made with a sink."""

import json
import pathlib
import shutil
import subprocess

PSK = "00112233445566778899aabbccddeeff"
BURST = 16


def counted(printed, _size):
    """Our own servers say in their last line what they did."""
    return json.loads(printed.splitlines()[-1])["messages"]


def printed_whole(printed, size):
    """Others print what arrives; a message that is cut is none."""
    return len(printed) // size


class Peer:
    def __init__(self, program, roles, received=counted, max_size=16000, version=None, workers=1):
        self.program, self.roles, self.received, self.max_size, self.version = program, roles, received, max_size, version
        self.workers = workers

    def missing(self):
        """Why it cannot be run here, or None."""
        return None if shutil.which(str(self.program)) else f"{self.program} is not installed"

    def args(self, role):
        return [self.program, *self.roles[role]]


def _ours(program, keys, *more, roles=("sink", "echo", "burst", "psk", "hello"), **how):
    """The options that all programs of bench/ have."""
    options = {"sink": keys, "echo": [*keys, "-e", 1], "burst": [*keys, "-e", BURST], "psk": ["-p", PSK],
               "hello": keys}
    return Peer(program, {r: [*options[r], *more] for r in roles}, **how)


def _nc_dtls(program, keys, *more, workers=1):
    more = [*more, "--workers", workers] if workers > 1 else more
    listen = ["-l", "-d", "--quiet", *more]
    at = ["127.0.0.1", "{port}"]
    return Peer(program, {"sink": [*listen, *keys, *at], "hello": [*listen, *keys, *at],
                          "echo": ["-l", "--echo", "--quiet", *more, *keys, *at],
                          "psk": [*listen, "--psk", PSK, *at]}, printed_whole, workers=workers)


def _s_server(keys):
    base = ["s_server", "-dtls1_2", "-accept", "127.0.0.1:{port}", "-quiet"]
    return Peer("openssl", {"sink": [*base, "-cert", keys[1], "-key", keys[3]],
                            "psk": [*base, "-nocert", "-psk", PSK, "-cipher", "PSK-AES128-GCM-SHA256"]},
                printed_whole, version=["openssl", "version"])


def _gnutls(keys):
    return Peer("gnutls-serv", {"sink": ["--udp", "--echo", "-p", "{port}", "--x509certfile", keys[1],
                                         "--x509keyfile", keys[3]]}, version=["gnutls-serv", "--version"])


def _socat(keys):
    at = f"OPENSSL-DTLS-SERVER:{{port}},cert={keys[1]},key={keys[3]},verify=0"
    return Peer("socat", {"sink": ["-u", at, "STDOUT"], "echo": [at, "PIPE"]}, printed_whole,
                version=["socat", "-V"])


def peers(bin_folder, keys, also=()):
    """{name: Peer}. also: (name of an OpenSSL, bin folder of a build with it)."""
    b = bin_folder
    others = {f"{what} (OpenSSL {name})": _ours(pathlib.Path(folder, program), keys, "-o")
              for name, folder in also for what, program in (("floor", "floor_server"), ("library", "library_server"))}
    return {
        "floor": _ours(b / "floor_server", keys),
        "floor, own sockets": _ours(b / "floor_server", keys, "-o"),
        "library": _ours(b / "library_server", keys, "-o"),
        "library, shared": _ours(b / "library_server", keys),
        "nc_dtls": _nc_dtls(b / "nc_dtls", keys),
        "nc_dtls, 2 workers": _nc_dtls(b / "nc_dtls", keys, workers=2),
        "s_server": _s_server(keys),
        "gnutls-serv": _gnutls(keys),
        "socat": _socat(keys),
        "wolfSSL": _ours(b / "bench_wolfssl_server", keys, roles=("sink", "echo", "burst", "hello"), max_size=1300),
        "Mbed TLS": _ours(b / "bench_mbedtls_server", keys),
        "bare loop": _ours(b / "refuse_loop", keys, roles=("hello",)),
        "DTLSv1_listen": _ours(b / "listen_server", keys, roles=("hello",)),
        **others,
    }


def version_of(peer):
    if not peer.version or peer.missing():
        return None
    said = subprocess.run([str(a) for a in peer.version], capture_output=True, text=True, check=False).stdout
    lines = [line for line in said.splitlines() if any(c.isdigit() for c in line)]
    return lines[0].strip() if lines else None
