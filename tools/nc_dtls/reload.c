/* SPDX-License-Identifier: MIT */
/* SIGHUP: a server reads its files again. What it always meant, that the terminal has gone, ends
 * the program as before. */
#include <errno.h>
#include <unistd.h>

#include "common/fields.h"
#include "nc_dtls/nc.h"

/* After a hangup a terminal answers nothing but EIO (tty_ioctl(2) on it fails so). */
static bool terminal_has_gone(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (!isatty(fd) && errno == EIO)
            return true;
    return false;
}

bool nc_reloads(const struct nc *n)
{
    const sdtls_config *c = &n->cfg.tls;
    return n->cfg.role == NC_SERVER && (c->cert_file || c->ca_file || c->ca_path || c->psk_file) &&
           !terminal_has_gone();
}

void nc_reload(struct nc *n)
{
    char words[TOOL_WHY];
    bool done = sdtls_reload(n->s) == SDTLS_OK;
    const char *print = sdtls_fingerprint(n->s);
    json_t *f = json_pack("{s:b}", "ok", done);
    tool_field(f, "fingerprint", print);
    if (!done)
        tool_field(f, "text", tool_library_text(sdtls_errmsg(n->s), words, sizeof words));
    tool_event(&n->out, "reload", f);
    if (!done && !n->out.json)
        tool_error(&n->out, "SIGHUP: %s; new clients get what the old files held", words);
    if (done)
        tool_say(&n->out, 1, "Read certificates and keys again%s%s",
                 print ? "; own certificate, SHA-256: " : "", print ? print : "");
}
