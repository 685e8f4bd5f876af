/* SPDX-License-Identifier: MIT */
/* library_server: what a program that uses libsukat_dtls is. It knows nothing but the public
 * header, so that it can be linked with any build of the library. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sukat_dtls.h>

#include "server.h"

enum { CLIENTS_MAX = 1000000 };

static void handle(const sdtls_event *ev, unsigned echoes, struct server_count *n)
{
    if (ev->type == SDTLS_EV_READY) {
        n->handshakes++;
    } else if (ev->type == SDTLS_EV_DATA) {
        n->messages++;
        n->bytes += ev->len;
        for (unsigned i = 0; i < echoes; i++)
            sdtls_send(ev->conn, ev->data, ev->len);
    }
}

int main(int argc, char **argv)
{
    struct server_options o = server_options(argc, argv);
    struct server_count n = {0};
    sdtls_config cfg = {SDTLS_CONFIG_INIT,           .cert_file = o.cert,
                        .key_file = o.key,           .psk = o.psk_len ? o.psk : NULL,
                        .psk_len = o.psk_len,        .flags = o.own_sockets ? 0 : SDTLS_F_SHARED,
                        .max_clients = CLIENTS_MAX,  .max_half_open = CLIENTS_MAX,
                        .max_connected = CLIENTS_MAX};
    sdtls *s = sdtls_new(&cfg);
    if (!s || sdtls_listen(s, "127.0.0.1", "0")) {
        fprintf(stderr, "library_server: %s\n", s ? sdtls_errmsg(s) : "no memory");
        return 1;
    }
    server_say_port(
        ntohs(((const struct sockaddr_in *)(const void *)sdtls_local(s, 0, NULL))->sin_port));
    sdtls_event ev;
    while (!server_ended() && sdtls_next(s, &ev, -1) >= 0)
        handle(&ev, o.echoes, &n);
    server_say_count(&n);
    sdtls_free(s);
    return 0;
}
