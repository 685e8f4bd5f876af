/* SPDX-License-Identifier: MIT */
/* Reading: message boundaries, what is pending, replays. */
#include "dtls_regress/check.h"
#include "dtls_regress/lab.h"

#include <stdlib.h>
#include <string.h>

static struct regress_outcome read_boundary(void)
{
    struct regress_lab *lab = regress_lab_connected();
    if (!lab)
        return regress_broken(LAB_UNCONNECTED);
    char buf[16];
    SSL *server = lab->end[SERVER].ssl;
    bool ok = SSL_write(lab->end[CLIENT].ssl, "abcdef", 6) == 6 && SSL_read(server, buf, 2) == 2;
    int rest = SSL_read(server, buf, sizeof buf);
    regress_lab_free(lab);
    return regress_defect_if(ok, rest == 4, "the message does not arrive");
}

/* Sends two records in one datagram to the server. */
static bool send_two_records(struct regress_lab *lab)
{
    uint8_t both[512];
    size_t len = 0;
    struct regress_datagram *d;
    if (SSL_write(lab->end[CLIENT].ssl, "one", 3) != 3 ||
        SSL_write(lab->end[CLIENT].ssl, "two", 3) != 3)
        return false;
    while ((d = regress_lab_take(lab, SERVER))) {
        if (len + d->len <= sizeof both) {
            memcpy(both + len, d->data, d->len);
            len += d->len;
        }
        free(d);
    }
    return regress_lab_put(lab, SERVER, both, len);
}

static struct regress_outcome read_pending(void)
{
    struct regress_lab *lab = regress_lab_connected();
    if (!lab)
        return regress_broken(LAB_UNCONNECTED);
    char buf[16];
    SSL *server = lab->end[SERVER].ssl;
    bool ok = send_two_records(lab) && SSL_read(server, buf, sizeof buf) == 3;
    bool hidden = SSL_pending(server) == 0 && !lab->end[SERVER].in;
    ok = ok && SSL_read(server, buf, sizeof buf) == 3;
    regress_lab_free(lab);
    return regress_defect_if(ok, hidden, "the two messages do not arrive");
}

static struct regress_outcome read_stale_error(void)
{
    struct regress_lab *lab = regress_lab_connected();
    if (!lab)
        return regress_broken(LAB_UNCONNECTED);
    char buf[8];
    /* As any failed call of this thread does, this one leaves an entry in the queue. */
    ERR_clear_error();
    BIO_new_file("", "r");
    bool queued = ERR_peek_error() != 0;
    int error =
        SSL_get_error(lab->end[SERVER].ssl, SSL_read(lab->end[SERVER].ssl, buf, sizeof buf));
    ERR_clear_error();
    regress_lab_free(lab);
    return regress_defect_if(queued, error != SSL_ERROR_WANT_READ, "no error is in the queue");
}

/* Bytes that one read gives after two writes of three bytes. */
static int read_after_two_writes(BIO *to, BIO *from)
{
    char buf[16];
    bool ok = BIO_write(to, "abc", 3) == 3 && BIO_write(to, "def", 3) == 3;
    return ok ? BIO_read(from, buf, sizeof buf) : -1;
}

static struct regress_outcome read_memory_bio(void)
{
    struct regress_lab *lab = regress_lab_usual();
    BIO *bio = BIO_new(BIO_s_mem());
    bool apart = lab && read_after_two_writes(lab->end[CLIENT].bio, lab->end[SERVER].bio) == 3;
    int n = bio ? read_after_two_writes(bio, bio) : -1;
    BIO_free(bio);
    regress_lab_free(lab);
    return regress_defect_if(apart && n > 0, n == 6,
                             "even the lab's BIO does not keep datagrams apart");
}

/* How many of 130 records OpenSSL delivers when the newest arrives first. */
static struct regress_outcome read_replay_window(void)
{
    enum { RECORDS = 130 };
    struct regress_lab *lab = regress_lab_connected();
    struct regress_datagram *d[RECORDS];
    char buf[8];
    int delivered = 0;
    if (!lab)
        return regress_broken(LAB_UNCONNECTED);
    for (int i = 0; i < RECORDS; i++)
        d[i] = SSL_write(lab->end[CLIENT].ssl, "x", 1) == 1 ? regress_lab_take(lab, SERVER) : NULL;
    for (int i = RECORDS - 1; i >= 0; i--) {
        if (d[i] && regress_lab_put(lab, SERVER, d[i]->data, d[i]->len))
            delivered += SSL_read(lab->end[SERVER].ssl, buf, sizeof buf) == 1;
        free(d[i]);
    }
    regress_lab_free(lab);
    return regress_measured("%d records", delivered);
}

const struct regress_check regress_read_checks[] = {
    {.name = "read-boundary",
     .refs = "OpenSSL #5478",
     .does = "SSL_read reads a message of 6 bytes into a buffer of 2 bytes, and is called again.",
     .means = "vulnerable: the rest of the message looks like a message of its own.",
     .ours = "Buffers have room for any record.",
     .run = read_boundary},
    {.name = "read-pending",
     .refs = "RFC 6347 section 4.1.1",
     .does = "One datagram holds two records. The check calls SSL_pending after reading the first.",
     .means = "vulnerable: SSL_pending returns 0 and the socket is empty, so an event loop sleeps "
              "while a message waits.",
     .ours = "A session reads until SSL_ERROR_WANT_READ.",
     .run = read_pending},
    {.name = "read-stale-error",
     .refs = "OpenSSL #11889, #8470",
     .does = "An unrelated error is in the error queue, and SSL_read has nothing to read.",
     .means = "vulnerable: SSL_get_error reports that a healthy connection has failed.",
     .ours = "sukat_dtls calls ERR_clear_error before each call.",
     .run = read_stale_error},
    {.name = "read-memory-bio",
     .refs = "",
     .does = "Two messages are written to a BIO_s_mem, and one call reads it.",
     .means = "vulnerable: the call reads both messages as one, so memory BIOs cannot carry DTLS.",
     .ours = "The guard keeps datagrams apart.",
     .run = read_memory_bio},
    {.name = "read-replay-window",
     .measures = "replay window",
     .refs = "RFC 6347 section 4.1.2.6",
     .does = "130 records arrive, the newest first.",
     .means = "OpenSSL drops a record that is this many records older than the newest.",
     .ours = "sukat_dtls does not change this.",
     .run = read_replay_window},
};
const size_t regress_read_count = sizeof regress_read_checks / sizeof *regress_read_checks;
