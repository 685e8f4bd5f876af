/* SPDX-License-Identifier: MIT */
/* Versions in words: of DTLS, and of this program and its OpenSSL. */
#include <stdio.h>

#include "nc_dtls/nc.h"

const char *nc_version_text(int version)
{
    switch (version) {
    case SDTLS_V1_0:
        return "DTLS 1.0";
    case SDTLS_V1_2:
        return "DTLS 1.2";
    case SDTLS_V1_3:
        return "DTLS 1.3";
    default:
        return NULL;
    }
}

int nc_version(const struct nc_config *c)
{
    if (!c->json) {
        printf("nc_dtls %s\n%s\n", sdtls_version(), sdtls_tls_library());
        return TOOL_EXIT_OK;
    }
    json_t *v = json_pack("{s:s, s:s, s:s}", "program", "nc_dtls", "version", sdtls_version(),
                          "openssl", sdtls_tls_library());
    json_dumpf(v, stdout, JSON_COMPACT);
    json_decref(v);
    putchar('\n');
    return TOOL_EXIT_OK;
}
