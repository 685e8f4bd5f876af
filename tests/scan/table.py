# SPDX-License-Identifier: MIT
"""The table: servers, and what dtls_scan must report about each, by check id. An expectation comes from what the
configuration is: the options given, the library's own lists, its documented defaults. It is a value of the
report, a set (a list in any order), a Level, or a function of the running server that gives one of these."""

from dataclasses import dataclass, field

import suites
from servers import PSK, ROOT, Server, coap, coturn, gnutls, ours, s_server, small, socat


@dataclass
class Row:
    name: str
    server: Server
    facts: dict
    args: tuple = ()  # for dtls_scan
    fast: bool = False  # also in ci/test
    single: bool = False  # serves one address only: what needs two is not known
    more: dict = field(default_factory=dict)


@dataclass
class Level:
    """The level of a result, whatever its value."""

    level: str


@dataclass
class Contains:
    """A list that has all of these, given as a set or by a function, and none of the `never` words in its names."""

    least: object
    never: tuple = ()

    def holds(self, value, server):
        least = self.least(server) if callable(self.least) else self.least
        return isinstance(value, list) and least <= set(value) and not suites.only(set(value), *self.never)


class Each:
    """Members of the object that is the value's member `kind`."""

    def __init__(self, kind, **members):
        self.kind, self.members = kind, members

    def holds(self, value):
        found = (value or {}).get(self.kind) or {}
        return {k: found.get(k) for k in self.members} == self.members


def versions(*accepted):
    return {"versions": {v: v in accepted for v in ("0.9", "1.0", "1.2", "1.3")}}


# --- suites: a function of the running server, and what follows from them ---

def suite_facts(of, kind, order, version="1.2", without=()):
    """`of(running)`: codes."""

    def accepted(running):
        return suites.fitting(of(running), kind, without)

    def part(*words):
        return lambda running: suites.only(accepted(running), *words)

    return {
        f"suites-{version}": accepted, "suite-order": order,
        "null-suites": part("NULL"), "anonymous-suites": part("anon"), "export-suites": part("EXPORT"),
        "broken-suites": part("RC4", "DES", "RC2"), "block64-suites": part("3DES", "IDEA"), "cbc-suites": part("CBC"),
        "static-suites": lambda running: suites.static(accepted(running)),
    }


def openssl_suites(version, kind="ecdsa", ciphers="DEFAULT", tls="-tls1_2", order="client", dtls="1.2"):
    # RC4 is a stream cipher without a nonce: OpenSSL leaves it out of DTLS.
    return suite_facts(lambda r: suites.of_openssl(r.at.openssl(version), ciphers, tls, kind is None), kind, order,
                       dtls, ("RC4",))


def gnutls_suites(kind="ecdsa", priority="NORMAL", suite=None, order="client"):
    cli = "gnutls-cli" if suite is None else ROOT / f"build/peers/{suite}/bin/gnutls-cli"
    return suite_facts(lambda r: suites.of_gnutls(cli, priority), kind, order)


def printed_suites(kind="ecdsa", order="server", without=()):
    return suite_facts(lambda r: suites.of_printed(r.said()), kind, order, without=without)


# --- certificates ---

def certificate(kind, *, bits, names=True, ordered=True, count=1, trusted=False, expired=False, weak=False):
    """`kind`: of the key, as the report names it."""
    return {
        "certificate-names": Each(kind, matches=names), "certificate-chain": Each(kind, count=count, ordered=ordered),
        "certificate-trust": {kind: trusted}, "certificate-key": Each(kind, bits=bits),
        "certificate-dates": Level("high" if expired else "ok"),
        **({"certificate-key": Level("high")} if weak else {}),
    }


P256 = certificate("ECDSA", bits=256)
RSA = certificate("RSA", bits=2048)

# --- extensions, by what each library has and what the configuration switches ---

# s_server: tickets and session ids by default; no heartbeat since 1.1.1, no CID, no compression, no record_size_limit.
OPENSSL_EXTENSIONS = {
    "compression": False, "extended-master-secret": True, "encrypt-then-mac": True, "renegotiation-info": True,
    "session-ticket": True, "heartbeat": False, "connection-id": False, "srtp": None, "client-certificate": False,
    "max-fragment-length": True, "record-size-limit": False, "raw-public-key": False, "alpn": False, "psk": False,
    "ocsp-staple": False,
}
# GnuTLS 3.7, 3.8: record_size_limit (RFC 8449) and max_fragment_length; CTYPE-SRV-RAWPK is off in NORMAL.
GNUTLS_EXTENSIONS = {**OPENSSL_EXTENSIONS, "record-size-limit": True, "client-certificate": True}  # gnutls-serv asks always
# Mbed TLS: encrypt-then-MAC and extended master secret by default; record_size_limit only with TLS 1.3.
MBEDTLS_EXTENSIONS = {
    **OPENSSL_EXTENSIONS, "session-ticket": True,
}
# nc_dtls: no encrypt-then-MAC, as a forged short record would end the association (README), AEAD suites only.
OUR_EXTENSIONS = {
    **OPENSSL_EXTENSIONS, "encrypt-then-mac": Level("not-run"), "cbc-suites": set(), "static-suites": set(),
}

GROUPS = {"x25519", "secp256r1", "x448", "secp521r1", "secp384r1"}  # OpenSSL's defaults since 1.1.1, for ECDHE of 1.2
GNUTLS_GROUPS = {"secp256r1", "secp384r1", "secp521r1", "x25519", "x448"}  # of NORMAL


def openssl(version, *, kind="ecdsa", cert=None, **more):
    """A default s_server with a certificate of this kind."""
    return {**versions("1.2"), **openssl_suites(version, kind), **(cert or (RSA if kind == "rsa" else P256)),
            **OPENSSL_EXTENSIONS, "groups": GROUPS, **{k.replace("_", "-"): v for k, v in more.items()}}


def row(name, server, *facts, **how):
    merged = {}
    for f in facts:
        merged.update(f)
    return Row(name, server, merged, **how)


def all_openssl():
    for v, name in (("1.1.1", "openssl-1.1.1w"), ("system", "openssl-3.0"), ("3.5", "openssl-3.5"), ("4.0", "openssl-4.0")):
        yield row(f"{name}-listen", s_server(v, "-listen"), openssl(v), fast=v == "system", single=True)
        yield row(name, s_server(v), openssl(v), fast=v == "system", single=True)


def openssl_30():
    """Security level 0 lets DTLS 1.0 in, whose signatures are SHA-1."""
    s = "system"
    yield row("rsa", s_server(s, cert="rsa"), openssl(s, kind="rsa"), single=True)
    yield row("ed25519", s_server(s, cert="ed25519"), openssl(s, cert=certificate("EdDSA", bits=253)), single=True)
    yield row("p384", s_server(s, cert="p384"), openssl(s, cert=certificate("ECDSA", bits=384)), single=True)
    yield row("expired", s_server(s, cert="expired"),
              openssl(s, cert=certificate("ECDSA", bits=256, expired=True)), single=True)
    yield row("other-name", s_server(s, cert="othername"),
              openssl(s, cert=certificate("ECDSA", bits=256, names=False)), single=True)
    yield row("chain", s_server(s, cert="chain"),
              openssl(s, cert=certificate("ECDSA", bits=256, count=2, trusted=True)), single=True, args=("--ca-file", "@root.pem"))
    yield row("wrong-order", s_server(s, cert="disorder"),
              openssl(s, cert=certificate("ECDSA", bits=256, count=3, ordered=False, trusted=True)), single=True, args=("--ca-file", "@root.pem"))
    yield row("no-intermediate", s_server(s, cert="nomiddle"), openssl(s), single=True, args=("--ca-file", "@root.pem"))
    yield row("rsa-1024", s_server(s, "-cipher", "DEFAULT:@SECLEVEL=0", cert="rsa1024"), versions("1.0", "1.2"),
              openssl_suites(s, "rsa", "DEFAULT:@SECLEVEL=0"), certificate("RSA", bits=1024, weak=True), single=True)
    yield row("sha1", s_server(s, "-cipher", "DEFAULT:@SECLEVEL=0", cert="sha1"), versions("1.0", "1.2"),
              openssl_suites(s, "rsa", "DEFAULT:@SECLEVEL=0"), single=True)
    yield row("no-etm", s_server(s, "-no_etm"), openssl(s, encrypt_then_mac=False), single=True)
    yield row("no-ems", s_server("3.5", "-no_ems"), openssl("3.5", extended_master_secret=False), single=True)
    yield row("no-tickets", s_server(s, "-no_ticket"), openssl(s, session_ticket=False, session_id=True), single=True)
    yield row("alpn", s_server(s, "-alpn", "coap,stun.turn"), openssl(s, alpn="coap"), single=True)
    yield row("srtp", s_server(s, "-use_srtp", "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"),
              openssl(s, srtp="SRTP_AEAD_AES_128_GCM"), single=True)
    yield row("client-certificate", s_server(s, "-Verify", "1", "-CAfile", "@root.pem"), openssl(s, client_certificate=True), single=True)
    yield row("server-order", s_server(s, "-serverpref"), openssl(s), {"suite-order": "server"}, single=True)
    yield row("one-group", s_server(s, "-groups", "P-256"), openssl(s), {"groups": {"secp256r1"}}, single=True)
    yield row("one-suite", s_server(s, "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), versions("1.2"),
              openssl_suites(s, "ecdsa", "ECDHE-ECDSA-AES128-GCM-SHA256"),
              {"suites-1.2": {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}, "suite-order": Level("not-run")}, single=True)
    yield row("small-mtu", s_server(s, "-mtu", "300", cert="rsa"), openssl(s, kind="rsa"), single=True)
    yield row("renegotiation", s_server(s, "-client_renegotiation"), openssl(s), single=True)
    yield row("dtls-1.0", s_server(s, "-dtls1", "-cipher", "DEFAULT:@SECLEVEL=0", cert="rsa"), versions("1.0"),
              openssl_suites(s, "rsa", "DEFAULT:@SECLEVEL=0", "-tls1_1", dtls="1.0"), single=True)
    yield row("null", s_server(s, "-cipher", "eNULL:@SECLEVEL=0", cert="rsa"), versions("1.0", "1.2"),
              openssl_suites(s, ("rsa", "anon"), "eNULL:@SECLEVEL=0"), single=True)
    yield row("anonymous", s_server(s, "-cipher", "aNULL:!eNULL:@SECLEVEL=0", cert=None), versions("1.0", "1.2"),
              openssl_suites(s, "anon", "aNULL:!eNULL:@SECLEVEL=0"), single=True)
    yield row("psk", s_server(s, "-psk", PSK, "-psk_hint", "a hint", cert=None), versions("1.2"),
              openssl_suites(s, None, "DEFAULT"), {"psk": True, "certificate-names": Level("not-run")}, single=True)


def gnutls_rows():
    for suite, name in ((None, "gnutls-3.7"), ("gnutls", "gnutls-3.8")):
        yield row(name, gnutls(suite=suite), versions("1.0", "1.2"), gnutls_suites(suite=suite), {"groups": GNUTLS_GROUPS},
                  GNUTLS_EXTENSIONS, P256, fast=suite is None, single=True)
    only_12 = "NORMAL:-VERS-ALL:+VERS-DTLS1.2"
    yield row("gnutls-rsa", gnutls(cert="rsa"), versions("1.0", "1.2"), gnutls_suites("rsa"), single=True)
    yield row("gnutls-1.2", gnutls("--priority", only_12), versions("1.2"), gnutls_suites(priority=only_12), single=True)
    psk = "NORMAL:-KX-ALL:+PSK:+ECDHE-PSK:-VERS-DTLS1.0"
    yield row("gnutls-psk", gnutls("--pskpasswd", "@psk.txt", "--pskhint", "a hint", "--priority", psk, cert=None),
              versions("1.2"), gnutls_suites(None, psk), single=True)
    server_order = "NORMAL:%SERVER_PRECEDENCE"
    yield row("gnutls-server-order", gnutls("--priority", server_order), versions("1.0", "1.2"),
              gnutls_suites(priority=server_order, order="server"), single=True)
    yield row("gnutls-client-certificate", gnutls("--require-client-cert", "--x509cafile", "@root.pem"),
              versions("1.0", "1.2"), gnutls_suites(), single=True)
    yield row("gnutls-no-cookie", gnutls("--nocookie"), versions("1.0", "1.2"), gnutls_suites(), single=True)
    yield row("gnutls-no-tickets", gnutls("--noticket"), versions("1.0", "1.2"), gnutls_suites(), single=True)


def wolfssl_suites(kind="ecdsa"):
    """wolfSSL says what is built in, but not what it leaves out: DHE without parameters, RC4 in DTLS."""
    return {"suites-1.2": Contains(lambda r: suites.fitting(suites.of_printed(r.said()), kind, ("RC4", "DHE_RSA", "DES")),
                                  ("RC4", "EXPORT", "anon")),
            "broken-suites": set(), "export-suites": set(), "anonymous-suites": set(), "suite-order": "server"}


def small_rows():
    yield row("wolfssl-5.5", small("wolfssl_scan"), versions("1.2"), wolfssl_suites(), P256, fast=True)
    yield row("wolfssl-5.5-rsa", small("wolfssl_scan", cert="rsa"), versions("1.2"), wolfssl_suites("rsa"), RSA)
    yield row("wolfssl-5.9", small("wolfssl_scan", suite="wolfssl"), versions("1.2"), wolfssl_suites(), P256)
    yield row("wolfssl-5.9-both", small("wolfssl_scan", "-3", suite="wolfssl"), versions("1.2", "1.3"), wolfssl_suites(), P256)
    yield row("wolfssl-5.9-1.3", small("wolfssl_scan", "-4", suite="wolfssl"), versions("1.3"))
    yield row("wolfssl-5.9-cid", small("wolfssl_scan", "-I", suite="wolfssl"), versions("1.2"), {"connection-id": True})
    yield row("mbedtls-2.28", small("mbedtls_scan"), versions("1.0", "1.2"), printed_suites(without=("NULL",)), fast=True)
    yield row("mbedtls-2.28-no-cookie", small("mbedtls_scan", "-C"), versions("1.0", "1.2"))
    yield row("mbedtls-3.6", small("mbedtls_scan", suite="mbedtls"), versions("1.2"), printed_suites(without=("NULL",)))
    yield row("mbedtls-3.6-rsa", small("mbedtls_scan", suite="mbedtls", cert="rsa"), versions("1.2"),
              printed_suites("rsa", without=("NULL",)))
    yield row("mbedtls-3.6-cid", small("mbedtls_scan", "-I", suite="mbedtls"), versions("1.2"), {"connection-id": True})
    yield row("mbedtls-3.6-client-certificate", small("mbedtls_scan", "-a", "@root.pem", suite="mbedtls"), versions("1.2"),
              {"client-certificate": True})
    yield row("mbedtls-3.6-psk", small("mbedtls_scan", "-p", PSK, suite="mbedtls", cert=None), versions("1.2"),
              printed_suites(None, without=("NULL",)))


def deployed():
    """libcoap gives GnuTLS a priority that begins with NORMAL, which has DTLS 1.0; OpenSSL gets DTLS 1.2 at least."""
    yield row("coap-openssl", coap("openssl"), versions("1.2"), fast=True)
    yield row("coap-openssl-psk", coap("openssl", "-k", "a key", "-h", "a hint", cert=None), versions("1.2"))
    yield row("coap-gnutls", coap("gnutls"), versions("1.0", "1.2"))
    yield row("coap-gnutls-psk", coap("gnutls", "-k", "a key", "-h", "a hint", cert=None), versions("1.0", "1.2"))
    yield row("coap-4.3.4-openssl", coap("openssl", suite="coap"), versions("1.2"))
    yield row("coap-4.3.4-gnutls", coap("gnutls", suite="coap"), versions("1.0", "1.2"))
    yield row("coturn", coturn(), versions("1.2"))
    yield row("socat", socat(), versions("1.2"), single=True)


def our_own():
    our = {**OUR_EXTENSIONS, **P256, "suite-order": "server"}
    yield row("ours", ours(), versions("1.2"), our, fast=True)
    yield row("ours-rsa", ours(cert="rsa"), versions("1.2"), {**our, **RSA})
    yield row("ours-psk", ours("--psk", PSK, "--psk-identity", "someone", "--psk-hint", "a hint", cert=None), versions("1.2"),
              {"psk": True, "certificate-names": Level("not-run")})
    yield row("ours-no-cookie", ours("--no-cookie"), versions("1.2"), our)
    yield row("ours-client-certificate", ours("--client-cert", "require", "--ca-file", "@root.pem"), versions("1.2"), our,
              {"client-certificate": True})
    yield row("ours-alpn", ours("--alpn", "coap"), versions("1.2"), our, {"alpn": "coap"})
    yield row("ours-srtp", ours("--srtp", "SRTP_AES128_CM_SHA1_80"), versions("1.2"), our, {"srtp": "SRTP_AES128_CM_HMAC_SHA1_80"})
    yield row("ours-mtu", ours("--mtu", "300"), versions("1.2"), our)
    yield row("ours-timer", ours("--timer", "400"), versions("1.2"), our)
    yield row("ours-one-suite", ours("--ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305"), versions("1.2"),
              {"suites-1.2": {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"}, "cbc-suites": set(), "static-suites": set()})
    yield row("ours-one-group", ours("--groups", "P-256"), versions("1.2"), our, {"groups": {"secp256r1"}})
    yield row("ours-1.0", ours("--min", "1.0", "--ciphers", "DEFAULT:@SECLEVEL=0", cert="rsa"), versions("1.0", "1.2"))


ROWS = [r for rows in (all_openssl, openssl_30, gnutls_rows, small_rows, deployed, our_own) for r in rows()]
