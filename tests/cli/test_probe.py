# SPDX-License-Identifier: MIT
"""dtls_probe as its user meets it: what it reads, how it answers mistakes, and with which status."""

import gzip
import json
import os
import pathlib
import re
import select
import socket
import struct
import subprocess
import threading
import time

import pytest

from conftest import DEADLINE, INT, PROBE, ROOT, environment

CAPTURES = ROOT / "pcap-tests/captures"
GOOD = CAPTURES / "ok_ecdsa.pcap"
BAD = CAPTURES / "port_closed.pcap"
WARNED = CAPTURES / "nat_rebinding.pcap"
CLEAN, FINDINGS, ERROR = 0, 1, 2


def probe(*args, env=None, **popen):
    """Runs to the end; .status, .out, .err."""
    popen.setdefault("stdout", subprocess.PIPE)
    done = subprocess.run([PROBE, *map(str, args)], stderr=subprocess.PIPE, timeout=DEADLINE, check=False,
                          env=environment(**(env or {})), **popen)
    done.status = done.returncode
    done.out, done.err = (text.decode() if text is not None else None for text in (done.stdout, done.stderr))
    assert "Sanitizer" not in done.err and done.status >= -13, done.err
    return done


def handshakes(*args):
    return [line for line in map(json.loads, probe("--json", *args).out.splitlines()) if line["type"] == "handshake"]


def complains(done, *words):
    """One line that has these words, exit 2, and nothing on stdout."""
    assert done.status == ERROR and not done.out
    first, *rest = done.err.splitlines()
    assert first.startswith("dtls_probe: ") and all(word in first for word in words), first
    assert rest in ([], ["Try 'dtls_probe --help'."])


WRONG = [
    ([], "name a capture file, or an interface with -i"),
    (["--nonsense"], "--nonsense"),
    (["-x"], "-x"),
    (["--read"], "--read needs an argument"),
    (["-r", GOOD, "-t", "z"], "relative, delta, absolute"),
    (["--color", "red", GOOD], "auto, always, never"),
    (["--fail-on", "bad", GOOD], "info, warning, fatal, never"),
    (["--handshake", "first", GOOD], "'first': not a number"),
    (["-c", "-1", GOOD], "'-1'"),
    (["--expect", "no-such-finding", GOOD], "use ok or the ID of a finding"),
    (["--explain", "no-such-finding"], "--explain list"),
    (["--completion", "tcsh"], "only bash"),
    (["--two-sided", GOOD], "two captures: at the client, then at the server"),
    (["-i", "lo", GOOD], "-i and a capture file cannot be used together"),
    (["-a", "3", GOOD], "--duration works only with -i"),
    (["--json", "--ladder", GOOD], "--ladder and --json cannot be used together: choose one"),
    (["--report", "--summary", GOOD], "--summary and --report cannot be used together: choose one"),
    (["--two-sided", "--mermaid", GOOD, GOOD], "--two-sided and --mermaid cannot be used together"),
    ([GOOD] * 17, "at most 16 captures"),
    (["-r", GOOD] * 17, "16 times at most"),
    (["/nonexistent.pcap"], "/nonexistent.pcap: No such file"),
    (["/"], "/: ", "Is a directory"),
    (["/dev/null"], "/dev/null: the file is empty"),
    ([ROOT / "README.md"], "README.md: not a capture file (neither pcap nor pcapng)"),
    (["-f", "udp prt 1", GOOD], '"udp prt 1"', "syntax error"),
    (["--keylog", "/nonexistent", GOOD], "key log /nonexistent: No such file"),
    (["--keylog", "/", GOOD], "key log /: Is a directory"),
]


@pytest.mark.parametrize("args, words", [(args, words) for args, *words in WRONG],
                         ids=lambda v: " ".join(map(str, v))[:40] if isinstance(v, list) else "")
def test_a_mistake_gets_one_line_that_says_what_and_to_what(args, words):
    complains(probe(*args), *words)


def test_an_error_in_json_mode_leaves_no_half_line():
    done = probe("--json", ROOT / "README.md")
    assert done.status == ERROR and done.err.count("\n") == 1
    (summary,) = map(json.loads, done.out.splitlines())
    assert summary["frames"] == 0 and summary["damage"].startswith("not a capture file")


# --- what is read ---

def test_of_a_cut_file_what_comes_before_is_used_and_the_damage_named(tmp_path):
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(GOOD.read_bytes()[:-10])
    done = probe(cut)
    whole = probe(GOOD)
    assert done.status == CLEAN
    assert re.fullmatch(rf"dtls_probe: {cut}: .*ends within a packet.*byte \d+; the packets before it are used\n", done.err)
    assert done.out.splitlines()[:17] == whole.out.splitlines()[:17]
    assert "ends within a packet" in json.loads(probe("--json", cut).out.splitlines()[-1])["damage"]


def test_a_capture_is_cut_anywhere_without_a_crash(tmp_path):
    cut, data = tmp_path / "cut.pcap", BAD.read_bytes()
    for size in range(1, len(data), 7):
        cut.write_bytes(data[:size])
        assert probe("--summary", cut).status in (CLEAN, FINDINGS, ERROR)


def test_stdin_and_gzip_give_what_the_file_gives(tmp_path):
    want = probe(GOOD).out
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(GOOD.read_bytes()))
    assert "2 handshakes: 2 ok" in want
    for form in (GOOD, packed):
        assert probe(form).out == want
        for dash in (["-r", "-"], ["-"]):
            with open(form, "rb") as f:
                assert probe(*dash, stdin=f).out == want


def test_stdin_is_followed_while_it_comes(run):
    program = run(PROBE, "-")
    data = GOOD.read_bytes()
    program.send(data[:-1])
    program.send(data[-1:])
    program.end_stdin()
    assert program.wait() == CLEAN and b"2 handshakes: 2 ok" in program.out


def test_several_files_each_with_its_name_and_the_worst_status():
    done = probe("--summary", GOOD, BAD)
    assert done.status == FINDINGS
    assert re.findall(r"^(/.*):$", done.out, re.M) == [str(GOOD), str(BAD)]
    assert done.out.count("Handshake 1 ") == 2
    assert probe("--summary", "-r", GOOD, "-r", GOOD).status == CLEAN
    missing = probe("--summary", "/nonexistent", BAD)
    assert missing.status == ERROR and "icmp-port-unreachable" in missing.out


def test_a_filter_chooses_frames():
    assert [h["server"] for h in handshakes(GOOD)] == ["127.0.0.1:5684", "127.0.0.1:4433"]
    assert [h["server"] for h in handshakes("-f", "udp port 5684", GOOD)] == ["127.0.0.1:5684"]
    nothing = probe("-f", "udp port 9", GOOD)
    assert nothing.status == CLEAN and nothing.out == "" and nothing.err.startswith("No DTLS in 0 packets")


def test_a_count_ends_early():
    assert json.loads(probe("--json", "-c", 3, GOOD).out.splitlines()[-1])["frames"] == 3


def test_a_capture_without_dtls_is_said_to_be_one():
    done = probe(CAPTURES / "not_dtls_at_all.pcap")
    assert done.status == CLEAN and done.err == "No DTLS in 4 packets (4 UDP datagrams).\n"
    assert probe("--quiet", CAPTURES / "not_dtls_at_all.pcap").err == ""


# --- what is shown ---

def test_a_handshake_is_chosen_by_its_number():
    assert [h["handshake"] for h in handshakes("--handshake", 2, GOOD)] == [2]
    out = probe("--handshake", 2, GOOD).out
    assert "127.0.0.1:5684" not in out and "Handshake 2 " in out and "Handshake 1 " not in out


def test_a_number_too_high_is_said():
    done = probe("--handshake", 9, GOOD)
    assert done.status == CLEAN and done.err == "dtls_probe: --handshake 9: the capture has only 2 handshakes\n"


@pytest.fixture
def both(tmp_path):
    """A capture of good handshakes and one that failed."""
    path = tmp_path / "both.pcap"
    path.write_bytes(GOOD.read_bytes() + (CAPTURES / "hvr_unanswered.pcap").read_bytes()[24:])
    return path


def test_only_failed_handshakes_are_shown(both):
    assert sorted(h["outcome"] for h in handshakes(both))[0] == "failed" and len(handshakes(both)) > 2
    assert {h["outcome"] for h in handshakes("--only-failed", both)} == {"failed"}
    done = probe("--only-failed", both)
    assert ": ok in" not in done.out and ": failed" in done.out and "Client Hello\n" not in done.out
    assert "4 handshakes: 3 ok, 1 failed, 0 incomplete.\n" in done.out
    assert probe("--only-failed", GOOD).out == "\n2 handshakes: 2 ok, 0 failed, 0 incomplete.\n"


def test_the_summary_has_no_lines_of_datagrams():
    whole, short = probe(BAD).out, probe("--summary", BAD).out
    assert "Client Hello\n" in whole and "Client Hello\n" not in short
    assert short in whole


@pytest.mark.parametrize("form, first, second", [
    ("r", r"0\.000000", r"0\.000169"), ("relative", r"0\.000000", r"0\.000169"), ("d", r"0\.000000", r"0\.000169"),
    ("delta", r"0\.000000", r"0\.000169"), ("a", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", r"\d{4}-\S+ \S+"),
    ("absolute", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", r"\d{4}-\S+ \S+")])
def test_times_come_in_three_forms(form, first, second):
    lines = probe("-t", form, GOOD).out.splitlines()
    assert re.match(rf" +1 +{first} +127", lines[0]) and re.match(rf" +2 +{second} +127", lines[1])


def test_a_delta_is_to_the_line_before():
    column = [[float(line.split()[1]) for line in probe("-t", form, GOOD).out.splitlines() if " -> 127" in line
               and not line.startswith("H")] for form in ("relative", "delta")]
    assert sum(column[1]) == pytest.approx(column[0][-1], abs=1e-5) and len(column[0]) == 18


def test_absolute_times_are_local():
    lines = [probe("-t", "a", GOOD, env={"TZ": zone}).out.splitlines()[0] for zone in ("UTC0", "XYZ-3")]
    hours = [int(re.search(r" (\d\d):\d\d:", line).group(1)) for line in lines]
    assert (hours[1] - hours[0]) % 24 == 3


def test_v_adds_the_records_and_vv_the_bytes():
    plain, fields, octets = (probe(*flags, GOOD).out for flags in ([], ["-v"], ["-vv"]))
    record = re.compile(r"^ +record handshake epoch 0 seq 0 length \d+: Client Hello message_seq 0 length \d+$", re.M)
    octet = re.compile(r"^ +0000  16 fe f[df] ", re.M)
    assert not record.search(plain) and record.search(fields) and not octet.search(fields)
    assert record.search(octets) and octet.search(octets)


@pytest.mark.parametrize("show", ["--ladder", "--mermaid", "--report", "--summary", "-vv"])
def test_every_capture_can_be_shown(show):
    for path in sorted(CAPTURES.glob("*.pcap")):
        done = probe(show, path)
        assert done.status in (CLEAN, FINDINGS), path
        assert done.out or "No DTLS" in done.err, path
        assert "\033" not in done.out


def test_colours_come_only_when_they_are_wanted():
    for args, env, colored in (([], {}, False), (["--color", "always"], {}, True),
                               (["--color", "always"], {"NO_COLOR": "1"}, True),
                               ([], {"CLICOLOR_FORCE": "1"}, True), (["--color", "never"], {"CLICOLOR_FORCE": "1"}, False),
                               ([], {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False)):
        assert ("\033[" in probe(*args, BAD, env=env).out) == colored, (args, env)
    plain = probe(BAD).out
    assert re.sub(r"\033\[[0-9;]*m", "", probe("--color", "always", BAD).out) == plain


def test_colours_stay_out_of_what_other_programs_read():
    for show in ("--json", "--mermaid", "--report"):
        assert "\033" not in probe("--color", "always", show, BAD).out


# --- exit status ---

@pytest.mark.parametrize("path, level, status", [
    (GOOD, "fatal", CLEAN), (GOOD, "warning", CLEAN), (GOOD, "info", FINDINGS), (GOOD, "never", CLEAN),
    (WARNED, "fatal", CLEAN), (WARNED, "warning", FINDINGS), (WARNED, "info", FINDINGS), (WARNED, "never", CLEAN),
    (BAD, "fatal", FINDINGS), (BAD, "warning", FINDINGS), (BAD, "never", CLEAN)],
    ids=lambda v: v.stem if isinstance(v, pathlib.Path) else str(v))
def test_fail_on_sets_the_severity_that_counts(path, level, status):
    assert probe("--fail-on", level, path).status == status


def test_without_options_a_fatal_finding_counts():
    assert [probe(path).status for path in (GOOD, WARNED, BAD)] == [CLEAN, CLEAN, FINDINGS]


@pytest.mark.parametrize("path, what, status", [
    (GOOD, "ok", CLEAN), (WARNED, "ok", CLEAN), (BAD, "ok", FINDINGS),
    (CAPTURES / "not_dtls_at_all.pcap", "ok", FINDINGS), (CAPTURES / "hvr_unanswered_not.pcap", "ok", FINDINGS),
    (BAD, "icmp-port-unreachable", CLEAN), (BAD, "no-response", FINDINGS), (GOOD, "icmp-port-unreachable", FINDINGS)],
    ids=lambda v: v.stem if isinstance(v, pathlib.Path) else str(v))
def test_expect_says_whether_it_is_so(path, what, status):
    assert probe("--expect", what, path).status == status


def test_one_that_fails_is_enough(both):
    assert probe("--expect", "ok", both).status == FINDINGS == probe(both).status
    assert probe("--handshake", 1, "--expect", "ok", both).status == FINDINGS


# --- the catalogue ---

def test_explain_list_names_what_explain_explains():
    lines = probe("--explain", "list").out.splitlines()
    assert len(lines) > 60
    for line in lines:
        ident, severity, title = line.split(None, 2)
        done = probe("--explain", ident)
        assert done.status == CLEAN and not done.err
        first, *rest = done.out.split("\n\n")
        assert first == f"{ident} ({severity}): {title}"
        assert [part.split("\n")[0] for part in rest] == ["What happens", "What to do", "Reference"]
        assert max(map(len, "\n".join(rest).splitlines())) <= 78


def test_the_page_of_the_findings_is_up_to_date():
    done = subprocess.run([ROOT / "ci/findings", "--check"], env=environment(SDTLS_BIN=str(PROBE.parent)),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    count = (ROOT / "docs/findings.md").read_text().count("\n## ")
    assert f"{count} findings" in (ROOT / "README.md").read_text()


def test_the_version_names_the_libraries():
    out = probe("-V").out
    assert re.fullmatch(r"dtls_probe \d+\.\d+\.\d+\nlibpcap version \d.*\nOpenSSL \d.*\nsystem call filter: .*\n", out)


# --- where the output goes ---

def test_a_reader_that_leaves_is_no_error():
    for args in (["-vv", GOOD], ["--json", GOOD], ["--explain", "list"]):
        script = '"$@" | head -1; exit ${PIPESTATUS[0]}'
        done = subprocess.run(["bash", "-c", script, "-", PROBE, *args], capture_output=True, text=True,
                              timeout=DEADLINE, check=False, env=environment())
        assert done.returncode in (0, 141) and done.stderr == "" and done.stdout.count("\n") == 1


@pytest.mark.parametrize("args", [[GOOD], ["--json", GOOD], ["--report", BAD], ["--explain", "list"], ["--help"], ["-V"]],
                         ids=lambda a: str(a[0])[-20:])
def test_a_full_disk_is_an_error(args):
    with open("/dev/full", "wb") as full:
        done = probe(*args, stdout=full)
    assert done.status == ERROR and done.err == "dtls_probe: cannot write the result to stdout: No space left on device\n"


@pytest.mark.parametrize("option", ["-w", "--save-failed", "--svg", "--html"])
def test_what_is_read_is_never_written_over_under_any_name(tmp_path, option):
    """In a folder of copies: a test that fails must not cost a capture."""
    capture, keys = tmp_path / "talk.pcap", tmp_path / "keys.txt"
    capture.write_bytes(GOOD.read_bytes())
    keys.write_text("no secret")
    (tmp_path / "symbolic").symlink_to(capture)
    os.link(capture, tmp_path / "hard")
    for name in ("talk.pcap", "./talk.pcap", "symbolic", "hard", "keys.txt"):
        done = probe(option, name, "--keylog", "keys.txt", "talk.pcap", cwd=tmp_path)
        assert done.status == ERROR and f"{name} is an input file: give the output another name" in done.err, name
        assert capture.read_bytes() == GOOD.read_bytes() and keys.read_text() == "no secret"


@pytest.mark.parametrize("option", ["-w", "--save-failed", "--svg", "--html"])
def test_a_file_that_cannot_be_written_is_an_error(tmp_path, option):
    complains(probe(option, tmp_path / "none/x", BAD), "none/x: No such file")
    full = probe(option, "/dev/full", BAD)
    assert full.status == ERROR and "cannot write /dev/full: No space left" in full.err


# --- what the network wrote ---

HOSTILE = [b"\x1b]0;\x07\x1b[J\r\n\x9b\xff", "\u009bJ\x1b\u202e\u2066".encode()]


def patched(path, old, new, target):
    data = path.read_bytes()
    assert len(old) == len(new) and old in data
    target.write_bytes(data.replace(old, new))
    return target


@pytest.fixture(params=HOSTILE, ids=["bytes", "utf-8"])
def hostile(request, tmp_path):
    """A capture whose client asks for a name of terminal commands, which the verdict quotes."""
    source = CAPTURES / "sni_unrecognized.pcap"
    (name,) = {h["server_name"].encode() for h in handshakes(source)}
    bad = request.param.ljust(len(name), b"x")
    return patched(source, name, bad, tmp_path / "hostile.pcap")


def commands(text):
    """Characters that command a terminal or turn its text around."""
    return re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("show", ["--summary", "-v", "-vv", "--ladder", "--mermaid", "--report", "--json"])
def test_commands_to_the_terminal_do_not_reach_it(hostile, show):
    done = probe(show, hostile)
    assert done.status == FINDINGS and "sni-unrecognized" in done.out
    assert commands(done.out) == [] and commands(done.err) == []


# --- secrets ---

class Tap(threading.Thread):
    """Between a client and a server on loopback; keeps what passes."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.front, self.back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.front.bind(("127.0.0.1", 0))
        self.back.connect(("127.0.0.1", int(server)))
        self.here, self.server = self.front.getsockname(), self.back.getpeername()
        self.port = self.here[1]
        self.wake, self.waker = socket.socketpair()
        self.client, self.packets = None, []
        self.start()

    def run(self):
        while True:
            ready = select.select([self.front, self.back, self.wake], [], [])[0]
            if self.wake in ready:
                return
            for s in ready:
                self.pass_on(s)

    def pass_on(self, s):
        try:
            data, peer = s.recvfrom(65535)
        except ConnectionError:
            return
        to_server = s is self.front
        self.client = peer if to_server else self.client
        ends = (self.client[1], self.port) if to_server else (self.port, self.client[1])
        self.packets.append((time.time(), *ends, data))
        try:
            self.back.send(data) if to_server else self.front.sendto(data, self.client)
        except ConnectionError:
            pass

    def write(self, path):
        """Ends it; the file is pcap of raw IPv4."""
        self.waker.send(b"x")
        self.join(DEADLINE)
        for s in (self.front, self.back, self.wake, self.waker):
            s.close()
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
            for when, sport, dport, data in self.packets:
                udp = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
                ip = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0x7F000001, 0x7F000001)
                f.write(struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(ip + udp), len(ip + udp)) + ip + udp)
        return path


@pytest.fixture
def conversation(server, nc_run, tmp_path):
    """One between two nc_dtls: its capture and its secrets."""
    host = server("-v", "--echo")
    tap = Tap(host.port)
    keys = tmp_path / "keys.txt"
    client = nc_run("--insecure", "--keylog", keys, "127.0.0.1", tap.port, data=b"hello")
    assert client.status == 0 and client.out == b"hello"
    host.wait_for("err", "Removing peer")
    return tap.write(tmp_path / "talk.pcap"), keys


def decrypted(*args):
    """Whether anything is called so, in any of the forms."""
    lines = [json.loads(line) for line in probe("--json", *args).out.splitlines()]
    in_json = {h["decrypted"] for h in lines if h["type"] == "handshake"}
    records = {r.get("decrypted", False) for p in lines if p["type"] == "packet" for r in p["records"]}
    texts = "".join(probe(*show, *args).out for show in (["-v"], ["--ladder"], ["--report"]))
    assert in_json == {any(records)} == {"Encrypted Handshake Message" not in texts}
    assert ("(decrypted)" in texts) == any(records)
    return any(records)


def test_without_secrets_nothing_is_decrypted(conversation):
    assert not decrypted(conversation[0])


def test_the_right_secrets_open_the_records(conversation):
    capture, keys = conversation
    assert decrypted("--keylog", keys, capture)
    out = probe("--keylog", keys, capture).out
    assert "Finished" in out and re.search("Alert .Warning: Close Notify", out)


def test_wrong_secrets_open_nothing(conversation, tmp_path):
    capture, keys = conversation
    wrong = tmp_path / "wrong.txt"
    text = keys.read_text()
    line = re.search(r"^CLIENT_RANDOM (\w{64}) (\w{96})$", text, re.M)
    for other in (f"CLIENT_RANDOM {line.group(1)} {'5a' * 48}\n",               # another secret of this handshake
                  f"CLIENT_RANDOM {'a5' * 32} {line.group(2)}\n",               # this secret for another handshake
                  f"CLIENT_RANDOM {line.group(1)} {line.group(2)[::-1]}\n" * 3):
        wrong.write_text(other)
        assert not decrypted("--keylog", wrong, capture)


def large_keylog(path, *parts):
    """Secrets of other handshakes, and these parts: more than 16 MiB."""
    others = "".join(f"CLIENT_RANDOM {i:064x} {'5a' * 48}\n" for i in range(100000))
    path.write_text(others + "".join(parts))
    return path


def test_of_a_large_key_log_only_what_the_capture_needs_is_kept(conversation, tmp_path):
    capture, keys = conversation
    large, copy = large_keylog(tmp_path / "large.txt", keys.read_text()), tmp_path / "copy.pcapng"
    assert large.stat().st_size > 1 << 24 and decrypted("--keylog", large, capture)
    done = probe("--summary", "--keylog", large, "-w", copy, capture)
    assert done.status == CLEAN and not done.err
    assert copy.stat().st_size < 1 << 14 and decrypted(copy)


def test_a_large_key_log_is_read_for_a_capture_that_is_read_once(conversation, tmp_path):
    capture, keys = conversation
    large = large_keylog(tmp_path / "large.txt", keys.read_text())
    done = subprocess.run([PROBE, "-v", "--keylog", large, "-"], input=capture.read_bytes(), capture_output=True, check=False)
    assert done.returncode == CLEAN and b"(decrypted)" in done.stdout


def test_secrets_of_other_handshakes_are_secrets(tmp_path):
    done = probe("--summary", "--keylog", large_keylog(tmp_path / "large.txt"), GOOD)
    assert done.status == CLEAN and not done.err
    junk = tmp_path / "junk.txt"
    junk.write_bytes(b"# nothing\n" * (1 << 21))
    assert "no line contains a secret" in probe("--summary", "--keylog", junk, GOOD).err


@pytest.mark.parametrize("junk", [b"", b"hello\n", b"\0\xff" * 40000, b"CLIENT_RANDOM 00 11\n", b"CLIENT_RANDOM " * 9999],
                         ids=["empty", "text", "binary", "short", "long line"])
def test_a_key_log_without_secrets_is_said_to_be_one(tmp_path, junk):
    keys = tmp_path / "keys.txt"
    keys.write_bytes(junk)
    done = probe("--summary", "--keylog", keys, GOOD)
    assert done.status == CLEAN and "2 ok" in done.out
    assert re.fullmatch(rf"dtls_probe: key log {keys}: no line contains a secret .*\n", done.err)


SECRET = f"CLIENT_RANDOM {'a5' * 32} {'5a' * 48}\n"


@pytest.mark.parametrize("text, warning", [
    (SECRET + "# a comment\n\n" + SECRET, ""),
    (SECRET + "hello\n", "skipped 1 line not in the key log format"),
    ("CLIENT_RANDOM 00 11\n" + SECRET + "hello\n", "skipped 2 lines not in the key log format")])
def test_lines_of_a_key_log_that_are_skipped_are_counted(tmp_path, text, warning):
    keys = tmp_path / "keys.txt"
    keys.write_text(text)
    done = probe("--summary", "--keylog", keys, GOOD)
    assert done.status == CLEAN
    assert done.err == (f"dtls_probe: key log {keys}: {warning}\n" if warning else "")


# --- live ---

@pytest.fixture
def may_capture():
    if "no permission" in probe("-i", "lo", "-a", "0.01").err:
        pytest.skip("no permission to listen at an interface")


def test_a_handshake_is_seen_while_it_happens(may_capture, run, server, nc_run):
    host = server("-v", "--echo")
    live = run(PROBE, "-i", "lo", "-f", f"udp port {host.port}")
    live.wait_for("err", "lo")
    assert nc_run("--insecure", "127.0.0.1", host.port, data=b"x").status == 0
    live.wait_for("out", "Server Hello Done")
    live.wait_for("out", "Application Data")
    live.signal(INT)
    assert live.wait() == CLEAN and b"1 handshake: 1 ok, 0 failed, 0 incomplete." in live.out


def test_a_live_capture_follows_a_key_log_that_does_not_exist_yet(may_capture, run, server, nc_run, tmp_path):
    host, keys, copy = server("-v", "--echo"), tmp_path / "keys.txt", tmp_path / "copy.pcapng"
    live = run(PROBE, "-i", "lo", "-f", f"udp port {host.port}", "-v", "--keylog", keys, "-w", copy)
    live.wait_for("err", "does not exist yet")
    live.wait_for("err", "Capturing on lo")
    for _ in range(2):
        assert nc_run("--insecure", "--keylog", keys, "127.0.0.1", host.port, data=b"x").status == 0
    live.wait_for("out", ": Finished .*decrypted", 4)
    live.signal(INT)
    assert live.wait() == CLEAN and b"2 handshakes: 2 ok" in live.out
    for out in live.out.decode(), probe("-v", copy).out:
        assert out.count(": Finished ") == 4, out


def test_a_key_log_that_never_comes_is_named(may_capture, tmp_path):
    done = probe("-i", "lo", "-a", "0.1", "-f", "udp port 9", "--keylog", tmp_path / "never")
    assert done.status == CLEAN and "never: it did not exist until the end of the capture" in done.err


def test_a_live_capture_ends_after_its_duration(may_capture):
    done = probe("-i", "lo", "-a", "0.2", "-f", "udp port 9", "--json")
    (summary,) = map(json.loads, done.out.splitlines())
    assert done.status == CLEAN and "file" not in summary and summary["frames"] == 0


def test_an_interface_that_does_not_exist_is_named():
    complains(probe("-i", "no-such-if0"), "no-such-if0")


def test_interfaces_are_listed():
    done = probe("-D")
    assert done.status == CLEAN and re.search(r"^lo\b", done.out, re.M)
