/* SPDX-License-Identifier: MIT */
/* From the file to the diagnosis, on captures that were tampered with: cut at any byte,
 * bits flipped, frames lost, doubled and put in another order, times that cannot be.
 * Nothing may crash, leak or hang, and whatever is found is well-formed.
 * SDTLS_HOSTILE=full takes every byte and many more seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/table.h"
#include "capture/decap.h"
#include "capture/reader.h"
#include "flow/rules/diagnose.h"
#include "flow_fakes.h"
#include "flow_tools.h"

enum { FILES_MAX = 512, FRAMES_MAX = 1024, NAME_MAX_LEN = 64 };

struct file {
    char name[NAME_MAX_LEN];
    uint8_t *bytes;
    size_t len;
};

static struct file files[FILES_MAX];
static size_t file_count;
static bool full;

/* --- the chain --- */

struct chain {
    struct memory memory;
    struct sd_tracker *t;
    struct sd_decap *d;
    struct fake_certs certs;
    struct sd_cert_reader reader;
    struct sd_unprotect unprotect;
    unsigned keys; /* not given back */
    uint64_t sum;  /* of everything that was found */
};

static void check_text(const char *text, size_t room)
{
    assert_true(strnlen(text, room) < room);
    for (const char *p = text; *p; p++)
        if (*p < ' ' || *p > '~')
            fail_msg("byte 0x%02x in \"%s\"", (unsigned char)*p, text);
}

static void check_finding(const struct sd_finding *f)
{
    assert_non_null(f->entry);
    assert_in_range(f->severity, SD_INFO, SD_FATAL);
    assert_in_range(f->confidence, SD_LOW, SD_HIGH);
    assert_in_range(f->packet_count, 0, SD_PACKETS_MAX);
    for (size_t i = 1; i < f->packet_count; i++)
        assert_true(f->packets[i - 1] < f->packets[i]);
    assert_true(f->detail[0]);
    check_text(f->detail, sizeof f->detail);
}

static uint64_t mix(uint64_t sum, const void *data, size_t len)
{
    return sd_hash((struct sd_hash_key){sum, 3}, data, len);
}

static void on_done(void *arg, const struct sd_result *r)
{
    struct chain *c = arg;
    assert_in_range(r->count, 0, SD_FINDINGS_MAX);
    assert_in_range(r->x->count, 1, SD_LOG_MAX);
    assert_in_range(r->outcome, SD_INCOMPLETE, SD_FAILED);
    c->sum = mix(c->sum, r->x->log, r->x->count * sizeof *r->x->log);
    for (size_t i = 0; i < r->count; i++) {
        const struct sd_finding *f = &r->findings[i];
        check_finding(f);
        c->sum = mix(c->sum, f->detail, strlen(f->detail));
    }
}

static void on_datagram(void *arg, const struct sd_datagram *d)
{
    struct chain *c = arg;
    sd_tracker_tick(c->t, d->time);
    sd_tracker_datagram(c->t, d);
}

static void on_icmp(void *arg, const struct sd_icmp *e)
{
    sd_tracker_icmp(((struct chain *)arg)->t, e);
}

static void on_incomplete(void *arg, const struct sd_ip_incomplete *i)
{
    sd_tracker_ip_incomplete(((struct chain *)arg)->t, i);
}

static void open_chain(struct chain *c)
{
    *c = (struct chain){.memory = {.fail_at = NO_FAILURE}};
    for (uint8_t i = 0; i <= FAKES_MAX; i++)
        c->certs.cert[i] = fake_cert("example.org");
    c->certs.cert[0].security_bits = 80;
    c->reader = fake_reader(&c->certs);
    c->unprotect = fake_unprotect(&c->keys);
    struct sd_tracker_config tc = {.alloc = {&c->memory, memory_resize},
                                   .key = {1, 2},
                                   .prompt = true,
                                   .certs = &c->reader,
                                   .unprotect = &c->unprotect,
                                   .diagnose = sd_diagnose,
                                   .arg = c,
                                   .done = on_done};
    struct sd_decap_config dc = {.sink = {c, on_datagram, on_icmp, on_incomplete}, .key = {1, 2}};
    c->t = sd_tracker_new(&tc);
    c->d = sd_decap_new(&dc);
    assert_non_null(c->t);
    assert_non_null(c->d);
}

static uint64_t close_chain(struct chain *c)
{
    sd_decap_flush(c->d);
    sd_tracker_finish(c->t);
    sd_tracker_free(c->t);
    sd_decap_free(c->d);
    assert_int_equal(c->memory.live, 0);
    assert_int_equal(c->memory.blocks, 0);
    assert_int_equal(c->keys, 0);
    return c->sum;
}

/* A file in memory, as the reader opens paths. */
static int memory_file(const uint8_t *bytes, size_t len, char path[static 32])
{
    int fd = memfd_create("capture", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

static uint64_t run_file(const uint8_t *bytes, size_t len)
{
    static struct chain c;
    char path[32];
    struct sd_reader *r;
    struct sd_err e;
    struct sd_frame f;
    int fd = memory_file(bytes, len, path);
    assert_int_equal(sd_reader_open(&r, path, NULL, &e), 0);
    open_chain(&c);
    while (sd_reader_next(r, &f) == SD_READER_FRAME)
        sd_decap_frame(c.d, &f);
    sd_reader_close(r);
    close(fd);
    return close_chain(&c);
}

/* --- tampering --- */

static uint32_t seed;

static uint32_t random_below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return n ? (uint32_t)((uint64_t)seed * n >> 32) : 0;
}

static void flip(uint8_t *bytes, size_t len, unsigned bits)
{
    while (len && bits--)
        bytes[random_below((uint32_t)len)] ^= (uint8_t)(1U << random_below(8));
}

struct frames {
    struct sd_frame f[FRAMES_MAX];
    size_t count;
};

static void load_frames(const struct file *file, struct frames *to)
{
    char path[32];
    struct sd_reader *r;
    struct sd_err e;
    struct sd_frame f;
    int fd = memory_file(file->bytes, file->len, path);
    assert_int_equal(sd_reader_open(&r, path, NULL, &e), 0);
    for (to->count = 0; to->count < FRAMES_MAX && sd_reader_next(r, &f) == SD_READER_FRAME;) {
        uint8_t *copy = malloc(f.data.len ? f.data.len : 1);
        assert_non_null(copy);
        memcpy(copy, f.data.p, f.data.len);
        f.data.p = copy;
        to->f[to->count++] = f;
    }
    sd_reader_close(r);
    close(fd);
}

static void free_frames(struct frames *f)
{
    for (size_t i = 0; i < f->count; i++)
        free((void *)(uintptr_t)f->f[i].data.p);
    f->count = 0;
}

static void give_frame(struct chain *c, const struct sd_frame *f, unsigned bits)
{
    struct sd_frame bad = *f;
    uint8_t *copy = malloc(f->data.len ? f->data.len : 1);
    assert_non_null(copy);
    memcpy(copy, f->data.p, f->data.len);
    flip(copy, f->data.len, bits);
    bad.data.p = copy;
    sd_decap_frame(c->d, &bad);
    free(copy);
}

static const struct sd_frame *any_frame(const struct frames *all)
{
    return &all->f[random_below((uint32_t)all->count)];
}

/* --- the tests --- */

static void every_capture_gives_the_same_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < file_count; i++)
        assert_int_equal(run_file(files[i].bytes, files[i].len),
                         run_file(files[i].bytes, files[i].len));
}

static void a_capture_may_end_at_any_byte(void **state)
{
    (void)state;
    enum { CUTS = 60 };
    seed = 1;
    for (size_t i = 0; i < file_count; i++) {
        const struct file *f = &files[i];
        uint32_t step = full ? 1 : (uint32_t)(f->len / CUTS + 1);
        for (size_t cut = random_below(step); cut < f->len; cut += 1 + random_below(2 * step - 1))
            run_file(f->bytes, cut);
    }
}

static void bits_of_the_frames_may_flip(void **state)
{
    (void)state;
    static struct frames all;
    static struct chain c;
    unsigned rounds = full ? 2000 : 60;
    for (size_t i = 0; i < file_count; i++) {
        load_frames(&files[i], &all);
        for (unsigned round = 0; round < rounds; round++) {
            seed = (uint32_t)(i * 65537 + round + 1);
            unsigned most = 1U << random_below(6);
            open_chain(&c);
            for (size_t k = 0; k < all.count; k++)
                give_frame(&c, &all.f[k], random_below(most + 1));
            close_chain(&c);
        }
        free_frames(&all);
    }
}

static void bits_of_the_file_may_flip(void **state)
{
    (void)state;
    unsigned rounds = full ? 500 : 30;
    for (size_t i = 0; i < file_count; i++) {
        uint8_t *copy = malloc(files[i].len);
        assert_non_null(copy);
        for (unsigned round = 0; round < rounds; round++) {
            seed = (uint32_t)(i * 65537 + round + 1);
            memcpy(copy, files[i].bytes, files[i].len);
            flip(copy, files[i].len, 1 + random_below(64));
            run_file(copy, files[i].len);
        }
        free(copy);
    }
}

static void frames_may_get_lost_doubled_and_mixed(void **state)
{
    (void)state;
    static struct frames all;
    static struct chain c;
    unsigned rounds = full ? 2000 : 60;
    for (size_t i = 0; i < file_count; i++) {
        load_frames(&files[i], &all);
        for (unsigned round = 0; all.count && round < rounds; round++) {
            seed = (uint32_t)(i * 65537 + round + 1);
            open_chain(&c);
            for (size_t k = 0; k < 2 * all.count; k++)
                give_frame(&c, any_frame(&all), random_below(8) ? 0 : 2);
            close_chain(&c);
        }
        free_frames(&all);
    }
}

static void times_may_be_anything(void **state)
{
    (void)state;
    static struct frames all;
    static struct chain c;
    static const int64_t strange[] = {
        0, 1, INT64_MAX, INT64_MAX / 2, INT64_MAX / 4 * 3, 4294967295000000000};
    for (size_t i = 0; i < file_count; i++) {
        load_frames(&files[i], &all);
        for (unsigned round = 0; round < (full ? 500 : 20); round++) {
            seed = (uint32_t)(i * 65537 + round + 1);
            open_chain(&c);
            for (size_t k = 0; k < all.count; k++) {
                struct sd_frame f = all.f[k];
                if (!random_below(3))
                    f.time = strange[random_below(sizeof strange / sizeof *strange)];
                give_frame(&c, &f, 0);
            }
            close_chain(&c);
        }
        free_frames(&all);
    }
}

/* One tracker for all captures: what the handshakes of one tell about those of another. */
static void all_captures_may_be_one(void **state)
{
    (void)state;
    static struct frames all;
    static struct chain c;
    open_chain(&c);
    for (size_t i = 0; i < file_count; i++) {
        load_frames(&files[i], &all);
        for (size_t k = 0; k < all.count; k++)
            give_frame(&c, &all.f[k], 0);
        free_frames(&all);
    }
    close_chain(&c);
}

/* --- the captures --- */

static void folder(char *path, size_t size)
{
    const char *given = getenv("SDTLS_PCAP_TESTS");
    snprintf(path, size, "%s", given ? given : SDTLS_SOURCE_DIR "/pcap-tests/captures");
}

static bool load(const char *dir, const char *name)
{
    char path[768];
    struct file *f = &files[file_count];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(f->name, sizeof f->name, "%.*s", NAME_MAX_LEN - 1, name);
    FILE *in = fopen(path, "rb");
    if (!in)
        return false;
    fseek(in, 0, SEEK_END);
    f->len = (size_t)ftell(in);
    rewind(in);
    f->bytes = malloc(f->len);
    bool ok = f->bytes && fread(f->bytes, 1, f->len, in) == f->len;
    fclose(in);
    file_count++;
    return ok;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static bool load_all(const char *dir)
{
    DIR *d = opendir(dir);
    if (!d)
        return false;
    bool ok = true;
    for (const struct dirent *e; ok && (e = readdir(d)) && file_count < FILES_MAX;)
        if (strstr(e->d_name, ".pcap"))
            ok = load(dir, e->d_name);
    closedir(d);
    qsort(files, file_count, sizeof *files, by_name); /* the seeds count them */
    return ok && file_count;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_capture_gives_the_same_twice),
        cmocka_unit_test(a_capture_may_end_at_any_byte),
        cmocka_unit_test(bits_of_the_frames_may_flip),
        cmocka_unit_test(bits_of_the_file_may_flip),
        cmocka_unit_test(frames_may_get_lost_doubled_and_mixed),
        cmocka_unit_test(times_may_be_anything),
        cmocka_unit_test(all_captures_may_be_one),
    };
    char path[512];
    const char *how = getenv("SDTLS_HOSTILE");
    full = how && strcmp(how, "full") == 0;
    folder(path, sizeof path);
    if (access(path, R_OK)) {
        printf("skipped: no %s\n", path);
        return 0;
    }
    if (!load_all(path))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    while (file_count)
        free(files[--file_count].bytes);
    return failed;
}
