/* SPDX-License-Identifier: MIT */
#include "dtls_scan/puppet/internal.h"

#include <string.h>

#include "wire/extension.h"
#include "wire/iana.h"

enum { EXTENSIONS_MAX = 2 * PUPPET_TICKET_MAX };

static struct sd_span hello_extensions(const struct puppet_offer *o, uint8_t *buf, size_t cap)
{
    struct sd_wr w = sd_wr_init(buf, cap);
    sd_wr_bytes(&w, o->extensions.p, o->extensions.len);
    if (o->resume && o->resume->ticket_len && !o->no_ticket) {
        sd_wr_u16(&w, SD_EXT_SESSION_TICKET);
        size_t mark = sd_wr_open(&w, 2);
        sd_wr_bytes(&w, o->resume->ticket, o->resume->ticket_len);
        sd_wr_close(&w, mark, 2);
    }
    return (struct sd_span){buf, sd_wr_len(&w)};
}

bool puppet_make_hello(struct puppet *p)
{
    static const uint8_t null_compression[] = {0};
    uint8_t block[EXTENSIONS_MAX], body[PUPPET_STORE];
    const struct puppet_offer *o = &p->cfg.offer;
    struct sd_wr w = sd_wr_init(body, sizeof body);
    struct sd_client_hello ch = {.version = o->version,
                                 .random = {p->client_random, SD_RANDOM_LEN},
                                 .cookie = {p->cookie, p->cookie_len},
                                 .suites = o->suites,
                                 .compression = {null_compression, sizeof null_compression},
                                 .extensions = hello_extensions(o, block, sizeof block)};
    if (o->resume)
        ch.session_id = (struct sd_span){o->resume->id, o->resume->id_len};
    sd_client_hello_build(&w, &ch);
    puppet_flight_clear(&p->flight);
    const struct puppet_item hello = {.type = SD_CT_HANDSHAKE,
                                      .seq = PUPPET_NEXT,
                                      .body = {body, sd_wr_len(&w)},
                                      .message = true,
                                      .message_type = SD_HS_CLIENT_HELLO,
                                      .message_seq = p->next_message++};
    return !w.bad && puppet_flight_add(&p->flight, &hello);
}
