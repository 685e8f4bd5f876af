/* SPDX-License-Identifier: MIT */
#include "dtls_scan/checks/forgery.h"

#include "dtls_scan/checks/association.h"

#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define FORGED_MAX 8

/* Longer than any tag, so that it is the tag that is wrong. */
#define SEALED_BODY                                                                                \
    BYTES("\0\1\0\0\0\0\0\7 an encrypted record, as far as anybody who has no keys can tell")

static const struct puppet_item alert_items[] = {
    {.type = SD_CT_ALERT, .seq = PUPPET_NEXT, .body = BYTES("\2\12")},
    {.type = SD_CT_ALERT, .seq = PUPPET_NEXT, .body = BYTES("\2\120"), .alone = true},
};
static const struct puppet_item close_items[] = {
    {.type = SD_CT_ALERT, .seq = PUPPET_NEXT, .body = BYTES("\1\0")},
};
#define WARNING                                                                                    \
    {                                                                                              \
        .type = SD_CT_ALERT, .seq = PUPPET_NEXT, .body = BYTES("\1\132")                           \
    }
static const struct puppet_item warning_items[] = {WARNING, WARNING, WARNING,
                                                   WARNING, WARNING, WARNING};
static const struct puppet_item ccs_items[] = {
    {.type = SD_CT_CCS, .seq = PUPPET_NEXT, .body = BYTES("\1")},
    {.type = SD_CT_CCS, .epoch = 1, .plain = true, .seq = PUPPET_NEXT, .body = SEALED_BODY},
};
/* A HelloRequest, a header without a message, a Finished, and a length of 16 MB. */
static const struct puppet_item message_items[] = {
    {.type = SD_CT_HANDSHAKE, .seq = PUPPET_NEXT, .body = BYTES("\0\0\0\0\0\0\0\0\0\0\0\0")},
    {.type = SD_CT_HANDSHAKE, .seq = PUPPET_NEXT, .body = BYTES("\1\0\0\4\0")},
    {.type = SD_CT_HANDSHAKE,
     .seq = PUPPET_NEXT,
     .body = BYTES("\24\0\0\14\0\5\0\0\0\0\0\14no true one.")},
    {.type = SD_CT_HANDSHAKE,
     .seq = PUPPET_NEXT,
     .body = BYTES("\13\377\377\377\0\6\0\0\0\0\0\4abcd")},
};
static const struct puppet_item data_items[] = {
    {.type = SD_CT_APPDATA, .seq = PUPPET_NEXT, .body = SEALED_BODY},
};
#define OF_TYPE(code, of_epoch)                                                                    \
    {                                                                                              \
        .type = (code), .epoch = (of_epoch), .plain = true, .seq = PUPPET_NEXT,                    \
        .body = SEALED_BODY, .alone = true                                                         \
    }
static const struct puppet_item type_items[] = {OF_TYPE(0, 0),  OF_TYPE(99, 0), OF_TYPE(25, 0),
                                                OF_TYPE(26, 0), OF_TYPE(24, 0), OF_TYPE(99, 1)};
#define GARBAGE_DATAGRAM(text)                                                                     \
    {                                                                                              \
        .raw = true, .alone = true, .body = BYTES(text)                                            \
    }
static const struct puppet_item garbage_items[] = {
    GARBAGE_DATAGRAM("\27"), GARBAGE_DATAGRAM("\27\376\375\0\1\0"),
    GARBAGE_DATAGRAM("\26\376\375\0\0\0\0\0\0\0\7\377\377 a length that is not true"),
    GARBAGE_DATAGRAM("GET / HTTP/1.0\r\n\r\n")};
#define SEALED(code, number, ...)                                                                  \
    {                                                                                              \
        .type = (code), .epoch = 1, .plain = true, .seq = (number), .alone = true, __VA_ARGS__     \
    }
static const struct puppet_item short_items[] = {
    SEALED(SD_CT_APPDATA, PUPPET_NEXT, .body = BYTES("abc")),
    SEALED(SD_CT_APPDATA, PUPPET_NEXT, .body = BYTES("")),
    SEALED(SD_CT_ALERT, PUPPET_NEXT, .body = BYTES("\2\12")),
};
static const struct puppet_item mac_items[] = {
    SEALED(SD_CT_APPDATA, PUPPET_NEXT, .body = SEALED_BODY),
    SEALED(SD_CT_ALERT, PUPPET_NEXT, .body = SEALED_BODY),
};
static const struct puppet_item epoch_items[] = {
    {.type = SD_CT_APPDATA, .epoch = 2, .plain = true, .seq = 1, .body = SEALED_BODY},
    {.type = SD_CT_HANDSHAKE, .epoch = 7, .plain = true, .seq = 1, .body = SEALED_BODY},
    {.type = SD_CT_ALERT, .epoch = 65535, .plain = true, .seq = 1, .body = SEALED_BODY},
};

#define ITEMS(list) .items = (list), .count = sizeof(list) / sizeof *(list)
static const struct forgery {
    const struct puppet_item *items;
    size_t count;
    bool cbc; /* wants an association of its own, with a CBC suite and encrypt-then-MAC */
} forgeries[SCAN_FORGERY_COUNT] = {
    [SCAN_FORGERY_ALERT] = {ITEMS(alert_items)},
    [SCAN_FORGERY_CLOSE] = {ITEMS(close_items)},
    [SCAN_FORGERY_WARNINGS] = {ITEMS(warning_items)},
    [SCAN_FORGERY_CCS] = {ITEMS(ccs_items)},
    [SCAN_FORGERY_MESSAGES] = {ITEMS(message_items)},
    [SCAN_FORGERY_DATA] = {ITEMS(data_items)},
    [SCAN_FORGERY_TYPES] = {ITEMS(type_items)},
    [SCAN_FORGERY_GARBAGE] = {ITEMS(garbage_items)},
    [SCAN_FORGERY_SHORT] = {ITEMS(short_items)},
    [SCAN_FORGERY_MAC] = {ITEMS(mac_items)},
    [SCAN_FORGERY_EPOCH] = {ITEMS(epoch_items)},
    [SCAN_FORGERY_ETM] = {ITEMS(mac_items), .cbc = true},
};

/* One association, some forgeries, one question. UNKNOWN: there was no association. */
static enum scan_tri survives(struct scan *s, const enum scan_forgery *kinds, size_t count)
{
    bool cbc = forgeries[kinds[0]].cbc;
    const struct scan_wish wish = {.cbc = cbc, .ext = cbc ? SCAN_EXT_ETM : 0};
    struct scan_association *a = scan_associate(s, &wish);
    enum scan_tri alive = SCAN_UNKNOWN;
    if (scan_associated(a)) {
        for (size_t i = 0; i < count; i++)
            scan_associate_send(a, forgeries[kinds[i]].items, forgeries[kinds[i]].count);
        alive = scan_alive(a) ? SCAN_YES : SCAN_NO;
    }
    scan_dissociate(a);
    return s->line.stop ? SCAN_UNKNOWN : alive;
}

/* An association that nobody disturbs lives. The first may meet what was meant for one that died:
 * s_server keeps early records of any address for its next client (measured). */
static bool undisturbed(struct scan *s)
{
    enum { TRIES = 2 };
    const struct scan_wish plain = {0};
    bool alive = false;
    for (unsigned i = 0; i < TRIES && !alive && !s->line.stop; i++) {
        struct scan_association *a = scan_associate(s, &plain);
        alive = scan_associated(a) && scan_alive(a);
        scan_dissociate(a);
    }
    return alive;
}

/* Dead is who does not answer in any of several associations, while a ping is answered by those
 * that nobody disturbs. A single close_notify may be lost; a ping is repeated. */
static enum scan_tri dies_of(struct scan *s, enum scan_forgery kind)
{
    unsigned rounds = scan_life_pings(&s->facts.life) ? 2 : 3, deaths = 0, missing = 0;
    while (deaths < rounds && missing < 2 && !s->line.stop) {
        enum scan_tri alive = survives(s, &kind, 1);
        if (alive == SCAN_YES)
            return SCAN_NO;
        deaths += alive == SCAN_NO;
        missing += alive == SCAN_UNKNOWN;
    }
    return deaths == rounds && undisturbed(s) ? SCAN_YES : SCAN_UNKNOWN;
}

/* All forgeries at one association: a sound server costs no more. */
static void try_all(struct scan *s)
{
    enum scan_forgery kinds[SCAN_FORGERY_COUNT];
    size_t count = 0;
    for (int k = 0; k < SCAN_FORGERY_COUNT; k++)
        if (!forgeries[k].cbc)
            kinds[count++] = (enum scan_forgery)k;
    bool sound = survives(s, kinds, count) == SCAN_YES;
    for (size_t i = 0; sound && i < count; i++)
        s->facts.killed[kinds[i]] = SCAN_NO;
}

enum scan_tri scan_killed_by(struct scan *s, enum scan_forgery kind)
{
    enum scan_tri *killed = &s->facts.killed[kind];
    if (!s->facts.forged && !forgeries[kind].cbc) {
        s->facts.forged = true;
        try_all(s);
    }
    if (*killed == SCAN_UNKNOWN && !s->line.stop)
        *killed = dies_of(s, kind);
    return *killed;
}
