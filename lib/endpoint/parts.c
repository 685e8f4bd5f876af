/* SPDX-License-Identifier: MIT */
/* The parts of an endpoint that are made when they are first needed, and what every file of
 * this room does with the endpoint. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/random.h"
#include "endpoint/internal.h"

enum { MAX_CONNECTED = 1024, FDS_FOR_OTHERS = 64 };

void sd_endpoint_log(struct sdtls *s, int level, const char *fmt, ...)
{
    if (!s->cfg.log || level > s->cfg.log_level)
        return;
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    s->cfg.log(s->cfg.cb_arg, level, line);
}

sd_time sd_endpoint_now(const struct sdtls *s)
{
    return s->carried ? s->now : sd_clock_now();
}

int sd_endpoint_need_sockets(struct sdtls *s)
{
    if (s->carried)
        return sd_err_set(&s->err, SDTLS_STATE,
                          "this endpoint has no sockets: the program carries its datagrams");
    return SDTLS_OK;
}

void sd_endpoint_wake(struct sdtls *s)
{
    if (!s->polled)
        return;
    sd_demux_arm(s->demux, sd_timers_next(&s->timers));
    sd_demux_wake(s->demux);
    if (!TAILQ_EMPTY(&s->ready) || sd_demux_pending(s->demux))
        sd_demux_rouse(s->demux);
}

const char *sd_endpoint_error_text(const struct sdtls *s, int error,
                                   char buf[static SD_ENDPOINT_TEXT])
{
    if (error != ENODEV || !s->cfg.interface)
        return strerror(error);
    snprintf(buf, SD_ENDPOINT_TEXT, "interface %s does not exist", s->cfg.interface);
    return buf;
}

static size_t max_connected(const sdtls_config *c)
{
    if (c->flags & SDTLS_F_SHARED)
        return 0;
    if (c->max_connected)
        return c->max_connected;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur <= FDS_FOR_OTHERS)
        return 0;
    size_t free_fds = (size_t)files.rlim_cur - FDS_FOR_OTHERS;
    return free_fds < MAX_CONNECTED ? free_fds : MAX_CONNECTED;
}

static int demux_error(struct sdtls *s, int error)
{
    if (error == EUSERS)
        return sd_err_set(&s->err, SDTLS_LIMIT, "a group has 64 endpoints at the most");
    if (error == ENODEV)
        return sd_err_set(&s->err, SDTLS_IO,
                          "interface %s: the name is too long (15 characters at most)",
                          s->cfg.interface);
    return sd_err_set(&s->err, error == ENOMEM ? SDTLS_NOMEM : SDTLS_IO,
                      "cannot set up the event loop: %s", strerror(error));
}

int sd_endpoint_open(struct sdtls *s)
{
    if (s->demux)
        return SDTLS_OK;
    if (s->unusable)
        return s->unusable;
    const struct sd_demux_config config = {
        .max_connected = max_connected(&s->cfg),
        .interface = s->cfg.interface,
        .take_over = s->cfg.flags & SDTLS_F_TAKE_OVER,
        .group = s->group ? sd_group_net(s->group) : NULL,
    };
    int rc = sd_demux_new(&s->demux, &config);
    return rc ? demux_error(s, -rc) : SDTLS_OK;
}

static int open_gate(struct sdtls *s)
{
    uint8_t secret[SD_GATE_SECRET_LEN];
    if (!s->mac)
        s->mac = sd_tls_mac_new();
    if (!s->mac)
        return sd_err_set(&s->err, SDTLS_NOMEM, "out of memory");
    if (!sd_random(secret, sizeof secret))
        return sd_err_set(&s->err, SDTLS_IO, "the system has no random numbers: %s",
                          strerror(errno));
    sd_gate_init(&s->gate, sd_tls_mac_sum, s->mac, secret, sd_endpoint_now(s));
    explicit_bzero(secret, sizeof secret);
    if (s->group)
        sd_group_secrets(s, sd_endpoint_now(s));
    return SDTLS_OK;
}

int sd_endpoint_tls(struct sdtls *s, enum sd_role role)
{
    if (s->tls[role])
        return SDTLS_OK;
    if (s->unusable)
        return s->unusable;
    int rc = s->group ? sd_group_tls(s, role) : sd_tls_new(&s->tls[role], role, &s->cfg, &s->err);
    if (!rc && role == SD_ROLE_SERVER)
        rc = open_gate(s);
    if (rc) { /* asked again, it is no server without a gate */
        sd_tls_free(s->tls[role]);
        s->tls[role] = NULL;
    }
    return rc;
}
