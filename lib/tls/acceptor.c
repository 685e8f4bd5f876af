#include "tls/acceptor.h"

#include <stddef.h>

#include "sukat_dtls.h"

/* DTLSv1_listen only to put OpenSSL into the state behind its own cookie
 * exchange: the datagram is known to be good, and it is called once. */
static int begin_with_listen(SSL *ssl, struct sd_err *err)
{
    BIO_ADDR *peer = BIO_ADDR_new();
    if (!peer)
        return sd_err_set(err, SDTLS_NOMEM, "out of memory");
    int rc = DTLSv1_listen(ssl, peer);
    BIO_ADDR_free(peer);
    if (rc == 1)
        return SDTLS_OK;
    return sd_err_set(err, SDTLS_PROTO, "OpenSSL does not accept the admitted ClientHello");
}

/* One for SSL_new_listener() belongs here as soon as there is an OpenSSL to try it on: no release
 * has it for DTLS yet. The probe says when one does. */
static const struct sd_acceptor acceptors[] = {
    {"DTLSv1_listen", SDTLS_V1_2, begin_with_listen},
};

#ifdef SD_HAVE_DTLS_LISTENER
#define WHY "this OpenSSL has SSL_new_listener for it, this library does not use it yet"
#else
#define WHY "this OpenSSL has no SSL_new_listener for it"
#endif

int sd_acceptor_choose(const struct sd_acceptor **a, int newest, struct sd_err *err)
{
    for (size_t i = 0; i < sizeof acceptors / sizeof *acceptors; i++)
        if (acceptors[i].newest <= newest) { /* DTLS counts downwards */
            *a = &acceptors[i];
            return SDTLS_OK;
        }
    return sd_err_set(err, SDTLS_OPTION, "no server with DTLS 1.3: %s; use at most 1.2", WHY);
}
