# SPDX-License-Identifier: MIT
"""Written by hand: the last flights, out of order or in part."""

import der
import dtls
from scene import CHANGE, FINISHED, START, Talk, opaque, recipe


def asked_for_certificate(t):
    """Up to the server's flight, which has a CertificateRequest; then the client's messages."""
    t.cookie_exchange()
    hello, certificate, key = t.server_messages()[:3]
    t.message_seq["s"] -= 1
    request = t.message("s", dtls.CERT_REQUEST, b"\1\x40" + dtls.vector(2, dtls.numbers(0x0403)) + dtls.vector(2, b""))
    t.fly("s", [*hello, *certificate, *key, *request, *t.message("s", dtls.HELLO_DONE, b"")])
    mine = dtls.certificate(der.certificate("client.example", START - 86400, START + 86400 * 30))
    return (t.message("c", dtls.CERTIFICATE, mine), t.client_key(),
            t.message("c", dtls.CERT_VERIFY, dtls.numbers(0x0403) + dtls.vector(2, opaque(71, "proof"))))


@recipe
def verify_overtaken(s):
    """ChangeCipherSpec and Finished overtake the CertificateVerify; the client's timer repeats all."""
    t = Talk(s)
    certificate, key, verify = asked_for_certificate(t)
    parts = [b"".join(t.pack("c", i) for i in items) for items in ((*certificate, *key), verify, (CHANGE, FINISHED))]
    for n in (0, 2, 1):
        t.put("c", parts[n])
    s.wait(1)
    t.fly("c", [*certificate, *key, *verify, CHANGE, FINISHED])
    t.flight6()
    t.chat()


@recipe
def verify_overtaken_not(s):
    """The CertificateVerify was lost and comes again, with a later number than the ChangeCipherSpec."""
    t = Talk(s)
    certificate, key, verify = asked_for_certificate(t)
    t.fly("c", [*certificate, *key], verify, [CHANGE, FINISHED], lost=(1,))
    s.wait(1)
    t.again("c")
    t.flight6()
    t.chat()


@recipe
def first_records_of_a_session(s):
    """Two records, one of each side, and no more."""
    t = Talk(s)
    put, t.put = t.put, lambda side, payload: None
    t.establish()
    t.put = put
    t.chat(rounds=1)
