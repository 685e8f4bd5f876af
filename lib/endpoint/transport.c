/* SPDX-License-Identifier: MIT */
/* An endpoint without sockets: the program carries the datagrams and tells the time. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/internal.h"

/* What a struct of this size, from an older or newer program, has of `field`. */
#define HAS(p, field) ((p)->size >= offsetof(__typeof__(*(p)), field) + sizeof(p)->field)

enum { FIRST_DTLS = 20, LAST_DTLS = 63 }; /* RFC 9443 section 5: the first byte */

static socklen_t length_of(const struct sockaddr *sa)
{
    return sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static bool read_addr(struct sd_addr *to, const struct sockaddr *sa, uint64_t id)
{
    if (sa)
        return sd_addr_from(to, sa, length_of(sa));
    *to = sd_addr_path(id);
    return true;
}

static int read_path(struct sdtls *s, struct sd_path *to, const sdtls_path *from)
{
    if (from && HAS(from, id) && read_addr(&to->remote, from->peer, from->id) &&
        read_addr(&to->local, from->local, from->id)) {
        to->payload = HAS(from, payload) ? from->payload : 0;
        return SDTLS_OK;
    }
    return sd_err_set(&s->err, SDTLS_ARG, "a path has IPv4 or IPv6 addresses, or an id");
}

static const struct sockaddr *shown_addr(const struct sd_addr *a, uint64_t *id)
{
    if (a->sa.sa_family != AF_UNSPEC)
        return &a->sa;
    *id = sd_addr_path_id(a);
    return NULL;
}

/* The carrier of lib/net. */
static int output_through_program(void *arg, const struct sd_addr *to, const struct sd_addr *from,
                                  const void *data, size_t len)
{
    const struct sdtls *s = arg;
    sdtls_path path = {.size = sizeof path};
    path.peer = shown_addr(to, &path.id);
    path.local = shown_addr(from, &path.id);
    return s->transport.output(s->transport.arg, &path, data, len);
}

static int open_carried(struct sdtls *s)
{
    const struct sd_demux_config config = {.output = output_through_program, .output_arg = s};
    if (sd_demux_new(&s->demux, &config))
        return sd_err_set(&s->err, SDTLS_NOMEM, "out of memory");
    return SDTLS_OK;
}

static bool take_transport(struct sdtls *s, const sdtls_transport *t)
{
    s->carried = true;
    s->transport = *t;
    return s->unusable || open_carried(s) == SDTLS_OK;
}

struct sdtls *sdtls_new_with(const sdtls_config *config, const sdtls_transport *t)
{
    if (!t || !HAS(t, arg) || !t->output)
        return NULL;
    struct sdtls *s = sdtls_new(config);
    if (s && !take_transport(s, t)) {
        sdtls_free(s);
        return NULL;
    }
    return s;
}

/* The functions of this file are for such an endpoint only. */
static int need_transport(struct sdtls *s)
{
    if (!s->carried)
        return sd_err_set(&s->err, SDTLS_STATE, "this endpoint has sockets: see sdtls_new_with()");
    return s->unusable;
}

int sdtls_serve(struct sdtls *s)
{
    int rc = need_transport(s);
    return rc ? rc : sd_endpoint_tls(s, SD_ROLE_SERVER);
}

/* Time does not go back. */
static void set_time(struct sdtls *s, uint64_t now)
{
    if (now > s->now)
        s->now = now;
}

static void carried_report(const sdtls_datagram *d, struct sd_received *r, struct sd_report *report)
{
    report->error = r->error = d->error;
    report->quoted = d->len < sizeof report->quote ? d->len : sizeof report->quote;
    if (report->quoted)
        memcpy(report->quote, d->data, report->quoted);
    r->report = report;
    r->limit = HAS(d, limit) ? d->limit : 0;
    r->data = NULL;
    r->len = 0;
}

static void take_carried(struct sdtls *s, const sdtls_datagram *d, struct sd_received *r)
{
    struct sd_report report;
    if (HAS(d, error) && d->error) {
        memset(&report, 0, offsetof(struct sd_report, quote));
        carried_report(d, r, &report);
    }
    if (!sd_demux_carry(s->demux, r) && (r->to || s->tls[SD_ROLE_SERVER]))
        sd_endpoint_dispatch(s, r, s->now);
}

/* Other protocols beside DTLS: nothing that DTLS has begins like them. */
static bool is_foreign(const sdtls_datagram *d)
{
    const uint8_t *p = d->data;
    return !(HAS(d, error) && d->error) && (!d->len || p[0] < FIRST_DTLS || p[0] > LAST_DTLS);
}

int sdtls_input(struct sdtls *s, const sdtls_datagram *d, uint64_t now)
{
    struct sd_path path;
    int rc = need_transport(s);
    if (!rc && !HAS(d, len))
        rc = sd_err_set(&s->err, SDTLS_ARG, "sdtls_datagram.size is not set");
    if (!rc)
        rc = read_path(s, &path, d->path);
    if (rc)
        return rc;
    set_time(s, now);
    if (is_foreign(d))
        return 1;
    struct sd_received r = {.data = d->data,
                            .len = d->len,
                            .peer = path.remote,
                            .local = path.local,
                            .payload = path.payload,
                            .verified = HAS(d->path, verified) && d->path->verified};
    take_carried(s, d, &r);
    return SDTLS_OK;
}

uint64_t sdtls_deadline(const struct sdtls *s)
{
    return TAILQ_EMPTY(&s->ready) ? sd_timers_next(&s->timers) : s->now;
}

void sdtls_advance(struct sdtls *s, uint64_t now)
{
    set_time(s, now);
}

int sdtls_connect_path(struct sdtls *s, const sdtls_path *path, const char *host, uint64_t now,
                       struct sdtls_conn **pconn)
{
    struct sd_path p;
    if (pconn)
        *pconn = NULL;
    int rc = need_transport(s);
    if (!rc)
        rc = read_path(s, &p, path);
    if (!rc)
        rc = sd_endpoint_tls(s, SD_ROLE_CLIENT);
    if (rc)
        return rc;
    set_time(s, now);
    return sd_connect_begin_path(s, &p, host, pconn);
}
