"""dtls_regress: results are values, the same each time; whatever is wrong is noticed."""

import json
import re
import subprocess

import pytest

from conftest import BIN, environment

REGRESS = BIN / "dtls_regress"


def regress(*args, **kwargs):
    return subprocess.run([REGRESS, *args], capture_output=True, text=True, env=environment(), timeout=120, **kwargs)


def results(*args):
    done = regress("--json", *args)
    assert done.returncode in (0, 1, 2), done.stderr
    return {c["check"]: c for c in json.loads(done.stdout)["checks"]}


# Under a sanitizer malloc is another one, and cannot be asked.
HEAP = {"forgery-memory", "forgery-early-records"}


@pytest.fixture(scope="module")
def names():
    return [line.split()[0] for line in regress("--list").stdout.splitlines()]


def test_every_check_gives_a_value(names):
    found = results()
    assert list(found) == names and len(names) >= 39
    for name, check in found.items():
        if name in HEAP and check["verdict"] == "n/a":
            continue
        assert check["verdict"] in ("good", "bad", "info"), check
        assert re.fullmatch(r"fixed|vulnerable|\d+ \S.*", check["result"]), check


def test_ten_runs_give_the_same():
    first = results()
    for _ in range(9):
        assert results() == first


def test_every_check_can_be_explained(names):
    for name in names:
        done = regress("--explain", name)
        assert done.returncode == 0 and all(
            words in done.stdout for words in ("What is done", "What it means", "What sukat_dtls does about it"))


@pytest.mark.parametrize("fault, text", [("crash", "crashes (signal 6)"), ("broken", "did not work")])
def test_a_fault_in_any_check_is_noticed(names, fault, text):
    done = regress("--json", "--inject", fault)
    assert done.returncode == (2 if fault == "broken" else 1)
    assert {c["result"] for c in json.loads(done.stdout)["checks"]} == {text}


def test_a_check_that_hangs_is_ended():
    found = results("--inject", "hang", "--timeout", "1", "--only", "forgery-etm")
    assert found["forgery-etm"]["result"] == "hangs" and found["forgery-etm"]["verdict"] == "bad"


def test_expectations_notice_every_other_answer(names):
    known = {n for n, c in results().items() if c["verdict"] != "n/a"}
    told = regress("--expect", "--inject", "flip")
    assert told.returncode == 1
    assert known <= {line.split(": ")[1] for line in told.stderr.splitlines()}


def test_what_is_known_of_this_version_holds():
    wanted = [arg for n, c in results().items() if c["verdict"] != "n/a" for arg in ("--only", n)]
    for at in range(0, len(wanted), 64):
        done = regress("--expect", *wanted[at : at + 64])
        assert done.returncode == 0, done.stderr


def test_the_exit_status_tells_of_known_bugs():
    assert regress("--only", "forgery-etm").returncode == 1
    assert regress("--only", "timer-after-handshake").returncode == 0


@pytest.fixture
def two(tmp_path):
    def write(old, new):
        paths = []
        for name, checks in (("old", old), ("new", new)):
            path = tmp_path / f"{name}.json"
            path.write_text(json.dumps({"openssl": f"OpenSSL {name}", "checks": [
                {"check": c, "result": r, "verdict": v} for c, r, v in checks]}))
            paths.append(path)
        return paths

    return write


def test_diff_tells_in_words_what_changed(two):
    old = [("a", "vulnerable", "bad"), ("b", "fixed", "good"), ("c", "5 s", "info"), ("d", "fixed", "good")]
    new = [("a", "fixed", "good"), ("b", "vulnerable", "bad"), ("c", "6 s", "info"), ("e", "fixed", "good")]
    done = regress("--diff", *two(old, new))
    assert done.returncode == 1 and done.stdout.splitlines() == [
        "a was fixed: fixed, was vulnerable", "b got worse: vulnerable, was fixed", "c changed: 6 s, was 5 s",
        "e is new: fixed", "d is gone: was fixed"]


def test_diff_of_the_same_is_nothing(two):
    checks = [("a", "fixed", "good")]
    done = regress("--diff", *two(checks, checks))
    assert done.returncode == 0 and "the same in every check" in done.stdout


@pytest.mark.parametrize("args, words", [
    (["--only", "nothing"], "--only nothing"),
    (["--explain", "nothing"], "--explain nothing"),
    (["--diff", "one.json"], "two files"),
    (["--diff", "/nonexistent", "/nonexistent"], "/nonexistent"),
    (["--inject", "luck"], "--inject luck"),
    (["--timeout", "0"], "--timeout 0"),
    (["surplus"], "surplus"),
    (["--completion", "tcsh"], "only bash"),
])
def test_wrong_usage_gets_one_clear_line(args, words):
    done = regress(*args)
    assert done.returncode == 2 and words in done.stderr.splitlines()[0] and not done.stdout


def test_diff_refuses_what_is_no_result(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"checks": 5}')
    done = regress("--diff", path, path)
    assert done.returncode == 2 and "not what dtls_regress --json writes" in done.stderr
