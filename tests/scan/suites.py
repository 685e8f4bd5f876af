# SPDX-License-Identifier: MIT
"""Which suites a server must accept, from what its own library says about its configuration: never from a scan."""

import functools
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
GONE_WITH_TLS13 = 0x13  # the first byte of the suites of 1.3


@functools.cache
def names():
    """code -> IANA name."""
    text = (ROOT / "lib/wire/suites.def").read_text()
    return {int(code, 16): name for code, name in re.findall(r"X\((0x[0-9a-f]+), (\w+)\)", text)}


def named(codes):
    return {names()[c] for c in codes}


@functools.cache
def of_openssl(program, cipher_list, version="-tls1_2", psk=False):
    """Codes that this OpenSSL offers with a cipher list, by its `ciphers` command."""
    said = subprocess.run([str(program), "ciphers", "-s", version, "-V", *(["-psk"] if psk else []), cipher_list],
                          capture_output=True, text=True, check=True).stdout
    return frozenset(int(a + b, 16) for a, b in re.findall(r"0x(\w\w),0x(\w\w) - ", said))


@functools.cache
def of_gnutls(program, priority):
    said = subprocess.run([str(program), "-l", "--priority", priority], capture_output=True, text=True, check=True).stdout
    return frozenset(int(a + b, 16) for a, b in re.findall(r"0x(\w\w), 0x(\w\w)\s+TLS1\.[0-2]", said))


def of_printed(said):
    """What wolfssl_scan and mbedtls_scan print: names or codes."""
    words = re.search(r"^suites (\S+)", said, re.M).group(1).split(":")
    codes = {name: code for code, name in names().items()}
    return frozenset(codes[w] if w in codes else int(w, 16) for w in words if w in codes or re.fullmatch("[0-9a-f]{4}", w))


KEYS = {  # key exchanges that a certificate serves
    "ecdsa": ("ECDHE_ECDSA", "ECDH_ECDSA", "ECDH_RSA"),  # static ECDH: where the library still has it
    "rsa": ("ECDHE_RSA", "DHE_RSA", "RSA"),
    None: ("PSK", "ECDHE_PSK", "DHE_PSK"),
    "anon": ("DH_anon", "ECDH_anon"),
}


def fitting(codes, kind, without=()):
    """Those of DTLS 1.2 and below that keys of this kind, or of these kinds, can serve: their names. `without`: words
    of names that the server leaves out for a reason of its own."""
    exchanges = sum((KEYS[k] for k in (kind if isinstance(kind, tuple) else (kind,))), ())
    found = set()
    for name in named(c for c in codes if c >> 8 != GONE_WITH_TLS13 and c in names()):
        exchange = name.removeprefix("TLS_").split("_WITH_")[0]
        if exchange in exchanges and not any(w in name for w in without):
            found.add(name)
    return found


def only(suites, *words):
    return {s for s in suites if any(w in s.split("_") for w in words)}


def static(suites):
    """Without forward secrecy."""
    return {s for s in suites if not re.match(r"TLS_(EC)?DHE_", s) and "_anon_" not in s}
