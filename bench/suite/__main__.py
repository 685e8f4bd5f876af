# SPDX-License-Identifier: MIT
"""ci/bench starts this; see there."""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import captures
import machine
import measure
import mtu
import report
from compare import compare
from figures import figures
from peers import peers
from server import Failed, need_root

# Rounds, part of the full amount, and whether instructions and calls are counted.
FULL, QUICK, SMOKE = (5, 1.0, True), (3, 0.2, False), (1, 0.001, False)
# Measured with each other OpenSSL, as memory is.
PER_OPENSSL = ("receive", "handshake", "resumed", "refuse")
SKIPPED = 77  # as bench/CMakeLists.txt says
# Left out of --smoke, as it takes long and shows no other program at work.
SLOW = re.compile(r"known-\d{4,}|unknown-\d{4,}|bulk-.*-(256|1024|4096)|ping|probe-tshark|memory-idle|mtu-black-hole|mtu-loss")
# Left out of --quick, as connecting so many clients alone takes a minute.
LONG = re.compile(r"(un)?known-\d{5,}|mtu-loss")


def make_keys(folder):
    """Options of our servers: a certificate of ECDSA P-256."""
    cert, key = str(pathlib.Path(folder, "cert.pem")), str(pathlib.Path(folder, "key.pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", cert, "-subj", "/CN=bench", "-days", "30"],
                   check=True, capture_output=True)
    return ["-c", cert, "-k", key]


def options():
    p = argparse.ArgumentParser(prog="ci/bench")
    p.add_argument("--bin", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    p.add_argument("--compare", nargs=2, metavar=("A", "B"),
                   help="two build folders or git revisions, by instructions and system calls")
    p.add_argument("--quick", action="store_true", help="3 minutes: fewer rounds, fewer clients, nothing counted")
    p.add_argument("--smoke", action="store_true", help="seconds: whether everything does its work; no numbers")
    p.add_argument("--huge", action="store_true", help="also 100,000 clients: 10 minutes and 12 GB more")
    p.add_argument("--counts", action="store_true", help="with --quick: count instructions and system calls, too")
    p.add_argument("--only", metavar="NAME", help="only the figure NAME, or all that have NAME in their names")
    p.add_argument("--json", metavar="FILE", help="with --compare: write the result to FILE, too")
    p.add_argument("--also", nargs=2, action="append", default=[], metavar=("NAME", "BIN"), help=argparse.SUPPRESS)
    p.add_argument("--output", metavar="FOLDER", default="build/bench/report", help="of the report")
    p.add_argument("--list", action="store_true", help="the names")
    return p.parse_args()


def names():
    return [f.name for f in figures(True)] + list(captures.NAMES) + list(mtu.PATHS)


def _figure(title, per, results):
    return {"title": title, "per": per, "results": results}


def _say(figure, began, smoke):
    """A line as soon as something is known. What a smoke test measures is no number."""
    told = []
    for name, r in figure["results"].items():
        if "cpu_us" in r:
            told.append(name if smoke else f"{name} {report.number(r['cpu_us']['median'])}")
        elif "mtu" in r:
            told.append(f"{name} {r['mtu']}")
        else:
            told.append(f"{name} {'NOT RUN' if 'not_run' in r else 'FAILED'}")
    print(f"{time.monotonic() - began:5.0f} s  {figure['title']}: {', '.join(told)}", flush=True)


def run(o, keys):
    rounds, scale, counts = SMOKE if o.smoke else QUICK if o.quick else FULL
    counts = counts or o.counts
    skipped = SLOW if o.smoke else LONG if o.quick else None
    wanted = lambda name: name == o.only or (o.only not in names() and (not o.only or o.only in name)
                                             and not (skipped and skipped.fullmatch(name)))
    servers = peers(o.bin, keys, o.also)
    others = [name for name in servers if name.endswith(")")]
    result = {"machine": machine.describe(servers, o.bin / "library_server"), "figures": {}}
    began = time.monotonic()
    for f in figures(o.huge):
        if wanted(f.name):
            f.peers += tuple(others) if f.memory or f.name in PER_OPENSSL else ()
            found = _figure(f.title, f.per, measure.measure(o.bin / "drive", f, servers, rounds, scale, counts))
            result["figures"][f.name] = found
            _say(found, began, o.smoke)
    for part in (captures.measure(o.bin, rounds, scale, counts, wanted), mtu.measure(o.bin, keys, rounds, wanted)):
        for name, (title, per, numbers) in part.items():
            result["figures"][name] = _figure(title, per, numbers)
            _say(result["figures"][name], began, o.smoke)
    machine.finish(result["machine"])
    if not o.smoke:
        print(f"{time.monotonic() - began:5.0f} s  {report.write(result, o.output)}")
    return any("failed" in r for f in result["figures"].values() for r in f["results"].values())


def main():
    o = options()
    if o.list:
        print("\n".join(names()))
        return 0
    if o.smoke and os.geteuid():
        print("not run: the driver needs root")
        return SKIPPED
    need_root()
    with tempfile.TemporaryDirectory(prefix="sdtls-bench-") as folder:
        keys = make_keys(folder)
        if o.compare:
            return compare(o.bin / "drive", keys, o.compare, o.only, o.json)
        return run(o, keys)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as e:
        sys.exit(f"ci/bench: {e}")
