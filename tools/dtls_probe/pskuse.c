/* SPDX-License-Identifier: MIT */
#include "dtls_probe/pskuse.h"

#include <string.h>

#include "wire/extension.h"
#include "wire/hello.h"
#include "wire/names.h"
#include "wire/record.h"

static bool with_key_share(const struct sd_exchange *x)
{
    struct sd_server_hello sh;
    struct sd_span body = sd_kept(x, SD_KEPT_SERVER_HELLO);
    return sd_server_hello_parse(&sh, body, body.len) == SD_HELLO_WHOLE &&
           sd_ext_has(sh.extensions, SD_EXT_PRE_SHARED_KEY) &&
           sd_ext_has(sh.extensions, SD_EXT_KEY_SHARE);
}

bool probe_psk_with_exchange(const struct sd_exchange *x)
{
    static const char plain[] = "TLS_PSK_WITH_";
    char buf[SD_NAME_TEXT];
    if (!x->negotiated)
        return false;
    if (x->version == SD_DTLS_1_3)
        return with_key_share(x);
    const char *suite = sd_name(SD_NAME_SUITE, x->suite, buf);
    return strstr(suite, "PSK_WITH_") && strncmp(suite, plain, strlen(plain)) != 0;
}
