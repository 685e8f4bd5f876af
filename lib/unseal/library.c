#include "unseal/library.h"

#include <openssl/crypto.h>

const char *sd_unseal_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
