# SPDX-License-Identifier: MIT
"""Two builds side by side, without a clock: what a spoofed hello, a datagram of a known peer and a
handshake cost in user instructions and system calls. The numbers do not depend on the neighbours."""

import json

from builds import Build
from server import Failed, drive, each, messages_received

# A message each 1/RATE s: slower than any server under valgrind or strace.
RATE = 1000
SIZE = 1200


def _received(wanted):
    def check(printed, n):
        if messages_received(printed) != n:
            raise Failed(f"{messages_received(printed)} of {n} messages arrived: {wanted}")
    return check


def _printed(printed, n):
    if len(printed) != n * SIZE:
        raise Failed(f"nc_dtls printed {len(printed)} bytes, not {n} messages of {SIZE} bytes")


def _cases(driver, build, keys):
    """name: (arguments of the server, load(server, n), few, many, check or None)"""
    plain = [build.library_server(), *keys]
    own = [*plain, "-o"]
    nc = [build.nc_dtls, "-l", "-d", "--quiet", *keys, "127.0.0.1", "{port}"]
    hello = lambda s, n: drive(driver, s, "hello", "-n", n, "-w", 32)
    burst = lambda s, n: drive(driver, s, "message", "-c", 1, "-n", n, "-w", 16, "-s", SIZE, "-r", RATE)
    alone = lambda s, n: drive(driver, s, "message", "-c", 1, "-n", n, "-w", 1, "-s", SIZE, "-r", RATE)
    full = lambda s, n: drive(driver, s, "handshake", "-n", n)
    resumed = lambda s, n: drive(driver, s, "resume", "-n", n)
    return {
        "a spoofed hello refused": (plain, hello, 320, 3520, None),
        "a datagram of a known peer, in bursts, own socket": (own, burst, 160, 960, _received("own socket")),
        "a datagram of a known peer, in bursts, shared": (plain, burst, 160, 960, _received("shared")),
        "a datagram of a known peer, alone, own socket": (own, alone, 100, 600, _received("own socket")),
        "nc_dtls prints a message, in bursts": (nc, burst, 160, 960, _printed),
        "nc_dtls: a full handshake": (nc, full, 20, 120, None),
        "a full handshake, own socket": (own, full, 20, 120, None),
        "a full handshake, shared": (plain, full, 20, 120, None),
        "a resumed handshake, own socket": (own, resumed, 20, 120, None),
    }


def _show(name, before, after):
    change = (after[0] / before[0] - 1) * 100
    print(f"{name:52} {before[0]:12,.0f} {after[0]:12,.0f} {change:+7.1f} % {before[1]:8.2f} {after[1]:8.2f}", flush=True)


def _show_calls(before, after):
    names = sorted({*before, *after}, key=lambda n: -max(before.get(n, 0), after.get(n, 0)))
    changed = [f"{n} {before.get(n, 0):g} -> {after.get(n, 0):g}" for n in names
               if abs(before.get(n, 0) - after.get(n, 0)) >= 0.05]
    if changed:
        print("    " + ", ".join(changed), flush=True)


def compare(driver, keys, names, only=None, json_path=None):
    builds = [Build(name) for name in names]
    if builds[0].type != builds[1].type:
        print(f"careful: {names[0]} is {builds[0].type}, {names[1]} is {builds[1].type}")
    cases = [_cases(driver, build, keys) for build in builds]
    print(f"A = {names[0]} ({builds[0].folder})\nB = {names[1]} ({builds[1].folder})")
    print(f"{'for each':52} {'instr. A':>12} {'instr. B':>12} {'change':>9} {'calls A':>8} {'calls B':>8}")
    result = {}
    for name in cases[0]:
        if only and only not in name:
            continue
        before, after = (each(args, load, few, many, check)
                         for args, load, few, many, check in (c[name] for c in cases))
        _show(name, before, after)
        _show_calls(before[2], after[2])
        result[name] = {side: dict(zip(("instructions", "system_calls", "calls"), values))
                        for side, values in (("a", before), ("b", after))}
    if json_path:
        with open(json_path, "w") as out:
            json.dump(result, out, indent=1)
