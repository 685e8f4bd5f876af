/* SPDX-License-Identifier: MIT */
#include "dtls_scan/checks/ticket.h"

#include <openssl/hmac.h>
#include <string.h>

/* HMAC fills a key up with zeros: one of zeros is the same at any length. GnuTLS has SHA-1, OpenSSL
 * SHA-256; the others cost nothing. */
bool scan_ticket_key_is_zero(struct sd_span ticket)
{
    static const char *const digests[] = {"SHA1", "SHA256", "SHA384", "SHA512"};
    static const uint8_t zeros[16];
    for (size_t i = 0; i < sizeof digests / sizeof *digests; i++) {
        uint8_t mac[EVP_MAX_MD_SIZE];
        unsigned len = 0;
        const EVP_MD *digest = EVP_get_digestbyname(digests[i]);
        size_t tail = digest ? (size_t)EVP_MD_size(digest) : ticket.len;
        if (tail >= ticket.len)
            continue;
        if (HMAC(digest, zeros, sizeof zeros, ticket.p, ticket.len - tail, mac, &len) &&
            len == tail && !memcmp(mac, ticket.p + ticket.len - tail, tail))
            return true;
    }
    return false;
}
