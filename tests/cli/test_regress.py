# SPDX-License-Identifier: MIT
"""dtls_regress: results are values, the same each time; whatever is broken is noticed."""

import json
import os
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import BIN, DEADLINE, ROOT, environment

REGRESS = BIN / "dtls_regress"
HERE = Path(__file__).parent


def regress(*args, **kwargs):
    return subprocess.run([REGRESS, *args], capture_output=True, text=True, env=environment(), timeout=120, **kwargs)


def results(*args):
    done = regress("--json", *args)
    assert done.returncode in (0, 1, 2), done.stderr
    return {c["check"]: c for c in json.loads(done.stdout)["checks"]}


@pytest.fixture(scope="module")
def names():
    return [line.split()[0] for line in regress("--list").stdout.splitlines()]


def test_every_check_gives_a_value(names):
    found = results()
    assert list(found) == names and len(names) >= 60
    for check in found.values():
        assert check["verdict"] in ("good", "bad", "info", "n/a"), check
        assert check["result"] and ("reason" in check) == (check["verdict"] == "n/a")
        wanted = {"good": ["fixed"], "n/a": ["not applicable"]}.get(check["verdict"], [check["result"]])
        assert check["result"] in wanted


def test_every_check_can_be_explained(names):
    for name in names:
        done = regress("--explain", name)
        assert done.returncode == 0 and all(
            words in done.stdout for words in ("What is done", "What it means", "What sukat_dtls does about it", "inconclusive:"))


@pytest.mark.parametrize("fault, text, reason", [
    ("crash", "crashes (signal 6)", None),
    ("broken", "did not work", "--inject broken"),
    ("deaf", "did not work", "a handshake in the lab does not survive a lost datagram"),
    ("frozen", "did not work", "a handshake in the lab does not survive a lost datagram"),
])
def test_a_fault_in_any_check_is_noticed(fault, text, reason):
    done = regress("--json", "--inject", fault)
    assert done.returncode == (1 if fault == "crash" else 2)
    assert {(c["result"], c.get("reason")) for c in json.loads(done.stdout)["checks"]} == {(text, reason)}


def test_a_check_that_did_not_work_is_an_error_also_where_something_is_expected():
    assert regress("--expect", "--inject", "broken").returncode == 2


def test_any_check_that_waits_is_ended(names):
    def end(check):
        return results("--inject", "hang", "--timeout", "1", "--only", check)[check]

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(end, names))
    assert {(c["result"], c["verdict"]) for c in found} == {("hangs", "bad")}


def test_a_check_that_computes_for_ever_is_ended():
    deadline = time.monotonic() + DEADLINE
    found = {"verdict": "inconclusive"}  # as it may be on a busy machine
    while found["verdict"] == "inconclusive" and time.monotonic() < deadline:
        found = results("--inject", "spin", "--timeout", "1", "--only", "forgery-etm")["forgery-etm"]
    assert found["result"] == "hangs" and found["verdict"] == "bad"


def test_a_check_without_cpu_time_is_inconclusive():
    done = regress("--json", "--inject", "starve", "--timeout", "1", "--only", "session-dtls-1.0")
    (check,) = json.loads(done.stdout)["checks"]
    assert done.returncode == 2 and (check["result"], check["verdict"]) == ("inconclusive", "inconclusive")
    assert re.fullmatch(r"the check got 0\.\d\d s of CPU time in ([5-9]|\d\d+) s; run it again with less load", check["reason"])


def stopped_child(parent):
    """The child of a process, once it is stopped."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if children and Path(f"/proc/{children[0]}/stat").read_text().rpartition(")")[2].split()[0] == "T":
            return int(children[0])
        time.sleep(0.05)
    raise AssertionError("no child is stopped")


def test_a_check_that_gets_cpu_time_late_gives_its_result():
    args = [REGRESS, "--json", "--inject", "starve", "--timeout", "1", "--only", "session-early-data"]
    with subprocess.Popen(args, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        child = stopped_child(process.pid)
        time.sleep(2)  # past the timeout
        os.kill(child, signal.SIGCONT)
        found = json.loads(process.communicate(timeout=DEADLINE)[0])["checks"][0]
    assert found == results("--only", "session-early-data")["session-early-data"]


def test_a_check_that_somebody_kills_is_not_a_crash():
    args = [REGRESS, "--json", "--inject", "starve", "--only", "forgery-etm"]
    with subprocess.Popen(args, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        os.kill(stopped_child(process.pid), signal.SIGKILL)
        found = json.loads(process.communicate(timeout=DEADLINE)[0])["checks"][0]
    assert process.returncode == 2 and found["verdict"] == "broken" and "SIGKILL" in found["reason"]


def test_expectations_notice_every_other_answer(names):
    done = regress("--expect", "--inject", "flip")
    assert done.returncode == 1
    assert {line.split(": ")[1] for line in done.stderr.splitlines()} == set(names)


def test_the_value_comes_first(names):
    done = regress("--expect", "--inject", "flip", "--only", "session-last-flight", "--only", "session-doubled-flight")
    value, word = done.stderr.splitlines()
    assert value.startswith(
        "dtls_regress: session-last-flight: encrypted records in the last flight = not 1 (expected 1, as on ")
    assert word.startswith("dtls_regress: session-doubled-flight: vulnerable (expected fixed, as on ")
    assert re.search(r"^session-last-flight +encrypted records in the last flight = not 1 ", done.stdout, re.M)


def test_references_are_public_ones():
    one = r"(CVE-\d{4}-\d+|OpenSSL #\d+(, #\d+)*|RFC \d+ section [\d.]+)"
    for check in results().values():
        assert re.fullmatch(rf"({one}(, {one})*)?", check["refs"]), check


def test_what_is_known_of_this_version_holds():
    done = regress("--expect")
    assert done.returncode == 0, done.stderr


def known(build):
    done = regress("--known", build, "--json")
    assert done.returncode in (0, 1), done.stderr
    return {c["check"]: c["result"] for c in json.loads(done.stdout)["checks"]}


def agrees(wanted, got):
    if not wanted.startswith("~"):
        return wanted == got
    (number, unit), (other, same) = (t.split(" ", 1) for t in (wanted[1:], got))
    return unit == same and abs(int(number) - int(other)) <= 1


def test_what_is_known_agrees_with_what_others_measured():
    lines = (HERE / "openssl_table.tsv").read_text().splitlines()
    (_, *builds), *rows = [line.split("\t") for line in lines if not line.startswith("#")]
    results_of = [known(b) for b in builds]
    wrong = []
    for check, *values in rows:
        assert len(values) == len(builds), check
        wanted = None
        for build, value, result in zip(builds, values, results_of):
            wanted = wanted if value == "=" else value
            if not agrees(wanted, result[check]):
                wrong.append(f"{check} on {build}: {result[check]}, not {wanted}")
    assert not wrong, "\n".join(wrong)


def test_the_page_about_openssl_matches_its_data_and_what_is_known():
    page = subprocess.run([ROOT / "ci/matrix-report", "--check"], capture_output=True, text=True, check=False)
    assert page.returncode == 0, page.stderr
    for build in json.loads((ROOT / "docs/openssl.json").read_text())["builds"]:
        for check in json.loads(regress("--known", build["version"], "--json").stdout)["checks"]:
            stored = build["checks"][check["check"]]
            assert {**stored, "reason": None} == {**check, "reason": None}


def test_an_unknown_build_is_refused_with_a_list():
    done = regress("--known", "9.9.9-1")
    assert done.returncode == 2 and "4.0.3-1" in done.stderr and not done.stdout


def test_a_result_that_cannot_be_written_is_an_error():
    for args in (["--list"], ["--json"], [], ["--known", "4.0.3-1"]):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([REGRESS, *args], stdout=full, stderr=subprocess.PIPE, text=True,
                                  env=environment(), timeout=120, check=False)
        assert done.returncode == 2 and "cannot write the result" in done.stderr


def test_the_exit_status_says_whether_there_are_known_bugs():
    assert regress("--only", "forgery-etm").returncode == 1
    assert regress("--only", "timer-after-handshake").returncode == 0


@pytest.fixture
def two(tmp_path):
    def write(old, new):
        paths = []
        for name, checks in (("old", old), ("new", new)):
            path = tmp_path / f"{name}.json"
            keys = ("check", "result", "verdict", "measures")
            path.write_text(json.dumps({"openssl": f"OpenSSL {name}", "checks": [dict(zip(keys, c)) for c in checks]}))
            paths.append(path)
        return paths

    return write


def test_diff_says_in_words_what_changed(two):
    old = [("a", "vulnerable", "bad"), ("b", "fixed", "good"), ("c", "5 s", "info"), ("d", "fixed", "good")]
    new = [("a", "fixed", "good"), ("b", "vulnerable", "bad"), ("c", "6 s", "info"), ("e", "fixed", "good")]
    done = regress("--diff", *two(old, new))
    assert done.returncode == 1 and done.stdout.splitlines() == [
        "a got better: fixed (was vulnerable)", "b got worse: vulnerable (was fixed)", "c changed: 6 s (was 5 s)",
        "e is new: fixed", "d is missing (was fixed)"]


def test_diff_puts_the_value_first(two):
    old = [("a", "1", "info"), ("b", "1", "info"), ("c", "not applicable", "n/a")]
    new = [("a", "5", "info", "the number"), ("b", "hangs", "bad", "the number"), ("c", "2", "info", "the number")]
    done = regress("--diff", *two(old, new))
    assert done.stdout.splitlines() == ["a changed: the number = 5 (was 1)", "b got worse: hangs (was 1)",
                                        "c changed: the number = 2 (was not applicable)"]


def test_diff_of_the_same_is_no_change(two):
    checks = [("a", "fixed", "good")]
    done = regress("--diff", *two(checks, checks))
    assert done.returncode == 0
    assert done.stdout == "no change: every check gives the same result on OpenSSL old and OpenSSL new\n"


def test_diff_does_not_compare_checks_without_a_result(two):
    old = [("a", "vulnerable", "bad"), ("b", "did not work", "broken"), ("c", "inconclusive", "inconclusive"),
           ("d", "vulnerable", "bad")]
    new = [("a", "inconclusive", "inconclusive"), ("b", "fixed", "good"), ("c", "inconclusive", "inconclusive"),
           ("d", "fixed", "good"), ("e", "did not work", "broken")]
    done = regress("--diff", *two(old, new))
    assert done.returncode == 2 and done.stdout.splitlines() == [
        "a cannot be compared: inconclusive (was vulnerable)", "b cannot be compared: fixed (was did not work)",
        "c cannot be compared: inconclusive (was inconclusive)", "d got better: fixed (was vulnerable)",
        "e cannot be compared: did not work (was missing)"]


def test_the_example_of_the_readme_prints_what_it_shows(tmp_path, names):
    section = re.search(r"^## dtls_regress\n(.*?)^## ", (ROOT / "README.md").read_text(), re.S | re.M).group(1)
    example = re.search(r"```console\n(.*?)```", section, re.S).group(1)
    commands = [line[2:] for line in example.splitlines() if line.startswith("$ ")]
    shown = "".join(line for line in example.splitlines(keepends=True) if not line.startswith("$ "))
    done = subprocess.run(["sh"], input="\n".join(commands), cwd=tmp_path, capture_output=True, text=True, check=False,
                          env=environment(PATH=f"{BIN}:{os.environ['PATH']}"))
    assert commands and shown and (done.stdout, done.stderr) == (shown, "")
    assert f" {len(names)} checks " in section


@pytest.mark.parametrize("args, words", [
    (["--only", "nothing"], "--only nothing"),
    (["--explain", "nothing"], "--explain nothing"),
    (["--diff", "one.json"], "two files"),
    (["--diff", "/nonexistent", "/nonexistent"], "/nonexistent"),
    (["--inject", "luck"], "--inject 'luck'"),
    (["--timeout", "0"], "--timeout 0"),
    (["surplus"], "surplus"),
    (["--completion", "tcsh"], "only bash"),
])
def test_wrong_usage_gets_one_clear_line(args, words):
    done = regress(*args)
    assert done.returncode == 2 and words in done.stderr.splitlines()[0] and not done.stdout


@pytest.mark.parametrize("text", [
    '{"checks": 5}', '{"checks": [5]}', '{"checks": [{"check": "a", "result": 1, "verdict": "bad"}]}',
    '{"checks": [{"check": "a", "result": "fixed"}]}', "[]", "", "{",
])
def test_diff_refuses_what_is_no_result(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    done = regress("--diff", path, path)
    assert done.returncode == 2 and str(path) in done.stderr and not done.stdout


def test_diff_takes_what_is_known_of_a_build(tmp_path):
    paths = []
    for build in ("3.5.7-1~deb13u2", "3.5.7-1~deb13u3"):
        path = tmp_path / build
        path.write_text(regress("--known", build, "--json").stdout)
        paths.append(path)
    done = regress("--diff", *paths)
    assert done.returncode == 1 and "forgery-short-record got better: fixed (was vulnerable)" in done.stdout.splitlines()
