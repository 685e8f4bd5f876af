/* SPDX-License-Identifier: MIT */
/* Hellos as real clients and networks send them: in fragments, in another order, with more beside
 * them. Browsers of today send two datagrams. */
#include "dtls_scan/checks/check.h"
#include "wire/extension.h"

enum { PADDED = 1000, LARGE = 4096 };

/* Makes the message of the hello about `size` bytes long. */
static void pad_hello(struct scan_hello *h, size_t size)
{
    static const uint8_t zeros[SCAN_EXTRA];
    uint8_t body[SCAN_HELLO_BYTES];
    struct sd_wr w = sd_wr_init(body, sizeof body);
    scan_hello_body(&w, h);
    size_t now = sd_wr_len(&w) + 4;
    if (size > now && size - now + 4 <= sizeof zeros)
        scan_hello_add(h, SD_EXT_PADDING, zeros, size - now);
}

static void ask_delivered(struct scan *s, struct scan_outcome *o, const struct scan_delivery *how,
                          size_t size, const char *what)
{
    struct scan_hello h = s->asker.control;
    if (!s->asker.has_control) {
        scan_not_run(o, "no hello is known that the server answers");
        return;
    }
    scan_hello_renew(&h);
    pad_hello(&h, size);
    enum scan_reply reply = scan_ask_as(&s->asker, &h, how, SCAN_UNTIL_HELLO);
    if (reply == SCAN_REPLY_UNKNOWN)
        scan_not_known(o, "the scan was stopped");
    else if (reply == SCAN_REPLY_HELLO || reply == SCAN_REPLY_RETRY)
        scan_found(o, SCAN_OK, json_true(), "a hello %s is answered", what);
    else
        scan_found(o, SCAN_LOW, json_false(), "a hello %s is %s", what,
                   reply == SCAN_REPLY_ALERT ? "refused with an alert" : "not answered");
}

static void check_two(struct scan *s, struct scan_outcome *o)
{
    ask_delivered(s, o, &(struct scan_delivery){.fragment = 700}, PADDED, "in two datagrams");
    if (o->level == SCAN_LOW)
        o->level = SCAN_HIGH; /* browsers send such hellos */
}

static void check_256(struct scan *s, struct scan_outcome *o)
{
    ask_delivered(s, o, &(struct scan_delivery){.fragment = 256}, PADDED, "in 256-byte fragments");
}

static void check_reverse(struct scan *s, struct scan_outcome *o)
{
    ask_delivered(s, o, &(struct scan_delivery){.fragment = 256, .reverse = true}, PADDED,
                  "in fragments in reverse order");
}

static void check_overlap(struct scan *s, struct scan_outcome *o)
{
    ask_delivered(s, o, &(struct scan_delivery){.fragment = 256, .overlap = 64}, PADDED,
                  "in overlapping fragments");
}

static void check_late_cookie(struct scan *s, struct scan_outcome *o)
{
    ask_delivered(s, o, &(struct scan_delivery){.first = 30, .fragment = 600}, 0,
                  "with the cookie outside the first fragment");
    if (o->level == SCAN_LOW)
        o->level = SCAN_INFO; /* RFC 6347 section 4.2.1 lets a server that keeps no state do so */
}

static void check_trailing(struct scan *s, struct scan_outcome *o)
{
    ask_delivered(s, o, &(struct scan_delivery){.trailing = 16}, 0, "with trailing bytes");
}

static void check_two_records(struct scan *s, struct scan_outcome *o)
{
    ask_delivered(s, o, &(struct scan_delivery){.two_records = true}, 0,
                  "with a second record in its datagram");
}

static void check_large_numbers(struct scan *s, struct scan_outcome *o)
{
    ask_delivered(s, o, &(struct scan_delivery){.from = UINT64_C(1) << 40}, 0,
                  "with a record number of 2^40");
}

static void check_large(struct scan *s, struct scan_outcome *o)
{
    ask_delivered(s, o, &(struct scan_delivery){0}, LARGE, "of 4 kB");
}

#define ROW(id, title, flags, run)                                                                 \
    {                                                                                              \
        id, title, SCAN_GROUP_LISTEN, flags, run                                                   \
    }

const struct scan_check scan_hello_checks[] = {
    ROW("hello-two-datagrams", "Hello in two datagrams", SCAN_QUICK, check_two),
    ROW("hello-fragments", "Hello in small fragments", 0, check_256),
    ROW("hello-reversed", "Fragments reversed", 0, check_reverse),
    ROW("hello-overlap", "Fragments overlapping", 0, check_overlap),
    ROW("hello-late-cookie", "Cookie in 2nd fragment", 0, check_late_cookie),
    ROW("hello-trailing", "Trailing bytes", 0, check_trailing),
    ROW("hello-two-records", "Two records", 0, check_two_records),
    ROW("hello-record-number", "Large record number", 0, check_large_numbers),
    ROW("hello-4k", "Hello of 4 kB", 0, check_large),
};
const size_t scan_hello_count = sizeof scan_hello_checks / sizeof *scan_hello_checks;
