/* The small functions of the public header. */
#include "common.h"
#include "listen.h"

void listen_ask(sdtls *s, sdtls_conn *c)
{
    char secret[16];
    socklen_t len = 0;
    fuzz_check(sdtls_peer(c, &len) && len && sdtls_conn_local(c, NULL), "a connection of nobody");
    fuzz_check(*sdtls_peer_text(c), "a peer without a name");
    sdtls_set_user(c, s);
    fuzz_check(sdtls_user(c) == s, "not what was given");
    fuzz_note(sdtls_native(c) != NULL);
    fuzz_note((uint64_t)sdtls_export(c, "label", secret, sizeof secret));
    fuzz_note(sdtls_fingerprint(s) != NULL);
    for (unsigned i = 0; sdtls_local(s, i, &len); i++)
        fuzz_note(len);
    fuzz_note(sdtls_counter_named(s, "conn.accepted") + sdtls_counter_named(s, "none"));
}

void listen_ask_names(void)
{
    for (int i = -64; i < 128; i++)
        fuzz_check(*sdtls_strerror(i) && *sdtls_errname(i) && *sdtls_alert_name(i), "no name");
    fuzz_check(*sdtls_version() && *sdtls_tls_library(), "no version");
}
