/* SPDX-License-Identifier: MIT */
#include "tls/acceptor.h"

#include <stddef.h>

#include "sukat_dtls.h"

/* DTLSv1_listen is called once, on a datagram that the gate has accepted, only to put OpenSSL
 * into the state after its own cookie exchange. */
static int begin_with_listen(SSL *ssl, struct sd_err *err)
{
    BIO_ADDR *peer = BIO_ADDR_new();
    if (!peer)
        return sd_err_set(err, SDTLS_NOMEM, "out of memory");
    int rc = DTLSv1_listen(ssl, peer);
    BIO_ADDR_free(peer);
    if (rc == 1)
        return SDTLS_OK;
    return sd_err_set(err, SDTLS_PROTO, "OpenSSL rejected the ClientHello");
}

/* An acceptor for SSL_new_listener() belongs here as soon as it can be tested: no release of
 * OpenSSL has it for DTLS yet. SD_HAVE_DTLS_LISTENER detects the first one. */
static const struct sd_acceptor acceptors[] = {
    {"DTLSv1_listen", SDTLS_V1_2, begin_with_listen},
};

#ifdef SD_HAVE_DTLS_LISTENER
#define WHY "this library does not use OpenSSL's SSL_new_listener() yet"
#else
#define WHY "this OpenSSL has no SSL_new_listener() for DTLS"
#endif

int sd_acceptor_choose(const struct sd_acceptor **a, int newest, struct sd_err *err)
{
    for (size_t i = 0; i < sizeof acceptors / sizeof *acceptors; i++)
        if (acceptors[i].newest <= newest) { /* DTLS counts downwards */
            *a = &acceptors[i];
            return SDTLS_OK;
        }
    return sd_err_set(err, SDTLS_OPTION, "a server cannot offer DTLS 1.3: %s; use 1.2 or lower",
                      WHY);
}
