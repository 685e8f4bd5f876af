# SPDX-License-Identifier: MIT
"""Schedules of the fuzzer that show known bugs of OpenSSL: where dtls_regress finds the bug by its own
experiment the schedule shows it, and elsewhere it does not."""

import json
import subprocess
from pathlib import Path

import pytest

from conftest import BIN, environment

REGRESS = Path(__file__).parents[2] / "fuzz/regress"
TABLE = [line.split("\t") for line in (REGRESS / "netsim.tsv").read_text().splitlines() if not line.startswith("#")]


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=120, check=False).stdout


def test_the_table_names_schedules_that_exist():
    assert TABLE and all((REGRESS / "netsim" / row[0]).exists() for row in TABLE)


@pytest.mark.parametrize("name, check, bad, good", TABLE)
def test_a_schedule_shows_a_bug_where_it_is(name, check, bad, good):
    results = json.loads(output(BIN / "dtls_regress", "--json", "--only", check))["checks"]
    words = output(BIN / "replay_netsim", "--verdict", REGRESS / "netsim" / name).strip().split(" ", 1)[1]
    if results[0]["result"] == "vulnerable":
        assert words == bad
    else:
        assert results[0]["result"] == "fixed" and words in good.split(), words
