# SPDX-License-Identifier: MIT
"""An attempt to connect goes on whatever somebody off-path sends, and tries every address of a name."""

import os
import re
import socket
import threading
import time

import pytest

import forge
from conftest import NC, needs_raw_sockets

pytestmark = needs_raw_sockets

HOST = "127.0.0.1"


@pytest.fixture
def mute():
    """Ports that say nothing, and hear what they are told."""
    opened = []

    def open_port(host=HOST, port=0):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((host, port))
        s.settimeout(20)
        opened.append(s)
        return s

    yield open_port
    for s in opened:
        s.close()


@pytest.fixture
def serve(nc, pki):
    def start(host, port):
        program = nc("-l", "-v", "--echo", "-c", pki / "cert.pem", "-k", pki / "key.pem", host, port)
        program.wait_for("err", "Hosting at")
        return program

    return start


class Storm:
    """The same forgery again and again, until it has done its work."""

    def __init__(self, forgery, pause=0.005):
        self.sent, self.over = 0, threading.Event()
        self.thread = threading.Thread(target=self._blow, args=(forgery, pause))

    def _blow(self, forgery, pause):
        while not self.over.is_set():
            forgery()
            self.sent += 1
            self.over.wait(pause)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def forgeries(client, peer):
    return {
        "icmp": lambda: forge.send_icmp(3, 3, client, peer),
        "icmp-host": lambda: forge.send_icmp(3, 1, client, peer),
        "junk": lambda: forge.send(peer, client, b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        "hello": lambda: forge.send(peer, client, forge.client_hello()),
        "old-session": lambda: forge.send(peer, client, forge.record(forge.DATA, bytes(40), epoch=1)),
    }


@pytest.mark.parametrize("kind", forgeries(None, None))
def test_a_storm_before_the_server_answers_ends_nothing(nc, serve, mute, free_port, kind):
    """The server starts 2 s late. Until then a storm of one forgery meets the client, with every address and
    port right."""
    port = mute()
    peer = port.getsockname()
    client = nc("-v", "--stats", "--insecure", "--timer", "300", "-p", free_port, HOST, peer[1])
    port.recv(2048)
    with Storm(forgeries((HOST, free_port), peer)[kind]) as storm:
        time.sleep(2)  # the time that the server is late
        assert client.process.poll() is None, client.err
        assert storm.sent > 100
        port.close()
        serve(HOST, peer[1])
        client.wait_for("err", "Connected to")
    client.send(b"<ping>")
    client.wait_for("out", "<ping>")


def test_two_errors_that_quote_our_hellos_end_it(nc, mute, free_port):
    """The control: the same errors, from somebody who has seen two of the hellos. They count once for each."""
    port = mute()
    peer = port.getsockname()
    client = nc("-v", "--timer", "300", "-p", free_port, HOST, peer[1])
    hello = port.recv(2048)
    for _ in range(20):  # 32 were a storm, after which the client hears of none for a while
        forge.send_icmp(3, 3, (HOST, free_port), peer, quote=hello)
    again = port.recv(2048)
    assert client.process.poll() is None
    forge.send_icmp(3, 3, (HOST, free_port), peer, quote=again)
    assert client.wait() == 1
    assert b"no server listens on this port" in client.err


@pytest.mark.parametrize("quote", [8, 47])
def test_a_thin_error_is_told_at_once_and_is_the_reason_at_the_deadline(nc, mute, free_port, quote):
    port = mute()
    peer = port.getsockname()
    client = nc("-w", "2", "--timer", "300", "-p", free_port, HOST, peer[1])
    begun = time.monotonic()
    for _ in range(3):
        forge.send_icmp(3, 3, (HOST, free_port), peer, quote=port.recv(2048)[:quote])
    client.wait_for("err", r"still trying for [12] s \[icmp-port-unreachable\]")
    assert client.process.poll() is None
    assert client.wait() == 1
    assert time.monotonic() - begun > 1.9
    assert b"an ICMP error that anybody can forge" in client.err


@pytest.mark.parametrize("options,most", [([], 2.5), (["-z"], 2.5), (["-z", "-w", "1"], 2), (["-w", "0.5"], 1.5)])
def test_a_closed_port_is_refused_and_soon(nc_run, free_port, options, most):
    begun = time.monotonic()
    program = nc_run(*options, HOST, free_port)
    assert program.status == 1, program.err
    assert time.monotonic() - begun < most
    assert b"no server listens on this port" in program.err


@pytest.fixture
def named(run, tmp_path):
    """nc_dtls where a name has these addresses."""

    def start(addresses, *args):
        hosts = tmp_path / "hosts"
        hosts.write_text("".join(f"{a} peer.test\n" for a in addresses))
        return run("unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/hosts && shift && exec "$@"', "sh", hosts,
                   NC, *args)

    return start


@pytest.mark.parametrize("first", ["mute", "forged-icmp", "forged-verify-request"])
def test_the_second_address_is_tried_beside_a_mute_one(named, serve, mute, first):
    one = mute("127.0.0.1")
    port = one.getsockname()[1]
    serve("127.0.0.2", port)
    client = named(["127.0.0.1", "127.0.0.2"], "-vv", "--insecure", "peer.test", port)
    _, source = one.recvfrom(2048)
    if first == "forged-icmp":
        forge.send_icmp(3, 3, source, one.getsockname())
    if first == "forged-verify-request":
        body = b"\xfe\xff\x14" + os.urandom(20)
        forge.send(one.getsockname(), source,
                   forge.record(forge.HANDSHAKE, forge.message(forge.VERIFY_REQUEST, body, seq=0), seq=0, version=0xFEFF))
    client.wait_for("err", r"Connected to: 127\.0\.0\.2:")
    client.send(b"<ping>")
    client.wait_for("out", "<ping>")
    sent = [float(x) for x in re.findall(rb"([0-9.]+) -> 127\.0\.0\.2:", client.err)]
    begun = float(re.search(rb"([0-9.]+) -> 127\.0\.0\.1:", client.err).group(1))
    waited = sent[0] - begun
    assert {"mute": 0.2 < waited < 1.5, "forged-icmp": waited < 1.5,
            "forged-verify-request": 2.5 < waited < 6}[first], waited


def test_a_forged_error_does_not_cost_the_first_address(named, serve, mute):
    """The second address is mute. One ICMP error for the first one, which takes its time, makes the client try
    both: it must not leave the first."""
    one = mute("127.0.0.1")
    port = one.getsockname()[1]
    mute("127.0.0.2", port)
    client = named(["127.0.0.1", "127.0.0.2"], "-v", "--insecure", "--timer", "300", "peer.test", port)
    _, source = one.recvfrom(2048)
    for _ in range(20):
        forge.send_icmp(3, 3, source, one.getsockname())
    one.close()
    serve("127.0.0.1", port)
    client.wait_for("err", r"Connected to: 127\.0\.0\.1:")
