# SPDX-License-Identifier: MIT
"""dtls_mtu and servers that are not there, are something else, or make it hard: one clear
answer and the exit status that --help lists, within the deadline."""

import json
import shutil
import signal
import socket
import struct
import subprocess
import threading

import pytest

from conftest import BIN, NC, needs_namespaces

MTU = BIN / "dtls_mtu"


def measure(run, *args):
    tool = run(MTU, "--json", *args)
    tool.end_stdin()
    tool.status = tool.wait()
    tool.result = json.loads(tool.out.decode().splitlines()[-1]) if tool.out else None
    return tool


class Answers(threading.Thread):
    """A UDP server of 127.0.0.1 whose answer to each datagram is that of a function: none, one
    datagram or a list of them."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port, self.answer, self.seen = str(self.socket.getsockname()[1]), answer, []
        self.start()

    def run(self):
        while True:
            data, address = self.socket.recvfrom(1 << 16)
            if data == b"end":
                return
            self.seen.append(data)
            self.peer = address[1]
            replies = self.answer(data)
            for reply in replies if isinstance(replies, list) else [replies] if replies else []:
                self.socket.sendto(reply, address)

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"end", self.socket.getsockname())
        self.join()
        self.socket.close()


@pytest.fixture
def answers():
    started = []

    def start(answer):
        started.append(Answers(answer))
        return started[-1]

    yield start
    for server in started:
        server.close()


def handshake_record(kind, body, sequence=bytes(8)):
    message = struct.pack("!B3sHB2s3s", kind, len(body).to_bytes(3, "big"), 0, 0, b"\0\0",
                          len(body).to_bytes(3, "big")) + body
    return b"\x16\xfe\xff" + sequence + struct.pack("!H", len(message)) + message


def cookie_request(hello, echo=True):
    return handshake_record(3, b"\xfe\xff\x04cook", hello[3:11] if echo else bytes(8))


def test_nobody_listens(run):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    tool = measure(run, "127.0.0.1", port)
    assert tool.status == 3 and tool.result["verdict"] == "icmp-port-unreachable"
    assert tool.result["c2s_mtu"] is None and tool.result["seconds"] < 2


@needs_namespaces
def test_the_tool_does_not_answer_itself(run):
    """The kernel may choose the port of a server that is not there for the tool: here one time in two."""
    script = 'ip link set lo up && sysctl -qw net.ipv4.ip_local_port_range="40000 40001" && exec "$0" 127.0.0.1 40000'
    for _ in range(6):
        tool = run("unshare", "-n", "sh", "-c", script, MTU)
        assert tool.wait() == 3


def test_nobody_answers(run, answers):
    server = answers(lambda _: None)
    tool = measure(run, "-w", "3", "127.0.0.1", server.port)
    assert tool.status == 3 and tool.result["verdict"] == "no-response"
    assert 2 <= len(server.seen) <= 10 and tool.result["seconds"] < 4
    assert "VPN gateway" in tool.result["verdicts"][0]["text"]


def test_somebody_else_answers(run, answers):
    tool = measure(run, "127.0.0.1", answers(lambda _: b"SSH-2.0-x\r\n").port)
    assert tool.status == 4 and tool.result["verdict"] == "not-dtls-peer"


def test_an_alert_is_reported(run, answers):
    tool = measure(run, "127.0.0.1", answers(lambda h: b"\x15\xfe\xfd" + h[3:11] + b"\0\2\2\x28").port)
    assert tool.status == 4 and tool.result["verdict"] == "unexplained-alert"
    assert "handshake_failure" in tool.result["verdicts"][0]["text"]


def test_a_server_without_cookies_is_asked_once_and_told_to_forget(run, answers):
    hello = b"\xfe\xfd" + bytes(32) + b"\0\xc0\x2b\0"
    server = answers(lambda h: handshake_record(2, hello, h[3:11]) if h[0] == 22 else None)
    tool = measure(run, "127.0.0.1", server.port)
    assert tool.status == 4 and tool.result["verdict"] == "no-cookie-amplification"
    assert [record[0] for record in server.seen] == [22, 21]


def test_a_server_that_answers_no_padded_hello_is_recognised(run, answers):
    tool = measure(run, "127.0.0.1", answers(lambda h: cookie_request(h) if len(h) < 200 else None).port)
    assert tool.status == 4 and tool.result["verdict"] == "path-fingerprint-block"


@pytest.mark.parametrize("echo", [True, False])
def test_a_server_need_not_repeat_record_numbers(run, answers, echo):
    """GnuTLS answers with 0: then the socket shows which probe was answered."""
    server = answers(lambda h: cookie_request(h, echo) if len(h) <= 1300 else None)
    tool = measure(run, "--max", "1500", "127.0.0.1", server.port)
    assert tool.result["c2s_mtu"] == 1328, tool.result


def test_record_numbers_stay_below_2_31(run, answers):
    """wolfSSL drops a ClientHello with a larger one."""
    server = answers(lambda h: cookie_request(h) if int.from_bytes(h[5:11], "big") < 1 << 31 else None)
    tool = measure(run, "--max", "1400", "127.0.0.1", server.port)
    assert tool.status == 0 and tool.result["c2s_mtu"] == 1400


@pytest.mark.parametrize("echo", [True, False])
def test_a_slow_server_is_measured(run, answers, relay, echo):
    """The round trip takes longer than any pause between the first probes."""
    slow = relay(answers(lambda h: cookie_request(h, echo)).port, "--delay", "1500")
    tool = measure(run, "--max", "1400", "127.0.0.1", slow.port)
    assert tool.status == 0 and tool.result["c2s_mtu"] == 1400, tool.result
    assert tool.result["c2s"]["rtt_ms"] > 2990


def test_a_server_of_one_client_at_a_time_is_no_fingerprint_block(run, answers):
    """It answers the port that asked first and does not repeat numbers: no probe can be told from another."""
    ports = []

    def answer(hello):
        ports.append(server.peer)
        return cookie_request(hello, echo=False) if server.peer == ports[0] else None

    server = answers(answer)
    tool = measure(run, "127.0.0.1", server.port)
    assert tool.status == 4 and tool.result["verdict"] == "no-response"
    assert "one client at a time" in tool.result["verdicts"][0]["text"]


def test_a_size_is_blamed_only_after_another_port(run, answers):
    """The server tires of each port after a few hellos, whatever their size."""
    asked = {}

    def answer(hello):
        asked[server.peer] = asked.get(server.peer, 0) + 1
        return cookie_request(hello) if asked[server.peer] <= 3 else None

    server = answers(answer)
    tool = measure(run, "--max", "1400", "127.0.0.1", server.port)
    assert tool.status == 0 and tool.result["c2s_mtu"] == 1400, tool.result


def test_an_echo_is_no_server(run, answers):
    tool = measure(run, "127.0.0.1", answers(lambda h: h).port)
    assert tool.status == 4 and tool.result["verdict"] == "not-dtls-peer"
    assert "echo service" in tool.result["verdicts"][0]["text"]


def test_a_full_disk_is_reported_as_one(run, answers):
    for flags in ([], ["--json"], ["--watch", "50ms"]):
        with open("/dev/full", "w") as full:
            tool = subprocess.run([MTU, *flags, "--max", "1300", "127.0.0.1", answers(cookie_request).port],
                                  stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert tool.returncode == 2
        assert tool.stderr == "dtls_mtu: cannot write the result to stdout: No space left on device\n"


@pytest.mark.parametrize("pad, kind", [("ext", 1), ("junk", 2)])
def test_the_padding_can_be_chosen(run, answers, pad, kind):
    server = answers(cookie_request)
    tool = measure(run, "--pad", pad, "--max", "1400", "127.0.0.1", server.port)
    assert tool.status == 0 and tool.result["c2s_mtu"] == 1400
    largest = max(server.seen, key=len)
    records = 1 if len(largest) == 13 + int.from_bytes(largest[11:13], "big") else 2
    assert len(largest) == 1372 and records == kind


def test_less_than_required_is_a_failure(run, answers):
    server = answers(cookie_request)
    assert measure(run, "--require", "1300", "--max", "1300", "127.0.0.1", server.port).status == 0
    assert measure(run, "--require", "1301", "--max", "1300", "127.0.0.1", server.port).status == 1


def test_an_empty_datagram_and_garbage_between_stop_nothing(run, answers):
    server = answers(lambda h: [b"", b"noise", cookie_request(h), b""])
    tool = measure(run, "--max", "1500", "127.0.0.1", server.port)
    assert tool.status == 0 and tool.result["c2s_mtu"] == 1500


def test_watch_measures_again_and_a_signal_ends_it(run, answers):
    tool = run(MTU, "--watch", "50ms", "--max", "1300", "--json", "127.0.0.1", answers(cookie_request).port)
    tool.wait_for("out", '"type":"result"', 3)
    tool.signal(signal.SIGTERM)
    assert tool.wait() == 128 + signal.SIGTERM


def test_watch_reports_a_change(run, answers):
    most = [1400]
    server = answers(lambda h: cookie_request(h) if len(h) <= most[0] - 28 else None)
    tool = run(MTU, "--watch", "50ms", "--max", "1500", "127.0.0.1", server.port)
    tool.wait_for("out", "path MTU 1400")
    most[0] = 1300
    tool.wait_for("err", "changed from 1400 to 1300")


def test_the_name_is_not_known(run):
    tool = run(MTU, "no-such-host.invalid", "4433")
    assert tool.wait() == 3 and len(tool.lines) == 1 and "no-such-host.invalid" in tool.lines[0]


@pytest.mark.parametrize("args, words", [
    ([], "HOST and PORT"),
    (["4433"], "a host is needed"),
    (["localhost:99999"], "65535"),
    (["localhost", "abc"], "port 'abc'"),
    (["localhost", "0"], "the lowest port"),
    (["--responder", "99999"], "65535"),
    (["--max", "100", "localhost", "4433"], "--max 100"),
    (["--responder", "--peer", "4433"], "--responder"),
    (["--count", "2", "localhost", "4433"], "--watch"),
    (["--key", "k.pem", "localhost", "4433"], "--cert"),
    (["--pad", "x", "localhost", "4433"], "--pad"),
    (["--explain", "nothing-such"], "nothing-such"),
    (["--completion", "tcsh"], "only bash"),
])
def test_wrong_usage_gets_one_clear_line(run, args, words):
    tool = run(MTU, *args)
    assert tool.wait() == 2 and words in tool.lines[0] and not tool.out


def test_a_finding_is_explained(run):
    tool = run(MTU, "--explain", "mtu-blackhole-c2s")
    assert tool.wait() == 0 and b"What to do" in tool.out


def test_the_port_of_a_responder_in_use_is_reported(run):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        tool = run(MTU, "--responder", "127.0.0.1", s.getsockname()[1])
        assert tool.wait() == 3 and "in use" in tool.lines[-1]


def test_an_echo_server_is_enough_for_the_way_there(run):
    server = run(NC, "-lv", "--echo", "127.0.0.1", "0")
    port = server.wait_for("err", r"Hosting at: 127\.0\.0\.1:(\d+)").group(1).decode()
    tool = measure(run, "--peer", "--max", "1500", "127.0.0.1", port)
    assert tool.status == 0 and tool.result["peer"] == "echo"
    assert (tool.result["c2s_mtu"], tool.result["s2c_mtu"]) == (1500, None)


@pytest.fixture
def pki(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "1", "-subj", "/CN=localhost", "-keyout", tmp_path / "key.pem", "-out",
                    tmp_path / "cert.pem"], check=True, capture_output=True)
    return tmp_path


SERVERS = {
    "openssl": ("openssl", ["s_server", "-dtls", "-listen", "-quiet", "-accept", "127.0.0.1:{port}", "-cert",
                            "{pki}/cert.pem", "-key", "{pki}/key.pem"]),
    "gnutls": ("gnutls-serv", ["--udp", "--echo", "-p", "{port}", "--x509certfile", "{pki}/cert.pem",
                               "--x509keyfile", "{pki}/key.pem"]),
}


def test_a_wolfssl_server_is_measured(run, pki):
    if not (BIN / "wolfssl_server").exists():
        pytest.skip("wolfssl_server was not built: its library is not here")
    server = run(BIN / "wolfssl_server", pki / "cert.pem", pki / "key.pem", env={"ASAN_OPTIONS": "detect_leaks=0"})
    port = server.wait_for("out", r"port (\d+)").group(1).decode()
    tool = measure(run, "--max", "1500", "127.0.0.1", port)
    assert tool.result["c2s_mtu"] == 1500, tool.result


@pytest.mark.parametrize("name", SERVERS)
def test_other_stacks_are_measured(run, pki, name):
    program, args = SERVERS[name]
    if not shutil.which(program):
        pytest.skip(f"no {program}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    run(program, *[a.format(port=port, pki=pki) for a in args])
    tool = measure(run, "--max", "1500", "127.0.0.1", port)
    while tool.result["verdict"] == "icmp-port-unreachable":  # it has not bound its port yet
        tool = measure(run, "--max", "1500", "127.0.0.1", port)
    assert tool.status == 0 and tool.result["c2s_mtu"] == 1500
