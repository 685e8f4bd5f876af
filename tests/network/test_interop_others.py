# SPDX-License-Identifier: MIT
"""GnuTLS, socat, ncat and libcoap, as Debian packages them, both ways where they can."""

import os
import pathlib
import re
import shutil
import time

import pytest

from conftest import DEADLINE, stop
from tap import both_say_something, tap  # noqa: F401 (a fixture)

KEY = "c0ffee00c0ffee00"
OUR_PSK = ("--psk", KEY, "--psk-identity", "someone")


@pytest.fixture
def tool(run):
    """Starts a peer, if it is installed."""

    def start(name, *args, **kwargs):
        if not shutil.which(name):
            give_up = pytest.fail if os.environ.get("SDTLS_REQUIRE_PEERS") == "1" else pytest.skip
            give_up(f"{name} is not installed")
        return run(name, *args, **kwargs)

    return start


def wait_for_port(port):
    """Until somebody has bound it; the kernel's table tells."""
    deadline = time.monotonic() + DEADLINE
    while not re.search(f":{port:04X} 0+:0000 ", pathlib.Path("/proc/net/udp").read_text()):
        assert time.monotonic() < deadline, f"nobody listens on port {port}"
        time.sleep(0.02)


def nothing_was_sent_again(host, between, full):
    """Two hellos, without and with the cookie, each of one full datagram and a rest."""
    assert between.sizes[0] == full > between.sizes[1], between.sizes
    assert between.sizes.count(full) == 2, between.sizes
    found = stop(host)
    assert found["conn.established"] == 1
    assert "conn.retransmits" not in found


def test_gnutls_cli_connects_to_us(server, tool):
    host = server()
    client = tool("gnutls-cli", "--udp", "--insecure", "-p", host.port, "127.0.0.1")
    client.wait_for("out", "Handshake was completed")
    both_say_something(client, host)


def test_gnutls_cli_connects_with_a_psk(server, tool):
    """Plain PSK: gnutls-cli 3.7.9 connects with ECDHE-PSK as well, then dies (SIGSEGV) describing the session."""
    host = server(*OUR_PSK, cert=False)
    client = tool("gnutls-cli", "--udp", "--insecure", "--pskusername", "someone", "--pskkey", KEY, "--priority",
                  "NORMAL:-KX-ALL:+PSK", "-p", host.port, "127.0.0.1")
    client.wait_for("out", "Handshake was completed")
    both_say_something(client, host)


def test_gnutls_cli_connects_with_a_key_that_psktool_wrote(server, tool, tmp_path):
    for who in ("other", "someone"):
        tool("psktool", "-u", who, "-p", tmp_path / "keys").process.wait(DEADLINE)
    key = re.search("^someone:(.*)$", (tmp_path / "keys").read_text(), re.M).group(1)
    host = server("--psk-file", tmp_path / "keys", cert=False)
    client = tool("gnutls-cli", "--udp", "--insecure", "--pskusername", "someone", "--pskkey", key, "--priority",
                  "NORMAL:-KX-ALL:+PSK", "-p", host.port, "127.0.0.1")
    client.wait_for("out", "Handshake was completed")
    both_say_something(client, host)


def test_we_connect_to_gnutls_serv(nc, tool, pki, free_port):
    tool("gnutls-serv", "--udp", "--echo", "-p", free_port, "--x509certfile", pki / "cert.pem",
         "--x509keyfile", pki / "key.pem")
    wait_for_port(free_port)
    client = nc("--insecure", "127.0.0.1", free_port)
    client.send(b"from us\n")
    client.wait_for("out", "from us")


def test_socat_connects_to_us(server, tool, tap):
    """Its ClientHello comes in fragments of 256 bytes."""
    host = server("--stats")
    between = tap(host.port)
    client = tool("socat", "-", f"OPENSSL-DTLS-CLIENT:127.0.0.1:{between.port},verify=0")
    both_say_something(client, host)
    nothing_was_sent_again(host, between, 256)


def test_we_connect_to_socat(nc, tool, pki, free_port):
    host = tool("socat", f"OPENSSL-DTLS-SERVER:{free_port},bind=127.0.0.1,verify=0,"
                f"cert={pki / 'cert.pem'},key={pki / 'key.pem'}", "-")
    wait_for_port(free_port)
    both_say_something(nc("--insecure", "127.0.0.1", free_port), host)


def test_ncat_connects_to_us(server, tool, tap):
    """Its ClientHello comes in fragments of 256 bytes. (7.93 cannot listen.)"""
    host = server("--stats")
    between = tap(host.port)
    both_say_something(tool("ncat", "--ssl", "--udp", "127.0.0.1", between.port), host)
    nothing_was_sent_again(host, between, 256)


def test_a_hello_of_two_datagrams(server, run, tap):
    """More than 1,500 bytes of ClientHello, in full-size datagrams."""
    host = server("--stats", "--alpn", "last")
    between = tap(host.port)
    names = ",".join([f"a-long-protocol-name-number-{n}" for n in range(50)] + ["last"])
    client = run("openssl", "s_client", "-dtls", "-connect", f"127.0.0.1:{between.port}", "-alpn", names,
                 "-mtu", "1400")
    both_say_something(client, host)
    client.wait_for("out", "ALPN protocol: last")
    assert sum(between.sizes[:2]) > 1500 and max(between.sizes) <= 1400, between.sizes
    nothing_was_sent_again(host, between, between.sizes[0])


COAP_SECRETS = {"psk": ("-u", "someone", "-k", "a key"), "certificate": ()}


@pytest.mark.parametrize("secret", COAP_SECRETS)
@pytest.mark.parametrize("name", ["coap-client-openssl", "coap-client-gnutls"])
def test_coap_client_connects_to_us(server, tool, name, secret):
    """Its GET arrives; what it would say to an answer is no matter of DTLS."""
    psk = secret == "psk"
    host = server("-v", *(("--psk", b"a key".hex()) if psk else ()), cert=not psk)
    tool(name, "-m", "get", "-B", "20", *COAP_SECRETS[secret], f"coaps://127.0.0.1:{host.port}/from-them")
    host.wait_for("out", "from-them")


GET = b"\x40\x01\x12\x34"  # RFC 7252 3: confirmable, GET, message ID; of the root
CONTENT = r"`E\x12\x34"  # acknowledgement, 2.05
# (Not a ping: libcoap 4.3.1 decrypts every one, but now and then sends no reset. Seen in its log.)


@pytest.mark.parametrize("secret", COAP_SECRETS)
@pytest.mark.parametrize("name", ["coap-server-openssl", "coap-server-gnutls"])
def test_we_connect_to_coap_server(nc, tool, pki, free_port, name, secret):
    own = ("-k", "a key") if secret == "psk" else ("-c", pki / "cert.pem", "-j", pki / "key.pem", "-n")
    tool(name, "-A", "127.0.0.1", "-p", free_port - 1, "-v", "7", *own)
    wait_for_port(free_port)
    ours = ("--psk", b"a key".hex(), "--psk-identity", "someone") if secret == "psk" else ()
    client = nc("--insecure", *ours, "127.0.0.1", free_port)
    client.send(GET)
    client.wait_for("out", CONTENT)
