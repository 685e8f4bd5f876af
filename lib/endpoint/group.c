/* SPDX-License-Identifier: MIT */
/* Endpoints that serve the same addresses together: what they share. Listeners and datagrams are
 * shared in net/group.c. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "endpoint/internal.h"
#include "net/group.h"

struct sdtls_group {
    pthread_mutex_t lock; /* of what follows, but for `limits`, which has its own */
    size_t users;         /* the program, and each endpoint */
    sdtls_config cfg;
    struct sd_err err;
    int unusable; /* why the configuration cannot be used */
    struct sd_net_group *net;
    struct sd_tls *tls[2]; /* by enum sd_role; made when first needed */
    unsigned reloads;      /* how often they were made again; atomic */
    struct sd_gate gate;   /* the secrets; every endpoint copies them */
    struct sd_limits limits;
};

static bool init_secrets(struct sdtls_group *g)
{
    uint8_t secret[SD_GATE_SECRET_LEN];
    if (!sd_random(secret, sizeof secret))
        return false;
    sd_gate_init(&g->gate, NULL, NULL, secret, sd_clock_now());
    explicit_bzero(secret, sizeof secret);
    return true;
}

static bool init_group(struct sdtls_group *g, const sdtls_config *config)
{
    g->users = 1;
    pthread_mutex_init(&g->lock, NULL);
    pthread_mutex_init(&g->limits.mutex, NULL);
    g->limits.shared = true;
    g->unusable = sd_config_copy(&g->cfg, config, &g->err);
    return sd_limits_init(&g->limits) && init_secrets(g) &&
           !sd_net_group_new(&g->net, sd_limits_places(&g->cfg));
}

static void free_group(struct sdtls_group *g)
{
    sd_net_group_free(g->net);
    sd_tls_free(g->tls[SD_ROLE_CLIENT]);
    sd_tls_free(g->tls[SD_ROLE_SERVER]);
    sd_limits_fini(&g->limits);
    pthread_mutex_destroy(&g->limits.mutex);
    pthread_mutex_destroy(&g->lock);
    sd_config_free(&g->cfg);
    explicit_bzero(&g->gate, sizeof g->gate);
    free(g);
}

struct sdtls_group *sdtls_group_new(const sdtls_config *config)
{
    struct sdtls_group *g = calloc(1, sizeof *g);
    if (!g || init_group(g, config))
        return g;
    free_group(g);
    return NULL;
}

void sdtls_group_free(struct sdtls_group *g)
{
    if (!g)
        return;
    pthread_mutex_lock(&g->lock);
    bool last = !--g->users;
    pthread_mutex_unlock(&g->lock);
    if (last)
        free_group(g);
}

const sdtls_config *sd_group_config(const struct sdtls_group *g)
{
    return &g->cfg;
}

void sd_group_enter(struct sdtls_group *g, struct sdtls *s)
{
    pthread_mutex_lock(&g->lock);
    g->users++;
    pthread_mutex_unlock(&g->lock);
    s->group = g;
    s->limits = &g->limits;
    if (!g->unusable)
        return;
    s->unusable = g->unusable;
    s->err = g->err;
}

struct sd_net_group *sd_group_net(const struct sdtls_group *g)
{
    return g->net;
}

int sd_group_tls(struct sdtls *s, enum sd_role role)
{
    struct sdtls_group *g = s->group;
    int rc = SDTLS_OK;
    pthread_mutex_lock(&g->lock);
    if (!g->tls[role])
        rc = sd_tls_new(&g->tls[role], role, &g->cfg, &s->err);
    s->tls[role] = rc ? NULL : sd_tls_share(g->tls[role]);
    pthread_mutex_unlock(&g->lock);
    return rc;
}

int sd_group_reload(struct sdtls *s)
{
    struct sdtls_group *g = s->group;
    pthread_mutex_lock(&g->lock);
    int rc = sd_tls_reload(g->tls, &g->cfg, &s->err);
    if (!rc)
        __atomic_add_fetch(&g->reloads, 1, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&g->lock);
    return rc;
}

/* The lock is taken only after a reload. */
void sd_group_follow(struct sdtls *s)
{
    struct sdtls_group *g = s->group;
    if (__atomic_load_n(&g->reloads, __ATOMIC_ACQUIRE) == s->reloads)
        return;
    pthread_mutex_lock(&g->lock);
    s->reloads = g->reloads;
    for (int role = SD_ROLE_CLIENT; role <= SD_ROLE_SERVER; role++)
        if (s->tls[role]) {
            sd_tls_free(s->tls[role]);
            s->tls[role] = sd_tls_share(g->tls[role]);
        }
    pthread_mutex_unlock(&g->lock);
}

void sd_group_secrets(struct sdtls *s, sd_time now)
{
    struct sdtls_group *g = s->group;
    uint8_t secret[SD_GATE_SECRET_LEN];
    pthread_mutex_lock(&g->lock);
    if (sd_gate_wants_secret(&g->gate, now) && sd_random(secret, sizeof secret))
        sd_gate_rotate(&g->gate, secret, now);
    sd_gate_follow(&s->gate, &g->gate);
    pthread_mutex_unlock(&g->lock);
    explicit_bzero(secret, sizeof secret);
}
