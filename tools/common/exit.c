/* SPDX-License-Identifier: MIT */
#include "common/exit.h"
#include "sukat_dtls.h"

static enum tool_exit before_ready(enum sdtls_err err)
{
    switch (err) {
    case SDTLS_OK:
    case SDTLS_RESTARTED:
        return TOOL_EXIT_OK;
    case SDTLS_ARG:
    case SDTLS_STATE:
    case SDTLS_TOOBIG:
    case SDTLS_CRED:
    case SDTLS_OPTION:
        return TOOL_EXIT_USAGE;
    case SDTLS_RESOLVE:
    case SDTLS_IO:
    case SDTLS_REFUSED:
    case SDTLS_LIMIT:
    case SDTLS_AGAIN:
    case SDTLS_NOMEM:
    case SDTLS_FATAL:
        return TOOL_EXIT_NETWORK;
    case SDTLS_TIMEOUT:
    case SDTLS_IDLE:
        return TOOL_EXIT_TIMEOUT;
    case SDTLS_VERIFY:
        return TOOL_EXIT_TRUST;
    case SDTLS_NOT_DTLS:
    case SDTLS_ALERT_SENT:
    case SDTLS_ALERT_RECEIVED:
    case SDTLS_PROTO:
    case SDTLS_TLSLIB:
        return TOOL_EXIT_HANDSHAKE;
    }
    return TOOL_EXIT_NETWORK;
}

int tool_exit_of(int err, bool established)
{
    enum tool_exit code = before_ready((enum sdtls_err)err);
    return (int)(established && code == TOOL_EXIT_HANDSHAKE ? TOOL_EXIT_CLOSED : code);
}
