/* SPDX-License-Identifier: MIT */
#include "dtls_scan/checks/binding.h"

#include <arpa/inet.h>
#include <string.h>

#include "dtls_scan/scan.h"
#include "wire/record.h"

const char *scan_binding_name(enum scan_binding b)
{
    static const char *const names[] = {
#define SCAN_X(name, text) [SCAN_BOUND_##name] = (text),
        SCAN_BINDINGS(SCAN_X)
#undef SCAN_X
    };
    return names[b];
}

/* Gets a cookie into k->hello; the port stays open. */
static bool get_cookie(struct scan *s, struct scan_kept_cookie *k)
{
    uint16_t message_seq = 0;
    struct sd_hello_verify hv;
    k->hello = s->asker.control;
    k->seq = 0;
    scan_hello_renew(&k->hello);
    if (!scan_port_open(&k->port, &s->line))
        return false;
    enum scan_reply reply =
        scan_ask_on(&s->asker, &k->port, &k->hello, NULL, SCAN_UNTIL_COOKIE, &k->seq, &message_seq);
    k->there = reply == SCAN_REPLY_VERIFY && scan_answer_verify(&s->asker.answer, &hv);
    k->since = sd_clock_now();
    if (k->there) {
        k->hello.cookie_len = (unsigned)hv.cookie.len;
        memcpy(k->hello.cookie, hv.cookie.p, hv.cookie.len);
    } else {
        scan_port_close(&k->port);
    }
    return k->there;
}

/* The second hello, as it is in `h`: YES = the server does not take its cookie. s_server answers a
 * cookie that it does not know with an alert; what an alert about another version means is open. */
static enum scan_tri offer_cookie(struct scan *s, struct scan_port *p, struct scan_hello *h,
                                  uint64_t *seq)
{
    static const struct scan_delivery plain;
    struct scan_answer *a = &s->asker.answer;
    struct sd_server_hello sh;
    struct sd_hello_verify hv;
    size_t len;
    scan_answer_clear(a);
    for (unsigned i = 0; i < scan_line_tries(&s->line); i++) {
        if (!scan_deliver(p, &plain, h, 1, seq))
            return SCAN_UNKNOWN;
        sd_time until = sd_clock_now() + scan_line_wait(&s->line, i);
        while (scan_port_hear(p, s->asker.datagram, &len, until) == SCAN_HEARD_DATAGRAM) {
            scan_answer_take(a, s->asker.datagram, len);
            if (scan_answer_hello(a, false, &sh))
                return SCAN_NO;
            if (scan_answer_verify(a, &hv))
                return SCAN_YES;
            if (a->alerted)
                return h->version == s->asker.control.version ? SCAN_YES : SCAN_UNKNOWN;
            if (a->alerted)
                return SCAN_UNKNOWN;
        }
    }
    return s->line.stop ? SCAN_UNKNOWN : SCAN_YES; /* not taken: no answer */
}

/* Another address of loopback is ours for the asking; of others we know none. */
static const char *other_address(const struct scan *s)
{
    const struct sd_addr *to = &s->line.to;
    if (to->sa.sa_family == AF_INET && ntohl(to->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET)
        return "127.9.9.9";
    return NULL;
}

static void change_hello(struct scan_hello *h, enum scan_binding b)
{
    switch (b) {
    case SCAN_BOUND_VERSION:
        h->version = h->version == SD_DTLS_1_2 ? SD_DTLS_1_0 : SD_DTLS_1_2;
        break;
    case SCAN_BOUND_RANDOM:
        scan_hello_renew(h);
        break;
    case SCAN_BOUND_SESSION_ID:
        memset(h->session_id, 0x51, sizeof h->session_id);
        h->session_id_len = sizeof h->session_id;
        break;
    case SCAN_BOUND_SUITES:
        h->suites[h->suite_count++] = 0x00ff; /* the SCSV of RFC 5746, which harms nobody */
        break;
    case SCAN_BOUND_COMPRESSION:
        h->compression[0] = 1;
        h->compression[1] = 0;
        h->compression_count = 2;
        break;
    case SCAN_BOUND_EXTENSIONS:
        h->ext |= SCAN_EXT_TICKET;
        break;
    default:
        break;
    }
}

/* Opens the port that sends the second hello; the first one's, unless it is about that. */
static bool port_for(struct scan *s, enum scan_binding b, struct scan_kept_cookie *k,
                     struct scan_port *p)
{
    const char *source = s->line.source;
    *p = k->port;
    if (b != SCAN_BOUND_PORT && b != SCAN_BOUND_ADDRESS)
        return true;
    uint16_t from = b == SCAN_BOUND_ADDRESS ? scan_port_number(&k->port) : 0;
    if (b == SCAN_BOUND_ADDRESS)
        s->line.source = other_address(s);
    bool open = scan_port_open_at(p, &s->line, from);
    s->line.source = source;
    return open;
}

enum scan_tri scan_binding_ask(struct scan *s, enum scan_binding b)
{
    struct scan_kept_cookie k = {0};
    struct scan_port p;
    bool other = b == SCAN_BOUND_ADDRESS || b == SCAN_BOUND_PORT;
    if ((b == SCAN_BOUND_ADDRESS && (!other_address(s) || s->line.source)) || s->line.stop ||
        (other && s->line.one_port) || !get_cookie(s, &k))
        return SCAN_UNKNOWN;
    change_hello(&k.hello, b);
    enum scan_tri bound = SCAN_UNKNOWN;
    if (port_for(s, b, &k, &p)) {
        bound = offer_cookie(s, &p, &k.hello, &k.seq);
        if (bound == SCAN_NO)
            scan_port_goodbye(&p, SD_DTLS_1_2, k.seq);
    }
    if (p.fd != k.port.fd)
        scan_port_close(&p);
    scan_port_close(&k.port);
    return bound;
}

void scan_cookie_keep(struct scan *s, struct scan_kept_cookie *k)
{
    if (!k->there && !s->line.stop)
        get_cookie(s, k);
}

enum scan_tri scan_cookie_use(struct scan *s, struct scan_kept_cookie *k)
{
    if (!k->there)
        return SCAN_UNKNOWN;
    enum scan_tri refused = offer_cookie(s, &k->port, &k->hello, &k->seq);
    if (refused == SCAN_NO)
        scan_port_goodbye(&k->port, k->hello.version, k->seq);
    scan_port_close(&k->port);
    k->there = false;
    return refused == SCAN_UNKNOWN ? SCAN_UNKNOWN : refused == SCAN_NO ? SCAN_YES : SCAN_NO;
}
