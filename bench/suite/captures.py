# SPDX-License-Identifier: MIT
"""dtls_probe beside a bare libpcap loop, tcpdump and tshark, over the same captures."""

import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile

from builds import ROOT
from measure import spread
from server import Failed, instructions

TEMPLATE = ROOT / "pcap-tests/captures/ok_ecdsa.pcap"
NAMES = ("probe-handshakes", "probe-tshark", "probe-others")
TSHARK_HANDSHAKES_MAX = 10000  # its time grows with the square


def _handshakes(bin_folder, path, count):
    with open(path, "wb") as out:
        subprocess.run([bin_folder / "probe_gen", TEMPLATE, "4433", str(count), "0"], stdout=out, check=True)


def _others(_bin, path, count):
    """UDP packets that are nothing of DTLS, each of a thousand flows in turn."""
    payload = b"\x80\x60" + bytes(200)
    block = b""
    for n in range(1000):
        udp = struct.pack("!HHHH", 20000 + n, 5004, 8 + len(payload), 0) + payload
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), n, 0, 64, 17, 0, b"\x0a\0\0\1", b"\x0a\0\0\2") + udp
        frame = b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + ip
        block += struct.pack("<IIII", 1700000000, n, len(frame), len(frame)) + frame
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for _ in range(count // 1000):
            out.write(block)


def _programs(bin_folder, path, with_tshark):
    programs = {
        "bare loop": [bin_folder / "pcap_loop", path],
        "dtls_probe --summary": [bin_folder / "dtls_probe", "--summary", path],
        "dtls_probe": [bin_folder / "dtls_probe", path],
        "dtls_probe --json": [bin_folder / "dtls_probe", "--json", path],
        "tcpdump": ["tcpdump", "-n", "-r", path],
        "tcpdump -w": ["tcpdump", "-n", "-r", path, "-w", "/dev/null"],
    }
    if with_tshark:
        programs["tshark"] = ["tshark", "-n", "-r", path, "-Y", "dtls"]
    return programs


# dtls_probe says with 1 that it found something.
def _run(bin_folder, args):
    said = subprocess.run([str(a) for a in (bin_folder / "cost", *args)], capture_output=True, text=True, check=True)
    used = json.loads(said.stdout)
    if used["status"] not in (0, 1):
        raise Failed(f"{args[0]} ended with {used['status']}")
    return {"cpu_s": used["cpu_s"], "mb": used["kb"] / 1024, "faults": used["faults"]}


def _calls_of(text, functions):
    """How often these functions were called, from a callgrind output with its compressed names."""
    ids = {m[1] for m in re.finditer(r"^c?fn=\((\d+)\) (\S+)", text, re.M) if m[2].split("'")[0] in functions}
    return sum(int(m[2]) for m in re.finditer(r"^cfn=\((\d+)\).*\ncalls=(\d+)", text, re.M) if m[1] in ids)


def _counted(args):
    with tempfile.TemporaryDirectory(prefix="sdtls-bench-") as folder:
        grind = pathlib.Path(folder, "grind")
        subprocess.run(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={grind}", *map(str, args)],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if not grind.exists():
            raise Failed(f"callgrind wrote nothing for {args[0]}")
        return instructions(grind), _calls_of(grind.read_text(), ("realloc", "malloc", "calloc"))


def _add_counts(results, bin_folder, folder, generate, few, many):
    paths = [os.path.join(folder, name) for name in ("few.pcap", "many.pcap")]
    for path, count in zip(paths, (few, many)):
        generate(bin_folder, path, count)
    for name in ("bare loop", "dtls_probe --summary", "dtls_probe"):
        runs = [_counted(_programs(bin_folder, path, False)[name]) for path in paths]
        results[name]["instructions"] = (runs[1][0] - runs[0][0]) / (many - few)
        results[name]["allocations"] = (runs[1][1] - runs[0][1]) / (many - few)


def _measure(bin_folder, count, rounds, generate, few, many, with_tshark):
    with tempfile.TemporaryDirectory(prefix="sdtls-bench-") as folder:
        path = os.path.join(folder, "x.pcap")
        generate(bin_folder, path, count)
        programs = _programs(bin_folder, path, with_tshark)
        results = {n: {"not_run": f"{a[0]} is not installed"} for n, a in programs.items() if not shutil.which(str(a[0]))}
        runs = {name: [] for name in programs if name not in results}
        for i in range(rounds):
            for name in sorted(runs, key=list(runs).index, reverse=i % 2):
                if name != "tshark" or not runs[name]:
                    runs[name].append(_run(bin_folder, programs[name]))
        for name, r in runs.items():
            results[name] = {key: spread([run[key] for run in r]) for key in r[0]}
            results[name]["cpu_us"] = spread([run["cpu_s"] / count * 1e6 for run in r])
            results[name]["faults"] = spread([run["faults"] / count for run in r])
        if few:
            _add_counts(results, bin_folder, folder, generate, few, many)
        return results


def measure(bin_folder, rounds, scale, with_counts, wanted):
    """{figure: (title, per, {program: numbers})}"""
    counted = {"few": 500, "many": 1500} if with_counts else {"few": 0, "many": 0}
    found = {}
    for name, count, generate, per in (("probe-handshakes", 50000, _handshakes, "handshake"),
                                       ("probe-tshark", TSHARK_HANDSHAKES_MAX, _handshakes, "handshake"),
                                       ("probe-others", 1000000, _others, "packet")):
        amount = max(int(count * scale) // 1000 * 1000, 1000)
        title = f"dtls_probe: {amount:,} {'handshakes' if per == 'handshake' else 'packets that are not DTLS'}"
        if wanted(name):
            few = {k: v * (10 if per == "packet" else 1) // 1000 * 1000 if per == "packet" else v for k, v in counted.items()}
            few = few if name != "probe-tshark" else {"few": 0, "many": 0}
            found[name] = title, per, _measure(bin_folder, amount, rounds, generate, with_tshark=name == "probe-tshark", **few)
    return found
