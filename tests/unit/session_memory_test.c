/* SPDX-License-Identifier: MIT */
/* lib/session when OpenSSL gets no memory: one session may fail, and nothing else. */
#include "session_pair.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

/* Before each block of OpenSSL. What is freed stays until the round is over. */
struct block {
    struct block *freed;
    size_t size;
};

static struct block *graveyard;
static unsigned fail_in, freed_twice;

static struct block *const none = (struct block *)1;

static void *take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    struct block *b = fail_in && !--fail_in ? NULL : malloc(sizeof *b + size);
    if (!b)
        return NULL;
    *b = (struct block){.size = size};
    return b + 1;
}

static void give(void *data, const char *file, int line)
{
    (void)file;
    (void)line;
    struct block *b = data ? (struct block *)data - 1 : NULL;
    if (!b)
        return;
    if (b->freed) {
        freed_twice++;
        return;
    }
    b->freed = graveyard;
    graveyard = b;
}

static void *change(void *data, size_t size, const char *file, int line)
{
    void *moved = size ? take(size, file, line) : NULL;
    const size_t had = data ? ((struct block *)data - 1)->size : 0;
    if (moved && data)
        memcpy(moved, data, had < size ? had : size);
    if (moved || !size)
        give(data, file, line);
    return moved;
}

static void bury(void)
{
    for (struct block *b = graveyard, *next; b != none; b = next) {
        next = b->freed;
        free(b);
    }
    graveyard = none;
}

/* When the server's flight is about to arrive. */
static void begin_to_fail(struct pair *p, int to, const uint8_t *data, size_t len)
{
    (void)data;
    (void)len;
    if (to != CLIENT || !p->side[SERVER].session || p->fired)
        return;
    p->fired = true;
    fail_in = (unsigned)p->arg;
}

/* True when there were this many allocations. */
static bool fails_at(struct pair *p, unsigned n)
{
    p->arg = n;
    connect_client(p);
    deliver(p);
    const bool failed = !fail_in;
    fail_in = 0;
    pair_again(p);
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(freed_twice, 0);
    bury();
    return failed;
}

/* Each of the first allocations, then some of the others; nothing leaks. */
static void fail_each(const sdtls_config *client, const sdtls_config *server)
{
    enum { EACH = 100, STEP = 7, MANY = 100000 };
    struct pair *p = pair_new(client, server);
    unsigned n = 1;
    handshake(p); /* what OpenSSL makes once for the process is there */
    assert_alive(p);
    pair_again(p);
    p->before = begin_to_fail;
    while (n < MANY && fails_at(p, n))
        n += n < EACH ? 1 : STEP;
    assert_true(n > EACH && n < MANY);
    p->before = NULL;
    handshake(p);
    assert_alive(p);
    pair_free(p);
    bury();
}

static void a_failed_allocation_ends_one_session(void **state)
{
    (void)state;
    const sdtls_config c = {SDTLS_CONFIG_INIT, .psk_identity = "me", .psk = "0123456789abcdef",
                            .psk_len = 16};
    fail_each(&c, &c);
}

static void so_it_does_with_certificates(void **state)
{
    (void)state;
    fail_each(NULL, NULL);
}

int main(void)
{
    graveyard = none;
    if (CRYPTO_set_mem_functions(take, change, give) != 1)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_allocation_ends_one_session),
        cmocka_unit_test(so_it_does_with_certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
