/* SPDX-License-Identifier: MIT */
/* Section C of the catalogue: a hello that cannot be read to its end. */
#include <stdio.h>

#include "flow/rules/rule.h"
#include "wire/extension.h"
#include "wire/hello.h"
#include "wire/names.h"

enum { FLAW_TEXT = 200, EXTENSIONS_MAX = 128 };

static const char *field_name(enum sd_hello_field field)
{
    static const char *const names[] = {
        [SD_HELLO_VERSION] = "version",       [SD_HELLO_RANDOM] = "random",
        [SD_HELLO_SESSION_ID] = "session ID", [SD_HELLO_COOKIE] = "cookie",
        [SD_HELLO_SUITES] = "cipher suites",  [SD_HELLO_COMPRESSION] = "compression methods",
        [SD_HELLO_EXTENSIONS] = "extensions", [SD_HELLO_NOTHING] = "end",
    };
    return names[field];
}

static bool extension_flaw(struct sd_span block, char *text)
{
    struct sd_rd r = sd_rd_init(block.p, block.len);
    uint16_t seen[EXTENSIONS_MAX];
    char name[SD_NAME_TEXT];
    enum sd_ext_status s;
    struct sd_ext e;
    unsigned count = 0;
    while ((s = sd_ext_next(&r, &e)) == SD_EXT_OK) {
        for (unsigned i = 0; i < count; i++)
            if (seen[i] == e.type) {
                snprintf(text, FLAW_TEXT, "it has the extension %s (%u) twice",
                         sd_name(SD_NAME_EXTENSION, e.type, name), e.type);
                return true;
            }
        if (count < EXTENSIONS_MAX)
            seen[count++] = e.type;
    }
    if (s != SD_EXT_CUT)
        return false;
    snprintf(text, FLAW_TEXT, "an extension is longer than the list of extensions");
    return true;
}

static bool client_hello_flaw(const struct sd_exchange *x, char *text)
{
    struct sd_span body = sd_kept(x, SD_KEPT_CLIENT_HELLO);
    struct sd_client_hello ch;
    if (!body.len)
        return false;
    if (sd_client_hello_parse(&ch, body, body.len) == SD_HELLO_WHOLE)
        return extension_flaw(ch.extensions, text);
    snprintf(text, FLAW_TEXT, "its field \"%s\" does not fit the length of the message",
             field_name(ch.missing));
    return true;
}

static bool server_hello_flaw(const struct sd_exchange *x, char *text)
{
    struct sd_span body = sd_kept(x, SD_KEPT_SERVER_HELLO);
    struct sd_server_hello sh;
    if (!body.len)
        return false;
    if (sd_server_hello_parse(&sh, body, body.len) == SD_HELLO_WHOLE)
        return extension_flaw(sh.extensions, text);
    snprintf(text, FLAW_TEXT, "its field \"%s\" does not fit the length of the message",
             field_name(sh.missing));
    return true;
}

bool sd_rule_malformed_hello(const struct sd_case *c, struct sd_finding *f)
{
    char text[FLAW_TEXT], alert[SD_NAME_TEXT], answer[96] = " The other side does not go on.";
    if (c->outcome != SD_FAILED)
        return false;
    bool client = client_hello_flaw(c->x, text);
    if (!client && !server_hello_flaw(c->x, text))
        return false;
    const struct sd_event *e = sd_view_alert(c->view, client ? SD_SERVER : SD_CLIENT, -1);
    if (client)
        sd_prove_bursts(f, c->view, SD_CLIENT, c->x->hellos_cookie ? 3 : 1, 4);
    else
        sd_prove_bursts(f, c->view, SD_SERVER, 4, 4);
    if (e) {
        sd_prove(f, e);
        snprintf(answer, sizeof answer, " The %s answers with the alert %s (%u).",
                 client ? "server" : "client", sd_name(SD_NAME_ALERT, e->message, alert),
                 e->message);
    }
    bool says_so =
        e && (e->message == SD_ALERT_DECODE_ERROR || e->message == SD_ALERT_ILLEGAL_PARAMETER);
    f->confidence = says_so ? SD_HIGH : SD_MEDIUM;
    sd_say(f, "The %s is malformed: %s.%s", client ? "ClientHello" : "ServerHello", text, answer);
    return true;
}
