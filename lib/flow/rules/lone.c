/* SPDX-License-Identifier: MIT */
/* Findings about addresses without a handshake. */
#include "flow/rules/diagnose.h"
#include "flow/rules/rule.h"

/* A handshake has a hello. */
bool sd_rule_no_hello(const struct sd_case *c, struct sd_finding *f)
{
    (void)c;
    (void)f;
    return false;
}

void sd_diagnose_lone(const struct sd_lone *l, struct sd_finding *f)
{
    char one[SD_ADDR_TEXT], other[SD_ADDR_TEXT];
    *f = (struct sd_finding){.entry = sd_catalogue_find("no-hello")};
    sd_prove_frame(f, l->first_number, l->first);
    sd_prove_frame(f, l->last_number, l->last);
    /* What began before the capture may have had its handshake then. */
    f->severity = l->from_the_beginning ? SD_FATAL : SD_WARNING;
    f->confidence = l->from_the_beginning ? SD_MEDIUM : SD_LOW;
    sd_say(f,
           "%u STUN checks between %s and %s were answered in %.1f s, but neither side sent a "
           "ClientHello.%s",
           l->answers, sd_addr_text(l->one, one), sd_addr_text(l->other, other),
           sd_seconds(l->last - l->first),
           l->from_the_beginning ? "" : " The checks perhaps began before the capture.");
}
