/* SPDX-License-Identifier: MIT */
#include "mutator/mutator.h"

#include <string.h>

#include "mutator/mutate.h"

enum { OPS = 256, ARENA = 1 << 18, INPUT = 1 << 16, ROUNDS = 4, COOKIE = 255 };

struct op {
    uint8_t code, arg;
    const uint8_t *data;
    size_t len;
};

/* An input as a list of operations. The data of an operation are never changed in place, only
 * replaced. */
struct script {
    struct op op[OPS];
    size_t count;
    uint8_t arena[ARENA];
    size_t used;
    struct fuzz_rng rng;
    const struct mutator_target *target;
};

static size_t below(struct script *s, size_t n)
{
    return mutate_below(&s->rng, n);
}

/* NULL: no room is left. */
static const uint8_t *keep(struct script *s, const void *data, size_t len)
{
    if (len > sizeof s->arena - s->used)
        return NULL;
    uint8_t *to = s->arena + s->used;
    if (len)
        memcpy(to, data, len);
    s->used += len;
    return to;
}

static void read_script(struct script *s, struct sd_span input)
{
    struct sd_rd in = sd_rd_init(input.p, input.len);
    struct fuzz_op op;
    while (s->count < OPS && fuzz_op_next(&in, &op)) {
        const uint8_t *data = keep(s, op.data.p, op.data.len);
        if (data)
            s->op[s->count++] = (struct op){op.code, op.arg, data, op.data.len};
    }
}

/* Operations that do not fit are left out. */
static size_t write_script(const struct script *s, uint8_t *out, size_t max)
{
    struct sd_wr w = sd_wr_init(out, max);
    for (size_t i = 0; i < s->count; i++) {
        const struct op *op = &s->op[i];
        if ((size_t)(w.end - w.p) >= 4 + op->len)
            fuzz_op_put(&w, op->code, op->arg, op->data, op->len);
    }
    return sd_wr_len(&w);
}

/* --- operations as units --- */

static void insert_op(struct script *s, size_t at, struct op op)
{
    if (s->count == OPS || !op.data)
        return;
    memmove(&s->op[at + 1], &s->op[at], (s->count - at) * sizeof op);
    s->op[at] = op;
    s->count++;
}

static void drop_op(struct script *s, size_t at)
{
    s->count--;
    memmove(&s->op[at], &s->op[at + 1], (s->count - at) * sizeof s->op[0]);
}

static bool is_datagram(const struct script *s, const struct op *op)
{
    if (s->target->datagrams)
        return s->target->datagrams >> op->code % s->target->codes & 1;
    return op->len >= 2 && op->data[0] >= 20 && op->data[0] < 64 && op->data[1] == 0xfe;
}

static uint8_t datagram_code(const struct script *s)
{
    uint8_t code = 0;
    while (s->target->datagrams && !(s->target->datagrams >> code & 1))
        code++;
    return code;
}

static void insert_template(struct script *s)
{
    uint8_t bytes[MUTATE_MAX];
    struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
    mutate_template(&s->rng, &w);
    size_t len = sd_wr_len(&w), at = below(s, s->count + 1);
    uint8_t arg = (uint8_t)(fuzz_random(&s->rng) & s->target->who);
    insert_op(s, at, (struct op){datagram_code(s), arg, keep(s, bytes, len), len});
}

/* Inserts an operation that holds no datagram, with little data. */
static void insert_other(struct script *s)
{
    uint8_t bytes[8];
    size_t len = below(s, sizeof bytes);
    fuzz_random_bytes(&s->rng, bytes, sizeof bytes);
    uint8_t code = (uint8_t)below(s, s->target->codes);
    insert_op(s, below(s, s->count + 1), (struct op){code, bytes[7], keep(s, bytes, len), len});
}

static void swap_ops(struct script *s)
{
    struct op *a = &s->op[below(s, s->count)], *b = &s->op[below(s, s->count)], c = *a;
    *a = *b;
    *b = c;
}

/* Joins the datagrams of two operations. */
static void merge_ops(struct script *s)
{
    uint8_t bytes[MUTATE_MAX];
    size_t at = below(s, s->count);
    if (at + 1 >= s->count || !is_datagram(s, &s->op[at]) || !is_datagram(s, &s->op[at + 1]))
        return;
    struct op *a = &s->op[at], *b = &s->op[at + 1];
    if (a->len + b->len > sizeof bytes)
        return;
    memcpy(bytes, a->data, a->len);
    memcpy(bytes + a->len, b->data, b->len);
    const uint8_t *both = keep(s, bytes, a->len + b->len);
    if (!both)
        return;
    *a = (struct op){a->code, a->arg, both, a->len + b->len};
    drop_op(s, at + 1);
}

static void change_argument(struct script *s)
{
    struct op *op = &s->op[below(s, s->count)];
    switch (below(s, 4)) {
    case 0:
        op->arg = (uint8_t)fuzz_random(&s->rng);
        break;
    case 1:
        op->arg ^= (uint8_t)(1 << below(s, 8));
        break;
    case 2:
        op->code = (uint8_t)below(s, s->target->codes);
        break;
    default: /* another sender */
        op->arg ^= (uint8_t)(fuzz_random(&s->rng) & s->target->who);
    }
}

static void change_ops(struct script *s)
{
    size_t at = below(s, s->count), to = below(s, s->count + 1);
    switch (below(s, 9)) {
    case 0:
        insert_template(s);
        break;
    case 1:
        insert_other(s);
        break;
    case 2:
    case 3: /* drop is there twice, so that inputs do not grow without end */
        if (s->count > 1)
            drop_op(s, at);
        break;
    case 4:
        insert_op(s, to, s->op[at]);
        break;
    case 5:
        swap_ops(s);
        break;
    case 6:
        merge_ops(s);
        break;
    default:
        change_argument(s);
    }
}

/* --- data of operations --- */

static void replace_data(struct script *s, struct op *op, const uint8_t *bytes, size_t len)
{
    const uint8_t *kept = keep(s, bytes, len);
    if (!kept)
        return;
    op->data = kept;
    op->len = len;
}

static struct mutate *begin_change(struct script *s, const struct op *op)
{
    static struct mutate m;
    m.rng = &s->rng;
    m.len = op->len < sizeof m.bytes ? op->len : sizeof m.bytes;
    memcpy(m.bytes, op->data, m.len);
    return &m;
}

/* Shows the sender's cookie; sometimes another sender's, or one that is nearly right. */
static void fix_cookie(struct script *s, struct op *op)
{
    uint8_t cookie[COOKIE + 1] = {0};
    struct mutate *m = begin_change(s, op);
    size_t kind = below(s, 10);
    uint8_t who = (uint8_t)(op->arg + (kind == 0));
    size_t len = s->target->cookie(who, (struct sd_span){m->bytes, m->len}, cookie);
    if (!len)
        return;
    if (kind == 1)
        len = below(s, len);
    else if (kind == 2)
        len = below(s, 2) ? len + 1 : COOKIE;
    else if (kind == 3)
        cookie[below(s, len)] ^= (uint8_t)(1 << below(s, 8));
    if (mutate_cookie(m, (struct sd_span){cookie, len}))
        replace_data(s, op, m->bytes, m->len);
}

static void change_datagram(struct script *s, struct op *op)
{
    struct mutate *m = begin_change(s, op);
    if (s->target->cookie && !below(s, 5)) {
        fix_cookie(s, op);
        return;
    }
    if (!mutate_datagram(m))
        m->len = mutate_any(&s->rng, m->bytes, m->len, sizeof m->bytes);
    replace_data(s, op, m->bytes, m->len);
}

static void change_data(struct script *s)
{
    struct op *op = &s->op[below(s, s->count)];
    if (is_datagram(s, op)) {
        change_datagram(s, op);
        return;
    }
    struct mutate *m = begin_change(s, op);
    size_t cap = m->len + 16 < sizeof m->bytes ? m->len + 16 : sizeof m->bytes;
    m->len = mutate_any(&s->rng, m->bytes, m->len, cap);
    replace_data(s, op, m->bytes, m->len);
}

static void begin_script(struct script *s, const struct mutator_target *t, uint64_t seed)
{
    s->count = s->used = 0;
    s->rng.state = seed;
    s->target = t;
}

size_t mutator_mutate(const struct mutator_target *t, uint8_t *data, size_t size, size_t max,
                      uint64_t seed)
{
    static struct script s;
    begin_script(&s, t, seed);
    read_script(&s, (struct sd_span){data, size});
    for (size_t rounds = 1 + below(&s, ROUNDS); rounds; rounds--) {
        if (!s.count)
            insert_template(&s);
        else if (below(&s, 3))
            change_data(&s);
        else
            change_ops(&s);
    }
    return write_script(&s, data, max);
}

size_t mutator_cross(struct sd_span a, struct sd_span b, uint8_t *out, size_t max, uint64_t seed)
{
    static struct script first, second;
    begin_script(&first, mutator_target(""), seed);
    begin_script(&second, mutator_target(""), seed);
    read_script(&first, a);
    read_script(&second, b);
    first.count = below(&first, first.count + 1);
    size_t i = second.count ? below(&first, second.count) : 0;
    for (; i < second.count; i++)
        insert_op(&first, first.count, second.op[i]);
    return write_script(&first, out, max);
}
