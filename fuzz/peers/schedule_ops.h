/* SPDX-License-Identifier: MIT */
/* The input of fuzz_netsim and fuzz_deployed: two bytes of configuration; for fuzz_deployed also
 * the kind and four bytes of habits for each side; then operations with an argument. */
#ifndef FUZZ_SCHEDULE_OPS_H
#define FUZZ_SCHEDULE_OPS_H

#include <stdint.h>

/* The first byte. The second is the MTU: 300 bytes and five for each unit; 254 and 255: the sides
 * find it out. */
enum schedule_config {
    CONFIG_STOCK_CLIENT = 1, /* netsim only, like all but CONFIG_COOKIE and CONFIG_MORE */
    CONFIG_STOCK_SERVER = 2,
    CONFIG_KIND = 12, /* enum pair_kind */
    CONFIG_COOKIE = 16,
    CONFIG_MORE = 32, /* more kinds, or listening: see config_of() */
    CONFIG_ODD = 64,  /* ours at both ends: a byte follows, bits 0 to 3 enum ours_odd, 4 to 6 the
                         suite, 7 a slow timer */
};

enum schedule_op {
    OP_TO_SERVER, /* arg: bits 0 to 2 how many arrive, less one; 3: before the side looks */
    OP_TO_CLIENT,
    OP_DROP, /* arg, from here on: bit 0 on its way to the server, the others which one */
    OP_DOUBLE,
    OP_TO_THE_BACK,
    OP_SPLIT,   /* a datagram for each record */
    OP_MERGE,   /* with the next one */
    OP_TIMEOUT, /* arg: bit 0 the server's; to its next timer */
    OP_LATER,   /* arg: in 20 ms */
    OP_REFUSE,  /* arg: bit 0 the server's sends, 1 to 3 how many, 4 to 5 why */
    OP_SEND,    /* arg: bit 0 the server, the others how much; above 200 in a padded datagram */
    OP_GO_ON,   /* arg: bit 0 the server; stock: the socket accepts datagrams again */
    /* From here on somebody is hostile. */
    OP_CUT,     /* and a byte: how much is left, in 256ths */
    OP_FLIP,    /* and two bytes: where, in 256ths; with what */
    OP_FIELD,   /* and two bytes: which field of the first record, its value */
    OP_AGAIN,   /* arg: bit 0 to the server, the others which of the last sent */
    OP_REFLECT, /* back to its sender */
    OP_FORGE,   /* arg: bit 0 to the server; type, epoch, two bytes of number, length, body */
    OP_ERROR,   /* arg: bit 0 the server gets ICMP, 1 too big, 2 of this host, 3 to 6 how many
                     datagrams ago the one was that it is about; two bytes: the limit */
    /* A side ends or renews the association. */
    OP_CLOSE,
    OP_RENEGOTIATE, /* arg: bit 0 the server; deployed: bit 1 resumes the session */
    OPS,
    /* Deployed only. */
    /* arg: bit 0 resumes the session; four bytes: habits of the client that change */
    OP_BEGIN_AGAIN = OPS,
    OP_SCARCE, /* the arg-th allocation of OpenSSL from now on fails */
    OPS_DEPLOYED
};

/* For seeds. */
#define OPS_OF(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})
/* Up to the server's flight, which is on its way. */
#define BEGUN OP_TO_SERVER, 0, OP_TO_CLIENT, 0, OP_TO_SERVER, 0
#define DONE BEGUN, OP_TO_CLIENT, 15, OP_TO_SERVER, 7, OP_TO_CLIENT, 7

#endif
