/* SPDX-License-Identifier: MIT */
/* ROBOT (CVE-2017-13099 and others): does the server answer an RSA premaster secret of a wrong form
 * otherwise than one of the right form? Then it decrypts and signs for anybody who asks often
 * enough (RFC 5246 section 7.4.7.1). Each handshake here has a Finished that fits nothing, so a
 * sound server treats all of them alike. */
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/random.h"
#include "dtls_scan/checks/association.h"
#include "dtls_scan/checks/check.h"

enum robot_form {
    ROBOT_RIGHT,        /* 00 02, padding, 00, version, 46 bytes */
    ROBOT_WRONG_BEGIN,  /* 41 17 */
    ROBOT_EARLY_ZERO,   /* 00 in the first eight bytes of the padding */
    ROBOT_NO_ZERO,      /* no end of the padding */
    ROBOT_WRONG_VERSION /* 02 02 */
};
enum { ROBOT_FORMS = ROBOT_WRONG_VERSION + 1, PREMASTER = 48, BLOCK_MAX = 1024, LEAST_PADDING = 8 };

static void make_block(uint8_t *block, size_t len, enum robot_form form, uint16_t version)
{
    uint8_t *secret = block + len - PREMASTER;
    if (!sd_random(block, len))
        memset(block, 1, len);
    for (size_t i = 0; i < len; i++)
        block[i] |= 1; /* no zero but those that are meant */
    block[0] = form == ROBOT_WRONG_BEGIN ? 0x41 : 0;
    block[1] = form == ROBOT_WRONG_BEGIN ? 0x17 : 2;
    if (form == ROBOT_EARLY_ZERO)
        block[2 + LEAST_PADDING / 2] = 0;
    if (form == ROBOT_NO_ZERO)
        return;
    secret[-1] = 0;
    secret[0] = form == ROBOT_WRONG_VERSION ? 2 : (uint8_t)(version >> 8);
    secret[1] = form == ROBOT_WRONG_VERSION ? 2 : (uint8_t)version;
}

static bool encrypt_block(EVP_PKEY *key, const uint8_t *block, size_t len, uint8_t *out)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    size_t sealed = len;
    bool ok = ctx && EVP_PKEY_encrypt_init(ctx) > 0 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0 &&
              EVP_PKEY_encrypt(ctx, out, &sealed, block, len) > 0 && sealed == len;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static EVP_PKEY *key_of_server(const struct puppet *p)
{
    struct sd_rd r = sd_rd_init(p->certificate, p->certificate_len);
    struct sd_rd list = sd_rd_vec24(&r), first = sd_rd_vec24(&list);
    const uint8_t *der = first.p;
    X509 *cert = der ? d2i_X509(NULL, &der, (long)sd_rd_left(&first)) : NULL;
    EVP_PKEY *key = cert ? X509_get_pubkey(cert) : NULL;
    X509_free(cert);
    return key;
}

/* The ClientKeyExchange gets a block of the form that is wanted, under the server's key. */
static void send_block(void *arg, struct puppet *p, struct puppet_flight *f)
{
    enum { LENGTH = 2 };
    const struct scan_association *a = arg;
    struct puppet_item *exchange = puppet_flight_find(f, SD_HS_CLIENT_KEY_EXCHANGE);
    uint8_t block[BLOCK_MAX];
    EVP_PKEY *key = exchange ? key_of_server(p) : NULL;
    size_t len = key ? (size_t)EVP_PKEY_size(key) : 0;
    if (len > PREMASTER + LEAST_PADDING + 3 && len <= sizeof block &&
        exchange->body.len == LENGTH + len) {
        make_block(block, len, (enum robot_form)a->wish.form, p->cfg.offer.version);
        encrypt_block(key, block, len, puppet_flight_body(f, exchange) + LENGTH);
    }
    EVP_PKEY_free(key);
}

/* What a client sees. */
struct robot_answer {
    bool silent;
    uint8_t alert;
};

static bool answer_to(struct scan *s, enum robot_form form, struct robot_answer *r)
{
    const struct scan_wish wish = {.rsa = true, .brief = true, .edit = send_block, .form = form};
    struct scan_association *a = scan_associate(s, &wish);
    const struct puppet *p = a ? &a->puppet : NULL;
    bool tried = p && p->answered && p->stage == PUPPET_ENDED &&
                 (p->end == PUPPET_END_ALERT || p->end == PUPPET_END_TIMEOUT);
    if (tried)
        *r = (struct robot_answer){.silent = p->end == PUPPET_END_TIMEOUT,
                                   .alert = p->end == PUPPET_END_ALERT ? p->alert.description : 0};
    scan_dissociate(a);
    return tried;
}

static bool all_alike(const struct robot_answer r[static ROBOT_FORMS])
{
    for (int i = 1; i < ROBOT_FORMS; i++)
        if (r[i].silent != r[0].silent || r[i].alert != r[0].alert)
            return false;
    return true;
}

/* Loss looks like silence: only a difference that is there in each of three rounds counts. */
static void check_robot(struct scan *s, struct scan_outcome *o)
{
    enum { ROUNDS = 3 };
    bool differ = true, tried = true;
    for (unsigned round = 0; round < ROUNDS && differ && tried; round++) {
        struct robot_answer r[ROBOT_FORMS] = {{0}};
        for (int form = 0; form < ROBOT_FORMS && tried; form++)
            tried = answer_to(s, (enum robot_form)form, &r[form]);
        differ = tried && !all_alike(r);
    }
    if (s->line.stop)
        scan_not_known(o, "the scan ended before");
    else if (!tried)
        scan_not_run(o, "the server accepts no suite with RSA key exchange");
    else if (differ)
        scan_found(o, SCAN_CRITICAL, json_true(),
                   "answers an RSA secret of a wrong form otherwise than one of the right form "
                   "(ROBOT): who records sessions with RSA key exchange can decrypt them");
    else
        scan_found(o, SCAN_OK, json_false(), "answers RSA secrets of right and wrong form alike");
}

const struct scan_check scan_robot_checks[] = {
    {"robot", "ROBOT", SCAN_GROUP_WEAKNESS, SCAN_INTRUSIVE | SCAN_LATE, check_robot},
};
const size_t scan_robot_count = sizeof scan_robot_checks / sizeof *scan_robot_checks;
