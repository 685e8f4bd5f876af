/* SPDX-License-Identifier: MIT */
/* One hello that offers all usual extensions, and what the server takes of them. */
#include <string.h>

#include "common/words.h"
#include "dtls_scan/checks/facts.h"
#include "dtls_scan/scan.h"
#include "wire/extension.h"
#include "wire/keyexchange.h"

static const uint16_t srtp_profiles[] = {1, 2, 7, 8, 5, 6};

static void offer_everything(struct scan_hello *h)
{
    h->ext |= SCAN_EXT_EMS | SCAN_EXT_ETM | SCAN_EXT_RENEGOTIATION | SCAN_EXT_TICKET |
              SCAN_EXT_STATUS | SCAN_EXT_POINTS | SCAN_EXT_HEARTBEAT | SCAN_EXT_CID;
    scan_codes_set(&h->srtp, srtp_profiles, sizeof srtp_profiles / sizeof *srtp_profiles);
    h->compression[0] = 1; /* DEFLATE (RFC 3749) */
    h->compression[1] = 0;
    h->compression_count = 2;
}

static void note_extensions(struct scan_offer_fact *f, struct sd_span block)
{
    struct sd_rd r = sd_rd_init(block.p, block.len), profiles;
    struct sd_span mki;
    struct sd_ext e;
    while (sd_ext_next(&r, &e) == SD_EXT_OK && f->types < SCAN_CODES) {
        f->type[f->types++] = e.type;
        if (e.type == SD_EXT_USE_SRTP && sd_ext_use_srtp(e.body, &profiles, &mki))
            f->srtp = sd_rd_u16(&profiles);
    }
}

static void note_request(struct scan_offer_fact *f, struct sd_span body, uint16_t version)
{
    struct sd_cert_request r;
    struct sd_span dn;
    char name[128];
    struct tool_words w = tool_words_in(f->authorities, sizeof f->authorities);
    f->certificate_request = true;
    if (!sd_cert_request_parse(&r, body, version))
        return;
    struct sd_rd list = sd_rd_init(r.authorities.p, r.authorities.len);
    while (sd_authority_next(&list, &dn)) {
        tool_words_add(&w, "%s%s", f->authority_count ? ", " : "",
                       sd_authority_text(dn, name, sizeof name));
        f->authority_count++;
    }
}

static void note_offer(struct scan *s, struct scan_offer_fact *f)
{
    const struct scan_answer *a = &s->asker.answer;
    struct sd_server_hello sh;
    struct sd_span body;
    if (!scan_answer_hello(a, false, &sh))
        return;
    f->suite = sh.suite;
    f->compression = sh.compression;
    f->session_id = sh.session_id.len;
    f->downgrade_mark = sd_server_hello_downgrade(&sh);
    note_extensions(f, sh.extensions);
    f->status = scan_answer_message(a, SD_HS_CERTIFICATE_STATUS, &body);
    if (scan_answer_message(a, SD_HS_CERTIFICATE_REQUEST, &body))
        note_request(f, body, sd_server_hello_version(&sh));
}

const struct scan_offer_fact *scan_offer(struct scan *s)
{
    struct scan_offer_fact *f = &s->facts.offer;
    struct scan_hello h;
    if (f->asked || s->line.stop || !scan_legacy_hello(s, &h))
        return f;
    f->asked = true;
    offer_everything(&h);
    f->reply = scan_ask(&s->asker, &h, SCAN_UNTIL_FLIGHT);
    note_offer(s, f);
    return f;
}

bool scan_offered(const struct scan_offer_fact *f, uint16_t type)
{
    for (unsigned i = 0; i < f->types; i++)
        if (f->type[i] == type)
            return true;
    return false;
}
