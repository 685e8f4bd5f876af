# SPDX-License-Identifier: MIT
"""dtls_scan logs in, finds out what the server is for, and sees IP fragments."""

import json
import shutil
import subprocess
import sys

import pytest

from conftest import BIN

SCAN = BIN / "dtls_scan"
PSK = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def scan(run):
    """The results by id; a scan that ends early fails the test."""

    def start(port, *args):
        program = run(SCAN, "--json", *args, "127.0.0.1", port)
        program.end_stdin()
        assert program.wait() == 0, program.err
        return {r["id"]: r for r in json.loads(program.out)["results"]}

    return start


def test_a_certificate_opens_what_wants_one(server, scan, pki):
    host = server("--echo", "--client-cert", "require", "--ca-file", pki / "client.pem")
    only = ("--only", "forged-alert")
    assert scan(host.port, *only)["forged-alert"]["level"] == "not-known"
    login = ("-c", pki / "client.pem", "-k", pki / "client-key.pem")
    assert scan(host.port, *only, *login)["forged-alert"]["level"] == "ok"


def test_another_certificate_does_not(server, scan, pki):
    host = server("--echo", "--client-cert", "require", "--ca-file", pki / "client.pem")
    login = ("-c", pki / "cert.pem", "-k", pki / "key.pem")
    assert scan(host.port, "--only", "forged-alert", *login)["forged-alert"]["level"] == "not-known"


def test_a_key_opens_what_wants_one(server, scan):
    host = server("--echo", "--psk", PSK, cert=False)
    only = ("--only", "resumption", "--only", "psk-identities")
    assert "--psk" in scan(host.port, *only)["resumption"]["text"]
    results = scan(host.port, *only, "--psk", PSK)
    assert results["resumption"]["level"] == "ok"
    assert results["psk-identities"] | {"text": ""} == {"id": "psk-identities", "group": "crypto", "level": "ok",
                                                       "text": "", "value": False}


def test_a_wrong_key_opens_nothing(server, scan):
    host = server("--echo", "--psk", PSK, cert=False)
    assert scan(host.port, "--only", "resumption", "--psk", "00" * 16)["resumption"]["level"] == "not-known"


# Answers to each kind of request, apart from those that real peers give (ci/scan has coturn and libcoap).
ANSWER = {
    "RADIUS": "d[0] == 12 and bytes([2]) + d[1:2] + bytes([0, 20]) + bytes(16)",
    "SCTP": "d[12:13] == b'\\1' and d[:4] + d[16:20] + bytes(4) + bytes([2, 0, 0, 4])",
    "OpenConnect": "d == b'\\3' and b'\\4'",
    "Fortinet": "b'clthello' in d and (lambda a: (len(a) + 2).to_bytes(2, 'big') + a)(b'GFtype\\0svrhello\\0handshake\\0fail\\0')",
    "CoAP": "d[:2] == b'\\x40\\0' and b'\\x70\\0' + d[2:]",
    "STUN": "d[:2] == b'\\0\\1' and d[4:8] == b'\\x21\\x12\\xa4\\x42' and b'\\1\\1\\0\\0' + d[4:20]",
}


@pytest.mark.parametrize("name", ANSWER)
def test_a_service_has_a_name(server, scan, tmp_path, name):
    script = tmp_path / "service.py"
    script.write_text("import os\nwhile d := os.read(0, 65536):\n"
                      f"    answer = {ANSWER[name]}\n    if answer:\n        os.write(1, answer)\n")
    host = server("--exec", f"{sys.executable} {script}")
    assert scan(host.port, "--app", "--only", "service")["service"]["value"] == name


def test_an_echo_is_an_echo(server, scan):
    assert scan(server("--echo").port, "--app", "--only", "service")["service"]["value"] == "echo"


def test_nobody_asks_for_the_service_unless_told(server, scan):
    assert scan(server("--echo").port, "--only", "stack").keys() == {"stack"}
    listed = subprocess.run([SCAN, "--list"], check=True, capture_output=True, text=True).stdout
    assert "(--app)" in listed and "(--intrusive)" in listed


def test_ip_fragments_are_said(run, scan, pki, free_port):
    """s_server with -mtu asks for no path MTU: what is larger than the interface's goes in fragments."""
    host = run("openssl", "s_server", "-dtls1_2", "-accept", f"127.0.0.1:{free_port}", "-mtu", "1400", "-quiet",
               "-cert", pki / "cert.pem", "-key", pki / "key.pem", "-naccept", "1000", "-msg")
    subprocess.run(["ip", "link", "set", "lo", "mtu", "600"], check=True)
    try:
        found = scan(free_port, "--only", "certificate", "--only", "datagrams")["datagrams"]
    finally:
        subprocess.run(["ip", "link", "set", "lo", "mtu", "65536"], check=True)
    assert found["level"] == "medium" and found["value"]["in_ip_fragments"] > 0
    assert host.process.poll() is None


def test_whole_datagrams_are_said(server, scan):
    found = scan(server("--echo").port, "--only", "certificate", "--only", "datagrams")["datagrams"]
    assert found["level"] == "ok" and found["value"]["in_ip_fragments"] == 0 < found["value"]["largest"] <= 1232


@pytest.fixture
def encrypted(pki, tmp_path):
    subprocess.run(["openssl", "ec", "-in", pki / "key.pem", "-aes128", "-passout", "pass:secret", "-out",
                    tmp_path / "encrypted.pem"], check=True, capture_output=True)
    return tmp_path / "encrypted.pem"


@pytest.mark.parametrize("args, wanted", (
    (("-k", "key.pem"), "--key needs --certificate"),
    (("--psk-identity", "me"), "--psk-identity needs --psk"),
    (("--psk", "xyz"), "--psk"),
    (("-c", "nowhere.pem"), "--certificate nowhere.pem: No such file or directory"),
    (("-c", "key.pem"), "--certificate key.pem: no certificate (PEM) is in it"),
    (("-c", "cert.pem"), "--certificate cert.pem: no private key (PEM, not encrypted) is in it"),
    (("-c", "cert.pem", "-k", "nowhere.pem"), "--key nowhere.pem: No such file or directory"),
    (("-c", "cert.pem", "-k", "other.pem"), "--key other.pem: the key is not that of the certificate in cert.pem"),
    (("-c", "cert.pem", "-k", "encrypted.pem"),
     "--key encrypted.pem: no private key (PEM, not encrypted) is in it"),
))
def test_a_login_that_cannot_be_is_one_line(pki, encrypted, args, wanted):
    shutil.copy(encrypted, pki / "encrypted.pem")
    done = subprocess.run([SCAN, *args, "127.0.0.1", "9"], capture_output=True, text=True, cwd=pki, check=False,
                          timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and done.stdout == ""
    assert wanted in done.stderr.splitlines()[0]
