#!/usr/bin/python3
"""Sums llvm-cov's export by layer, lists what was not reached, and compares with the gates.

coverage.py EXPORT.json UNCOVERED.txt GATES     gates: lines of "layer lines% branches%"
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Of lib/tls what eats bytes of the network: the readers of key logs and records, and the sessions. The rest
# turns a configuration into contexts.
KEYLOG = {"keys12.c", "keys13.c", "opener.c", "prf.c", "secrets.c", "suite.c", "unprotect.c"}
SESSION = {"acceptor.c", "filter.c", "guard.c", "pathmtu.c", "reason.c", "sent.c", "session.c", "stage.c", "timer.c"}


def layer_of(name):
    path = pathlib.Path(name)
    if path.parent.parent.name != "lib":
        return None
    if path.parent.name == "tls":
        return "keylog" if path.name in KEYLOG else "session" if path.name in SESSION else None
    return path.parent.name


def uncovered_lines(segments, text):
    """Lines that begin in a region with count 0."""
    found = set()
    for this, following in zip(segments, segments[1:]):
        line, _, count, has_count, _, gap = this[:6]
        if has_count and not count and not gap:
            found.update(range(line, max(line, following[0] - 1) + 1))
    return sorted(n for n in found if re.search(r"\w", text[n - 1]))


def uncovered_branches(branches):
    return sorted({(b[0], "true" if not b[4] else "false") for b in branches if bool(b[4]) != bool(b[5])})


def main():
    export, report, gates = sys.argv[1:]
    sums, lines_out = {}, []
    for entry in json.loads(pathlib.Path(export).read_text())["data"][0]["files"]:
        layer = layer_of(entry["filename"])
        if not layer:
            continue
        path = pathlib.Path(entry["filename"])
        text = path.read_text().splitlines()
        total = sums.setdefault(layer, [0, 0, 0, 0])
        for at, kind in ((0, "lines"), (2, "branches")):
            total[at] += entry["summary"][kind]["covered"]
            total[at + 1] += entry["summary"][kind]["count"]
        name = path.relative_to(ROOT)
        lines_out += [f"{name}:{n}: {text[n - 1].strip()}" for n in uncovered_lines(entry["segments"], text)]
        lines_out += [f"{name}:{n}: never {way}: {text[n - 1].strip()}"
                      for n, way in uncovered_branches(entry["branches"])]
    pathlib.Path(report).write_text("\n".join(lines_out) + "\n")
    sums["all"] = [sum(each) for each in zip(*sums.values())]
    failed = False
    for line in gates.splitlines():
        layer, *floors = line.split()
        got = sums.get(layer, [0, 1, 0, 1])
        percent = [100 * got[0] / max(got[1], 1), 100 * got[2] / max(got[3], 1)]
        low = percent[0] < float(floors[0]) or percent[1] < float(floors[1])
        failed |= low
        print(f"{layer:9} lines {got[0]:5}/{got[1]:5} {percent[0]:5.1f} %   branches {got[2]:5}/{got[3]:5}"
              f" {percent[1]:5.1f} %{'   BELOW ' + ' '.join(floors) if low else ''}")
    print(f"what is missing: {report}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
