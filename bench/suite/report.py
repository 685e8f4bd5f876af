# SPDX-License-Identifier: MIT
"""Results as JSON, Markdown and plots."""

import json
import pathlib
import re
import shutil
import subprocess

DIGITS = 3


def number(value):
    """Three digits that count."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{DIGITS - 1 if abs(value) < 10 else 1}f}"


def _spread(s, factor=1):
    return f"{number(s['median'] * factor)} ({number(s['q1'] * factor)} to {number(s['q3'] * factor)})" if s else ""


# Heading of a column and how a row fills it; r: one server's numbers, floor: the first one's.
COLUMNS = (
    ("CPU, us", lambda r, floor: _spread(r.get("cpu_us"))),
    ("of the floor", lambda r, floor: number(r["cpu_us"]["median"] / floor["cpu_us"]["median"])
     if floor and floor["cpu_us"]["median"] else ""),
    ("instructions", lambda r, floor: number(r.get("instructions"))),
    ("system calls", lambda r, floor: number(r.get("system_calls"))),
    ("page faults", lambda r, floor: number(r["faults"]["median"])),
    ("lost", lambda r, floor: _spread(r["lost"]) + f" of {r['of']:,}" if r.get("lost", {}).get("q3") else ""),
    ("retransmissions", lambda r, floor: number(r["retransmits"]["median"]) if r.get("retransmits", {}).get("q3") else ""),
    ("a second", lambda r, floor: number(r["per_second"]["median"]) if r.get("per_second") else ""),
    ("user memory, kB", lambda r, floor: _spread(r.get("user_kb"))),
    ("kernel memory, kB", lambda r, floor: _spread(r.get("kernel_kb"))),
    ("peak memory, MB", lambda r, floor: number(r["mb"]["median"]) if r.get("mb") else ""),
    ("allocations", lambda r, floor: number(r.get("allocations"))),
    ("path MTU", lambda r, floor: r.get("mtu", "")),
    ("seconds", lambda r, floor: _spread(r.get("seconds"))),
    ("packets", lambda r, floor: number(r.get("packets"))),
)


def _measured(r):
    return "not_run" not in r and "failed" not in r


def _safe(column, r, floor):
    try:
        return column(r, floor)
    except KeyError:
        return ""


def _table(figure):
    rows = {name: r for name, r in figure["results"].items() if _measured(r)}
    floor = next(iter(rows.values()), None)
    floor = floor if floor and "cpu_us" in floor else None
    cells = {name: [_safe(column, r, floor) for _, column in COLUMNS] for name, r in rows.items()}
    used = [i for i in range(len(COLUMNS)) if any(c[i] for c in cells.values())]
    yield f"| a {figure['per']} | " + " | ".join(COLUMNS[i][0] for i in used) + " |"
    yield "|---|" + "---:|" * len(used)
    for name, c in cells.items():
        yield f"| {name} | " + " | ".join(str(c[i]) for i in used) + " |"


def _notes(figure):
    for name, r in figure["results"].items():
        for key, word in (("not_run", "not run"), ("failed", "**failed**"), ("not_counted", "instructions not counted")):
            if key in r:
                yield f"- {name}: {word}: {r[key].splitlines()[-1]}"


def _machine(m):
    yield f"- {m['processor']}, {m['processors']} processors, {m['memory_gb']} GB; {m['system']}, Linux {m['kernel']}"
    yield f"- The library and the floor use {m['libssl']}, {m['versions'].get('s_server', 'version unknown')}."
    yield from (f"- {name}: {version}" for name, version in m["versions"].items() if name != "s_server")
    yield (f"- The load before was {m['load_before']:.2f}; {m['stolen_ticks']} ticks of 10 ms went to other machines of the host."
           + ("" if m["quiet"] else " **The machine was not idle: the times are not to be quoted.**"))


def _slug(name):
    return re.sub(r"[^a-z0-9-]", "-", name.lower())


def markdown(result):
    yield "# Benchmarks"
    yield ""
    yield ("Made by `ci/bench`. Times are CPU time of the server alone: median (quartiles) of rounds in which all take turns."
           " Instructions are those in user mode (callgrind), system calls are counted by strace; both do not depend on"
           " what else the machine does. The floor is a program that makes only the unavoidable calls.")
    yield ""
    yield from _machine(result["machine"])
    for name, figure in result["figures"].items():
        yield from ("", f"## {figure['title']}", "")
        if (path := figure.get("plot")):
            yield from (f"![{figure['title']}]({path})", "")
        yield from _table(figure)
        notes = list(_notes(figure))
        yield from (("", *notes) if notes else ())


def _plot(folder, name, figure):
    """Bars of the CPU time with their quartiles. Returns the file's name, or None without gnuplot."""
    rows = [(n, r["cpu_us"]) for n, r in figure["results"].items() if _measured(r) and "cpu_us" in r]
    if not rows or not shutil.which("gnuplot"):
        return None
    data = "\n".join(f'"{n}" {s["median"]} {s["q1"]} {s["q3"]}' for n, s in rows)
    svg = f"{_slug(name)}.svg"
    script = f"""set terminal svg size 720,{70 + 24 * len(rows)} font "sans,11"
set output "{svg}"
set title "{figure['title']}: us of CPU a {figure['per']}"
$d << EOD
{data}
EOD
set style fill solid 0.5
set yrange [{len(rows) - 0.5}:-0.5]
set xrange [0:*]
set grid xtics
unset key
plot $d using ($2/2):0:($2/2):(0.35):ytic(1) with boxxyerror lc rgb "#4477aa", \\
     $d using 2:0:3:4 with xerrorbars lc rgb "#222222" pt 0
"""
    done = subprocess.run(["gnuplot"], input=script, text=True, cwd=folder, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"ci/bench: gnuplot: {done.stderr[:500]}")
    return svg


def write(result, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in result["figures"].items():
        if svg := _plot(folder, name, figure):
            figure["plot"] = svg
    (folder / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "results.md").write_text("\n".join(markdown(result)) + "\n")
    return folder / "results.md"
