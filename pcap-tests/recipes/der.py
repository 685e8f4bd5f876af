# SPDX-License-Identifier: MIT
"""A certificate to look at: its signature is none."""

import time

# The generator of P-256, as an uncompressed point: a valid public key.
POINT = bytes.fromhex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                      "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")

# Minus the same point: another key.
OTHER_POINT = POINT[:33] + (0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff
                            - int.from_bytes(POINT[33:], "big")).to_bytes(32, "big")


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(body).to_bytes(size, "big") + body


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    out = bytes([40 * first + second])
    for n in rest:
        digits = [n & 127]
        while n > 127:
            n >>= 7
            digits.insert(0, 128 | (n & 127))
        out += bytes(digits)
    return tlv(6, out)


def sequence(*parts):
    return tlv(0x30, *parts)


def name(cn):
    return sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(0x0C, cn.encode()))))


def moment(seconds):
    return tlv(0x17, time.strftime("%y%m%d%H%M%SZ", time.gmtime(seconds)).encode())


def certificate(cn, start, end, padding=0, serial=1, point=POINT):
    """start, end: seconds since 1970; padding: more bytes, in an extension that means nothing."""
    algorithm = sequence(oid("1.2.840.10045.4.3.2"))  # ecdsa-with-SHA256
    key = sequence(sequence(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), tlv(3, b"\0", point))
    san = sequence(oid("2.5.29.17"), tlv(4, sequence(tlv(0x82, cn.encode()))))
    pad = sequence(oid("2.25.1"), tlv(4, bytes(padding))) if padding else b""
    body = sequence(tlv(0xA0, tlv(2, b"\2")), tlv(2, bytes([serial])), algorithm, name("Test Root"),
                    sequence(moment(start), moment(end)), name(cn), key, tlv(0xA3, sequence(san, pad)))
    signature = tlv(3, b"\0", sequence(tlv(2, b"\1" * 32), tlv(2, b"\2" * 32)))
    return sequence(body, algorithm, signature)
