# SPDX-License-Identifier: MIT
"""dtls_mtu on paths whose truth is known. What would fool a tool that counts one success, or
believes ICMP, or takes every echo for both directions, is among them."""

import contextlib
import json

import pytest

from cable import SERVER4, SERVER6, Lab, Way, ip
from conftest import BIN, NC, needs_namespaces

pytestmark = needs_namespaces

MTU = BIN / "dtls_mtu"
PORT = "4433"
PROBES, SECONDS = 30, 15


@contextlib.contextmanager
def serving(lab, run, responder, address=SERVER4):
    if responder:
        server = run(*lab.server, MTU, "--responder", address, PORT)
    else:
        server = run(*lab.server, NC, "-lv", address, PORT)
    server.wait_for("err", "(Listening|Hosting)")
    yield server


def measure(lab, run, *options, address=SERVER4):
    tool = run(*lab.client, MTU, "--json", *options, address, PORT)
    tool.end_stdin()
    status = tool.wait()
    assert status in (0, 1, 5), tool._story()
    result = json.loads(tool.out.decode().splitlines()[-1])
    assert result["type"] == "result" and result["exit"] == status
    assert result["probes"] <= PROBES or result["seconds"] <= SECONDS
    return result


# name: the two ways, the truth (to the server, from it; None = not asked), the verdict, the exit status
def case(name, there, back, c2s, s2c, verdict, status, **more):
    return pytest.param(there, back, c2s, s2c, verdict, status, more, id=name)


BLACK = {"icmp": False}
SCENARIOS = [
    case("plain", Way(), Way(), 1500, 1500, "ok", 0),
    case("icmp", Way(mtu=1400), Way(mtu=1400), 1400, 1400, "ptb-ok", 0),
    case("black hole", Way(mtu=1400, **BLACK), Way(mtu=1400, **BLACK), 1400, 1400, "mtu-blackhole-c2s", 1),
    case("odd black hole", Way(mtu=1337, **BLACK), Way(), 1337, 1500, "mtu-blackhole-c2s", 1),
    case("only the way back", Way(), Way(mtu=1400, **BLACK), 1500, 1400, "mtu-blackhole-s2c", 1),
    case("different each way", Way(mtu=1400), Way(mtu=1280), 1400, 1280, "ptb-ok", 0),
    case("firewall against large UDP", Way(mtu=1300, udp_only=True, **BLACK), Way(), 1300, None,
         "mtu-blackhole-c2s", 1),
    case("icmp says too much", Way(mtu=1300, says=1400), Way(), 1300, None, "mtu-blackhole-c2s", 1),
    case("icmp without a number", Way(mtu=1300, says=0), Way(), 1300, None, "mtu-blackhole-c2s", 1),
    case("icmp says too little", Way(mtu=1450, says=576), Way(), 1450, None, "ptb-ok", 1),
    case("forged icmp", Way(forged=600), Way(forged=600), 1500, 1500, "ok", 0),
    case("forged icmp, absurd", Way(forged=68), Way(forged=68), 1500, 1500, "ok", 0),
    case("forged icmp, ipv6", Way(forged=1280), Way(forged=1280), 1500, 1500, "ok", 0, address=SERVER6),
    case("mapped ipv4 address", Way(mtu=1400, icmp=False), Way(), 1400, None, "mtu-blackhole-c2s", 1,
         asked=f"::ffff:{SERVER4}"),
    case("loss of 5 %", Way(loss=0.05), Way(loss=0.05), 1500, None, "ok", 0),
    case("loss of 20 %", Way(loss=0.2), Way(loss=0.2), 1500, None, "ok", 0),
    case("black hole and loss", Way(mtu=1400, loss=0.1, **BLACK), Way(loss=0.1), 1400, None,
         "mtu-blackhole-c2s", 1),
    case("icmp and 300 ms", Way(mtu=1400, delay=0.15), Way(delay=0.15), 1400, None, "ptb-ok", 0),
    case("black hole and 300 ms", Way(mtu=1400, delay=0.15, **BLACK), Way(delay=0.15), 1400, None,
         "mtu-blackhole-c2s", 1),
    case("df cleared, nothing smaller", Way(clear_df=True), Way(), 1500, 1500, "ok", 0),
    case("df cleared, then 1400", Way(mtu=1400, clear_df=True), Way(mtu=1400, clear_df=True), 1400, 1400,
         "oversize-first-flight", 1),
    case("local interface 1492", Way(), Way(), 1492, 1492, "ok", 0, client_mtu=1492),
    case("jumbo", Way(), Way(), 9000, 9000, "ok", 0, client_mtu=9000, server_mtu=9000),
    case("jumbo behind 1500", Way(mtu=1500), Way(mtu=1500), 1500, 1500, "ptb-ok", 0, client_mtu=9000,
         server_mtu=9000),
    case("loss by size", Way(large=1400, large_loss=0.6), Way(), None, None, "appdata-size-loss", 1),
    case("600, black hole", Way(mtu=600, **BLACK), Way(), 600, None, "mtu-blackhole-c2s", 1),
    case("one icmp error ever", Way(mtu=1420, errors=1), Way(), 1420, None, "ptb-ok", 0),
    case("540, icmp", Way(mtu=540), Way(), 540, None, "ptb-ok", 0),
    case("reordering and duplicates", Way(mtu=1400, delay=0.005, jitter=0.02, duplicates=0.05, **BLACK),
         Way(delay=0.005, jitter=0.02, duplicates=0.05), 1400, None, "mtu-blackhole-c2s", 1),
    case("ipv6", Way(mtu=1400), Way(mtu=1300), 1400, 1300, "ptb-ok", 0, address=SERVER6),
    case("ipv6, black hole", Way(mtu=1400, **BLACK), Way(), 1400, 1500, "mtu-blackhole-c2s", 1, address=SERVER6),
    case("ipv6, 1280", Way(mtu=1280, **BLACK), Way(mtu=1280), 1280, 1280, "mtu-blackhole-c2s", 1,
         address=SERVER6),
    case("ipv6, icmp below 1280", Way(mtu=1450, says=1200), Way(), 1450, None, "ptb-ok", 1, address=SERVER6),
    case("a route with another mtu", Way(), Way(), 1500, None, "ok", 0, route=["mtu", "1280"]),
    case("a route with a locked mtu", Way(), Way(), 1500, None, "ok", 0, route=["mtu", "lock", "1300"]),
    case("path changes meanwhile", Way(change_after=4, change_to=1300), Way(), 1300, None, "ptb-ok", 0),
]


@pytest.mark.parametrize("there, back, c2s, s2c, verdict, status, more", SCENARIOS)
def test_the_truth_is_found(run, there, back, c2s, s2c, verdict, status, more):
    address = more.pop("address", SERVER4)
    route, asked = more.pop("route", None), more.pop("asked", address)
    with Lab(there, back, **more) as lab, serving(lab, run, bool(s2c), address):
        if route:
            ip("-n", lab.names[0], "route", "change", "10.9.0.0/24", "dev", "eth0", *route)
        result = measure(lab, run, *(["--peer"] if s2c else []), address=asked)
        print(result)
        assert (c2s or result["c2s_mtu"], s2c) == (result["c2s_mtu"], result["s2c_mtu"])
        assert (result["verdict"], result["exit"]) == (verdict, status)
        if there.forged:
            assert result["c2s"]["icmp"] and not any(word["validated"] for word in result["c2s"]["icmp"])


def test_the_hop_after_which_packets_vanish_is_named(run):
    with Lab(Way(mtu=1400, at=0, icmp=False)) as lab, serving(lab, run, False):
        result = measure(lab, run, "--trace")
        assert [(h["from"], h["small"], h["large"]) for h in result["trace"]["hops"]] == [
            ("10.9.0.11", True, True), ("10.9.0.12", True, False)]
        assert result["trace"]["last_hop"] == 1


@pytest.mark.parametrize("address", [SERVER4, SERVER6])
def test_ping_replies_give_an_estimate_of_the_way_back(run, address):
    with Lab(back=Way(mtu=1399, clear_df=True)) as lab, serving(lab, run, False, address):
        ping = measure(lab, run, "--reverse-ping", address=address)["ping"]
        assert ping["answered"]
        if address == SERVER4:
            assert (ping["mtu"], ping["exact"]) == (1399, True)


def test_a_handshake_gives_bounds_for_the_way_back(run):
    with Lab() as lab, serving(lab, run, False):
        shaken = measure(lab, run, "--handshake")["handshake"]
        assert shaken["established"] and 500 < shaken["above"] <= 1500


@pytest.mark.parametrize("seed", range(5))
def test_a_black_hole_in_a_lossy_path_is_found_each_time(run, seed):
    with Lab(Way(mtu=1400, loss=0.1, icmp=False), Way(loss=0.1), seed=seed) as lab, serving(lab, run, False):
        result = measure(lab, run)
        assert (result["c2s_mtu"], result["verdict"]) == (1400, "mtu-blackhole-c2s"), result


@pytest.mark.parametrize("seed", range(10))
def test_loss_by_size_is_told_from_loss(run, seed):
    with Lab(Way(large=1400, large_loss=0.6), seed=seed) as lab, serving(lab, run, False):
        assert measure(lab, run)["verdict"] == "appdata-size-loss"


@pytest.mark.parametrize("seed", range(5))
def test_loss_is_never_called_a_black_hole(run, seed):
    with Lab(Way(loss=0.2), Way(loss=0.2), seed=seed) as lab, serving(lab, run, False):
        result = measure(lab, run)
        assert (result["c2s_mtu"], result["verdict"]) == (1500, "ok"), result
