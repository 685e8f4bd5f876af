/* From OpenSSL's object back to ours. Here, and not in session.c, so that nothing below the
 * session asks upwards. */
#include "session/internal.h"

struct sd_session *sd_session_of(const SSL *ssl)
{
    /* The guard is the first member. */
    return BIO_get_data(SSL_get_rbio(ssl));
}
