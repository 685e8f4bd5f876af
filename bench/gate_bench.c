/* SPDX-License-Identifier: MIT */
/* What it costs to refuse a datagram, in process and without a socket: ns for
 * each of the cases a flood consists of, with no MAC at all (the parser alone),
 * with the stand-in of the unit tests and with HMAC-SHA-256 of OpenSSL.
 *
 *     gate_bench [rounds] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "gate/gate.h"
#include "tls/mac.h"
#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/record.h"

static void no_mac(void *arg, const uint8_t key[SD_GATE_SECRET_LEN], const uint8_t *data,
                   size_t len, uint8_t out[32])
{
    (void)arg, (void)key, (void)data, (void)len;
    memset(out, 0, 32);
}

static void siphash_mac(void *arg, const uint8_t key[SD_GATE_SECRET_LEN], const uint8_t *data,
                        size_t len, uint8_t out[32])
{
    (void)arg;
    for (size_t i = 0; i < 4; i++) {
        struct sd_hash_key k;
        memcpy(&k, key, sizeof k);
        k.k0 ^= i;
        uint64_t h = sd_hash(k, data, len);
        memcpy(out + 8 * i, &h, sizeof h);
    }
}

struct datagram {
    const char *what;
    uint8_t data[512];
    size_t len;
};

static void make_hello(struct datagram *d, const char *what, size_t cookie_len)
{
    static const uint8_t random[SD_RANDOM_LEN], cookie[32] = {1}, suites[40], null[1];
    static const uint8_t extensions[100] = {0, 21, 0, 96};
    uint8_t body[400];
    struct sd_wr b = sd_wr_init(body, sizeof body), w = sd_wr_init(d->data, sizeof d->data);
    sd_client_hello_build(&b, &(struct sd_client_hello){.version = SD_DTLS_1_2,
                                                        .random = {random, sizeof random},
                                                        .cookie = {cookie, cookie_len},
                                                        .suites = {suites, sizeof suites},
                                                        .compression = {null, sizeof null},
                                                        .extensions = {extensions, 100}});
    size_t record = sd_record_open(&w, SD_CT_HANDSHAKE, SD_DTLS_1_0, 0, 0);
    size_t message = sd_handshake_open(&w, SD_HS_CLIENT_HELLO, 0);
    sd_wr_bytes(&w, body, sd_wr_len(&b));
    sd_handshake_close(&w, message);
    sd_record_close(&w, record);
    d->what = what;
    d->len = sd_wr_len(&w);
}

static void make_junk(struct datagram *d)
{
    d->what = "junk";
    d->len = 200;
    memset(d->data, 0x80, d->len);
}

static double ns_each(const struct sd_gate *g, struct datagram *d, unsigned long rounds)
{
    struct sd_addr peer = sd_addr_any(AF_INET, 1), local = sd_addr_any(AF_INET, 4433);
    uint8_t reply[SD_GATE_REPLY_MAX];
    unsigned long admitted = 0;
    sd_time start = sd_clock_now();
    for (unsigned long i = 0; i < rounds; i++) {
        sd_addr_set_port(&peer, (uint16_t)i);
        d->data[d->len - 1] = (uint8_t)i;
        struct sd_gate_result r = sd_gate_check(g, d->data, d->len, &peer, &local, reply);
        admitted += r.verdict == SD_GATE_ADMIT;
    }
    sd_time spent = sd_clock_now() - start;
    if (admitted)
        fprintf(stderr, "gate_bench: %lu forged cookies were admitted\n", admitted);
    return (double)spent / (double)rounds;
}

int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    static const uint8_t secrets[2][SD_GATE_SECRET_LEN] = {{1}, {2}};
    struct sd_tls_mac *hmac = sd_tls_mac_new();
    if (!hmac || !rounds)
        return 1;
    const struct {
        const char *name;
        sd_gate_mac *mac;
        void *arg;
    } macs[] = {{"none", no_mac, NULL},
                {"siphash", siphash_mac, NULL},
                {"hmac-sha256", sd_tls_mac_sum, hmac}};
    struct datagram d[3];
    make_hello(&d[0], "hello without cookie", 0);
    make_hello(&d[1], "hello with a forged one", SD_GATE_COOKIE_LEN);
    make_junk(&d[2]);
    printf("%-26s %12s %12s %12s   ns a datagram\n", "", macs[0].name, macs[1].name, macs[2].name);
    for (size_t i = 0; i < 3; i++) {
        printf("%-26s", d[i].what);
        for (size_t m = 0; m < 3; m++) {
            struct sd_gate g;
            sd_gate_init(&g, macs[m].mac, macs[m].arg, secrets[0], 0);
            sd_gate_rotate(&g, secrets[1], SD_GATE_PERIOD);
            printf(" %12.0f", ns_each(&g, &d[i], rounds));
        }
        printf("\n");
    }
    sd_tls_mac_free(hmac);
    return 0;
}
