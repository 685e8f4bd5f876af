# SPDX-License-Identifier: MIT
"""Everything that goes wrong ends with one clear line and the right status."""

import re
import socket
import subprocess
import threading

import pytest

from conftest import openssl

PSK = "00112233445566778899aabbccddeeff"
ALERT = bytes.fromhex("15fefd00000000000000000002" + "0228")  # fatal handshake_failure


def one_line(program, *words):
    assert len(program.lines) == 1, program.err
    assert program.lines[0].startswith("nc_dtls: ")
    for word in words:
        assert word in program.lines[0], program.lines
    assert program.out == b""


class Answering:
    """A UDP port that answers everything with the same datagram, or with none."""

    def __init__(self, answer):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1]
        self.answer, self.heard, self.over = answer, [], False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while not self.over:
            try:
                data, peer = self.socket.recvfrom(4096)
            except TimeoutError:
                continue
            self.heard.append(data)
            if self.answer:
                self.socket.sendto(self.answer, peer)

    def close(self):
        self.over = True
        self.thread.join()
        self.socket.close()


@pytest.fixture
def answering():
    ports = []

    def start(answer=None):
        ports.append(Answering(answer))
        return ports[-1]

    yield start
    for port in ports:
        port.close()


def test_a_missing_certificate_file(nc_run, pki):
    program = nc_run("-l", "-c", pki / "nothing.pem", "-k", pki / "key.pem")
    assert program.status == 2
    one_line(program, "nothing.pem", "No such file")


def test_a_missing_key_file(nc_run, pki):
    program = nc_run("-l", "-c", pki / "cert.pem", "-k", pki / "nothing.pem")
    assert program.status == 2
    one_line(program, "nothing.pem", "No such file")


def test_an_unreadable_key_file(nc_run, pki, tmp_path):
    program = nc_run("-l", "-c", pki / "cert.pem", "-k", tmp_path)  # a directory: unreadable to root, too
    assert program.status == 2
    one_line(program, str(tmp_path))


def test_a_key_of_another_certificate(nc_run, pki):
    program = nc_run("-l", "-c", pki / "cert.pem", "-k", pki / "other.pem")
    assert program.status == 2
    one_line(program, "other.pem", "does not belong")


def test_a_key_where_the_certificate_should_be(nc_run, pki):
    program = nc_run("-l", "-c", pki / "key.pem", "-k", pki / "key.pem")
    assert program.status == 2
    one_line(program, "key.pem")


def test_a_file_that_is_no_pem(nc_run, pki, tmp_path):
    (tmp_path / "noise.pem").write_bytes(bytes(range(256)))
    for option in ("-c", "-k", "--ca-file"):
        own = {"-c": pki / "cert.pem", "-k": pki / "key.pem"}
        own[option] = tmp_path / "noise.pem"
        program = nc_run("-l", "127.0.0.1", *(str(a) for pair in own.items() for a in pair))
        assert program.status == 2, option
        one_line(program, "noise.pem")


@pytest.mark.parametrize("option", [["--ciphers", "NO-SUCH-CIPHER"], ["--groups", "nonsense"],
                                    ["--sigalgs", "nonsense"], ["--srtp", "nonsense"]])
def test_an_option_that_openssl_does_not_take(nc_run, option):
    program = nc_run(*option, "127.0.0.1", "4433")
    assert program.status == 2
    one_line(program, option[1])


def test_a_port_in_use(nc_run, answering):
    program = nc_run("-l", "127.0.0.1", answering().port)
    assert program.status == 1
    one_line(program, "in use")


def test_an_address_that_is_not_ours(nc_run):
    program = nc_run("-l", "192.0.2.1")
    assert program.status == 1
    one_line(program, "192.0.2.1")


def test_an_unknown_host(nc_run):
    program = nc_run("no-such-host.invalid", "4433")
    assert program.status == 1
    one_line(program, "no-such-host.invalid")


def test_nobody_listening(nc_run, free_port):
    program = nc_run("127.0.0.1", free_port)
    assert program.status == 1
    one_line(program, f"127.0.0.1:{free_port}", "unreachable")


def test_a_silent_server(nc_run, answering):
    silent = answering()
    program = nc_run("-w", "1.5s", "--timer", "300", "127.0.0.1", silent.port)
    assert program.status == 3
    one_line(program, f"127.0.0.1:{silent.port}")
    assert len(silent.heard) >= 2


def test_something_that_is_not_dtls(nc_run, answering):
    """Said at once, but it may be forged: the attempt goes on until the deadline."""
    program = nc_run("-w", "1.5", "127.0.0.1", answering(b"HTTP/1.1 400 Bad Request\r\n\r\n").port)
    assert program.status == 4
    early, late = program.lines
    assert "not DTLS" in early and "still trying for 1 s" in early
    assert late.startswith("nc_dtls: ") and "no handshake within 1.5 s: datagrams came back that are not DTLS" in late


def test_a_wrong_psk(server, nc_run):
    host = server("--psk", PSK, "-w", "3", cert=False)
    program = nc_run("-w", "3", "--psk", PSK[::-1], "127.0.0.1", host.port)
    assert program.status in (3, 4)  # RFC 6347 4.1.2.7: a bad MAC is dropped in silence
    one_line(program, f"127.0.0.1:{host.port}", "different --psk keys")


def test_an_unknown_psk_identity(server, nc_run):
    host = server("--psk", PSK, "--psk-identity", "alice", cert=False)
    program = nc_run("-w", "3", "--psk", PSK, "--psk-identity", "bob", "127.0.0.1", host.port)
    assert program.status in (3, 4)
    one_line(program)
    assert nc_run("--psk", PSK, "--psk-identity", "alice", "127.0.0.1", host.port).status == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_each_identity_of_a_file_has_its_own_key(server, nc_run, tmp_path, workers):
    keys = tmp_path / "keys"
    keys.write_text(f"# devices\nalice:{PSK}\nbob:{PSK[::-1]}\n")
    host = server("--psk-file", keys, "--workers", workers, cert=False)
    login = {"alice": PSK, "bob": PSK[::-1]}
    for who, key in login.items():
        program = nc_run("--psk", key, "--psk-identity", who, "127.0.0.1", host.port)
        assert (program.status, program.err) == (0, b"")
    stranger = nc_run("-w", "3", "--psk", PSK, "--psk-identity", "carol", "127.0.0.1", host.port)
    assert stranger.status in (3, 4)
    one_line(stranger)


@pytest.mark.parametrize("text, words", [
    (None, "No such file"), ("alice:0", "line 1: write the key as pairs of hex digits"), ("#", "contains no key")])
def test_a_wrong_file_of_keys(nc_run, tmp_path, text, words):
    if text is not None:
        (tmp_path / "keys").write_text(text)
    program = nc_run("-l", "--psk-file", tmp_path / "keys", "127.0.0.1")
    assert program.status == 2
    one_line(program, "--psk-file", words)


def test_an_untrusted_server_is_refused_with_verify(server, nc_run):
    host = server()
    program = nc_run("--verify", "127.0.0.1", host.port)
    assert program.status == 5
    one_line(program, "self-signed", "--ca-file")


def test_an_untrusted_server_gets_a_warning_without(server, nc_run):
    host = server()
    program = nc_run("127.0.0.1", host.port)
    assert program.status == 0
    one_line(program, "not verified", "--insecure")
    assert nc_run("--insecure", "127.0.0.1", host.port).err == b""


def test_a_trusted_server_gets_none(server, nc_run, pki):
    host = server()
    program = nc_run("--ca-file", pki / "cert.pem", "127.0.0.1", host.port)
    assert (program.status, program.err) == (0, b"")


def fingerprint(pem):
    """As openssl prints it."""
    command = ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", pem]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_line_that_a_server_prints_is_a_pin(nc, nc_run):
    host = nc("-l", "127.0.0.1")
    port = host.wait_for("err", r"Hosting at: 127.0.0.1:(\d+)").group(1).decode()
    line = host.wait_for("err", r"(Throw-away certificate.*)\n").group(1).decode()
    program = nc_run("--pin", line, "127.0.0.1", port)
    assert (program.status, program.err) == (0, b"")


@pytest.mark.parametrize("pin", ["zz", "00:11", ""])
def test_a_pin_that_is_none_is_refused(nc_run, pin):
    program = nc_run("--pin", pin, "127.0.0.1", "4433")
    assert program.status == 2
    one_line(program, f'--pin "{pin}" ')


def test_a_server_that_is_not_pinned_is_refused(server, nc_run, pki):
    host = server()
    program = nc_run("--pin", fingerprint(pki / "client.pem"), "127.0.0.1", host.port)
    assert program.status == 5
    one_line(program, "not pinned; its SHA-256 is", fingerprint(pki / "cert.pem").split("=")[1].strip())
    assert nc_run("--pin", fingerprint(pki / "cert.pem"), "127.0.0.1", host.port).err == b""


def test_the_warning_about_a_certificate_says_how_to_pin_it(server, nc_run):
    host = server()
    pin = re.search(rb"--pin (\S+)", nc_run("127.0.0.1", host.port).err).group(1).decode()
    program = nc_run("--pin", pin, "127.0.0.1", host.port)
    assert (program.status, program.err) == (0, b"")


@pytest.mark.parametrize("own,statuses", [("client", [0]), ("cert", [4, 6])])
def test_a_server_pins_its_clients(server, nc_run, pki, own, statuses):
    host = server("--pin", fingerprint(pki / "client.pem"))
    key = {"client": "client-key.pem", "cert": "key.pem"}[own]
    program = nc_run("--insecure", "-c", pki / f"{own}.pem", "-k", pki / key, "127.0.0.1", host.port, data=b"me\n")
    assert program.status in statuses, program.err


@pytest.mark.parametrize("own,status", [("cert", 0), ("client", 5)])
def test_s_server_is_pinned(nc_run, free_port, run, pki, own, status):
    run("openssl", "s_server", "-dtls1_2", "-accept", f"127.0.0.1:{free_port}", "-cert", pki / "cert.pem",
               "-key", pki / "key.pem", "-quiet")
    program = nc_run("-w", "10", "--pin", fingerprint(pki / f"{own}.pem"), "127.0.0.1", free_port)
    assert program.status == status, program.err


def test_a_wrong_name_is_refused(server, nc_run, pki):
    host = server()
    args = ("--ca-file", pki / "cert.pem", "127.0.0.1", host.port, "--verify-host")
    assert nc_run(*args, "localhost").status == 0
    program = nc_run(*args, "example.org")
    assert program.status == 5
    one_line(program, "localhost")


def test_a_client_without_the_required_certificate(server, nc_run, pki):
    host = server("--client-cert", "require", "--ca-file", pki / "client.pem")
    program = nc_run("--insecure", "127.0.0.1", host.port, data=b"let me in\n")
    assert program.status in (4, 6)
    one_line(program)
    assert host.wait_for("err", "nc_dtls: 127.0.0.1:")
    own = ("-c", pki / "client.pem", "-k", pki / "client-key.pem")
    assert nc_run("--insecure", *own, "127.0.0.1", host.port, data=b"me\n").status == 0
    host.wait_for("out", "me\n")


def test_no_cipher_in_common(server, nc_run):
    host = server("--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256")
    program = nc_run("--insecure", "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384", "127.0.0.1", host.port)
    assert program.status == 4
    one_line(program, "handshake_failure")


def test_errors_are_silent_with_quiet(nc_run, free_port):
    program = nc_run("--quiet", "127.0.0.1", free_port)
    assert (program.status, program.err, program.out) == (1, b"", b"")


def test_a_key_log_that_cannot_be_opened(nc_run, server, tmp_path):
    host = server()
    program = nc_run("--keylog", tmp_path, "127.0.0.1", host.port)
    assert program.status == 2
    one_line(program, "--keylog", str(tmp_path))
    # The environment only warns.
    program = nc_run("--insecure", "127.0.0.1", host.port, env={"SSLKEYLOGFILE": str(tmp_path)})
    assert program.status == 0
    one_line(program, "SSLKEYLOGFILE")


def make_expired(folder):
    """cert.pem and key.pem; the certificate expired a day ago."""
    key, request = folder / "key.pem", folder / "request.pem"
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", request)
    openssl("x509", "-req", "-in", request, "-signkey", key, "-days", "-1", "-copy_extensions", "copy", "-out",
            folder / "cert.pem")


WRONG_FILES = [
    (["-l", "-c", "cert.pem"], "--key"),
    (["--psk-identity", "me", "127.0.0.1", "1"], "--psk-identity"),
    (["--alpn", "a,,b", "127.0.0.1", "1"], "--alpn"),
    (["--ciphers", "NONE-SUCH", "127.0.0.1", "1"], "--ciphers"),
    (["--groups", "none-such", "127.0.0.1", "1"], "--groups"),
    (["--verify-host", "x" * 300, "127.0.0.1", "1"], "--verify-host"),
    (["--sigalgs", "none-such", "127.0.0.1", "1"], "--sigalgs"),
    (["--srtp", "none-such", "127.0.0.1", "1"], "--srtp"),
]


@pytest.mark.parametrize("args, option", WRONG_FILES)
def test_errors_name_options(nc_run, pki, args, option):
    program = nc_run(*[pki / a if a.endswith(".pem") else a for a in args])
    assert program.status == 2
    one_line(program, option)
    for field in ("key_file", "cert_file", "psk_identity", "verify_host"):
        assert field not in program.lines[0]
    assert program.lines[0].count(option) == 1  # the words of OpenSSL stay


def test_advice_fits_the_reason(server, nc_run, pki):
    wrong_name = nc_run("--ca-file", pki / "cert.pem", "--verify-host", "example.org", "127.0.0.1", server().port)
    one_line(wrong_name, "certificate is not for example.org", "--insecure")
    assert "--ca-file" not in wrong_name.lines[0]
    unknown = nc_run("--verify", "127.0.0.1", server().port)
    one_line(unknown, "self-signed", "add it to --ca-file")


def test_a_certificate_that_has_expired_is_not_cured_by_a_ca(nc, nc_run, tmp_path):
    make_expired(tmp_path)
    host = nc("-l", "127.0.0.1", "-c", tmp_path / "cert.pem", "-k", tmp_path / "key.pem")
    port = host.wait_for("err", r"Hosting at: 127\.0\.0\.1:(\d+)").group(1).decode()
    for flags in (["--ca-file", tmp_path / "cert.pem"], []):
        program = nc_run(*flags, "127.0.0.1", port)
        one_line(program, "expired", "--insecure")
        assert "--ca-file" not in program.lines[0]
        assert program.status == (5 if flags else 0)


@pytest.mark.parametrize("insecure", [[], ["--insecure"]])
def test_a_requested_client_certificate_may_be_any_or_none(server, nc_run, pki, insecure):
    host = server("--client-cert", "request", *insecure, "--json")
    own = ("-c", pki / "client.pem", "-k", pki / "client-key.pem")
    for n, flags in enumerate((own, ()), 1):
        assert nc_run("--insecure", *flags, "127.0.0.1", host.port, data=b"me\n").status == 0
        host.wait_for("out", "me\n", n)
    host.wait_for("err", '"subject":"CN = a client"')
    assert len(re.findall(b'"subject"', host.err)) == 1


class TestProbe:
    def test_a_server_is_alive_and_keeps_no_state(self, nc_run, server):
        host = server("--stats")
        program = nc_run("-z", "127.0.0.1", host.port)
        assert program.status == 0
        assert b"hello_verify_request" in program.out
        assert program.err == b""
        host.signal(15)
        host.wait()
        assert b"conn.accepted" not in host.err and b"gate.no-cookie" in host.err

    def test_nobody_listening_is_1(self, nc_run, free_port):
        program = nc_run("-z", "127.0.0.1", free_port)
        assert program.status == 1
        one_line(program, "unreachable")

    def test_silence_is_3(self, nc_run, answering):
        program = nc_run("-z", "-w", "1.2", "127.0.0.1", answering().port)
        assert program.status == 3
        one_line(program)

    def test_an_alert_is_4(self, nc_run, answering):
        program = nc_run("-z", "127.0.0.1", answering(ALERT).port)
        assert program.status == 4
        assert b"handshake_failure" in program.out

    def test_something_else_is_4(self, nc_run, answering):
        program = nc_run("-z", "-w", "1.2", "127.0.0.1", answering(b"hello yourself").port)
        assert program.status == 4
        assert len(program.lines) == 2 and "not DTLS" in program.lines[-1]
