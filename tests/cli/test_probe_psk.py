# SPDX-License-Identifier: MIT
"""dtls_probe --psk: what it decrypts, and which side it says has another key."""

import json
import subprocess
import time

import pytest

from conftest import DEADLINE, PROBE, ROOT

CAPTURES = ROOT / "pcap-tests/captures"
KEY, OTHER = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"  # as the recipes have them


def probe(*args):
    return subprocess.run([PROBE, *map(str, args)], capture_output=True, text=True, timeout=DEADLINE, check=False)


def lines_of(*args):
    return [json.loads(line) for line in probe("--json", *args).stdout.splitlines()]


def handshakes(*args):
    return [line for line in lines_of(*args) if line["type"] == "handshake"]


def wrong_psks(*args):
    """The finding of each handshake, or None."""
    return [next((f for f in h["findings"] if f["id"] == "wrong-psk"), None) for h in handshakes(*args)]


def test_the_key_decrypts_the_session():
    sealed = [r for p in lines_of("--psk", KEY, CAPTURES / "ok_psk.pcap") if p["type"] == "packet"
              for r in p["records"] if r["epoch"]]
    assert len(sealed) == 10 and all(r.get("decrypted") for r in sealed)
    assert {r["message"] for r in sealed} == {"Finished", "Application Data", "Alert (Warning: Close Notify)"}
    assert not any(h["decrypted"] for h in handshakes(CAPTURES / "ok_psk.pcap"))
    assert not any(h["decrypted"] for h in handshakes("--psk", OTHER, CAPTURES / "ok_psk.pcap"))


def test_a_file_holds_the_key_and_several_are_tried(tmp_path):
    (tmp_path / "key").write_text(KEY + "\n")
    several = [a for n in range(14) for a in ("--psk", f"{n:02x}")]
    assert all(h["decrypted"] for h in
               handshakes(*several, "--psk", OTHER, "--psk", f"@{tmp_path}/key", CAPTURES / "ok_psk.pcap"))


@pytest.mark.parametrize("name,sure", [("wrong_psk", "high"), ("wrong_psk_gnutls", "low")])
def test_which_side_has_another_key_is_told(name, sure):
    """The server has KEY, the client OTHER. GnuTLS says nothing more: that KEY is the server's is then only given."""
    path = CAPTURES / f"{name}.pcap"
    for f in wrong_psks("--psk", KEY, path):
        assert f["confidence"] == sure
        assert f["detail"].startswith("The client made its Finished with another key than the one given")
    for f in wrong_psks("--psk", OTHER, path):
        assert f["detail"].startswith("The client made its Finished with the given key, but the server ")
        assert "The server has another key" in f["detail"]


def test_silence_alone_does_not_convict_the_server():
    """With the client's key, a server that says nothing more may also be unheard."""
    found = wrong_psks("--psk", OTHER, CAPTURES / "wrong_psk_gnutls.pcap")
    assert [f["confidence"] for f in found] == ["low", "low"]
    assert all("unless the answer is lost" in f["detail"] for f in found)


def test_a_server_with_the_key_is_not_suspected():
    """Its Finished is in the capture of the server's side, and opens."""
    path = CAPTURES / "final_flight_lost_psk.pcap"
    (with_key,) = [h for h in handshakes("--psk", KEY, path) if h["server"].endswith(":4433")]
    assert with_key["decrypted"] and "wrong-psk" not in {f["id"] for f in with_key["findings"]}


def test_a_server_that_accepts_another_key_is_not_suspected_either():
    assert not wrong_psks("--psk", OTHER, CAPTURES / "final_flight_lost_psk.pcap")[1]


def test_a_healthy_session_with_another_key_gets_no_finding():
    assert wrong_psks("--psk", OTHER, CAPTURES / "ok_psk.pcap") == [None, None]


def test_what_a_key_cannot_decrypt_is_said():
    done = probe("--psk", KEY, CAPTURES / "wrong_psk_alert.pcap")
    assert "--psk: 1 handshake combined the pre-shared key with a key exchange" in done.stderr
    assert "--keylog" in done.stderr
    assert not probe("--psk", KEY, CAPTURES / "ok_psk.pcap").stderr


@pytest.mark.parametrize("args, words", [
    (["--psk", "xyz"], "--psk: write the key as pairs of hex digits, 512 bytes at most"),
    (["--psk", "abc"], "pairs of hex digits"),
    (["--psk", ""], "pairs of hex digits"),
    (["--psk", "00" * 513], "512 bytes at most"),
    (["--psk", "@/nonexistent"], "--psk: cannot read /nonexistent: No such file"),
    (["--psk", "00"] * 17, "16 times at most"),
], ids=lambda a: str(a)[:30])
def test_mistakes_are_refused(args, words):
    done = probe(*args, CAPTURES / "ok_psk.pcap")
    assert done.returncode == 2 and not done.stdout and words in done.stderr


def test_the_key_is_hidden_from_other_users():
    with subprocess.Popen([PROBE, "--psk", KEY, "--psk=" + OTHER, "-"], stdin=subprocess.PIPE) as p:
        end, seen = time.monotonic() + DEADLINE, b""
        while b"*" * 32 not in seen and time.monotonic() < end:
            with open(f"/proc/{p.pid}/cmdline", "rb") as f:
                seen = f.read()
            time.sleep(0.01)
        p.stdin.close()
        p.wait(DEADLINE)
    assert b"--psk\0" + b"*" * 32 in seen and b"--psk=" + b"*" * 32 in seen
    assert KEY.encode() not in seen and OTHER.encode() not in seen
