# SPDX-License-Identifier: MIT
"""What dtls_probe -v and --json say of handshake messages: compared with tshark where that looks, and kept printable."""

import hashlib
import json
import re
import shutil
import struct
import subprocess

import pytest

from conftest import PROBE, ROOT

CAPTURES = sorted((ROOT / "pcap-tests/captures").glob("*.pcap"))
SUITES = {int(code, 16): name for code, name in
          re.findall(r"X\((0x[0-9a-fA-F]+), *(\w+)\)", (ROOT / "lib/wire/suites.def").read_text())}
# Captures in which tshark finds no DTLS as it is shipped, and those that it reads in another order.
TSHARK_BLIND = ("in_turn", "in_capwap", "file_cut", "turn_", "relay")
COLUMNS = ("frame.number", "dtls.handshake.type", "dtls.handshake.ciphersuite", "dtls.handshake.extension.type",
           "dtls.handshake.certificate", "dtls.handshake.extensions_server_name",
           "dtls.handshake.extensions_alpn_str", "dtls.handshake.cookie", "dtls.handshake.random")


def run(*args):
    done = subprocess.run([PROBE, *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def packets(path):
    return [line for line in map(json.loads, run("-v", "--json", path).splitlines()) if line["type"] == "packet"]


def fields_of(path):
    """(packet number, fields), in order."""
    return [(p["number"], r["fields"]) for p in packets(path) for r in p["records"] if "fields" in r]


def by_tshark(path):
    args = ["tshark", "-n", "-r", path, "-Y", "dtls.handshake && !icmp && !icmpv6", "-T", "fields", "-E", "separator=;"]
    for column in COLUMNS:
        args += ["-e", column]
    out = subprocess.run(args, capture_output=True, text=True, check=False).stdout
    rows = [dict(zip(COLUMNS, line.split(";"))) for line in out.splitlines()]
    return {int(row["frame.number"]): {k: [v for v in row[k].split(",") if v] for k in COLUMNS[1:]} for row in rows}


def flat(fields, *keys):
    return [v for f in fields for key in keys if key in f for v in (f[key] if isinstance(f[key], list) else [f[key]])]


def extension_values(fields, name):
    return [v for e in flat(fields, "extensions") if e["name"] == name for v in e.get("values", [])]


def compare(ours, theirs):
    """(ours, theirs) of each kind that tshark lists for this frame."""
    suites = [SUITES.get(int(c, 16), "?") for c in theirs["dtls.handshake.ciphersuite"]]
    certificates = [hashlib.sha256(bytes.fromhex(c.replace(":", ""))).hexdigest()
                    for c in theirs["dtls.handshake.certificate"]]
    return [
        ([s for s in flat(ours, "cipher_suites", "cipher_suite") if s != "GREASE"], [s for s in suites if s != "?"]),
        ([e["code"] for e in flat(ours, "extensions")], [int(e) for e in theirs["dtls.handshake.extension.type"]]),
        ([c["fingerprint"].removeprefix("sha-256 ").replace(":", "").lower()
          for c in flat(ours, "certificates") if "fingerprint" in c], certificates),
        (extension_values(ours, "server_name"), theirs["dtls.handshake.extensions_server_name"]),
        (extension_values(ours, "application_layer_protocol_negotiation"),
         theirs["dtls.handshake.extensions_alpn_str"]),
        ([f["cookie"]["hex"] for f in ours if "cookie" in f], theirs["dtls.handshake.cookie"]),
        (flat(ours, "random"), theirs["dtls.handshake.random"]),
    ]


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_tshark_reads_the_same():
    """A sample, because tshark takes its time: in frames where tshark shows as many hellos and certificates as we do: it shows retransmissions too, and 4.0
    gives up on some fragments."""
    seen = [0] * 7
    sample = [p for i, p in enumerate(CAPTURES) if i % 5 == 0 or p.stem.startswith(("alpn", "certificate"))]
    for path in (p for p in sample if not any(b in p.stem for b in TSHARK_BLIND)):
        theirs, ours = by_tshark(path), {}
        for number, fields in fields_of(path):
            ours.setdefault(number, []).append(fields)
        for number in ours.keys() & theirs.keys():
            if any(len(a) != len(b) for a, b in compare(ours[number], theirs[number])[-1:]):
                continue
            for i, (mine, other) in enumerate(compare(ours[number], theirs[number])):
                if mine and other:
                    assert mine == other, (path.stem, number, COLUMNS[i + 2])
                    seen[i] += 1
    assert all(n >= 4 for n in seen) and seen[0] > 100 and seen[2] > 20, seen


def strings_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key != "name" or not inner.startswith("0x"):
                yield from strings_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_in(inner)


@pytest.mark.parametrize("name", ["certificate_good", "client_cert_required", "ok_psk", "dtls13_ok", "alpn_match",
                                  "resumption", "cid_migration"])
def test_the_lines_say_what_json_says(name):
    path = ROOT / f"pcap-tests/captures/{name}.pcap"
    text = run("-v", path)
    fields = fields_of(path)
    assert fields
    lines = text.splitlines()
    for value in {v for _, f in fields for v in strings_in({k: v for k, v in f.items() if "compression" not in k})}:
        assert value in text or (len(value) > 64 and value[:64] + "..." in text), value
    assert max(len(line) for line in lines if line.startswith(" " * 10)) < 140 and not [line for line in lines if line != line.rstrip()]
    assert run(path) == "".join(line + "\n" for line in lines if not line.startswith("        "))


def test_a_summary_shows_the_messages_too():
    path = ROOT / "pcap-tests/captures/certificate_good.pcap"
    summary, quiet = run("--summary", "-v", path), run("--summary", path)
    for f in (f for _, f in fields_of(path)):
        for c in f.get("certificates", []):
            assert c["fingerprint"] in summary and c["fingerprint"] not in quiet
    assert "Server Key Exchange" in summary and "signature algorithm" in summary


def test_handshakes_have_the_certificates():
    path = ROOT / "pcap-tests/captures/certificate_good.pcap"
    sent = [f["certificates"] for _, f in fields_of(path) if "certificates" in f]
    lines = map(json.loads, run("-v", "--json", path).splitlines())
    assert [h["server_certificates"] for h in lines if h["type"] == "handshake"] == sent and sent
    leaf = sent[0][0]
    assert leaf["subject"] == "CN=server.example" and leaf["names"] == ["server.example"]
    assert (leaf["key"], leaf["key_bits"], leaf["curve"]) == ("EC", 256, "secp256r1")
    assert leaf["not_before"] < leaf["not_after"] and leaf["position"] == 1


# --- messages made for the purpose ---

def vector(width, body):
    return len(body).to_bytes(width, "big") + body


def extension(code, body):
    return struct.pack("!H", code) + vector(2, body)


def client_hello(extensions, suites=b"\xc0\x2b\x0a\x0a\x99\x99", cookie=b""):
    return (b"\xfe\xfd" + bytes(32) + vector(1, b"") + vector(1, cookie) + vector(2, suites) + b"\1\0"
            + vector(2, b"".join(extensions)))


def capture(path, *hellos):
    """Each hello is a whole message in a datagram of its own."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    for i, body in enumerate(hellos):
        length = len(body).to_bytes(3, "big")
        message = b"\1" + length + bytes(5) + length + body
        record = b"\x16\xfe\xfd" + bytes(8) + struct.pack("!H", len(message)) + message
        udp = struct.pack("!HHHH", 40000 + i, 4433, 8 + len(record), 0) + record
        ip = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0x7F000001, 0x7F000001)
        out += struct.pack("<IIII", 1000 + i, 0, len(ip + udp), len(ip + udp)) + ip + udp
    path.write_bytes(out)
    return path


def test_what_is_unknown_or_reserved_has_its_number(tmp_path):
    path = capture(tmp_path / "c.pcap", client_hello([extension(0x5A5A, b""), extension(0x1234, b"\1\2\3"),
                                                      extension(10, vector(2, b"\x3a\x3a\x99\x98\x11\xec")),
                                                      extension(28, b"\x40\x01"), extension(1, b"\2"),
                                                      extension(54, b"\4\1\2\3\4"), extension(35, bytes(300)),
                                                      extension(10, b"\0")]))
    ((_, fields),) = fields_of(path)
    assert fields["cipher_suites"] == ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "GREASE", "0x9999"]
    e = fields["extensions"]
    assert e[0] == {"name": "GREASE", "code": 0x5A5A, "length": 0}
    assert e[1] == {"name": "0x1234", "code": 0x1234, "length": 3, "opaque": {"length": 3, "hex": "010203"}}
    assert e[2]["values"] == ["GREASE", "0x9998", "X25519MLKEM768"]
    assert e[3]["values"] == ["16385"] and e[4]["values"] == ["1024"]
    assert e[5]["opaque"] == {"length": 4, "hex": "01020304"}
    assert e[6]["opaque"]["length"] == 300 and e[6]["opaque"]["hex"] == "00" * 256 + "..."
    assert e[7]["malformed"] and e[7]["opaque"] == {"length": 1, "hex": "00"}
    text = run("-v", path)
    assert re.search(r"^ +connection_id +4 bytes: 01020304$", text, re.M)
    assert re.search(r"^ +0x1234 +3 bytes: 010203$", text, re.M)
    assert re.search(r"^ +supported_groups +malformed, 1 byte: 00$", text, re.M)


def test_text_from_the_network_cannot_command_a_terminal(tmp_path):
    evil = b"a\x1b[2J\\\xff\x00\x7f\n\xc2\x9b"
    path = capture(tmp_path / "c.pcap", client_hello([extension(0, vector(2, b"\0" + vector(2, evil))),
                                                      extension(16, vector(2, vector(1, evil)))]))
    escaped = r"a\x1b[2J\x5c\xff\x00\x7f\x0a\xc2\x9b"
    ((_, fields),) = fields_of(path)
    assert [e["values"] for e in fields["extensions"]] == [[escaped]] * 2
    text = run("-v", path)
    assert text.count(escaped) == 2 and all(c == "\n" or " " <= c <= "~" for c in text)


def test_long_lists_and_texts_are_cut(tmp_path):
    path = capture(tmp_path / "c.pcap", client_hello([extension(0, vector(2, b"\0" + vector(2, b"x" * 3000))),
                                                      extension(10, vector(2, b"\0\x17" * 500))],
                                                     suites=b"\xc0\x2b" * 4000))
    ((_, fields),) = fields_of(path)
    assert len(fields["cipher_suites"]) == 129 and fields["cipher_suites"][-1] == "..."
    assert fields["extensions"][0]["values"] == ["x" * 256 + "..."]
    assert len(fields["extensions"][1]["values"]) == 129
    assert len(run("-v", path)) < 20000


def test_a_hello_that_contradicts_itself_is_marked(tmp_path):
    path = capture(tmp_path / "c.pcap", client_hello([], suites=b"\xc0\x2b\xc0"))
    ((_, fields),) = fields_of(path)
    assert fields["malformed"] and fields["version"] == "DTLS 1.2" and fields["random"] == "00" * 32
    assert re.search(r"^ +malformed +yes$", run("-v", path), re.M)
