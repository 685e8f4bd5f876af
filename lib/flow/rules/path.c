/* SPDX-License-Identifier: MIT */
/* The path of certificates from a side's own up to a root, as far as it was sent. */
#include <stdio.h>
#include <string.h>

#include "flow/rules/leaf.h"
#include "flow/rules/rule.h"
#include "wire/record.h"

enum { WEAK_BITS = 112 };

bool sd_path_init(const struct sd_case *c, enum sd_side owner, struct sd_cert_path *p)
{
    struct sd_span body =
        sd_kept(c->x, owner == SD_SERVER ? SD_KEPT_SERVER_CERTIFICATE : SD_KEPT_CLIENT_CERTIFICATE);
    *p = (struct sd_cert_path){0};
    return c->certs && body.len &&
           sd_cert_chain_init(&p->chain, body, c->x->version == SD_DTLS_1_3);
}

bool sd_path_next(const struct sd_case *c, struct sd_cert_path *p)
{
    struct sd_path_cert *l = &p->link;
    struct sd_span der, before = l->der;
    if (!sd_cert_next(&p->chain, &der) ||
        (l->place && (l->cert.self_signed || !c->certs->issued(c->certs->arg, before, der))))
        return false;
    /* A CA that changed its key names itself as the issuer, and does not count (RFC 5280 6.1.4). */
    bool between = l->place > 1 && strcmp(l->cert.subject, l->cert.issuer) != 0;
    if (!c->certs->read(c->certs->arg, der, &l->cert))
        return false;
    l->der = der;
    l->below += between;
    l->place++;
    return true;
}

bool sd_path_find(const struct sd_case *c, enum sd_side owner, sd_cert_fault *bad,
                  struct sd_path_cert *found)
{
    struct sd_cert_path p;
    if (!sd_path_init(c, owner, &p))
        return false;
    while (sd_path_next(c, &p))
        if (bad(&p.link, c->x->start / SD_NS_SECOND)) {
            *found = p.link;
            return true;
        }
    return false;
}

/* Roots of before version 3 have no extension that says so, and no key usage. */
bool sd_may_not_issue(const struct sd_path_cert *l, int64_t now)
{
    (void)now;
    return l->place > 1 &&
           ((!l->cert.ca && !l->cert.self_signed) || l->cert.forbids & SD_CERT_NO_ISSUING ||
            (l->cert.depth && l->below >= l->cert.depth));
}

static bool is_faulty_above(const struct sd_path_cert *l, int64_t now)
{
    return l->place > 1 &&
           (now < l->cert.not_before || now > l->cert.not_after ||
            (l->cert.security_bits && l->cert.security_bits < WEAK_BITS) ||
            (l->cert.weak_digest && !l->cert.self_signed) || sd_may_not_issue(l, now));
}

bool sd_path_faulty(const struct sd_case *c, enum sd_side owner)
{
    struct sd_path_cert found;
    return sd_path_find(c, owner, is_faulty_above, &found);
}

const char *sd_path_cert_text(const struct sd_path_cert *l, enum sd_side owner,
                              char buf[static SD_PLACE_TEXT])
{
    const char *name = owner == SD_SERVER ? "server" : "client";
    if (l->place > 1)
        snprintf(buf, SD_PLACE_TEXT, "Certificate %u of the %s's chain", l->place, name);
    else
        snprintf(buf, SD_PLACE_TEXT, "The %s's certificate", name);
    return buf;
}
