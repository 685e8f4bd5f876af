# SPDX-License-Identifier: MIT
"""Real peers, with a fault of theirs or of the network between them."""

import os

import dtls
from certs import Certs, NAME
from duo import DATA, duo, ended, pings, seen
from middlebox import (HOST, PORT_CLIENT, PORT_SERVER, Rule, answer, corrupt, delay, drop, either, first,
                       rebind, reflect, sent, twice)
from peers import PSK, listening, nc_dtls, s_client, s_server, say, start, stop, with_psk

HELLO, HELLO_COOKIE = sent("c", dtls.CLIENT_HELLO), sent("c", dtls.CLIENT_HELLO, cookie=True)
VERIFY = sent("s", dtls.VERIFY)
DONE, CLIENT_KEY = sent("s", dtls.HELLO_DONE), sent("c", dtls.CLIENT_KEY)
FLIGHT4 = either(*(sent("s", kind) for kind in (dtls.SERVER_HELLO, dtls.CERTIFICATE, dtls.KEY_EXCHANGE,
                                                dtls.CERT_REQUEST, dtls.HELLO_DONE)))
FLIGHT5 = either(sent("c", content=dtls.CCS), sent("c", content=dtls.HANDSHAKE, epoch=1),
                 *(sent("c", kind) for kind in (dtls.CERTIFICATE, dtls.CLIENT_KEY, dtls.CERT_VERIFY)))
FLIGHT6 = either(sent("s", content=dtls.CCS), sent("s", dtls.TICKET), sent("s", content=dtls.HANDSHAKE, epoch=1))
FROM = {side: sent(side) for side in "cs"}
BOTH = either(FROM["c"], FROM["s"])

OTHER_KEY = "ffeeddccbbaa99887766554433221100"
VERIFIES = ("-CAfile", "@ca.pem", "-verify_return_error")
WEAK = ("-cipher", "ALL:@SECLEVEL=0")
ONE_NAME = ("-servername", "right.example", "-servername_fatal", "-cert2", "@leaf.pem", "-key2", "@leaf.key")
SRTP = ("-use_srtp", "SRTP_AES128_CM_SHA1_80")
LEAF = {"issuer": "ca"}
EXPIRED = {**LEAF, "start": "20240101000000Z", "end": "20250101000000Z"}
FUTURE = {**LEAF, "start": "20480101000000Z", "end": "20490101000000Z"}


def tls(server=(), client=(), rules=(), leaf=None, chain=(), mtus=(1400, 1400), versions=("-dtls1_2",) * 2, above=None,
        **how):
    """openssl s_server with a certificate and s_client. leaf: arguments of Certs.make; chain: what
    the server sends after it; mtus, versions: of the server, of the client. "@name" is a file of
    the recipe's folder; above: arguments of the intermediate."""
    def recipe(path):
        certs = Certs(os.environ["RECIPE_TMP"])
        certs.make("between", "Test Intermediate", **{"issuer": "ca", "kind": "root", **(above or {})})
        certs.make("second", "Second Intermediate", issuer="between", kind="root")
        certs.make("leaf", **(leaf or LEAF))
        certs.chain("chain", *chain)
        options = [*certs.use("leaf"), *(["-cert_chain", "@chain.pem"] if chain else []), *server]
        duo(path, s_server(*files(certs, options), mtu=mtus[0], version=versions[0]),
            s_client(*files(certs, client), mtu=mtus[1], version=versions[1]), list(rules), **how)
    return recipe


def files(certs, options):
    return [certs.at(o[1:]) if o.startswith("@") else o for o in options]


def psk(*rules, key=PSK, **how):
    """s_server and s_client with a pre-shared key."""
    def recipe(path):
        duo(path, s_server("-nocert", *with_psk()), s_client(*with_psk(key)), rules, **how)
    return recipe


def alone(*rules, **how):
    """A client only: the middlebox answers for the server, or nobody does."""
    def recipe(path):
        duo(path, None, s_client(), rules, goodbye=False, **how)
    return recipe


def refused(**how):
    """A handshake that an alert ends."""
    return tls(until=ended, goodbye=False, **how)


def fails(until, **how):
    """A handshake that goes on in vain until then."""
    return tls(until=until, goodbye=False, **how)


def two_clients(path):
    """Each takes the other for a server; their hellos cross."""
    duo(path, s_client("-bind", f"{HOST}:{PORT_SERVER}", to=f"{HOST}:6000"), s_client(),
        [first(HELLO, delay(0.2)), first(sent("s", dtls.CLIENT_HELLO), delay(0.2))],
        until=ended, goodbye=False, back_port=6000)


def gnutls(*rules, key=PSK, name="user", **how):
    """gnutls-serv and gnutls-cli with a pre-shared key."""
    def recipe(path):
        passwords = os.path.join(os.environ["RECIPE_TMP"], "passwords")
        with open(passwords, "w") as f:
            f.write(f"user:{PSK}\n")
        gnutls_pair(path, ["--pskpasswd", passwords], ["--pskusername", name, "--pskkey", key], "+PSK", rules, how)
    return recipe


def gnutls_tls(*rules, **how):
    """The same with a chain of RSA certificates."""
    def recipe(path):
        certs = Certs(os.environ["RECIPE_TMP"])
        certs.make("leaf", issuer="ca", key=4096)
        chain = certs.chain("chain", "leaf", "ca")
        gnutls_pair(path, ["--x509certfile", chain, "--x509keyfile", certs.at("leaf.key")], ["--insecure"],
                    "+ECDHE-RSA", rules, how)
    return recipe


def gnutls_pair(path, server, client, exchange, rules, how):
    priority = ["--priority", f"NORMAL:-KX-ALL:{exchange}:-VERS-ALL:+VERS-DTLS1.2"]
    duo(path, ["gnutls-serv", "--udp", "--port", str(PORT_SERVER), "--echo", *server, *priority],
        ["gnutls-cli", "--udp", "--port", str(PORT_CLIENT), *client, *priority, HOST], rules, **how)


def resumed(forgets):
    """The second handshake of a client that kept its session; the server may have been restarted."""
    def recipe(path):
        certs = Certs(os.environ["RECIPE_TMP"])
        certs.make("leaf", issuer="ca")
        session = certs.at("session")
        server = s_server(*certs.use("leaf"))
        serving = None if forgets else start(server)
        try:
            if serving:
                listening()
            mine = server if forgets else None
            duo(certs.at("first.pcap"), mine, s_client("-sess_out", session))
            duo(path, mine, s_client("-sess_in", session))
        finally:
            stop(serving)
    return recipe


def restarted_client(path):
    """A client dies; its successor uses the same port, and the server takes it."""
    key = ["--psk", PSK, "--psk-identity", "user"]
    client = nc_dtls(*key, "-n", "-p", "40000", HOST, str(PORT_CLIENT))
    second = []

    def until(box):
        if not second and box.count(DATA["c"]) >= 1:
            stop(box.peer)
            second.append(1)
            box.peer = start(client)
            say(box.peer, b"again\n")
        return box.count(DATA["c"]) >= 2
    duo(path, nc_dtls("-l", "-d", *key, HOST, str(PORT_SERVER)), client, until=until, goodbye=False)


def ours(*server, key=4096, **how):
    """nc_dtls at both ends, with an RSA certificate."""
    def recipe(path):
        certs = Certs(os.environ["RECIPE_TMP"])
        certs.make("leaf", issuer="ca", key=key)
        identity = ["--cert", certs.at("leaf.pem"), "--key", certs.at("leaf.key")]
        duo(path, nc_dtls("-l", "-d", *identity, *server, HOST, str(PORT_SERVER)),
            nc_dtls("-n", "--insecure", HOST, str(PORT_CLIENT)), goodbye=False, **how)
    return recipe


ANSWERS = {
    "no_response": alone(Rule(BOTH, drop), until=seen(HELLO, 4)),
    "reply_path_dead": psk(Rule(FROM["s"], drop), until=seen(VERIFY, 4), goodbye=False),
    "not_dtls_peer": alone(Rule(BOTH, answer(b"HTTP/1.1 400 Bad Request\r\n\r\n")), until=seen(HELLO, 3)),
    "reflected_hello": alone(Rule(BOTH, reflect), until=ended),
    "role_conflict": two_clients,
}

COOKIE = {
    "cookie_unanswered": psk(Rule(HELLO_COOKIE, drop), until=seen(HELLO_COOKIE, 4), goodbye=False),
    "cookie_rebind": fails(seen(VERIFY, 4), server=("-listen",), rules=[first(HELLO_COOKIE, rebind)]),
    "amplification": ours("--no-cookie"),
    "amplification_not": ours(),
}

OFFER = {
    "no_common_cipher": refused(server=("-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"),
                                client=("-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")),
    "no_common_cert_type": refused(client=("-cipher", "ECDHE-RSA-AES128-GCM-SHA256")),
    "no_common_group": refused(server=("-curves", "P-384"), client=("-curves", "P-256")),
    "version_client_old": refused(versions=("-dtls1_2", "-dtls1"), client=WEAK),
    "version_client_new": refused(versions=("-dtls1", "-dtls1_2"), server=WEAK),
    "sni_unrecognized": refused(server=ONE_NAME, client=("-servername", "wrong.example")),
    "sni_right": tls(server=ONE_NAME, client=("-servername", "right.example")),
    "alpn_mismatch": refused(server=("-alpn", "coap"), client=("-alpn", "h2")),
    "alpn_match": tls(server=("-alpn", "coap"), client=("-alpn", "h2,coap")),
    "client_cert_required": refused(server=("-Verify", "1")),
    "client_cert_asked": tls(server=("-verify", "1")),
    "srtp_mismatch": tls(client=SRTP),
    "srtp_match": tls(server=SRTP, client=SRTP),
}

CERTIFICATES = {
    "certificate_good": tls(client=(*VERIFIES, "-verify_hostname", NAME, "-servername", NAME)),
    "certificate_expired": refused(client=VERIFIES, leaf=EXPIRED),
    "certificate_not_yet_valid": refused(client=VERIFIES, leaf=FUTURE),
    "hostname_mismatch": refused(client=(*VERIFIES, "-verify_hostname", "other.example",
                                         "-servername", "other.example")),
    "unknown_ca": refused(client=("-verify_return_error",)),
    "unknown_ca_client": refused(server=("-Verify", "1", "-verify_return_error"),
                                 client=("-cert", "@leaf.pem", "-key", "@leaf.key")),
    "weak_key": refused(server=WEAK, client=(*VERIFIES, "-cipher", "ALL:@SECLEVEL=2"), leaf={**LEAF, "key": 1024}),
    "chain_missing": refused(client=VERIFIES, leaf={"issuer": "between"}),
    "chain_good": tls(client=VERIFIES, leaf={"issuer": "between"}, chain=("between",)),
    "chain_double": tls(leaf={"issuer": "between"}, chain=("between", "between", "ca")),
    "chain_disordered": tls(leaf={"issuer": "between"}, chain=("ca", "between")),
}

def issuer(chain=("between",), leaf=None, **above):
    """A chain whose intermediate is as `above` says; the client verifies it."""
    return {"client": VERIFIES, "leaf": leaf or {"issuer": "between"}, "chain": chain, "above": above}


BELOW_SECOND = {"chain": ("second", "between"), "leaf": {"issuer": "second"}}

ISSUERS = {
    "issuer_expired": refused(**issuer(start=EXPIRED["start"], end=EXPIRED["end"])),
    "issuer_early": refused(**issuer(start=FUTURE["start"], end=FUTURE["end"])),
    "issuer_weak": refused(server=WEAK, **{**issuer(key=1024), "client": (*VERIFIES, "-cipher", "ALL:@SECLEVEL=2")}),
    "issuer_no_ca": refused(**issuer(kind="no_ca")),
    "issuer_no_signing": refused(**issuer(kind="no_signing")),
    "issuer_too_deep": refused(**issuer(**BELOW_SECOND, kind="no_more")),
    "issuer_not_too_deep": tls(**issuer(kind="no_more")),
    "issuer_expired_beside": refused(client=("-verify_return_error",), leaf=LEAF, chain=("between",), above=EXPIRED),
}

BIG = {"leaf": {"issuer": "between", "key": 4096}, "chain": ("between", "ca")}

SIZE = {
    "mtu_blackhole_s2c": fails(seen(DONE, 4), rules=[Rule(sent("s", over=900), drop)], **BIG),
    "mtu_blackhole_c2s": fails(seen(CLIENT_KEY, 3), rules=[Rule(sent("c", over=700), drop)], **BIG,
                               server=("-Verify", "1", "-verifyCAfile", "@ca.pem"),
                               client=("-cert", "@leaf.pem", "-key", "@leaf.key")),
    "mtu_fallback": tls(server=("-listen",), rules=[Rule(sent("s", over=900), drop)], mtus=(None, 1400), **BIG,
                        seconds=20),
    "mtu_blackhole_gnutls": gnutls_tls(Rule(sent("s", over=900), drop), until=seen(DONE, 4), goodbye=False,
                                       seconds=16),
    "loss_one_fragment": tls(rules=[first(sent("s", over=900), drop)], **BIG),
    "tiny_fragments": tls(mtus=(None, 1400)),
    "oversize_first_flight": tls(mtus=(4000, 1400), **BIG),
}

KEYS = {
    "wrong_psk": psk(key=OTHER_KEY, until=seen(CLIENT_KEY, 4), goodbye=False),
    "wrong_psk_gnutls": gnutls(key=OTHER_KEY, until=seen(CLIENT_KEY, 3), goodbye=False),
    "unknown_psk_identity": gnutls(name="nobody", until=seen(CLIENT_KEY, 3), goodbye=False),
    "flight5_lost": fails(seen(DONE, 4), rules=[Rule(FLIGHT5, drop)]),
    "flight5_lost_gnutls": gnutls(Rule(FLIGHT5, drop), until=seen(DONE, 3), goodbye=False),
    "flight5_corrupt": fails(seen(DONE, 4), rules=[Rule(sent("c", content=dtls.HANDSHAKE, epoch=1), corrupt)]),
    "final_flight_lost": fails(seen(CLIENT_KEY, 4), rules=[Rule(FLIGHT6, drop)]),
    "final_flight_lost_psk": psk(Rule(FLIGHT6, drop), until=seen(CLIENT_KEY, 4), goodbye=False),
}

MANY = {
    "client_restart": restarted_client,
    "nat_rebinding": tls(rules=[Rule(DATA["c"], rebind, range(1, 2))], until=pings(5)),
    "resumption_refused": resumed(True),
    "resumption": resumed(False),
}

QUALITY = {
    "ok_ecdsa": tls(),
    "ok_psk": psk(),
    "ok_gnutls": gnutls(),
    "ok_gnutls_rsa": gnutls_tls(),
    "loss_hello": psk(first(HELLO, drop)),
    "loss_hvr": psk(first(VERIFY, drop)),
    "loss_cookie_hello": psk(first(HELLO_COOKIE, drop)),
    "loss_flight4": tls(rules=[first(FLIGHT4, drop)]),
    "loss_flight5": tls(rules=[first(FLIGHT5, drop)]),
    "loss_flight6": tls(rules=[first(FLIGHT6, drop)]),
    "loss_flight4_gnutls": gnutls(first(FLIGHT4, drop)),
    "spurious_rto": tls(rules=[Rule(BOTH, delay(0.7))], seconds=20),
    "net_duplication": tls(rules=[Rule(BOTH, twice)], until=seen(FLIGHT6)),
    "reorder": tls(rules=[first(FLIGHT4, delay(0.005))], mtus=(400, 1400)),
    "weak_crypto": tls(server=WEAK, client=WEAK, versions=("-dtls1", "-dtls1")),
}

RECIPES = {**ANSWERS, **COOKIE, **OFFER, **CERTIFICATES, **ISSUERS, **SIZE, **KEYS, **MANY, **QUALITY}
