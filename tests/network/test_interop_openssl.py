# SPDX-License-Identifier: MIT
"""OpenSSL's own s_client and s_server, of each version there is, both ways."""

import os
import subprocess

import pytest

from conftest import ROOT, openssl, stop
from tap import both_say_something, tap  # noqa: F401 (a fixture)

PSK = ("-psk", "c0ffee00c0ffee00", "-psk_identity", "someone")
OUR_PSK = ("--psk", "c0ffee00c0ffee00", "--psk-identity", "someone")


def versions():
    """The system's openssl, and those named or unpacked here: version -> path."""
    named = os.environ.get("SDTLS_OPENSSL_PEERS")
    paths = named.split(":") if named else sorted(ROOT.glob("build/openssl/*/bin/openssl"))
    found = {"system": "openssl"}
    for path in paths:
        found[subprocess.check_output([path, "version"], text=True).split()[1]] = path
    return found


VERSIONS = versions()
each = pytest.mark.parametrize("peer", VERSIONS.values(), ids=[f"openssl-{v}" for v in VERSIONS])


@each
def test_datagrams_with_bytes_after_their_records(peer, server, s_client, tap):
    """Some TURN relays forward the padding of ChannelData (turn-rs#175): up to 3 bytes of zeros."""
    hosting = server("-vv", "--stats")
    padded = tap(hosting.port, lambda data: data + bytes(3))
    client = s_client(peer, padded.port, "-quiet")
    both_say_something(client, hosting)
    hosting.wait_for("err", r"3 bytes after the last record of the ClientHello are ignored")
    assert stop(hosting)["gate.trailing-bytes"] == 2


@pytest.fixture(scope="session")
def rsa(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rsa")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost",
            "-keyout", folder / "key.pem", "-out", folder / "cert.pem")
    return folder


@pytest.fixture
def s_client(run):
    return lambda peer, port, *args: run(peer, "s_client", "-dtls", "-connect", f"127.0.0.1:{port}", *args)


@pytest.fixture
def s_server(run, pki, free_port):
    """A listening s_server; .port is where."""

    def start(peer, *args, cert=pki):
        own = ("-cert", cert / "cert.pem", "-key", cert / "key.pem") if cert else ("-nocert",)
        program = run(peer, "s_server", "-dtls", "-accept", f"127.0.0.1:{free_port}", *own, *args)
        program.wait_for("out", "ACCEPT")
        program.port = free_port
        return program

    return start


@each
def test_they_connect_to_us(server, s_client, peer):
    host = server("-v", "--stats")
    both_say_something(s_client(peer, host.port), host)
    assert stop(host)["conn.established"] == 1


@each
@pytest.mark.parametrize("listen", [(), ("-listen",)], ids=["s_server", "s_server-listen"])
def test_we_connect_to_them(nc, s_server, peer, listen):
    host = s_server(peer, *listen)
    both_say_something(nc("--insecure", "127.0.0.1", host.port), host)


@each
def test_they_connect_with_rsa(server, s_client, rsa, peer):
    host = server("-c", rsa / "cert.pem", "-k", rsa / "key.pem", cert=False)
    both_say_something(s_client(peer, host.port), host)


@each
def test_we_connect_to_rsa(nc, s_server, rsa, peer):
    host = s_server(peer, cert=rsa)
    both_say_something(nc("--insecure", "127.0.0.1", host.port), host)


@each
def test_they_connect_with_a_psk(server, s_client, peer):
    host = server(*OUR_PSK, cert=False)
    client = s_client(peer, host.port, *PSK)
    both_say_something(client, host)
    client.wait_for("out", r"Cipher is \S*PSK")


@each
def test_we_connect_with_a_psk(nc, s_server, peer):
    host = s_server(peer, *PSK, cert=None)
    both_say_something(nc(*OUR_PSK, "--insecure", "127.0.0.1", host.port), host)


def test_they_show_a_client_certificate(server, s_client, pki):
    host = server("--client-cert", "require", "--ca-file", pki / "client.pem")
    both_say_something(s_client("openssl", host.port, "-cert", pki / "client.pem",
                                "-key", pki / "client-key.pem"), host)


def test_we_show_a_client_certificate(nc, s_server, pki):
    host = s_server("openssl", "-Verify", "1", "-verify_return_error", "-CAfile", pki / "client.pem")
    both_say_something(nc("-c", pki / "client.pem", "-k", pki / "client-key.pem", "--insecure",
                          "127.0.0.1", host.port), host)
    host.wait_for("out", "CN ?= ?a client")


def test_they_resume(server, s_client, tmp_path):
    host, saved = server(), tmp_path / "session"
    first = s_client("openssl", host.port, "-sess_out", saved)
    both_say_something(first, host)
    first.end_stdin()
    assert first.wait() == 0
    again = s_client("openssl", host.port, "-sess_in", saved)
    again.wait_for("out", "Reused, ")
    again.send(b"from one again\n")
    host.wait_for("out", "from one again")


def test_we_resume(nc, s_server, tmp_path):
    host, saved = s_server("openssl"), tmp_path / "session"
    for visit in ("first", "second"):
        client = nc("--session", saved, "--insecure", "127.0.0.1", host.port)
        client.send(f"{visit} visit\n".encode())
        host.wait_for("out", f"{visit} visit")
        client.end_stdin()
        assert client.wait() == 0
    assert host.out.count(b"Reused session-id") == 1


@each
def test_they_come_in_small_fragments(server, s_client, tap, rsa, peer):
    host = server("-c", rsa / "cert.pem", "-k", rsa / "key.pem", "--mtu", "256", cert=False)
    between = tap(host.port)
    both_say_something(s_client(peer, between.port, "-mtu", "256", "-alpn", ",".join(["a-long-name"] * 20)), host)
    assert max(between.sizes) <= 256 and sum(between.sizes[:2]) > 256, between.sizes


@each
def test_we_come_in_small_fragments(nc, s_server, tap, rsa, peer):
    host = s_server(peer, "-mtu", "256", cert=rsa)
    between = tap(host.port)
    both_say_something(nc("--mtu", "256", "--insecure", "127.0.0.1", between.port), host)
    assert max(between.sizes) <= 256, between.sizes


EXTRAS = ("-alpn", "coap,other", "-servername", "localhost", "-use_srtp", "SRTP_AES128_CM_SHA1_80")


def test_they_ask_for_alpn_sni_and_srtp(server, s_client):
    host = server("-v", "--json", "--alpn", "coap", "--srtp", "SRTP_AES128_CM_SHA1_80")
    client = s_client("openssl", host.port, *EXTRAS)
    both_say_something(client, host)
    client.wait_for("out", "ALPN protocol: coap")
    client.wait_for("out", "SRTP Extension negotiated, profile=SRTP_AES128_CM_SHA1_80")
    host.wait_for("err", '"alpn":"coap"')


def test_we_ask_for_alpn_sni_and_srtp(nc, s_server):
    host = s_server("openssl", "-alpn", "coap", "-use_srtp", "SRTP_AES128_CM_SHA1_80", "-tlsextdebug")
    client = nc("--alpn", "coap", "--srtp", "SRTP_AES128_CM_SHA1_80", "--sni", "localhost", "--insecure",
                "--json", "127.0.0.1", host.port)
    both_say_something(client, host)
    host.wait_for("out", 'server name" \\(id=0\\)')
    client.wait_for("err", '"alpn":"coap"')
