#!/usr/bin/python3
"""Sums llvm-cov's export by layer, lists what was not reached, and compares with the gates and the reasons.

coverage.py EXPORT.json UNCOVERED.txt GATES REASONS.tsv

GATES: lines of "layer lines% branches%". REASONS.tsv: of each function that has lines which no input reaches:
path, name, how many at most, and why.
"""

import json
import pathlib
import re
import sys
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Of lib/tls what eats bytes of the network: the readers of key logs and records, and the sessions. The rest
# turns a configuration into contexts.
KEYLOG = {"keys12.c", "keys13.c", "opener.c", "prf.c", "secrets.c", "suite.c", "unprotect.c"}
SESSION = {"acceptor.c", "filter.c", "guard.c", "pathmtu.c", "reason.c", "sent.c", "session.c", "stage.c", "timer.c"}


class Function(NamedTuple):
    first: int
    last: int
    name: str


def layer_of(name):
    path = pathlib.Path(name)
    if path.parent.parent.name != "lib":
        return None
    if path.parent.name == "tls":
        return "keylog" if path.name in KEYLOG else "session" if path.name in SESSION else None
    return path.parent.name


def functions_by_file(entries):
    """Where each function lies: also in the files that it has inline code from."""
    found = {}
    for entry in entries:
        for at, file in enumerate(entry["filenames"]):
            regions = [r for r in entry["regions"] if r[5] == at]
            if regions:
                extent = Function(min(r[0] for r in regions), max(r[2] for r in regions), entry["name"].split(":")[-1])
                found.setdefault(file, set()).add(extent)
    return found


def uncovered_lines(segments, text):
    """As llvm-cov counts them: what runs at the beginning of a line, and what begins on it, has count 0."""
    found, before, at = [], None, 0
    for n, line in enumerate(text, 1):
        counts = [before[2]] if before and before[3] else []
        while at < len(segments) and segments[at][0] == n:
            before, at = segments[at], at + 1
            _, _, count, has_count, is_entry, is_gap = before[:6]
            if has_count and is_entry and not is_gap:
                counts.append(count)
        if counts and not max(counts) and re.search(r"\w", line):
            found.append(n)
    return found


def uncovered_branches(branches):
    return sorted({(b[0], "true" if not b[4] else "false") for b in branches if bool(b[4]) != bool(b[5])})


def read_reasons(path):
    rows = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {(file, function): (int(most), why) for file, function, most, why in rows}


def judge_reasons(missing, reasons):
    """What is missing without a reason, and reasons for what is not missing."""
    for key in sorted(missing.keys() | reasons.keys()):
        count, most = missing.get(key, 0), reasons.get(key, (0, ""))[0]
        if count > most:
            yield f"{key[0]}: {key[1]}(): {count} lines not reached, and a reason for {most}"
        elif not count:
            yield f"{key[0]}: {key[1]}(): there is a reason, but nothing is missing"


def judge_gates(sums, gates):
    for line in gates.splitlines():
        layer, *floors = line.split()
        got = sums.get(layer, [0, 1, 0, 1])
        percent = [100 * got[0] / max(got[1], 1), 100 * got[2] / max(got[3], 1)]
        low = percent[0] < float(floors[0]) or percent[1] < float(floors[1])
        print(f"{layer:9} lines {got[0]:5}/{got[1]:5} {percent[0]:5.1f} %   branches {got[2]:5}/{got[3]:5}"
              f" {percent[1]:5.1f} %{'   BELOW ' + ' '.join(floors) if low else ''}")
        if low:
            yield layer


def main():
    export, report, gates, reasons_path = sys.argv[1:]
    data = json.loads(pathlib.Path(export).read_text())["data"][0]
    functions, reasons = functions_by_file(data["functions"]), read_reasons(pathlib.Path(reasons_path))
    sums, missing, told = {}, {}, []
    for entry in data["files"]:
        layer = layer_of(entry["filename"])
        if not layer:
            continue
        path = pathlib.Path(entry["filename"])
        text = path.read_text().splitlines()
        total = sums.setdefault(layer, [0, 0, 0, 0])
        for at, kind in ((0, "lines"), (2, "branches")):
            total[at] += entry["summary"][kind]["covered"]
            total[at + 1] += entry["summary"][kind]["count"]
        name = str(path.relative_to(ROOT))
        for n in uncovered_lines(entry["segments"], text):
            function = next((f.name for f in functions[str(path)] if f.first <= n <= f.last), "")
            missing[name, function] = missing.get((name, function), 0) + 1
            why = reasons.get((name, function), (0, "no reason"))[1]
            told.append(f"{name}:{n}: {text[n - 1].strip()}    [{why}]")
        told += [f"{name}:{n}: never {way}: {text[n - 1].strip()}" for n, way in uncovered_branches(entry["branches"])]
    pathlib.Path(report).write_text("\n".join(told) + "\n")
    sums["all"] = [sum(each) for each in zip(*sums.values())]
    low, unexplained = list(judge_gates(sums, gates)), list(judge_reasons(missing, reasons))
    print("\n".join([*unexplained, f"what is missing: {report}"]))
    return 1 if low or unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
