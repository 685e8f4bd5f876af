# SPDX-License-Identifier: MIT
"""What goes where: stdin, stdout, --echo, --exec, and how a client ends."""

import array
import fcntl
import json
import os
import re
import socket
import subprocess
import termios
import time

import pytest

from conftest import DEADLINE, INT, NC, TERM

F_SETPIPE_SZ = 1031  # fcntl has the name from Python 3.10 on


def test_payload_alone_goes_to_stdout(server, nc_run):
    host = server("-vvvv")
    client = nc_run("-vvvv", "127.0.0.1", host.port, data=b"hello\n")
    assert client.status == 0 and client.out == b""
    host.wait_for("err", "Removing peer")
    assert host.out == b"hello\n"


def test_payload_is_binary_safe(server, nc_run):
    host = server("-v")
    data = bytes(range(256)) * 4
    nc_run("127.0.0.1", host.port, data=data)
    host.wait_for("err", "Removing peer")
    assert host.out == data


def test_one_read_is_one_datagram(server, nc):
    host = server("--json")
    client = nc("127.0.0.1", host.port)
    for i, size in enumerate((1, 1000, 10)):
        client.send(b"x" * size)
        host.wait_for("err", '"direction":"received"', count=i + 1)
    sizes = [int(n) for n in re.findall(rb'"direction":"received","bytes":(\d+)', host.err)]
    assert sizes == [1, 1000, 10]


def test_more_than_fits_goes_in_several_datagrams(server, nc_run):
    host = server("--json")
    nc_run("127.0.0.1", host.port, data=b"x" * 20000)
    host.wait_for("err", '"event":"closed"')
    sizes = [int(n) for n in re.findall(rb'"direction":"received","bytes":(\d+)', host.err)]
    assert sum(sizes) == 20000 and len(sizes) > 1 and max(sizes) <= 16384
    assert host.out == b"x" * 20000


def test_a_line_is_a_datagram_with_line(server, nc_run):
    host = server("--json")
    nc_run("--line", "127.0.0.1", host.port, data=b"a\nbcd\nrest")
    host.wait_for("err", '"event":"closed"')
    assert re.findall(rb'"direction":"received","bytes":(\d+)', host.err) == [b"2", b"4", b"4"]


def test_stdin_of_a_server_goes_to_every_client(server, nc):
    host = server("-v")
    clients = [nc("127.0.0.1", host.port) for _ in range(5)]
    host.wait_for("err", "Client established from", count=5)
    host.send(b"to all of you\n")
    for client in clients:
        client.wait_for("out", "to all of you\n")


def test_stdin_of_a_server_waits_for_the_first_client(server, nc):
    host = server()
    host.send(b"early words\n")
    nc("127.0.0.1", host.port).wait_for("out", "early words\n")


def test_echo_sends_back_and_prints_nothing(server, nc_run):
    host = server("--echo", "-v")
    client = nc_run("127.0.0.1", host.port, data=b"and back\n")
    assert client.out == b"and back\n"
    host.wait_for("err", "Removing peer")
    assert host.out == b""


def test_many_clients_get_their_own_echo(server, nc):
    host = server("--echo")
    clients = [nc("127.0.0.1", host.port) for _ in range(10)]
    for i, client in enumerate(clients):
        client.send(b"client %d\n" % i)
    for i, client in enumerate(clients):
        client.wait_for("out", f"client {i}\n")
        assert client.out == b"client %d\n" % i


def test_exec_runs_a_command_for_every_client(server, nc):
    host = server("-e", "echo $SDTLS_PEER $SDTLS_VERSION $SDTLS_CIPHER; exec cat")
    clients = [nc("127.0.0.1", host.port) for _ in range(3)]
    for i, client in enumerate(clients):
        client.wait_for("out", r"127\.0\.0\.1:\d+ DTLS 1\.2 \S+GCM\S+\n")
        client.send(b"%d bottles\n" % i)
        client.wait_for("out", f"{i} bottles\n")
    assert len({client.out.split()[0] for client in clients}) == 3
    assert host.out == b""


def test_exec_closes_when_the_command_ends(server, nc):
    host = server("-e", "echo bye")
    client = nc("127.0.0.1", host.port)
    assert client.wait() == 0
    assert client.out == b"bye\n"


def test_exec_ends_the_command_when_the_peer_closes(server, nc, tmp_path):
    host = server("-v", "-e", f"echo $$; trap 'echo got TERM >{tmp_path}/said; exit' TERM; while :; do sleep 0.1; done")
    client = nc("127.0.0.1", host.port)
    pid = int(client.wait_for("out", r"(\d+)\n").group(1))
    assert os.path.exists(f"/proc/{pid}")
    client.signal(INT)
    host.wait_for("err", "Removing peer")
    subprocess.run(["timeout", "20", "tail", f"--pid={pid}", "-f", "/dev/null"], check=True)
    assert (tmp_path / "said").read_text() == "got TERM\n"


@pytest.mark.parametrize("command,words,fields", [
    ("exit 3", "ended with exit status 3", {"status": 3}),
    ("kill -TERM $$", r"was ended by signal 15 \(Terminated\)", {"signal": 15})])
def test_exec_tells_how_the_command_ended(server, nc_run, command, words, fields):
    host = server("-v", "-e", command)
    assert nc_run("127.0.0.1", host.port).status == 0
    host.wait_for("err", r"127\.0\.0\.1:\d+: the command of --exec " + words)
    host = server("--json", "-e", command)
    assert nc_run("127.0.0.1", host.port).status == 0
    found = json.loads(host.wait_for("err", r'\{"event":"command".*\}').group())
    assert found.items() >= fields.items() and found["peer"].startswith("127.0.0.1:")


def test_a_certificate_cannot_command_a_terminal(server, nc, pki, tmp_path):
    """The peer's subject has ESC, and CSI as U+009B."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8",
                    "-keyout", key, "-out", cert, "-subj", "/CN=a\x1b[31mb\u009b32mc\u202ed"], check=True, capture_output=True)
    host = server("-v", "--client-cert", "request", "--insecure", "-e", "env; cat")
    client = nc("-v", "--insecure", "-c", cert, "-k", key, "127.0.0.1", host.port)
    shown = client.wait_for("out", "SDTLS_SUBJECT=(.*)\n").group(1)
    host.wait_for("err", "subject: ")
    other = server("--json", "--client-cert", "request", "--insecure")
    nc("--insecure", "-c", cert, "-k", key, "127.0.0.1", other.port)
    other.wait_for("err", '"event":"ready"')
    for text in (shown, host.err, other.err):
        assert text.isascii() and b"\x1b" not in text, text
    assert b"\\xc2\\x9b32mc\\xe2\\x80\\xaed" in shown


@pytest.mark.parametrize("redirect", ["<.", "0>file"])
def test_a_stdin_that_cannot_be_read_is_an_error(server, run, tmp_path, redirect):
    host = server()
    client = run("sh", "-c", f'exec "$@" {redirect}', "sh", NC.resolve(), "127.0.0.1", host.port, cwd=tmp_path)
    assert client.wait() == 2
    assert b"cannot read stdin: " in client.err


def test_exec_works_for_a_client(server, nc):
    host = server()
    nc("-e", "echo from a command; cat >/dev/null", "127.0.0.1", host.port)
    host.wait_for("out", "from a command\n")


def test_once_serves_one_client_and_ends(server, nc_run):
    host = server("-1")
    assert nc_run("127.0.0.1", host.port, data=b"only one\n").status == 0
    assert host.wait() == 0
    assert host.out == b"only one\n"


def test_max_conns_keeps_others_out(server, nc, nc_run):
    host = server("-v", "-m", "1", "--stats")
    first = nc("127.0.0.1", host.port)
    host.wait_for("err", "Client established from")
    assert nc_run("127.0.0.1", host.port).status == 4
    first.end_stdin()
    assert first.wait() == 0
    host.wait_for("err", "Removing peer")
    assert nc_run("127.0.0.1", host.port).status == 0
    host.signal(TERM)
    host.wait()
    assert re.search(rb"conn.limit-clients +[1-9]", host.err)


def test_a_client_waits_for_replies_after_the_end_of_stdin(server, nc_run):
    host = server("-e", "read x; sleep 0.5; echo late $x")
    assert nc_run("-q", "20", "127.0.0.1", host.port, data=b"reply\n").out == b"late reply\n"
    assert nc_run("-N", "127.0.0.1", host.port, data=b"reply\n").out == b""


def test_replies_over_a_slow_path_still_arrive(server, relay, nc_run):
    slow = relay(server("--echo").port, "--delay", "250")
    assert nc_run("--insecure", "127.0.0.1", slow.port, data=b"far away\n").out == b"far away\n"


def test_without_stdin_a_client_stays(server, nc):
    host = server("-v")
    client = nc("-d", "127.0.0.1", host.port, stdin=subprocess.DEVNULL)
    host.wait_for("err", "Client established from")
    host.send(b"first\n")
    client.wait_for("out", "first\n")
    host.send(b"second\n")
    client.wait_for("out", "second\n")


def test_a_server_outlives_its_stdin(server, nc_run):
    host = server("-v", stdin=subprocess.DEVNULL)
    for i in (1, 2):
        assert nc_run("127.0.0.1", host.port, data=b"hi\n").status == 0
        host.wait_for("err", "Removing peer", count=i)
    assert host.out == b"hi\nhi\n"


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize("number", [INT, TERM])
def test_a_signal_sends_close_notify(server, nc, side, number):
    host = server("-v")
    client = nc("-v", "127.0.0.1", host.port)
    client.wait_for("err", "Connected to")
    host.wait_for("err", "Client established from")
    ending, other = (client, host) if side == "client" else (host, client)
    ending.signal(number)
    assert ending.wait() == 128 + number
    assert "Ended by" in ending.err.decode()
    other.wait_for("err", r"Removing peer 127\.0\.0\.1:\d+: ")
    if side == "server":
        assert client.wait() == 0


def test_a_closed_stdout_ends_quietly(server, nc):
    host = server()
    read, write = os.pipe()
    with subprocess.Popen([NC, "--insecure", "127.0.0.1", host.port], stdin=subprocess.PIPE, stdout=write,
                          stderr=subprocess.PIPE) as client:
        os.close(write)
        os.close(read)
        host.send(b"anybody?\n")
        assert client.wait(30) == 141
        assert client.stderr.read() == b""


def test_a_signal_ends_a_server_whose_stdout_is_stuck(nc, pki, nc_run):
    read, write = os.pipe()
    fcntl.fcntl(write, F_SETPIPE_SZ, 4096)
    host = subprocess.Popen([NC, "-l", "127.0.0.1", "-c", pki / "cert.pem", "-k", pki / "key.pem"],
                            stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.PIPE)
    try:
        os.close(write)
        port = re.search(rb":(\d+)\n", host.stderr.readline()).group(1).decode()
        client = nc("127.0.0.1", port)
        filled = b"x" * 1000
        for _ in range(200):  # far more than the pipe holds
            client.send(filled)
        deadline = time.monotonic() + DEADLINE
        while not pending(read):
            assert host.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        host.terminate()
        assert host.wait(30) == 128 + TERM
    finally:
        host.kill()
        host.wait()
        os.close(read)


def pending(fd):
    size = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, size)
    return size[0]


def test_ipv6_works(nc, nc_run, pki):
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("no IPv6 here")
    host = nc("-l", "-6", "::1", "-c", pki / "cert.pem", "-k", pki / "key.pem", "--echo")
    port = host.wait_for("err", r"Hosting at: \[::1\]:(\d+)").group(1).decode()
    for args in (["::1", port], [port, "::1"], [f"[::1]:{port}"], ["-6", "-n", "::1", port]):
        assert nc_run(*args, data=b"six\n").out == b"six\n"


def test_an_idle_connection_is_closed(server, nc):
    host = server("-v", "--idle", "500ms")
    client = nc("127.0.0.1", host.port)
    assert client.wait() == 0
    host.wait_for("err", "Removing peer .*no data for 500 ms")
    assert b"nc_dtls:" not in host.err
    host = server("-v")
    client = nc("--idle", "500ms", "127.0.0.1", host.port)
    assert client.wait() == 3
    assert b"no data for 500 ms" in client.err
    host.wait_for("err", "Removing peer")


def test_source_port_is_used(server, nc_run):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    host = server("-v")
    assert nc_run("-s", "127.0.0.1", "-p", port, "127.0.0.1", host.port).status == 0
    host.wait_for("err", rf"Client established from: 127\.0\.0\.1:{port} ")


def test_all_clients_served_from_the_listener_with_max_connected_0(server, nc):
    host = server("--echo", "--max-connected", "0", "--stats")
    clients = [nc("127.0.0.1", host.port) for _ in range(5)]
    for client in clients:
        client.send(b"shared\n")
        client.wait_for("out", "shared\n")
    host.signal(TERM)
    host.wait()
    assert re.search(rb"net\.shared +5\n", host.err) and b"net.connected" not in host.err


def test_a_closed_stdin_and_stdout_do_no_harm(server):
    host = server("-v")
    status = subprocess.run(f"{NC} --insecure 127.0.0.1 {host.port} <&- >&-", shell=True, timeout=30).returncode
    assert status == 0
    host.wait_for("err", "Removing peer")
