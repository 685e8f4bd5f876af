/* SPDX-License-Identifier: MIT */
/* From OpenSSL's object back to ours: in a file of its own, so that session.c, which uses all
 * others, is used by none of them. */
#include <stddef.h>

#include "session/internal.h"

_Static_assert(offsetof(struct sd_session, guard) == 0, "the BIO's data is guard and session");

struct sd_session *sd_session_of(const SSL *ssl)
{
    return BIO_get_data(SSL_get_rbio(ssl));
}
