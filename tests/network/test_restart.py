"""Ends that come back: RFC 6347 section 4.2.8, and servers that die."""

from conftest import TERM, stop

KILL = 9


def test_a_client_that_starts_anew_on_its_port_is_served(server, nc, free_port):
    host = server("--echo", "-v", "--stats")
    for life in range(3):
        client = nc("--insecure", "-p", free_port, "127.0.0.1", host.port)
        client.send(f"life {life}".encode())
        client.wait_for("out", f"life {life}")
        client.signal(KILL)
        client.wait()
    found = stop(host)
    assert found["conn.restarted"] == 2
    assert found["conn.established"] == 3
    assert b"started anew" in host.err


def test_a_client_is_told_that_its_server_is_gone(server, nc, free_port):
    host = server("-v")
    client = nc("-v", "--insecure", "--idle", "2", "127.0.0.1", host.port)
    host.wait_for("err", "Client established")
    host.signal(KILL)
    host.wait()
    client.send(b"anybody?")
    client.wait_for("err", "ICMP")
    client.send(b"hello?")
    client.wait()  # --idle ends it: nothing hangs for ever
    assert b"no data for" in client.err or b"idle" in client.err


def test_a_server_that_comes_back_serves_new_clients_on_its_port(server, nc, nc_run, pki):
    first = server("--echo", "-v")
    client = nc("-v", "--insecure", "127.0.0.1", first.port)
    first.wait_for("err", "Client established")
    first.signal(KILL)
    first.wait()
    second = nc("-l", "--echo", "-v", "-c", pki / "cert.pem", "-k", pki / "key.pem", "127.0.0.1", first.port)
    second.wait_for("err", "Hosting at")
    assert nc_run("--insecure", "127.0.0.1", first.port, data=b"new").out == b"new"
    client.send(b"lost")  # of an association that the new server does not know
    client.signal(TERM)
    assert client.wait() == 128 + TERM
    second.signal(TERM)
    assert second.wait() == 128 + TERM


def test_a_server_that_ends_says_goodbye(server, nc):
    host = server("-v")
    client = nc("-v", "--insecure", "127.0.0.1", host.port)
    host.wait_for("err", "Client established")
    stop(host)
    assert client.wait() == 0
