#include "dtls_regress/experiment.h"
#include "dtls_regress/lab.h"

#include <stdlib.h>
#include <string.h>

static struct lab *established(void)
{
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    if (lab && lab_handshake(lab))
        return lab;
    lab_free(lab);
    return NULL;
}

static struct outcome boundary(void)
{
    struct lab *lab = established();
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    char buf[16];
    SSL *server = lab->end[SERVER].ssl;
    bool ok = SSL_write(lab->end[CLIENT].ssl, "abcdef", 6) == 6 && SSL_read(server, buf, 2) == 2;
    int rest = SSL_read(server, buf, sizeof buf);
    lab_free(lab);
    return outcome_defect_if(ok, rest == 4, "no association to begin with");
}

/* Two records in one datagram. */
static bool glue(struct lab *lab)
{
    uint8_t both[512];
    size_t len = 0;
    struct dgram *d;
    if (SSL_write(lab->end[CLIENT].ssl, "one", 3) != 3 ||
        SSL_write(lab->end[CLIENT].ssl, "two", 3) != 3)
        return false;
    while ((d = lab_take(lab, SERVER))) {
        if (len + d->len <= sizeof both) {
            memcpy(both + len, d->data, d->len);
            len += d->len;
        }
        free(d);
    }
    return lab_put(lab, SERVER, both, len);
}

static struct outcome pending(void)
{
    struct lab *lab = established();
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    char buf[16];
    SSL *server = lab->end[SERVER].ssl;
    bool ok = glue(lab) && SSL_read(server, buf, sizeof buf) == 3;
    bool hidden = SSL_pending(server) == 0 && !lab->end[SERVER].in;
    ok = ok && SSL_read(server, buf, sizeof buf) == 3;
    lab_free(lab);
    return outcome_defect_if(ok, hidden, "no association to begin with");
}

static struct outcome stale_error(void)
{
    struct lab *lab = established();
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    char buf[8];
    /* Any failed call of the same thread leaves such an entry. */
    ERR_clear_error();
    BIO_new_file("", "r");
    bool queued = ERR_peek_error() != 0;
    int error =
        SSL_get_error(lab->end[SERVER].ssl, SSL_read(lab->end[SERVER].ssl, buf, sizeof buf));
    ERR_clear_error();
    lab_free(lab);
    return outcome_defect_if(queued, error != SSL_ERROR_WANT_READ, "no error could be queued");
}

/* What one read gives after two writes of three bytes. */
static int read_of_two(BIO *to, BIO *from)
{
    char buf[16];
    bool ok = BIO_write(to, "abc", 3) == 3 && BIO_write(to, "def", 3) == 3;
    return ok ? BIO_read(from, buf, sizeof buf) : -1;
}

static struct outcome memory_bio(void)
{
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    BIO *bio = BIO_new(BIO_s_mem());
    bool apart = lab && read_of_two(lab->end[CLIENT].bio, lab->end[SERVER].bio) == 3;
    int n = bio ? read_of_two(bio, bio) : -1;
    BIO_free(bio);
    lab_free(lab);
    return outcome_defect_if(apart && n > 0, n == 6, "a BIO of datagrams does not keep them apart");
}

/* How many of 130 records arrive when the newest comes first. */
static struct outcome replay_window(void)
{
    enum { RECORDS = 130 };
    struct lab *lab = established();
    struct dgram *d[RECORDS];
    char buf[8];
    int arrived = 0;
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    for (int i = 0; i < RECORDS; i++)
        d[i] = SSL_write(lab->end[CLIENT].ssl, "x", 1) == 1 ? lab_take(lab, SERVER) : NULL;
    for (int i = RECORDS - 1; i >= 0; i--) {
        if (d[i] && lab_put(lab, SERVER, d[i]->data, d[i]->len))
            arrived += SSL_read(lab->end[SERVER].ssl, buf, sizeof buf) == 1;
        free(d[i]);
    }
    lab_free(lab);
    return outcome_measured("%d records", arrived);
}

const struct experiment read_experiments[] = {
    {"read-boundary", "T16", "SSL_read with a buffer of 2 bytes for a message of 6, then again.",
     "vulnerable: the rest looks like a message of its own.", "Buffers hold any record.", boundary},
    {"read-pending", "T16", "Two records in one datagram; SSL_pending after the first.",
     "vulnerable: it says 0 and the socket is empty, so an event loop sleeps on a message.",
     "Sessions read until WANT_READ.", pending},
    {"read-stale-error", "#11889 #8470",
     "An unrelated error stands in the queue; SSL_read has nothing to read.",
     "vulnerable: SSL_get_error reports a failure of a healthy association.",
     "ERR_clear_error before each call.", stale_error},
    {"read-memory-bio", "T6", "Two writes to a BIO_s_mem, one read.",
     "vulnerable: datagrams run together; memory BIOs do not carry DTLS.",
     "The guard keeps datagrams apart.", memory_bio},
    {"read-replay-window", "T18", "130 records are delivered, the newest first.",
     "So much reordering the path may have before data is lost.", "Nothing is changed.",
     replay_window},
};
const size_t read_count = sizeof read_experiments / sizeof *read_experiments;
