/* SPDX-License-Identifier: MIT */
/* A reader of certificates that are no X.509, and keys that open every record: what the
 * tracker is handed in their place. Include after cmocka. */
#ifndef FLOW_FAKES_H
#define FLOW_FAKES_H

#include <stdio.h>
#include <string.h>

#include "wire/certificate.h"
#include "wire/unprotect.h"

enum { FAKES_MAX = 4 };

/* A certificate's first byte says which of these it is. */
struct fake_certs {
    struct sd_cert cert[FAKES_MAX + 1];
    uint8_t issuer[FAKES_MAX + 1]; /* the first byte of who signed it */
};

static inline struct sd_cert fake_cert(const char *name)
{
    struct sd_cert c = {.not_before = 1600000000,
                        .not_after = 1800000000,
                        .key = "EC",
                        .key_bits = 256,
                        .security_bits = 128,
                        .signature = "ecdsa-with-SHA256"};
    snprintf(c.subject, sizeof c.subject, "CN=%s", name);
    snprintf(c.issuer, sizeof c.issuer, "CN=issuer of %s", name);
    snprintf(c.names, sizeof c.names, "%s", name);
    return c;
}

static inline bool fake_read(void *arg, struct sd_span der, struct sd_cert *cert)
{
    const struct fake_certs *all = arg;
    if (!der.len || der.p[0] > FAKES_MAX || !all->cert[der.p[0]].subject[0])
        return false;
    *cert = all->cert[der.p[0]];
    return true;
}

static inline bool fake_names(void *arg, struct sd_span der, struct sd_span host)
{
    struct sd_cert c;
    return fake_read(arg, der, &c) && strlen(c.names) == host.len &&
           !memcmp(c.names, host.p, host.len);
}

static inline bool fake_issued(void *arg, struct sd_span der, struct sd_span issuer)
{
    const struct fake_certs *all = arg;
    return der.len && issuer.len && der.p[0] <= FAKES_MAX && all->issuer[der.p[0]] == issuer.p[0];
}

static inline struct sd_cert_reader fake_reader(struct fake_certs *all)
{
    return (struct sd_cert_reader){all, fake_read, fake_names, fake_issued, NULL, NULL};
}

/* --- keys: as if nothing had been encrypted --- */

static inline void *fake_begin(void *arg, const struct sd_unprotect_params *params)
{
    unsigned *open = arg;
    (void)params;
    ++*open;
    return open;
}

/* Of a unified header the first byte of the body is the type. */
static inline bool fake_open(void *keys, bool from_server, const struct sd_record *rec,
                             uint8_t *out, struct sd_record *plain)
{
    (void)keys, (void)from_server;
    if (rec->body.len > SD_RECORD_BODY_MAX || (rec->unified && !rec->body.len))
        return false;
    *plain = *rec;
    if (rec->unified)
        plain->type = rec->body.p[0];
    if (rec->body.len)
        memcpy(out, rec->body.p, rec->body.len);
    plain->body.p = out;
    return true;
}

static inline void fake_end(void *keys)
{
    --*(unsigned *)keys;
}

/* *open counts the keys that were not given back. */
static inline struct sd_unprotect fake_unprotect(unsigned *open)
{
    return (struct sd_unprotect){
        .arg = open, .begin = fake_begin, .open = fake_open, .end = fake_end};
}

#endif
