/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "endpoint/internal.h"

/* Every member that is a string of the caller's. */
static const size_t strings[] = {
#define AT(member) offsetof(sdtls_config, member)
    AT(cert_file), AT(key_file),    AT(psk_identity), AT(psk_hint),    AT(ca_file),
    AT(ca_path),   AT(verify_host), AT(alpn),         AT(server_name), AT(srtp),
    AT(ciphers),   AT(groups),      AT(sigalgs),      AT(source),      AT(session_file),
    AT(interface), AT(pins),        AT(psk_file)
#undef AT
};

static const char **string_at(sdtls_config *c, size_t offset)
{
    return (const char **)(void *)((char *)c + offset);
}

static bool tail_is_zero(const sdtls_config *from)
{
    const char *p = (const char *)from;
    for (size_t i = sizeof *from; i < from->size; i++)
        if (p[i])
            return false;
    return true;
}

static bool own_members(sdtls_config *c)
{
    bool ok = true;
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        const char **s = string_at(c, strings[i]);
        if (*s && !(*s = strdup(*s)))
            ok = false;
    }
    if (c->psk) {
        void *psk = malloc(c->psk_len ? c->psk_len : 1);
        if (psk)
            memcpy(psk, c->psk, c->psk_len);
        else
            ok = false;
        c->psk = psk;
    }
    return ok;
}

int sd_config_copy(sdtls_config *to, const sdtls_config *from, struct sd_err *err)
{
    *to = (sdtls_config){SDTLS_CONFIG_INIT};
    if (!from)
        return SDTLS_OK;
    if (!from->size)
        return sd_err_set(err, SDTLS_ARG,
                          "sdtls_config has no size; initialise it with SDTLS_CONFIG_INIT");
    if (!tail_is_zero(from))
        return sd_err_set(err, SDTLS_ARG,
                          "sdtls_config sets options that libsukat_dtls " SDTLS_VERSION
                          " does not know; install the version the program was built for");
    memcpy(to, from, from->size < sizeof *to ? from->size : sizeof *to);
    to->size = sizeof *to;
    sd_tls_hold(to->ssl_ctx);
    if (!own_members(to))
        return sd_err_set(err, SDTLS_NOMEM, "out of memory");
    return SDTLS_OK;
}

void sd_config_free(sdtls_config *c)
{
    sd_tls_release(c->ssl_ctx);
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        free((void *)(uintptr_t)*string_at(c, strings[i]));
    if (c->psk) {
        explicit_bzero((void *)(uintptr_t)c->psk, c->psk_len);
        free((void *)(uintptr_t)c->psk);
    }
}
