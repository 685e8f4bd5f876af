# SPDX-License-Identifier: MIT
"""Peers that are no DTLS server: one clear line, the documented exit code, within the deadline."""

import os
import re
import socket
import threading
import time

import pytest

import forge


@pytest.fixture
def udp_server():
    """Answers each datagram with the datagrams that `answer(data, n)` returns."""
    closing = []

    def start(answer):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", 0))
        s.settimeout(0.2)
        stop = threading.Event()

        def serve():
            n = 0
            while not stop.is_set():
                try:
                    data, peer = s.recvfrom(65536)
                except socket.timeout:
                    continue
                for reply in answer(data, n):
                    s.sendto(reply, peer)
                n += 1

        thread = threading.Thread(target=serve)
        thread.start()
        closing.append((stop, thread, s))
        return s.getsockname()[1]

    yield start
    for stop, thread, s in closing:
        stop.set()
        thread.join()
        s.close()


def verify_request(data, n):
    body = b"\xfe\xff\x14" + os.urandom(20)
    return [forge.record(forge.HANDSHAKE, forge.message(forge.VERIFY_REQUEST, body, seq=0),
                         seq=n, version=0xFEFF)]


def rival(data, n):
    """A client, too: its ClientHello is ours with another random."""
    return [data[:27] + os.urandom(32) + data[59:]]


def once(*replies):
    """Answers the first datagram only."""
    return lambda data, n: [reply(data) if callable(reply) else reply for reply in replies] if n == 0 else []


PEERS = {
    "silent": (lambda data, n: [], 3, "VPN gateway"),
    "one-junk-datagram": (once(b"what?"), 4, "came back that are not DTLS"),
    "one-echo": (once(lambda data: data), 4, "our own ClientHello comes back"),
    "old-session": (lambda data, n: [forge.record(forge.DATA, bytes(40), epoch=1, seq=n)], 3,
                    "DTLS datagrams came back"),
    "rival": (rival, 4, "both ends are clients"),
    "http": (lambda data, n: [b"HTTP/1.1 400 Bad Request\r\n\r\n"], 4, "not DTLS"),
    "tls": (lambda data, n: [b"\x15\x03\x03\x00\x02\x02\x28"], 4, "not DTLS"),
    "reflector": (lambda data, n: [data], 4, "our own ClientHello comes back"),
    "only-verify-requests": (verify_request, 3, "no handshake within"),
    "refuses": (lambda data, n: [forge.alert(2, 40)], 4, "handshake_failure"),
    "cut-records": (lambda data, n: [b"\x16\xfe\xfd\0\0"], 4, "not DTLS"),
    "junk-after-the-cookie": (lambda data, n: verify_request(data, n) if n == 0 else [b"what?"], 3,
                              "no handshake within"),
}


# What anybody could have sent is told at once, and decides nothing before the deadline.
TOLD_EARLY = {"one-junk-datagram": "not-dtls-peer", "http": "not-dtls-peer", "tls": "not-dtls-peer",
              "cut-records": "not-dtls-peer", "rival": "role-conflict"}


@pytest.mark.parametrize("name", PEERS)
def test_one_clear_line(udp_server, nc_run, name):
    answer, status, words = PEERS[name]
    begun = time.monotonic()
    program = nc_run("-w", "3", "--timer", "300", "127.0.0.1", udp_server(answer))
    took = time.monotonic() - begun
    *early, last = [line for line in program.lines if line.startswith("nc_dtls: ")]
    assert program.status == status, program.err
    assert words in last and re.search(r"127\.0\.0\.1:\d+", last), program.err
    assert [f"[{TOLD_EARLY[name]}]" in line for line in early] == [True] if name in TOLD_EARLY else not early
    assert took >= 2.9 or name in ("reflector", "refuses")
    assert program.out == b""


@pytest.mark.parametrize("name,status", [("silent", 3), ("http", 4), ("refuses", 4), ("only-verify-requests", 0),
                                         ("reflector", 4), ("rival", 4), ("one-echo", 4)])
def test_the_probe_tells_too(udp_server, nc_run, name, status):
    program = nc_run("-z", "-w", "2", "--timer", "300", "127.0.0.1", udp_server(PEERS[name][0]))
    assert program.status == status, (program.out, program.err)
