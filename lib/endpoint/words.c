/* SPDX-License-Identifier: MIT */
/* Names of errors and alerts. */
#include "sukat_dtls.h"
#include "wire/iana.h"

const char *sdtls_strerror(int err)
{
    switch (err) {
    case SDTLS_OK:
        return "no error";
#define SDTLS_X(name, value, text)                                                                 \
    case value:                                                                                    \
        return text;
        SDTLS_ERRORS(SDTLS_X)
#undef SDTLS_X
    }
    return "unknown error";
}

const char *sdtls_errname(int err)
{
    switch (err) {
    case SDTLS_OK:
        return "OK";
#define SDTLS_X(name, value, text)                                                                 \
    case value:                                                                                    \
        return #name;
        SDTLS_ERRORS(SDTLS_X)
#undef SDTLS_X
    }
    return "UNKNOWN";
}

const char *sdtls_alert_name(int alert)
{
    switch (alert) {
#define SD_X(name, value, text)                                                                    \
    case value:                                                                                    \
        return text;
        SD_ALERTS(SD_X)
#undef SD_X
    }
    return "unknown";
}
