# SPDX-License-Identifier: MIT
"""dtls_probe --json against docs/dtls_probe.schema.json, for every capture there is."""

import json
import re
import struct
import subprocess

import jsonschema
import pytest

from conftest import PROBE, ROOT

CAPTURES = sorted((ROOT / "pcap-tests/captures").glob("*.pcap*"))
OTHERS = sorted(p for p in (ROOT / "../shared/captures").rglob("*.pcap*") if p.is_file())
SCHEMA = json.loads((ROOT / "docs/dtls_probe.schema.json").read_text())
PAGE = (ROOT / "docs/dtls_probe.json.md").read_text()
CHECK = jsonschema.Draft7Validator(SCHEMA)


def lines_of(*args):
    done = subprocess.run([PROBE, "--json", "-v", *args], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def of_type(lines, name):
    return [line for line in lines if line["type"] == name]


def definition(line):
    """The part of the schema for this type of line: its errors say more than those of oneOf."""
    name = {"finding": "findingLine"}.get(line["type"], line["type"])
    return CHECK.evolve(schema=SCHEMA["definitions"][name])


def check(lines):
    for line in lines:
        errors = [f"{list(e.absolute_path)}: {e.message}" for e in definition(line).iter_errors(line)]
        assert not errors, (errors, line)


def test_the_schema_is_a_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert CHECK.is_valid({"type": "summary", **{k: 0 for k in SCHEMA["definitions"]["summary"]["required"][1:]}})
    assert not CHECK.is_valid({"type": "summary"}) and not CHECK.is_valid({"type": "other"})


@pytest.mark.parametrize("path", CAPTURES, ids=lambda p: p.stem)
def test_every_line_fits_the_schema_and_the_lines_fit_each_other(path):
    lines = lines_of(path)
    check(lines)
    handshakes = of_type(lines, "handshake")
    (summary,) = of_type(lines, "summary")
    assert lines[-1] is summary and summary["file"] == str(path)
    assert [h["handshake"] for h in handshakes] == sorted({h["handshake"] for h in handshakes})
    assert summary["handshakes"] == len(handshakes) == summary["ok"] + summary["failed"] + summary["incomplete"]
    assert {p["handshake"] for p in of_type(lines, "packet")} <= {h["handshake"] for h in handshakes}
    inside = [{"type": "finding", "handshake": h["handshake"], **f} for h in handshakes for f in h["findings"]]
    lone = [f for f in of_type(lines, "finding") if "handshake" not in f]
    assert [f for f in of_type(lines, "finding") if f not in lone] == inside
    for severity, key in (("fatal", "fatal"), ("warning", "warnings")):
        assert summary[key] == sum(f["severity"] == severity for f in inside + lone)


@pytest.mark.skipif(not OTHERS, reason="no other captures here")
def test_other_captures_fit_the_schema_too():
    for path in OTHERS:
        check(lines_of(path))


def test_each_key_of_the_schema_is_explained_and_nothing_else():
    for name, keys in SCHEMA["definitions"].items():
        if "properties" not in keys or name == "findingLine":
            continue
        section = re.search(rf"^## {name}\b.*?\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M).group(1)
        explained = re.findall(r"^\| `(\w+)` \|", section, re.M)
        assert len(explained) == len(set(explained))
        assert set(explained) == set(keys["properties"]), name


def test_finding_lines_have_the_keys_of_findings():
    one, line = SCHEMA["definitions"]["finding"], SCHEMA["definitions"]["findingLine"]
    assert line["properties"] == {"type": {"const": "finding"}, "handshake": {"$ref": "#/definitions/ordinal"},
                                  "addresses": line["properties"]["addresses"], **one["properties"]}
    assert line["required"] == ["type", *one["required"]]
    assert line["oneOf"] == [{"required": ["handshake"]}, {"required": ["addresses"]}]


def test_the_examples_of_the_page_fit_the_schema():
    examples = [json.loads(line) for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.S | re.M)
                for line in block.splitlines()]
    assert {e["type"] for e in examples} == {"packet", "handshake", "finding", "summary", "two_sided"}
    check(examples)


def test_of_several_files_each_ends_with_its_summary():
    lines = lines_of(*CAPTURES[:3])
    assert [s["file"] for s in of_type(lines, "summary")] == [str(p) for p in CAPTURES[:3]]


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))


def test_times_before_1970_make_no_other_lines(tmp_path):
    """pcapng can shift its times (if_tsoffset); the tracker takes these for the beginning of 1970."""
    source = (ROOT / "pcap-tests/captures/ok_synth.pcap").read_bytes()
    shifted, at = tmp_path / "shifted.pcapng", 24
    offset = struct.pack("<HHqHH", 14, 8, -(1 << 31), 0, 0)
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 0) + offset)
    while at < len(source):
        seconds, micros, size, _ = struct.unpack_from("<IIII", source, at)
        stamp = seconds * 10**6 + micros
        out += block(6, struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, size, size) + source[at + 16:at + 16 + size])
        at += 16 + size
    shifted.write_bytes(out)
    lines = lines_of(shifted)
    check(lines)
    assert {p["time"] for p in of_type(lines, "packet")} == {1e-9}
    assert [h["outcome"] for h in of_type(lines, "handshake")] == ["ok"]


@pytest.mark.parametrize("name", ["loss_flight4", "loss_hello", "mtu_blackhole_s2c", "ok_ecdsa"])
def test_lines_of_two_captures_fit_the_schema(tmp_path, name):
    """The recipes capture both sides of a network: port 5684 is the client's, 4433 the server's."""
    source, ends = ROOT / f"pcap-tests/captures/{name}.pcap", []
    for port in (5684, 4433):
        ends.append(tmp_path / f"{port}.pcapng")
        lines_of("-f", f"udp port {port}", "-w", ends[-1], source)
    lines = lines_of("--two-sided", *ends)
    check(lines)
    assert {line["type"] for line in lines} == {"two_sided"}
    lost = [line[way]["lost"] for line in lines if "server_handshake" in line
            for way in ("client_to_server", "server_to_client")]
    assert lost and any(lost) == (name != "ok_ecdsa")


def frames_again(source, seconds, client, port):
    """The frames of a little-endian capture of Ethernet and IPv4, later and of another client.
    The source also has the frames between a middlebox and the client: only the server's port counts."""
    out, at = b"", 24
    while at < len(source):
        time, fraction, length, whole = struct.unpack_from("<IIII", source, at)
        frame, at = bytearray(source[at + 16:at + 16 + length]), at + 16 + length
        ports = struct.unpack_from(">HH", frame, 34)
        if 4433 not in ports:
            continue
        address, number = (26, 34) if ports[1] == 4433 else (30, 36)
        frame[address:address + 4] = client
        struct.pack_into(">H", frame, number, port)
        out += struct.pack("<IIII", time + seconds, fraction, length, whole) + frame
    return out


def test_of_equal_randoms_behind_a_nat_each_end_is_used_once(tmp_path):
    """Of three handshakes of a client without random numbers, the second arrives."""
    source = (ROOT / "pcap-tests/captures/ok_ecdsa.pcap").read_bytes()
    ends = tmp_path / "client.pcap", tmp_path / "server.pcap"
    ends[0].write_bytes(source[:24] + b"".join(
        frames_again(source, 10 * i, b"\x0a\0\0\x01", 2000 + i) for i in range(3)))
    ends[1].write_bytes(source[:24] + frames_again(source, 10, b"\xc0\0\2\x01", 60000))
    lines = lines_of("--two-sided", *ends)
    check(lines)
    assert [line.get("server_handshake") for line in lines] == [None, 1, None]
    assert all(line.get("rtt_ms", 0) >= 0 for line in lines)
