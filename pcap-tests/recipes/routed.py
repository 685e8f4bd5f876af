# SPDX-License-Identifier: MIT
"""What needs routers and links: ICMP, path MTU, IP fragments."""

import os

from certs import Certs
from lab import (NOWHERE, SERVER, SERVER6, TO_CLIENT, TO_SERVER, build, capture, from_client, ip, is_data, is_icmp)
from peers import listening, s_client, s_server, say, start, stop

V6 = ("[::]:4433", f"[{SERVER6}]:4433")
LISTEN = ("-listen",)  # this server then looks for the path MTU itself, and sets "do not fragment"


def serve(*options, key="P-256", mtu=1400, chain=False, address=SERVER):
    certs = Certs(os.environ["RECIPE_TMP"])
    certs.make("between", "Test Intermediate", issuer="ca", kind="root")
    certs.make("leaf", issuer="between", key=key)
    certs.chain("chain", "between", "ca")
    command = s_server(*certs.use("leaf"), *(["-cert_chain", certs.at("chain.pem")] if chain else []), *options,
                       mtu=mtu)
    command[command.index("-accept") + 1] = address if ":" in address else f"{address}:4433"
    server = start(command, "server")
    listening(namespace="server")
    return server


def unreachable(target, prepare=lambda: None, times=2):
    """A client whose packets come back as ICMP errors."""
    def recipe(path):
        build()
        prepare()

        def work(tap, started):
            started.append(start(s_client(to=f"{target}:4433"), "client"))
            tap.wait(lambda t: t.count(is_icmp) >= times)
        capture(path, TO_CLIENT, work)
    return recipe


def large_flight(interface, until, *options, mtu_client=1500, mtu=1400, quiet=False, hosts=(SERVER, f"{SERVER}:4433")):
    """A certificate chain that does not pass the client's link in one piece. hosts: where the
    server listens, and what the client asks."""
    def recipe(path):
        build(mtu_client)
        if quiet:  # the router sends no ICMP
            ip("rule", "add", "ipproto", "icmp", "blackhole")

        def work(tap, started):
            started.append(serve(*options, key=4096, mtu=mtu, chain=True, address=hosts[0]))
            started.append(start(s_client(to=hosts[1]), "client"))
            say(started[1], b"ping\n")
            tap.wait(until, 20)
        capture(path, interface, work)
    return recipe


def restarted_server(path):
    """Its process ends while the client has more to say."""
    build()

    def work(tap, started):
        server = serve()
        started.append(server)
        client = start(s_client(to=f"{SERVER}:4433"), "client")
        started.append(client)
        for n in (1, 2, 3):
            say(client, b"ping\n")
            tap.wait(lambda t, n=n: t.count(is_data) >= n)
        stop(server)
        say(client, b"ping\n")
        tap.wait(lambda t: t.count(is_icmp) >= 1)
    capture(path, TO_CLIENT, work)


def talks(tap):
    return tap.count(is_data) >= 1


def asks(times):
    return lambda tap: tap.count(from_client) >= times


RECIPES = {
    "port_closed": unreachable(SERVER, times=1),
    "host_unreachable": unreachable(NOWHERE, lambda: ip("route", "add", "unreachable", f"{NOWHERE}/32")),
    "admin_prohibited": unreachable(NOWHERE, lambda: ip("route", "add", "prohibit", f"{NOWHERE}/32"), 1),
    "server_killed": restarted_server,
    "ptb_server": large_flight(TO_SERVER, asks(5), mtu_client=900),
    "ptb_abort_server": large_flight(TO_SERVER, asks(5), *LISTEN, mtu_client=900, mtu=None),
    "ptb_abort_client": large_flight(TO_CLIENT, asks(5), *LISTEN, mtu_client=900, mtu=None),
    "icmp_blocked_server": large_flight(TO_SERVER, talks, *LISTEN, mtu_client=900, mtu=None, quiet=True),
    "icmp_blocked_client": large_flight(TO_CLIENT, talks, *LISTEN, mtu_client=900, mtu=None, quiet=True),
    "ok_ipv6": large_flight(TO_CLIENT, talks, hosts=V6),
    "ptb_ipv6_server": large_flight(TO_SERVER, asks(5), mtu_client=1300, hosts=V6),
    "ip_fragments": large_flight(TO_CLIENT, talks, mtu=4000),
}
