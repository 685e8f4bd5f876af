# SPDX-License-Identifier: MIT
"""What is measured of servers: the load, its amount, and who is beside whom."""

import dataclasses

from peers import BURST, PSK

EVERYBODY = ("library", "nc_dtls", "s_server", "gnutls-serv", "socat", "wolfSSL", "Mbed TLS")
SLOW_RATE = 500  # messages a second that every server keeps up with, also under valgrind


@dataclasses.dataclass
class Figure:
    name: str
    title: str
    per: str  # what a number is for
    role: str
    load: list  # the driver's mode and options, but for -n
    count: int  # in one round
    peers: tuple
    floors: tuple = ("floor",)
    few: int = 0  # how much in the two runs that count instructions and calls; 0: not counted
    many: int = 0
    counted_load: list = None  # when it is another one
    size: int = 0  # bytes a message, for what counts messages at the receiver
    clients: int = 1
    memory: bool = False


def _receive():
    size = 1200
    common = ["message", "-c", 1, "-w", 32, "-s", size, "-r"]
    return Figure("receive", "Receive 1,200 bytes, in bursts of 32, 37,000 a second", "message", "sink",
                  [*common, 37000], 60000, (*(p for p in EVERYBODY if p != "gnutls-serv"), "library, shared"),
                  few=160, many=960, counted_load=["message", "-c", 1, "-w", 16, "-s", size, "-r", SLOW_RATE], size=size)


def _echo():
    return Figure("echo", "Echo 1,000 bytes, 16 on their way", "message", "echo",
                  ["echo", "-c", 1, "-w", 16, "-s", 1000], 20000, ("library", "library, shared", "nc_dtls", "wolfSSL", "Mbed TLS"),
                  few=160, many=960)


def _ping():
    return Figure("ping", "Echo 1,000 bytes, one at a time", "message", "echo",
                  ["echo", "-c", 1, "-w", 1, "-s", 1000], 5000, ("library", "library, shared", "nc_dtls", "socat", "wolfSSL", "Mbed TLS"),
                  few=100, many=600)


def _known(clients, count):
    counts = {"few": 320, "many": 1920} if clients == 1 else {}
    return Figure(f"known-{clients}", f"A datagram of a known client, {clients:,} clients", "message", "sink",
                  ["message", "-c", clients, "-w", 32, "-s", 200, "-r", 20000], count, ("library", "library, shared"),
                  floors=("floor", "floor, own sockets"), size=200, clients=clients,
                  counted_load=["message", "-c", clients, "-w", 16, "-s", 200, "-r", SLOW_RATE], **counts)


def _unknown(clients, count):
    return Figure(f"unknown-{clients}", f"A hello of an unknown client, {clients:,} clients connected", "hello", "hello",
                  ["hello", "-c", clients, "-w", 32], count, ("library", "library, shared"), clients=clients)


def _refuse():
    return Figure("refuse", "Refuse a hello without a cookie, in bursts of 64", "hello", "hello", ["hello", "-w", 64],
                  50000, ("library", "nc_dtls", "wolfSSL", "Mbed TLS", "DTLSv1_listen"), floors=("bare loop", "floor"),
                  few=320, many=3520)


def _handshakes():
    few = {"few": 20, "many": 120}
    yield Figure("handshake", "Full handshake, one after the other", "handshake", "sink", ["handshake"], 500,
                 (*(p for p in EVERYBODY if p != "socat"), "library, shared"), floors=("floor, own sockets", "floor"), **few)
    yield Figure("resumed", "Resumed handshake", "handshake", "sink", ["resume"], 1000,
                 (*(p for p in EVERYBODY if p != "socat"), "library, shared"), floors=("floor, own sockets", "floor"), **few)
    yield Figure("psk", "PSK handshake (PSK-AES128-GCM-SHA256)", "handshake", "psk", ["handshake", "-k", PSK], 1000,
                 ("library", "library, shared", "nc_dtls", "s_server", "Mbed TLS"),
                 floors=("floor, own sockets", "floor"), **few)
    yield Figure("in-flight", "Full handshakes, 200 in flight", "handshake", "sink", ["handshake", "-w", 200], 1000,
                 ("library", "library, shared", "nc_dtls", "wolfSSL", "Mbed TLS"), floors=("floor, own sockets", "floor"))


def _workers():
    """On two cores the driver needs one, so CPU time shows what two workers could do, not wall time."""
    who = {"peers": ("nc_dtls, 2 workers",), "floors": ("nc_dtls",)}
    yield Figure("workers-handshake", "nc_dtls with 2 workers beside 1: full handshakes, 200 in flight", "handshake",
                 "sink", ["handshake", "-w", 200], 1000, **who)
    yield Figure("workers-echo", "nc_dtls with 2 workers beside 1: echo 1,000 bytes, 64 clients", "message", "echo",
                 ["echo", "-c", 64, "-w", 64, "-s", 1000], 20000, **who)


def _bulk():
    for size in (64, 256, 1024, 4096, 16000):
        rate = 20000 if size <= 1024 else 4000
        yield Figure(f"bulk-in-{size}", f"Data to the server, {size:,} bytes a message", "message", "sink",
                     ["message", "-c", 1, "-w", 8, "-s", size, "-r", rate], rate // 2,
                     ("library", "library, shared", "nc_dtls", "s_server", "wolfSSL", "Mbed TLS"), size=size)
        yield Figure(f"bulk-out-{size}", f"Data from the server, {size:,} bytes a message", "message", "burst",
                     ["echo", "-c", 1, "-w", 1, "-e", BURST, "-s", size], rate // BURST,
                     ("library", "library, shared", "wolfSSL", "Mbed TLS"), size=size)


def _memory():
    who = ("library", "library, shared", "nc_dtls", "wolfSSL", "Mbed TLS")
    for mode, name in (("idle", "idle client"), ("half-open", "half-open client")):
        yield Figure(f"memory-{mode}", f"Memory for an {name}" if mode == "idle" else f"Memory for a {name}", "client",
                     "sink", [mode, "-w", 50], 1000, who, floors=("floor", "floor, own sockets"), memory=True)


def figures(huge):
    many = [100000] if huge else []
    return [_receive(), _echo(), _ping(), *(_known(n, 50000) for n in (1, 1000, 10000, *many)),
            *_handshakes(), *_workers(), _refuse(), *(_unknown(n, 20000) for n in (1, 1000, 10000, *many)), *_memory(), *_bulk()]
