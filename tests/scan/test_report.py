# SPDX-License-Identifier: MIT
"""The report of a real server: JSON against docs/dtls_scan.schema.json, what changed, explanations."""

import json
import subprocess

import jsonschema

from conftest import BIN, ROOT

SCAN = BIN / "dtls_scan"
SCHEMA = json.loads((ROOT / "docs/dtls_scan.schema.json").read_text())


def scan(*args, status=0):
    done = subprocess.run([SCAN, *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout


def test_the_report_fits_the_schema_and_becomes_a_baseline(server, tmp_path):
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    port, old = server().port, tmp_path / "old.json"
    report = json.loads(scan("--json", "--only", "protocol", "127.0.0.1", port))
    jsonschema.Draft7Validator(SCHEMA).validate(report)
    report["results"][0] |= {"level": "low", "text": "was so"}
    old.write_text(json.dumps(report) + "\n")
    page = tmp_path / "page.html"
    again = json.loads(scan("--json", "--baseline", old, "--html", page, "--only", "protocol", "127.0.0.1", port))
    jsonschema.Draft7Validator(SCHEMA).validate(again)
    assert [(c["id"], c["old_level"]) for c in again["changes"]] == [(report["results"][0]["id"], "low")]
    assert "was so" in scan("--baseline", old, "--only", "protocol", "127.0.0.1", port)
    text = page.read_text()
    assert text.startswith("<!DOCTYPE html>") and "was so" in text and "What to do" in text


def test_a_report_that_has_not_changed(server, tmp_path):
    port, old = server().port, tmp_path / "old.json"
    old.write_text(scan("--json", "--only", "protocol", "127.0.0.1", port))
    assert "Nothing changed" in scan("--baseline", old, "--only", "protocol", "127.0.0.1", port)


def test_each_check_in_the_list_is_explained():
    for line in scan("--list").splitlines():
        check = line.split()[0]
        text = scan("--explain", check)
        assert text.startswith(f"{check} (") and "What to do" in text, check
    scan("--explain", "no-such-check", status=2)
