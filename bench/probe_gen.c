/* SPDX-License-Identifier: MIT */
/* Many handshakes out of one: clients with addresses, ports and randoms of their own, their
 * packets interleaved, with application data behind.
 *
 *   probe_gen TEMPLATE PORT HANDSHAKES APPDATA >OUT.pcap
 *
 * TEMPLATE: a capture of Ethernet and IPv4; of it the conversation with this server port. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/reader.h"

enum {
    PACKETS_MAX = 64,
    PACKET_MAX = 2048,
    IP = 14,
    UDP = IP + 20,
    DTLS = UDP + 8,
    RANDOM = DTLS + 13 + 12 + 2, /* of a hello */
    INTERLEAVED = 1000           /* handshakes at a time */
};

struct packet {
    uint8_t data[PACKET_MAX];
    uint32_t length;
    int64_t time; /* ns since the first */
    bool from_client;
};

struct template
{
    struct packet packet[PACKETS_MAX];
    size_t count;
    const struct packet *data; /* the first one with application data */
};

static unsigned u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static void put_u16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static bool belongs(const struct sd_frame *f, unsigned port)
{
    if (f->linktype != 1 || f->data.len <= RANDOM || f->data.len > PACKET_MAX ||
        f->data.p[IP] != 0x45 || f->data.p[IP + 9] != 17)
        return false;
    return u16(f->data.p + UDP) == port || u16(f->data.p + UDP + 2) == port;
}

static bool read_template(struct template *t, const char *path, unsigned port)
{
    struct sd_reader *r;
    struct sd_err e = {0};
    struct sd_frame f;
    int64_t start = 0;
    if (sd_reader_open(&r, path, NULL, &e)) {
        fprintf(stderr, "probe_gen: %s\n", e.text);
        return false;
    }
    while (t->count < PACKETS_MAX && sd_reader_next(r, &f) == SD_READER_FRAME) {
        if (!belongs(&f, port))
            continue;
        struct packet *p = &t->packet[t->count++];
        start = start ? start : f.time;
        memcpy(p->data, f.data.p, f.data.len);
        p->length = (uint32_t)f.data.len;
        p->time = f.time - start;
        p->from_client = u16(p->data + UDP + 2) == port;
        if (!t->data && p->data[DTLS] == 23)
            t->data = p;
    }
    sd_reader_close(r);
    return t->count;
}

static void put_packet(const struct packet *p, unsigned client, int64_t time, uint64_t number)
{
    uint8_t data[PACKET_MAX];
    memcpy(data, p->data, p->length);
    const uint8_t address[4] = {10, (uint8_t)(client >> 16), (uint8_t)(client >> 8),
                                (uint8_t)client};
    memcpy(data + IP + (p->from_client ? 12 : 16), address, sizeof address);
    put_u16(data + UDP + (p->from_client ? 0 : 2), 20000 + client % 30000);
    if (data[DTLS] == 22 && (data[DTLS + 13] == 1 || data[DTLS + 13] == 2))
        memcpy(data + RANDOM, &client, sizeof client);
    if (number)
        for (int i = 0; i < 6; i++)
            data[DTLS + 5 + i] = (uint8_t)(number >> (40 - 8 * i));
    const uint32_t head[4] = {(uint32_t)(time / 1000000000), (uint32_t)(time % 1000000000),
                              p->length, p->length};
    fwrite(head, sizeof head, 1, stdout);
    fwrite(data, p->length, 1, stdout);
}

static void put_step(const struct packet *p, unsigned from, unsigned to, int64_t begin,
                     uint64_t number)
{
    for (unsigned client = from; client < to; client++)
        put_packet(p, client, begin + p->time + (client - from) * INT64_C(1000), number);
}

static void put_all(const struct template *t, unsigned handshakes, unsigned appdata)
{
    const uint32_t header[6] = {0xa1b23c4d, 4 << 16 | 2, 0, 0, 262144, 1};
    fwrite(header, sizeof header, 1, stdout);
    int64_t begin = INT64_C(1700000000) * 1000000000;
    for (unsigned from = 0; from < handshakes; from += INTERLEAVED, begin += 1000000000) {
        unsigned to = from + INTERLEAVED < handshakes ? from + INTERLEAVED : handshakes;
        for (size_t i = 0; i < t->count; i++) {
            put_step(&t->packet[i], from, to, begin, 0);
            /* Record numbers of the template end far below a thousand. */
            for (unsigned n = 0; &t->packet[i] == t->data && n < appdata; n++)
                put_step(t->data, from, to, begin + (n + 1) * INT64_C(1000000), 1000 + n);
        }
    }
}

int main(int argc, char **argv)
{
    static struct template t;
    if (argc != 5) {
        fputs("usage: probe_gen TEMPLATE PORT HANDSHAKES APPDATA >OUT.pcap\n", stderr);
        return 2;
    }
    if (!read_template(&t, argv[1], (unsigned)atoi(argv[2]))) {
        fprintf(stderr, "probe_gen: no conversation with port %s in %s\n", argv[2], argv[1]);
        return 1;
    }
    put_all(&t, (unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]));
    return fflush(stdout) || ferror(stdout);
}
