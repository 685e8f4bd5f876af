/* SPDX-License-Identifier: MIT */
/* The small functions of the public header. */
#include "harness/common.h"
#include "targets/listen.h"

void listen_ask(sdtls *s, sdtls_conn *c)
{
    char secret[16];
    socklen_t len = 0;
    fuzz_check(sdtls_peer(c, &len) && len && sdtls_conn_local(c, NULL),
               "a connection without addresses");
    fuzz_check(*sdtls_peer_text(c), "a peer without a name");
    sdtls_set_user(c, s);
    fuzz_check(sdtls_user(c) == s, "the user pointer is another one");
    fuzz_note(sdtls_native(c) != NULL);
    fuzz_note((uint64_t)sdtls_export(c, "label", secret, sizeof secret));
    listen_ask_endpoint(s);
}

void listen_ask_endpoint(sdtls *s)
{
    socklen_t len;
    fuzz_note(sdtls_fingerprint(s) != NULL);
    for (unsigned i = 0; sdtls_local(s, i, &len); i++)
        fuzz_note(len);
    fuzz_note(sdtls_counter_named(s, "conn.accepted") + sdtls_counter_named(s, "none"));
    fuzz_note(sdtls_counter(s, 0, NULL));
}

void listen_ask_over(sdtls *s, sdtls_conn *c)
{
    sdtls_info info;
    listen_ask(s, c);
    sdtls_conn_info(c, &info);
    fuzz_note((uint64_t)(sdtls_conn_fd(c) >= 0) << 1 | (info.server != 0));
    fuzz_check(!sdtls_max_payload(c), "a connection that has ended has room for data");
    fuzz_check(sdtls_send(c, "late", 4) == SDTLS_STATE &&
                   sdtls_send_padded(c, "late", 4, 20) == SDTLS_STATE,
               "a connection that has ended sends data");
    sdtls_close(c);
}

void listen_at(sdtls *s, uint8_t place)
{
    static const struct {
        const char *host, *port;
    } places[] = {{NULL, NULL},   {NULL, "0"},          {NULL, "4434"}, {"both", "4435"},
                  {"::", "4433"}, {"192.0.2.100", "0"}, {"", "4436"},   {"0.0.0.0", "4433"}};
    int rc = sdtls_listen(s, places[place & 7].host, places[place & 7].port);
    fuzz_check(rc >= 0 ? rc == SDTLS_OK : *sdtls_errmsg(s) != 0, "an error without a text");
}

void listen_ask_names(void)
{
    for (int i = -64; i < 256; i++)
        fuzz_check(*sdtls_strerror(i) && *sdtls_errname(i) && *sdtls_alert_name(i), "no name");
    fuzz_check(*sdtls_version() && *sdtls_tls_library(), "no version");
}
