#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Handshakes between all pairs of the DTLS stacks that are installed, over a loopback that loses nothing, beside busy
loops, watched by a live dtls_probe: whatever it says of loss, order or time, and whatever is fatal, is false.

tests/network/healthy.py [COUNT]     needs root; ci/healthy gives it a network namespace and more handshakes
Exits with 1 on a finding that must not be, or a handshake that dtls_probe does not call ok."""

import collections
import concurrent.futures
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from conftest import BIN, PROBE, Program, openssl  # noqa: E402

FALSE = {"loss-recovered", "final-flight-lost", "flight5-lost", "reorder", "net-duplication", "appdata-size-loss",
         "replay-window", "reply-path-dead", "no-response", "mtu-blackhole-s2c", "mtu-blackhole-c2s", "spurious-rto",
         "one-way-appdata", "ccs-finished-reorder", "slow-peer", "final-flight-timer", "early-appdata", "cookie-loop",
         "hvr-unanswered", "ch-cookie-unanswered", "sender-never-sent", "peer-silent", "data-after-close"}
AT_ONCE, BUSY = 4, 4  # handshakes under way; loops that take the cores away
FIRST_PORT = 20000
LINE, REPLY = "from the client", "from the server"

# {name: (command, whether it sends back what it gets by itself)}; {port}, {cert} and {key} are filled in.
SERVERS = {
    "openssl": ("openssl s_server -dtls -quiet -accept 127.0.0.1:{port} -cert {cert} -key {key}", False),
    "openssl-listen": ("openssl s_server -dtls -quiet -listen -accept 127.0.0.1:{port} -cert {cert} -key {key}", False),
    "gnutls": ("gnutls-serv --udp --echo -p {port} --x509certfile {cert} --x509keyfile {key}", True),
    "wolfssl": ("{bin}/wolfssl_server {cert} {key}", True),
    "mbedtls": ("{bin}/mbedtls_server {cert} {key}", True),
    "nc_dtls": ("{bin}/nc_dtls -l --echo --cert {cert} --key {key} 127.0.0.1 {port}", True),
}
CLIENTS = {
    "openssl": "openssl s_client -dtls -quiet -connect 127.0.0.1:{port}",
    "openssl-small": "openssl s_client -dtls -quiet -mtu 512 -connect 127.0.0.1:{port}",
    "gnutls": "gnutls-cli --udp --insecure -p {port} 127.0.0.1",
    "wolfssl": "{bin}/wolfssl_client {port}",
    "mbedtls": "{bin}/mbedtls_client {port}",
    "nc_dtls": "{bin}/nc_dtls --insecure 127.0.0.1 {port}",
}
JUST_EXIT = {"ASAN_OPTIONS": "detect_leaks=0"}  # our peers over other libraries free nothing in the end
TALKS_FIRST = ("wolfssl", "mbedtls")  # clients with a line of their own


def bound(port):
    """Waits until somebody listens."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with open("/proc/net/udp", encoding="ascii") as table:
            if f":{port:04X} " in table.read():
                return
        time.sleep(0.02)
    raise RuntimeError(f"nobody listens on {port}")


def fill(command, port, pki):
    return command.format(port=port, bin=BIN, cert=pki / "cert.pem", key=pki / "key.pem").split()


def one(client, server, port, pki):
    """One handshake, a line each way, and the end."""
    command, echoes = SERVERS[server]
    host = Program(*fill(command, port, pki), env=JUST_EXIT)
    try:
        if server in TALKS_FIRST:
            port = int(host.wait_for("out", r"port (\d+)").group(1))
        bound(port)
        guest = Program(*fill(CLIENTS[client], port, pki), env=JUST_EXIT)
        try:
            talk(guest, host, client, echoes)
        finally:
            end(guest)
    finally:
        end(host)


def talk(guest, host, client, echoes):
    line = "from a peer" if client in TALKS_FIRST else LINE
    if client not in TALKS_FIRST:
        guest.send(LINE.encode() + b"\n")
    if not echoes:
        host.wait_for("out", line)
        host.send(REPLY.encode() + b"\n")
    guest.wait_for("out", line if echoes else REPLY)


def end(program):
    """As its user would: the end of its input, then a signal."""
    try:
        program.end_stdin()
        program.process.wait(1)
    except (OSError, subprocess.TimeoutExpired):
        program.signal(signal.SIGTERM)
    program.finish()


def installed():
    for client, server in itertools.product(CLIENTS, SERVERS):
        paths = [fill(c, 1, pathlib.Path("x"))[0] for c in (CLIENTS[client], SERVERS[server][0])]
        if all(subprocess.run(["sh", "-c", f"command -v {p}"], capture_output=True, check=False).returncode == 0
               for p in paths):
            yield client, server


def judge(lines):
    """What is wrong, and how many handshakes there were."""
    wrong, count = [], 0
    for line in map(json.loads, lines):
        if line["type"] != "handshake":
            continue
        count += 1
        ids = [f"{f['id']}" for f in line["findings"] if f["id"] in FALSE or f["severity"] == "fatal"]
        if line["outcome"] != "ok" or ids:
            wrong.append(f"{line['client']} -> {line['server']}: {line['outcome']} {' '.join(ids)}")
    return wrong, count


def watch(count, folder):
    """The handshakes while dtls_probe watches; its lines, and the pair of each server port."""
    pki = pathlib.Path(folder)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/CN=localhost", "-keyout", pki / "key.pem", "-out", pki / "cert.pem")
    pairs = list(installed())
    probe = Program(PROBE, "-i", "lo", "--json", "-w", pki / "healthy.pcapng")
    probe.wait_for("err", "(?i)listening|captur")
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY)]
    failed = []

    def work(n):
        client, server = pairs[n % len(pairs)]
        try:
            one(client, server, FIRST_PORT + n, pki)
        except BaseException as e:  # pytest's failures are no Exception
            failed.append(f"{client} -> {server}: {str(e)[-300:]}")

    try:
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(work, range(count)))
    finally:
        for loop in busy:
            loop.kill()
        for loop in busy:
            loop.wait()
    probe.signal(signal.SIGINT)
    probe.wait()
    return probe.out.decode().splitlines(), probe.err.decode(), failed, pairs


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 72
    with tempfile.TemporaryDirectory() as folder:
        lines, errors, failed, pairs = watch(count, folder)
        wrong, seen = judge(lines)
        if wrong and os.environ.get("KEEP"):
            subprocess.run(["cp", f"{folder}/healthy.pcapng", os.environ["KEEP"]], check=True)
    print("\n".join(wrong))
    for text, times in collections.Counter(failed).items():
        print(f"no data: {text}" + (f" ({times} times)" if times > 1 else ""))
    print(f"{seen} handshakes of {len(pairs)} pairs, {len(wrong)} judged wrongly, {len(failed)} without data")
    if seen < count:
        print(f"dtls_probe saw {seen} of {count}: {errors[-300:]}")
    return bool(wrong or failed or seen < count)


if __name__ == "__main__":
    sys.exit(main())
