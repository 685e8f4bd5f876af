# SPDX-License-Identifier: MIT
"""The library's handshake with a certificate chain of 6 kB where the path is narrower than the
interface: with ICMP within half a second, without it within four, whichever side sends the
large flight. With SDTLS_BESIDE=1 openssl s_server and s_client stand beside it in what is printed."""

import json
import os
import signal
import subprocess
import time

import pytest

from cable import SERVER4, SERVER6, Lab, Way
from conftest import BIN, NC, PROBE, needs_namespaces

pytestmark = needs_namespaces

PORT = "4433"
WITH_ICMP, WITHOUT = 0.5, 4.0  # seconds more than without a limit
BESIDE = os.environ.get("SDTLS_BESIDE") == "1"  # each costs up to 9 s


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A chain of 6 kB: three RSA-4096 certificates, the longest with many names."""
    at = tmp_path_factory.mktemp("chain")
    issuer = None
    for name in ("root", "middle", "leaf"):
        sign = ["-CA", at / f"{issuer}.pem", "-CAkey", at / f"{issuer}.key"] if issuer else []
        names = ",".join(f"DNS:host-{i}.department.example.org" for i in range(60 if name == "leaf" else 1))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:4096", "-nodes", "-days", "2", "-subj",
                        f"/CN={name}.example.org", "-addext", f"subjectAltName={names}", *sign, "-keyout",
                        at / f"{name}.key", "-out", at / f"{name}.pem"], check=True, capture_output=True)
        issuer = name
    whole = at / "chain.pem"
    whole.write_text("".join((at / f"{name}.pem").read_text() for name in ("leaf", "middle", "root")))
    der = sum(len(subprocess.run(["openssl", "x509", "-in", at / f"{name}.pem", "-outform", "DER"],
                                 check=True, capture_output=True).stdout) for name in ("leaf", "middle", "root"))
    assert 5500 < der < 7000
    return at


def shake(lab, run, chain, address, mutual=False):
    """Seconds from the client's start to its end, after a handshake and its goodbye."""
    identity = ["-c", chain / "chain.pem", "-k", chain / "leaf.key"]
    asked = ["--client-cert", "request"] if mutual else []
    server = run(*lab.server, NC, "-lv", *asked, *identity, address, PORT)
    server.wait_for("err", "Hosting")
    begin = time.monotonic()
    client = run(*lab.client, NC, "-v", "--insecure", *(identity if mutual else []), address, PORT)
    client.wait_for("err", "onnected")
    took = time.monotonic() - begin
    client.end_stdin()
    assert client.wait() == 0, client._story()
    server.finish()
    return took


def wait_bound(lab):
    until = time.monotonic() + 10
    while not subprocess.run([*lab.server, "ss", "-lunH"], capture_output=True, text=True).stdout:
        assert time.monotonic() < until


def shake_openssl(lab, chain, address):
    """The same with the command of OpenSSL: seconds, or None when it does not come to its end in 9."""
    at = f"[{address}]" if ":" in address else address
    server = subprocess.Popen([*lab.server, "openssl", "s_server", "-dtls", "-listen", "-quiet", "-accept",
                               f"{at}:{PORT}", "-cert", chain / "leaf.pem", "-cert_chain", chain / "chain.pem",
                               "-key", chain / "leaf.key"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        wait_bound(lab)
        begin = time.monotonic()
        done = subprocess.run([*lab.client, "openssl", "s_client", "-dtls", "-connect", f"{at}:{PORT}", "-brief"],
                              input=b"Q\n", capture_output=True, timeout=9)
        return time.monotonic() - begin if b"ESTABLISHED" in done.stderr else None
    except subprocess.TimeoutExpired:
        return None
    finally:
        server.kill()
        server.wait()
        server.stdin.close()


def least(run, chain, address, enough, *ways, mutual=False, times=5):
    """Seconds of a handshake. The machine may be busy for a while; what the protocol costs, it costs
    always. Each attempt has hosts of its own: the kernel remembers a path MTU."""
    took = []
    while not took or min(took) >= enough and len(took) < times:
        with Lab(*ways) as lab:
            took.append(shake(lab, run, chain, address, mutual))
    return min(took)


PATHS = [(SERVER4, mtu) for mtu in (1400, 1280, 900, 600)] + [(SERVER6, mtu) for mtu in (1400, 1280)]


@pytest.mark.parametrize("icmp", [True, False], ids=["icmp", "no icmp"])
@pytest.mark.parametrize("address, mtu", PATHS)
def test_the_servers_chain_gets_through(run, chain, address, mtu, icmp):
    limit = WITH_ICMP if icmp else WITHOUT
    free = least(run, chain, address, limit)
    took = least(run, chain, address, free + limit, Way(), Way(mtu=mtu, icmp=icmp))
    other = "not run"
    if BESIDE:
        with Lab(back=Way(mtu=mtu, icmp=icmp)) as lab:
            other = shake_openssl(lab, chain, address)
    words = f"{other:.2f} s" if isinstance(other, float) else other or "fails within 9 s"
    print(f"{address} {mtu} {'icmp' if icmp else 'no icmp'}: {took - free:+.2f} s; openssl {words}")
    assert took - free < limit


@pytest.mark.parametrize("icmp", [True, False], ids=["icmp", "no icmp"])
@pytest.mark.parametrize("mtu", [1280, 600])
def test_chains_in_both_directions_get_through(run, chain, mtu, icmp):
    limit = 2 * (WITH_ICMP if icmp else WITHOUT)
    took = least(run, chain, SERVER4, limit, Way(mtu=mtu, icmp=icmp), Way(mtu=mtu, icmp=icmp), mutual=True)
    print(f"both ways {mtu} {'icmp' if icmp else 'no icmp'}: {took:.2f} s")
    assert took < limit


def test_the_trace_tells_when_the_mtu_made_the_difference(run, chain):
    identity = ["-c", chain / "chain.pem", "-k", chain / "leaf.key"]
    with Lab(back=Way(mtu=900, icmp=False)) as lab:
        server = run(*lab.server, NC, "-lv", "--timer", "100", *identity, SERVER4, PORT)
        server.wait_for("err", "Hosting")
        client = run(*lab.client, NC, "-v", "--insecure", "--timer", "100", SERVER4, PORT)
        client.wait_for("err", "onnected")
        server.wait_for("err", r"carry 548 bytes now: large datagrams get no answer")
        server.finish()
    with Lab(back=Way(mtu=900)) as lab:
        server = run(*lab.server, NC, "-lv", *identity, SERVER4, PORT)
        server.wait_for("err", "Hosting")
        client = run(*lab.client, NC, "-v", "--insecure", SERVER4, PORT)
        client.wait_for("err", "onnected")
        server.wait_for("err", r"carry 872 bytes now: a router reported it by ICMP")
        server.finish()


def test_a_fixed_mtu_spares_the_timers(run, chain):
    with Lab(back=Way(mtu=900, icmp=False)) as lab:
        identity = ["-c", chain / "chain.pem", "-k", chain / "leaf.key"]
        server = run(*lab.server, NC, "-lv", "--mtu", "872", *identity, SERVER4, PORT)
        server.wait_for("err", "Hosting")
        client = run(*lab.client, NC, "-v", "--insecure", SERVER4, PORT)
        client.wait_for("err", "onnected")
        assert b"Retransmission" not in server.err


@pytest.mark.parametrize("address", [SERVER4, SERVER6])
def test_the_largest_message_fills_the_path_exactly(run, chain, address):
    """What is sent fills the path to the byte: of a stream of lines as long as the limit each
    arrives, in one packet of exactly the path MTU."""
    with Lab(Way(mtu=1400)) as lab:
        server = run(*lab.server, NC, "-lv", "--idle", "5", address, PORT)
        server.wait_for("err", "Hosting")
        client = run(*lab.client, NC, "-v", "--json", "--insecure", address, PORT)
        client.wait_for("err", '"event": ?"mtu"')  # the probe after the handshake met the router
        payload = 1400 - (48 if ":" in address else 28) - 13 - 8 - 16
        lab.there.sizes = []
        client.send(b"x" * payload)
        server.wait_for("out", "x" * 10)
        client.send(b"y" * (payload + 1))
        server.wait_for("out", "y{%d}" % (payload + 1))
        assert max(lab.there.sizes) == 1400 and lab.there.sizes.count(1400) == 2


@pytest.mark.parametrize("mtu", [1000, 700])
def test_probe_and_mtu_agree_on_the_path(run, chain, mtu):
    """dtls_probe brackets, from a handshake that fails, what dtls_mtu measures."""
    with Lab(back=Way(mtu=mtu, icmp=False)) as lab:
        server = run(*lab.server, "openssl", "s_server", "-dtls", "-listen", "-quiet", "-mtu", "1300", "-accept",
                     f"{SERVER4}:{PORT}", "-cert", chain / "leaf.pem", "-cert_chain", chain / "chain.pem", "-key",
                     chain / "leaf.key")
        wait_bound(lab)
        probe = run(*lab.client, PROBE, "-i", "eth0", "--json")
        probe.wait_for("err", "eth0")
        client = run(*lab.client, NC, "-w", "5", "--insecure", SERVER4, PORT)
        assert client.wait() == 3
        probe.signal(signal.SIGINT)
        probe.wait()
        server.finish()
        found = [json.loads(line) for line in probe.out.decode().splitlines()]
        bracket = next(f for f in found if f["type"] == "finding" and f["id"] == "mtu-blackhole-s2c")
        responder = run(*lab.server, BIN / "dtls_mtu", "--responder", SERVER4, PORT)
        responder.wait_for("err", "Listening")
        tool = run(*lab.client, BIN / "dtls_mtu", "--peer", "--json", SERVER4, PORT)
        tool.wait()
        measured = json.loads(tool.out.decode().splitlines()[-1])["s2c_mtu"]
        assert measured == mtu and bracket["mtu_above"] <= measured <= bracket["mtu_at_most"]
