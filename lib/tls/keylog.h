/* NSS key log lines to the user's callback. */
#ifndef SD_TLS_KEYLOG_H
#define SD_TLS_KEYLOG_H

#include <openssl/ssl.h>

/* Lines of sessions that are not ours (a caller's SSL_CTX has others) are left
 * out. Note that this replaces a key log callback of the caller's. */
void sd_keylog_setup(SSL_CTX *ctx);

#endif
