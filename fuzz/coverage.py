#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Sums llvm-cov's export by layer, lists what was not reached, and compares the sums with the gates.

coverage.py EXPORT.json UNCOVERED.txt GATES

GATES: lines of "layer lines% branches%". A layer is a folder below lib/. A file whose layer has no gate is not
counted.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Certificates are taken apart by OpenSSL, which the targets of captures replace.
NOT_COUNTED = {"lib/unseal/x509read.c", "lib/unseal/x509fields.c"}


def layer_of(name):
    """lib/flow/rules/cert.c: "flow/rules"."""
    folder, _, _ = name.rpartition("/")
    return folder.removeprefix("lib/") if folder.startswith("lib/") and name not in NOT_COUNTED else None


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


def read_gates(text):
    return {layer: (float(lines), float(branches)) for layer, lines, branches in map(str.split, text.splitlines())}


def percent(covered, count):
    return 100 * covered / max(count, 1)


def judge(sums, gates):
    """Prints the table; true: every layer reaches its gate."""
    good = True
    for layer, (lines, branches) in gates.items():
        got = sums.get(layer, [0, 1, 0, 1])
        low = percent(*got[:2]) < lines or percent(*got[2:]) < branches
        print(f"{layer:10} lines {got[0]:5}/{got[1]:5} {percent(*got[:2]):5.1f} %   branches {got[2]:5}/{got[3]:5}"
              f" {percent(*got[2:]):5.1f} %{f'   below the gate of {lines:g} and {branches:g}' if low else ''}")
        good = good and not low
    return good


def missing_in(name, entry):
    text = (ROOT / name).read_text().splitlines()
    for n in uncovered_lines(entry["segments"], text):
        yield f"{name}:{n}: {text[n - 1].strip()}"
    for n, way in uncovered_branches(entry["branches"]):
        yield f"{name}:{n}: never {way}: {text[n - 1].strip()}"


def main():
    export, report, gates = sys.argv[1:]
    gates = read_gates(gates)
    sums, missing = {"all": [0, 0, 0, 0]}, []
    for entry in json.loads(pathlib.Path(export).read_text())["data"][0]["files"]:
        path = pathlib.Path(entry["filename"]).resolve()
        name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else ""
        layer = layer_of(name)
        if layer not in gates:
            continue
        summary = entry["summary"]
        counts = [summary[kind][what] for kind in ("lines", "branches") for what in ("covered", "count")]
        for key in (layer, "all"):
            sums[key] = [a + b for a, b in zip(sums.get(key, [0] * 4), counts)]
        missing += missing_in(name, entry)
    pathlib.Path(report).write_text("\n".join(missing) + "\n")
    good = judge(sums, gates)
    print(f"The lines and branches that no input reaches: {report}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
