# SPDX-License-Identifier: MIT
"""wolfSSL and Mbed TLS, through the smallest programs that can talk (tests/network/peers)."""

import os

import pytest

from conftest import BIN

each = pytest.mark.parametrize("library", ["wolfssl", "mbedtls"])


@pytest.fixture
def peer(run):
    def start(name, *args):
        if not (BIN / name).exists():
            give_up = pytest.fail if os.environ.get("SDTLS_REQUIRE_PEERS") == "1" else pytest.skip
            give_up(f"{name} was not built: its library is not here")
        return run(BIN / name, *args, env={"ASAN_OPTIONS": "detect_leaks=0"})  # they just exit

    return start


@each
def test_they_connect_to_us(server, peer, library):
    client = peer(f"{library}_client", server("--echo").port)
    client.wait_for("out", "from a peer")
    assert client.wait() == 0


@each
def test_we_connect_to_them(nc, peer, pki, library):
    host = peer(f"{library}_server", pki / "cert.pem", pki / "key.pem")
    client = nc("--insecure", "127.0.0.1", host.wait_for("out", r"port (\d+)").group(1).decode())
    client.send(b"from us\n")
    client.wait_for("out", "from us")
    assert host.wait() == 0
