/* SPDX-License-Identifier: MIT */
/* What an endpoint or a group has of contexts, made again from the same configuration. */
#include "endpoint/internal.h"

int sd_tls_reload(struct sd_tls *tls[2], const sdtls_config *c, struct sd_err *err)
{
    struct sd_tls *fresh[2] = {NULL, NULL};
    int rc = SDTLS_OK;
    for (int role = SD_ROLE_CLIENT; role <= SD_ROLE_SERVER && !rc; role++)
        if (tls[role])
            rc = sd_tls_new(&fresh[role], (enum sd_role)role, c, err);
    for (int role = SD_ROLE_CLIENT; role <= SD_ROLE_SERVER; role++) {
        if (rc) {
            sd_tls_free(fresh[role]);
        } else if (fresh[role]) {
            sd_tls_free(tls[role]);
            tls[role] = fresh[role];
        }
    }
    return rc;
}
