# SPDX-License-Identifier: MIT
"""Verbosity, JSON, key log, sessions, counters, colours."""

import json
import os
import re
import stat

import pytest

from conftest import TERM, USR1
from test_failures import PSK


def events(program):
    return [json.loads(line) for line in program.lines]


def test_v_tells_of_connections_in_the_words_of_old(server, nc_run):
    host = server("-v")
    client = nc_run("-v", "--insecure", "127.0.0.1", host.port)
    host.wait_for("err", "Removing peer")
    peer = re.search(r"Client connected from: (\S+)\n", host.err.decode()).group(1)
    assert f"Client established from: {peer} (DTLS 1.2, " in host.err.decode()
    assert f"Removing peer {peer}: the peer closed the connection (close_notify)\n" in host.err.decode()
    assert client.lines[-1] == f"Removing peer 127.0.0.1:{host.port}: this side closed the connection: stdin ended"
    assert client.lines[0] == f"Connecting to: 127.0.0.1:{host.port}"
    assert client.lines[1].startswith(f"Connected to: 127.0.0.1:{host.port} (DTLS 1.2, ")
    host.signal(TERM)
    host.wait()
    assert host.lines[-1] == "Ended by SIGTERM"


def closing(program):
    event = next(e for e in events(program) if e["event"] == "closed")
    return event["by"], event["error"], event.get("alert"), event["text"]


def test_json_says_who_closed_and_why(server, nc, nc_run):
    host = server("--json")
    client = nc_run("--json", "--insecure", "127.0.0.1", host.port)
    host.wait_for("err", '"event":"closed"')
    assert closing(client) == ("us", "OK", None, "this side closed the connection: stdin ended")
    assert closing(host) == ("peer", "OK", "close_notify", "the peer closed the connection (close_notify)")
    idle = nc("--json", "--insecure", "--idle", "300ms", "127.0.0.1", host.port)
    assert idle.wait() == 3
    assert closing(idle)[:3] == ("us", "IDLE", None)
    other = nc("--json", "--insecure", "127.0.0.1", host.port)
    other.wait_for("err", '"event":"ready"')
    host.signal(TERM)
    assert other.wait() == 0 and host.wait() == 128 + TERM
    assert closing(other)[:3] == ("peer", "OK", "close_notify")
    assert [e for e in events(host) if e["event"] == "closed"][-1]["text"].endswith("connection: SIGTERM")
    refused = nc_run("--json", "--verify", "127.0.0.1", server().port)
    assert closing(refused)[:2] == ("us", "VERIFY")


def test_without_v_all_is_silent(server, nc_run):
    host = server()
    assert nc_run("--insecure", "127.0.0.1", host.port, data=b"x").err == b""
    host.signal(TERM)
    host.wait()
    assert re.fullmatch(rb"Hosting at: 127\.0\.0\.1:\d+\n", host.err)


def test_a_given_port_is_announced_only_with_v(nc, nc_run, free_port, pki):
    own = ("-l", "127.0.0.1", free_port, "-1", "--echo", "-c", pki / "cert.pem", "-k", pki / "key.pem")
    for flags, words in (([], b""), (["-v"], b"Hosting at: 127.0.0.1:%d\n" % free_port)):
        host = nc(*own, *flags)
        while nc_run("-z", "-w", "1", "127.0.0.1", free_port).status:
            assert host.process.poll() is None
        assert nc_run("127.0.0.1", free_port).status == 0
        assert host.wait() == 0
        assert host.err.startswith(words) and (flags or not host.err)


def test_vv_shows_messages(server, nc_run):
    client = nc_run("-vv", "127.0.0.1", server().port, data=b"x")
    text = client.err.decode()
    for line in ("-> .* Client Hello", "<- .* Hello Verify Request",
                 "<- .* Server Hello, Certificate, Server Key Exchange, Server Hello Done",
                 "-> .* Client Key Exchange, Change Cipher Spec, Encrypted Handshake Message",
                 "-> .* Application Data", "-> .* Encrypted Alert"):
        assert re.search(rf"^ +\d+\.\d{{6}} {line}$", text, re.M), (line, text)
    assert "epoch" not in text


def test_vvv_shows_records_and_vvvv_bytes(server, nc_run):
    host = server()
    records = nc_run("-vvv", "127.0.0.1", host.port).err.decode()
    assert re.search(r"\| handshake: DTLS 1\.2, epoch 1, seq 0, \d+ bytes", records)
    assert "0000  16 fe" not in records
    assert "| 0000  16 fe" in nc_run("-vvvv", "127.0.0.1", host.port).err.decode()


def test_json_is_ndjson_on_both_sides(server, nc_run):
    host = server("--json", "-vvvv", "--stats")
    client = nc_run("--json", "-vvvv", "--stats", "127.0.0.1", host.port, data=b"some data\n")
    host.wait_for("err", '"event":"closed"')
    host.signal(TERM)
    host.wait()
    assert host.out == b"some data\n"
    ours, theirs = events(client), events(host)
    assert {"connecting", "ready", "data", "datagram", "warning", "closed", "counters"} <= {e["event"] for e in ours}
    assert {"listening", "accepted", "ready", "data", "datagram", "closed", "signal", "counters"} <= \
        {e["event"] for e in theirs}
    ready = next(e for e in theirs if e["event"] == "ready")
    assert ready["version"] == "DTLS 1.2" and ready["cipher"] and ready["resumed"] is False
    assert all(isinstance(e["time"], float) for e in ours + theirs)
    closed = next(e for e in theirs if e["event"] == "closed")
    assert closed["error"] == "OK" and closed["established"] is True and closed["status"] == 0


def test_json_tells_of_failures(nc_run, pki):
    failed = events(nc_run("--json", "-l", "-c", pki / "key.pem", "-k", pki / "key.pem"))
    assert failed[-1]["event"] == "error" and failed[-1]["error"] == "CRED" and "key.pem" in failed[-1]["text"]


@pytest.mark.parametrize("how", ["option", "environment"])
def test_the_key_log_has_the_format_of_nss(server, nc_run, tmp_path, how):
    path = tmp_path / "keys"
    host = server()
    args = ["--keylog", path] if how == "option" else []
    env = {"SSLKEYLOGFILE": str(path)} if how == "environment" else {}
    for _ in range(2):
        assert nc_run(*args, "127.0.0.1", host.port, env=env).status == 0
    lines = path.read_text().splitlines()
    assert len(lines) == 2
    assert all(re.fullmatch(r"CLIENT_RANDOM [0-9a-fA-F]{64} [0-9a-fA-F]{96}", line) for line in lines)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_both_ends_log_the_same_keys(server, nc_run, tmp_path):
    host = server("--keylog", tmp_path / "server")
    nc_run("--keylog", tmp_path / "client", "127.0.0.1", host.port)
    host.signal(TERM)
    host.wait()
    assert (tmp_path / "server").read_text().lower() == (tmp_path / "client").read_text().lower()


def test_a_session_is_resumed(server, nc_run, tmp_path):
    host = server()
    args = ("--json", "--session", tmp_path / "session", "127.0.0.1", host.port)
    resumed = [next(e for e in events(nc_run(*args)) if e["event"] == "ready")["resumed"] for _ in range(2)]
    assert resumed == [False, True]


def test_both_ends_export_the_same_keys(server, nc_run):
    host = server("--export", "EXPORTER-test:20")
    client = nc_run("--export", "EXPORTER-test:20", "127.0.0.1", host.port)
    exported = r"Exported EXPORTER-test: ([0-9a-f]{40})\n"
    assert host.wait_for("err", exported).group(1) == re.search(exported.encode(), client.err).group(1)


def test_alpn_sni_srtp_and_psk_are_told(server, nc_run):
    host = server("--alpn", "coap,h3", "--srtp", "SRTP_AES128_CM_SHA1_80")
    args = ("--json", "--alpn", "coap", "--sni", "example.org", "--srtp", "SRTP_AES128_CM_SHA1_80")
    ready = next(e for e in events(nc_run(*args, "127.0.0.1", host.port)) if e["event"] == "ready")
    assert (ready["alpn"], ready["srtp"]) == ("coap", "SRTP_AES128_CM_SHA1_80")
    host = server("--json", "--psk", PSK, cert=False)
    client = nc_run("--psk", PSK, "--psk-identity", "me", "127.0.0.1", host.port)
    assert (client.status, client.err) == (0, b"")
    host.wait_for("err", '"event":"closed"')
    assert next(e for e in events(host) if e["event"] == "ready")["psk_identity"] == "me"


def test_a_throw_away_certificate_has_the_fingerprint_that_was_printed(server, nc_run):
    host = server(cert=False)
    printed = host.wait_for("err", r"Throw-away certificate, SHA-256: (\S+)\n").group(1).decode()
    ready = next(e for e in events(nc_run("--json", "127.0.0.1", host.port)) if e["event"] == "ready")
    assert ready["fingerprint"] == printed


def test_usr1_prints_counters(server, nc_run):
    host = server()
    nc_run("127.0.0.1", host.port)
    host.signal(USR1)
    host.wait_for("err", r"conn\.established +1\n")


def test_every_counter_is_documented(nc_run):
    from conftest import ROOT
    program = nc_run("--json", "--stats", "-w", "0.1", "127.0.0.1", "9")
    names = set(next(e for e in events(program) if e["event"] == "counters")) - {"event", "time"}
    documented = set(re.findall(r"^\| `([a-z.-]+)`", (ROOT / "docs/counters.md").read_text(), re.M))
    assert names == documented


def test_colour_goes_by_option_then_environment(nc_run):
    def coloured(*args, **env):
        return b"\033[" in nc_run(*args, "-l", "-c", "/nonexistent", env=env).err

    assert not coloured()
    assert coloured("--color", "always")
    assert coloured("--color", "always", NO_COLOR="1")
    assert coloured(CLICOLOR_FORCE="1")
    assert not coloured(CLICOLOR_FORCE="0")
    assert not coloured(CLICOLOR_FORCE="1", NO_COLOR="1")
    assert not coloured("--color", "never", CLICOLOR_FORCE="1")


def test_no_cookie_warns(server, nc_run):
    host = server("--no-cookie")
    assert b"--no-cookie" in host.err
    assert nc_run("127.0.0.1", host.port).status == 0
