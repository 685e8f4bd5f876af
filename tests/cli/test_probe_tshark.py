# SPDX-License-Identifier: MIT
"""dtls_probe and tshark, frame by frame: where tshark is right, they say the same.

What tshark 4.0 gets wrong, or does not look at, is listed here with the reason."""

import functools
import json
import shutil
import subprocess

import pytest

from conftest import PROBE, ROOT

SHARED = ROOT.parent / "shared" / "captures"
CAPTURES = sorted(p for folder in (ROOT / "pcap-tests" / "captures", SHARED)
                  for p in folder.rglob("*.pcap*") if p.suffix in (".pcap", ".pcapng"))

# Captures in which tshark finds no DTLS, or reads other protocols as DTLS.
BLIND = {
    "in_turn_channel": "DTLS in ChannelData: its heuristic dtls_stun is off as shipped",
    "in_turn_indication": "the same for Data indications",
    "turn_relayed": "the same",
    "stun_dtls_rtp_unidir": "the same",
    "in_capwap": "CAPWAP only on its ports, and not in both directions",
    "capwap": "reads CAPWAP's own data channel as DTLS",
    "file_cut": "does not end on an error",
    "truncated_file": "does not end on an error",
    "stun_google_meet": "takes RTP on a port that DTLS was seen on for DTLS",
    "emix": "takes other protocols for DTLS",
}
FIELDS = ("frame.number", "dtls.record.content_type", "dtls.record.epoch", "dtls.record.sequence_number",
          "dtls.handshake.type", "dtls.handshake.message_seq", "dtls.handshake.fragment_offset",
          "dtls.handshake.fragment_length", "dtls.handshake.length", "icmp.type", "icmpv6.type",
          "dtls.record.special_type")

pytestmark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")


def numbers(text):
    return [int(n, 0) for n in text.split(",") if n]


@functools.cache
def by_tshark(path):
    """frame -> (records, messages), of frames with plain DTLS records and nothing else in doubt."""
    args = ["tshark", "-n", "-r", path, "-Y", "dtls", "-T", "fields", "-E", "separator=;"]
    for field in FIELDS:
        args += ["-e", field]
    out = subprocess.run(args, capture_output=True, text=True, check=False).stdout
    frames = {}
    for line in out.splitlines():
        row = dict(zip(FIELDS, line.split(";")))
        if row["icmp.type"] or row["icmpv6.type"]:
            continue  # the DTLS that an ICMP error quotes
        content, epoch, seq = (numbers(row[f"dtls.record.{name}"])
                               for name in ("content_type", "epoch", "sequence_number"))
        if not len(content) == len(epoch) == len(seq):
            continue  # DTLS 1.3: a unified header has no type, and its number is encrypted
        fields = ["type", "message_seq", "fragment_offset", "fragment_length", "length"]
        messages = list(zip(*(numbers(row[f"dtls.handshake.{name}"]) for name in fields)))
        frames[int(row["frame.number"])] = (list(zip(content, epoch, seq)), messages)
    return frames


def by_probe(path):
    out = subprocess.run([PROBE, "-r", path, "--json"], capture_output=True, text=True, check=False).stdout
    frames = {}
    for line in map(json.loads, out.splitlines()):
        if line["type"] != "packet" or not all("content_type" in r for r in line["records"]):
            continue
        records, messages = [], []
        for r in line["records"]:
            record = (r["content_type"], r["epoch"], r["seq"])
            if not records or records[-1] != record:
                records.append(record)
            if "handshake_type" in r:
                messages.append((r["handshake_type"], r["message_seq"], r["fragment_offset"],
                                 r["fragment_length"], r["message_length"]))
        frames[line["number"]] = (records, messages)
    return frames


def begins_with(ours, theirs):
    """tshark 4.0 leaves a datagram at a fragment that it has seen before ("New fragment overlaps old
    data"): a retransmission, or the second handshake on the same addresses."""
    return all(mine[:len(other)] == other for mine, other in zip(ours, theirs))


def means_something(frame):
    """Not the answer of something else on a port where DTLS was seen, which tshark calls DTLS without a
    record in it; nor what may be the middle of a session: we wait for three datagrams before we say so."""
    records, _ = frame
    return any(epoch == 0 for _, epoch, _ in records)


@pytest.mark.parametrize("path", [p for p in CAPTURES if p.stem not in BLIND],
                         ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_the_same_records_and_messages(path):
    theirs, ours = by_tshark(path), by_probe(path)
    common = sorted(theirs.keys() & ours.keys())
    assert not [(n, ours[n], theirs[n]) for n in common if not begins_with(ours[n], theirs[n])]
    assert not [n for n in theirs if n not in ours and means_something(theirs[n])]


def test_most_frames_are_compared_whole():
    """The exceptions above do not hide that nothing is compared."""
    same = other = 0
    for path in (p for p in CAPTURES if p.parent.name == "captures" and p.stem not in BLIND):
        theirs, ours = by_tshark(path), by_probe(path)
        for n in theirs.keys() & ours.keys():
            same += ours[n] == theirs[n]
            other += ours[n] != theirs[n]
    assert same > 2000 and other < same / 100, (same, other)
