# SPDX-License-Identifier: MIT
"""Every line that the table knows is right, for every server, twice in a row, with and without loss.

SDTLS_SCAN_ROWS=all: the whole table, else the fast rows. SDTLS_SCAN_LOSS: percent of the datagrams that are lost each
way, 0 unless given; what is then not known is no fault, what is wrong is one."""

import json
import os
import subprocess

import pytest

import identities
from conftest import BIN
from servers import Missing, running
from table import ROWS, Contains, Each, Level

LOSS = int(os.environ.get("SDTLS_SCAN_LOSS", "0"))
WHOLE = os.environ.get("SDTLS_SCAN_ROWS") == "all"
ROUNDS = 2 if WHOLE else 1
SHARD, SHARDS = map(int, os.environ.get("SDTLS_SCAN_SHARD", "0/1").split("/"))
CHOSEN = [r for i, r in enumerate(ROWS) if (WHOLE or r.fast) and i % SHARDS == SHARD]
MEASURED = ("cookie-lifetime", "retransmission")  # times: their level is the same twice, their value is not
OPEN = ("not-known", "not-run")
TIMEOUT_S = 240


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    return identities.make(tmp_path_factory.mktemp("keys"))


def scan(port, args):
    done = subprocess.run([BIN / "dtls_scan", "--json", "--timeout", "200", "--max-datagrams", "2000", *map(str, args),
                           "127.0.0.1", str(port)], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert "Sanitizer" not in done.stderr, done.stderr
    assert done.stdout, f"status {done.returncode}: {done.stderr}"
    report = json.loads(done.stdout)
    report["status"] = done.returncode
    return report


def matches(expected, result, server):
    if isinstance(expected, Level):
        return result["level"] == expected.level
    value = result["value"]
    if isinstance(expected, Contains):
        return expected.holds(value, server)
    if isinstance(expected, Each):
        return expected.holds(value)
    if isinstance(expected, (set, frozenset)):
        return isinstance(value, list) and set(value) == expected and len(value) == len(expected)
    return value == expected


def may_be_open(expected, result):
    """With loss: it is not known, or known in part and nothing of that is wrong."""
    if result["level"] in OPEN:
        return not isinstance(expected, (set, frozenset)) or set(result["value"] or ()) <= expected
    if isinstance(expected, dict) and isinstance(result["value"], dict):
        return all(result["value"].get(k) in (None, v) for k, v in expected.items())
    return False


def difference(expected, result):
    value = result["value"]
    if isinstance(expected, (set, frozenset)) and isinstance(value, list):
        return f"missing {sorted(expected - set(value))}, too many {sorted(set(value) - expected)}"
    return f"is {vars(expected) if isinstance(expected, (Contains, Each, Level)) else expected}, reported {value}"


def faults(row, server, report):
    results = {r["id"]: r for r in report["results"]}
    for check, expected in row.facts.items():
        expected = expected(server) if callable(expected) else expected
        result = results.get(check)
        if result is None:
            yield f"{check}: there is no such line"
        elif not matches(expected, result, server) and not (LOSS and may_be_open(expected, result)):
            yield f"{check}: {difference(expected, result)} [{result['level']}: {result['text']}]"


@pytest.mark.parametrize("row", CHOSEN, ids=lambda r: r.name)
def test_the_report_is_true(row, keys, relay):
    args = [keys / a[1:] if isinstance(a, str) and a.startswith("@") else a for a in row.args]
    try:
        server = running(row.server, BIN, keys)
        with server as started:
            port = relay(started.port, "--loss", LOSS).port if LOSS else started.port
            reports = [scan(port, args) for _ in range(ROUNDS)]
            wrong = [f for report in reports for f in faults(row, started, report)]
            assert started.alive(), f"the scan ended the server: {started.said()}"
    except Missing as missing:
        (pytest.fail if os.environ.get("SDTLS_REQUIRE_PEERS") == "1" else pytest.skip)(str(missing))
    assert not wrong, "\n".join(wrong)
    if ROUNDS == 2 and not LOSS:
        first, second = ({r["id"]: (r["level"], r["value"] if r["id"] not in MEASURED else None) for r in report["results"]}
                         for report in reports)
        assert {k: v for k, v in first.items() if v != second[k]} == {}
