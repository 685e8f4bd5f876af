# SPDX-License-Identifier: MIT
"""Answers come from the address that the client spoke to."""

import os
import subprocess

import pytest

from conftest import NC, namespaces, stop


@pytest.mark.parametrize("sockets", [(), ("--max-connected", "0")], ids=["connected", "shared"])
@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "127.8.8.8"])
def test_a_wildcard_listener(nc, nc_run, pki, address, sockets):
    host = nc("-l", "--echo", "-v", "-4", "--stats", *sockets, "-c", pki / "cert.pem", "-k", pki / "key.pem")
    port = host.wait_for("err", r"Hosting at: 0\.0\.0\.0:(\d+)").group(1).decode()
    program = nc_run("--insecure", "-w", "5", address, port, data=b"from where?")
    assert (program.status, program.out) == (0, b"from where?"), program.err
    assert stop(host)["conn.established"] == 1


@pytest.fixture
def two_hosts():
    """Two network namespaces with a cable between them."""
    if not namespaces():
        pytest.skip("network namespaces cannot be made here")
    names = [f"sdtls-{os.getpid()}-{end}" for end in "ab"]

    def ip(*args):
        subprocess.run(["ip", *args], check=True, capture_output=True)

    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
            subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0"],
                           check=False, capture_output=True)
        ip("link", "add", "cable", "netns", names[0], "type", "veth", "peer", "name", "cable", "netns", names[1])
        for n, name in enumerate(names):
            ip("-n", name, "addr", "add", f"10.77.0.{n + 1}/24", "dev", "cable")
            ip("-n", name, "addr", "add", f"fe80::{n + 1}/64", "dev", "cable", "nodad")
            ip("-n", name, "link", "set", "cable", "up")
        yield names, ip
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def within(name):
    return ("ip", "netns", "exec", name)


def test_link_local_addresses(two_hosts, run, pki):
    (here, there), _ = two_hosts
    host = run(*within(there), NC, "-l", "--echo", "-v", "-6", "-c", pki / "cert.pem", "-k", pki / "key.pem")
    port = host.wait_for("err", r"Hosting at: \[::\]:(\d+)").group(1).decode()
    client = run(*within(here), NC, "--insecure", "-w", "5", "fe80::2%cable", port)
    client.send(b"neighbour")
    client.wait_for("out", "neighbour")


def test_a_narrow_link_and_a_big_certificate(two_hosts, run, pki, tmp_path):
    """A flight of 4 kB over a link of 600 bytes whose route says so."""
    (here, there), ip = two_hosts
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:4096", "-nodes", "-days", "1", "-subj", "/CN=big",
                    "-keyout", tmp_path / "k.pem", "-out", tmp_path / "c.pem"], check=True, capture_output=True)
    host = run(*within(there), NC, "-l", "--echo", "-v", "-4", "-c", tmp_path / "c.pem", "-k", tmp_path / "k.pem")
    port = host.wait_for("err", r"Hosting at: 0\.0\.0\.0:(\d+)").group(1).decode()
    for name in (here, there):
        ip("-n", name, "link", "set", "cable", "mtu", "600")
    client = run(*within(here), NC, "-v", "--insecure", "-w", "20", "10.77.0.2", port)
    client.send(b"small enough")
    client.wait_for("out", "small enough")


def test_a_link_that_narrows_while_established(two_hosts, run, pki):
    (here, there), ip = two_hosts
    host = run(*within(there), NC, "-l", "--echo", "-v", "-4", "-c", pki / "cert.pem", "-k", pki / "key.pem")
    port = host.wait_for("err", r"Hosting at: 0\.0\.0\.0:(\d+)").group(1).decode()
    client = run(*within(here), NC, "-v", "--insecure", "10.77.0.2", port)
    client.send(b"wide")
    client.wait_for("out", "wide")
    for name in (here, there):
        ip("-n", name, "link", "set", "cable", "mtu", "700")
    client.send(b"L" * 1300)  # EMSGSIZE: it goes in pieces that fit
    client.wait_for("out", "L{1300}$")


def test_a_route_that_goes_and_comes_back(two_hosts, run, pki):
    (here, there), ip = two_hosts
    host = run(*within(there), NC, "-l", "--echo", "-v", "-4", "-c", pki / "cert.pem", "-k", pki / "key.pem")
    port = host.wait_for("err", r"Hosting at: 0\.0\.0\.0:(\d+)").group(1).decode()
    client = run(*within(here), NC, "-v", "--insecure", "--stats", "10.77.0.2", port)
    client.send(b"before")
    client.wait_for("out", "before")
    ip("-n", here, "addr", "flush", "dev", "cable")
    client.send(b"nowhere")  # ENETUNREACH
    ip("-n", here, "addr", "add", "10.77.0.1/24", "dev", "cable")
    client.send(b"after")
    client.wait_for("out", "after")


@pytest.mark.parametrize("sockets", [(), ("--max-connected", "0")], ids=["connected", "shared"])
def test_a_narrow_route_costs_no_retransmission(two_hosts, run, pki, sockets):
    """The kernel knows the route's MTU: the first flight need not be the one to find out."""
    (here, there), ip = two_hosts
    for name in (here, there):
        ip("-n", name, "link", "set", "cable", "mtu", "600")
    host = run(*within(there), NC, "-l", "--echo", "-v", "-4", "--stats", *sockets,
               "-c", pki / "cert.pem", "-k", pki / "key.pem")
    port = host.wait_for("err", r"Hosting at: 0\.0\.0\.0:(\d+)").group(1).decode()
    client = run(*within(here), NC, "--insecure", "-w", "20", "10.77.0.2", port)
    client.send(b"narrow")
    client.wait_for("out", "narrow")
    assert "conn.retransmits" not in stop(host)
