# SPDX-License-Identifier: MIT
"""dtls_probe on captures with very many handshakes: memory has a bound, and threads change nothing."""

import json
import os
import pathlib
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SDTLS_BIN", ROOT / "build/dev/bin"))
TEMPLATE = ROOT / "pcap-tests/captures/ok_ecdsa.pcap"
BOUND_KB = 100 * 1024


def generated(path, handshakes, template=TEMPLATE, port=4433):
    with open(path, "wb") as out:
        subprocess.run([BIN / "probe_gen", template, str(port), str(handshakes), "0"], stdout=out, check=True)
    return path


@pytest.fixture(scope="module", name="many")
def _many(tmp_path_factory):
    """More handshakes than are kept at a time."""
    return generated(tmp_path_factory.mktemp("many") / "many.pcap", 20000)


def summary(*args):
    """The last line of --json, and the highest memory in kB."""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen([BIN / "dtls_probe", "--json", "--fail-on", "never", *args], stdout=out)
        _, status, used = os.wait4(child.pid, 0)
        assert not status
        out.seek(-1000, os.SEEK_END)
        return json.loads(out.read().splitlines()[-1]), used.ru_maxrss


def test_memory_does_not_grow_with_the_number_of_handshakes(many, tmp_path):
    found, kb = summary("-r", many)
    assert found["handshakes"] == found["ok"] == 20000
    assert 10000 < found["early"] < 20000
    more, more_kb = summary("-r", generated(tmp_path / "more.pcap", 100000))
    assert more["handshakes"] == more["ok"] == 100000
    assert more["evicted"] == 0
    assert more_kb < BOUND_KB
    assert more_kb < kb * 1.5


def test_handshakes_that_nobody_ends_have_a_bound_too(tmp_path):
    """Of a handshake without an answer nobody knows that it is over."""
    path = generated(tmp_path / "open.pcap", 60000, ROOT / "pcap-tests/captures/mtu_blackhole_s2c.pcap", 5684)
    found, kb = summary("-r", path)
    assert found["handshakes"] == 60000
    assert found["evicted"] > 0
    assert kb < BOUND_KB


def test_a_small_capture_is_kept_whole(tmp_path):
    found, _ = summary("-r", generated(tmp_path / "few.pcap", 1000))
    assert "early" not in found


@pytest.mark.parametrize("show", [[], ["-v"], ["--json"], ["--json", "-v"], ["--summary"], ["--ladder"], ["--only-failed"]], ids=" ".join)
def test_threads_change_nothing_of_the_output(many, show):
    outputs = [subprocess.run([BIN / "dtls_probe", "-r", many, "-j", jobs, "--count", "60000", *show],
                              stdout=subprocess.PIPE, timeout=600, check=False) for jobs in ("1", "2", "4")]
    assert len(outputs[0].stdout) > 1000 or show == ["--only-failed"]
    assert outputs[0].stdout == outputs[1].stdout == outputs[2].stdout
    assert outputs[0].returncode == outputs[1].returncode == outputs[2].returncode


@pytest.mark.parametrize("option", ["-w", "--save-failed", "--svg", "--html"])
def test_threads_change_nothing_of_the_files(tmp_path, option):
    capture = generated(tmp_path / "capture.pcap", 6000)
    written = []
    for jobs in ("1", "2", "4"):
        path = tmp_path / "written"
        subprocess.run([BIN / "dtls_probe", "-r", capture, "-j", jobs, "--summary", option, path],
                       stdout=subprocess.DEVNULL, timeout=600, check=False)
        written.append(path.read_bytes())
    assert len(set(written)) == 1


@pytest.mark.parametrize("show", [[], ["--json", "-v"]], ids=" ".join)
def test_threads_change_nothing_of_any_capture(show):
    for capture in sorted((ROOT / "pcap-tests/captures").glob("*.pcap*")):
        outputs = {subprocess.run([BIN / "dtls_probe", "-r", capture, "-j", jobs, *show],
                                  stdout=subprocess.PIPE, timeout=600, check=False).stdout for jobs in ("1", "2")}
        assert len(outputs) == 1, capture
