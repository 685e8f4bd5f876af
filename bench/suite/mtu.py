# SPDX-License-Identifier: MIT
"""dtls_mtu beside tracepath and a bisection with ping, over paths whose MTU is known (tests/mtu/cable.py):
what each says, how long it takes, and how many packets it sends."""

import json
import re
import shutil
import subprocess
import sys
import time

from builds import ROOT
from measure import spread
from server import Failed

sys.path.insert(0, str(ROOT / "tests/mtu"))
from cable import SERVER4, Lab, Way  # noqa: E402

LARGEST, SMALLEST = 1500, 576
ICMP_HEADERS = 28
PORT = "4433"
ROUNDS_MAX = 2  # tracepath needs 18 s for a black hole
DEADLINE_S = 120


def _output(args):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=DEADLINE_S, check=False).stdout


def _dtls_mtu(lab, bin_folder):
    said = _output([*lab.client, bin_folder / "dtls_mtu", "--json", SERVER4, PORT])
    return json.loads(said.splitlines()[-1])["c2s"]["mtu"]


def _tracepath(lab, _bin):
    found = re.search(r"Resume: pmtu (\d+)", _output([*lab.client, "tracepath", "-n", "-m", "8", SERVER4]))
    return found and int(found[1])


def _passes(lab, size):
    """A size counts as too large after the second silence."""
    args = [*lab.client, "ping", "-q", "-n", "-M", "do", "-c", "1", "-W", "0.3", "-s", str(size - ICMP_HEADERS), SERVER4]
    return any(", 0% packet loss" in _output(args) for _ in range(2))


def _ping(lab, _bin):
    low, high = SMALLEST, LARGEST + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _passes(lab, middle) else (low, middle)
    return low


TOOLS = {"dtls_mtu": _dtls_mtu, "tracepath": _tracepath, "ping, bisected": _ping}
PATHS = {
    "mtu-reported": ("Path MTU of 1,400 bytes, reported by ICMP", lambda: (Way(mtu=1400), Way(mtu=1400)), 1400),
    "mtu-black-hole": ("Path MTU of 1,400 bytes, a black hole", lambda: (Way(mtu=1400, icmp=False), Way()), 1400),
    "mtu-loss": ("Path MTU of 1,400 bytes, a black hole that also loses 10 %",
                 lambda: (Way(mtu=1400, icmp=False, loss=0.1), Way(loss=0.1)), 1400),
}


def _sent(lab):
    return int(_output([*lab.client, "cat", "/sys/class/net/eth0/statistics/tx_packets"]))


def _once(tool, path, bin_folder, keys, seed):
    """Each on a path of its own: what the kernel has learnt of it stays in its namespace."""
    there, back = path()
    with Lab(there, back, seed) as lab:
        args = [*lab.server, bin_folder / "nc_dtls", "-lvd", *keys, SERVER4, PORT]
        with subprocess.Popen([str(a) for a in args], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as server:
            try:
                server.stderr.readline()  # it listens
                before, began = _sent(lab), time.monotonic()
                found = tool(lab, bin_folder)
                return {"mtu": found, "seconds": time.monotonic() - began, "packets": _sent(lab) - before}
            finally:
                server.kill()


def _result(runs, truth):
    said = sorted({str(run["mtu"]) for run in runs})
    right = sum(run["mtu"] == truth for run in runs)
    return {"mtu": f"{', '.join(said)} ({right} of {len(runs)} right)", "seconds": spread([run["seconds"] for run in runs]),
            "packets": spread([run["packets"] for run in runs])["median"]}


def measure(bin_folder, keys, rounds, wanted):
    found = {}
    for name, (title, path, truth) in PATHS.items():
        if not wanted(name):
            continue
        results = {tool: {"not_run": f"{tool} is not installed"} for tool in TOOLS if not shutil.which(tool.split(",")[0])
                   and tool != "dtls_mtu"}
        runs = {tool: [] for tool in TOOLS if tool not in results}
        for i in range(min(rounds, ROUNDS_MAX)):
            for tool in sorted(runs, key=list(runs).index, reverse=i % 2):
                try:
                    runs[tool].append(_once(TOOLS[tool], path, bin_folder, keys, i + 1))
                except (Failed, subprocess.TimeoutExpired, ValueError, LookupError) as e:
                    results[tool] = {"failed": f"{type(e).__name__}: {e}"}
        for tool, r in runs.items():
            if r and tool not in results:
                results[tool] = _result(r, truth)
        found[name] = title, "run", {tool: results[tool] for tool in TOOLS if tool in results}
    return found
