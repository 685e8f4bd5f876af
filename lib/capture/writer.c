/* SPDX-License-Identifier: MIT */
/* pcapng (draft-ietf-opsawg-pcapng), little-endian, times in nanoseconds. */
#include "capture/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/reader.h"

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_STATISTICS = 5,
    BLOCK_ENHANCED = 6,
    BLOCK_SECRETS = 10,
    BLOCK_SECTION = 0x0a0d0d0a
};

enum {
    OPT_COMMENT = 1,
    SHB_USERAPPL = 4,
    IF_NAME = 2,
    IF_TSRESOL = 9,
    ISB_IFRECV = 4,
    ISB_IFDROP = 5
};

enum {
    MAX_INTERFACES = 65536,
    MAX_OPTION = UINT16_MAX,
    MAX_COMMENTS = 8 << 20, /* bytes a frame; readers take blocks of 16 MiB */
    MAX_SECRETS = 8 << 20   /* bytes a block */
};

static const uint32_t secrets_tls_key_log = 0x544c534b;

struct slot {
    uint32_t id; /* in the file; counted from 1, 0 = not written yet */
    uint16_t linktype;
};

struct sd_writer {
    FILE *out;
    int error;
    struct slot *slots; /* by the caller's interface number */
    uint32_t slot_count, ids;
    int64_t last; /* time of the latest frame */
};

static size_t padding(size_t n)
{
    return -n & 3;
}

static void write_bytes(struct sd_writer *w, const void *data, size_t n)
{
    if (w->error || !n)
        return;
    errno = 0;
    if (fwrite(data, 1, n, w->out) != n)
        w->error = errno ? errno : EIO;
}

/* The cursor writes in network order, the file is little-endian. */
static void put32(struct sd_wr *b, uint32_t v)
{
    sd_wr_u32(b, __builtin_bswap32(v));
}

static void put16(struct sd_wr *b, uint16_t v)
{
    sd_wr_u16(b, __builtin_bswap16(v));
}

static void put64(struct sd_wr *b, uint64_t v)
{
    put32(b, (uint32_t)v);
    put32(b, (uint32_t)(v >> 32));
}

/* pcapng has the upper half of a time first, whatever the byte order. */
static void put_stamp(struct sd_wr *b, int64_t time)
{
    uint64_t stamp = time < 0 ? 0 : (uint64_t)time;
    put32(b, (uint32_t)(stamp >> 32));
    put32(b, (uint32_t)stamp);
}

static void write_padded(struct sd_writer *w, struct sd_span data)
{
    write_bytes(w, data.p, data.len);
    write_bytes(w, "\0\0\0", padding(data.len));
}

static size_t option_size(size_t len)
{
    return 4 + len + padding(len);
}

static void put_option(struct sd_writer *w, uint16_t code, struct sd_span value)
{
    uint8_t head[4];
    struct sd_wr b = sd_wr_init(head, sizeof head);
    put16(&b, code);
    put16(&b, (uint16_t)value.len);
    write_bytes(w, head, sd_wr_len(&b));
    write_padded(w, value);
}

static const struct sd_span no_span = {0};

static void put_end_of_options(struct sd_writer *w)
{
    put_option(w, 0, no_span);
}

/* Type, length and the fixed part of a block whose rest has `rest` bytes. Returns the
 * length for end_block(). */
static uint32_t begin_block(struct sd_writer *w, uint32_t type, const struct sd_wr *fixed,
                            size_t rest)
{
    uint8_t head[8];
    struct sd_wr b = sd_wr_init(head, sizeof head);
    uint32_t length = (uint32_t)(12 + sd_wr_len(fixed) + rest);
    put32(&b, type);
    put32(&b, length);
    write_bytes(w, head, sd_wr_len(&b));
    write_bytes(w, fixed->start, sd_wr_len(fixed));
    return length;
}

static int end_block(struct sd_writer *w, uint32_t length)
{
    uint8_t tail[4];
    struct sd_wr b = sd_wr_init(tail, sizeof tail);
    put32(&b, length);
    write_bytes(w, tail, sd_wr_len(&b));
    return -w->error;
}

/* As much of a text as fits `most` bytes, without half a UTF-8 character at its end. */
static struct sd_span cut_text(struct sd_span text, size_t most)
{
    if (text.len <= most)
        return text;
    while (most && (text.p[most] & 0xc0) == 0x80)
        most--;
    return (struct sd_span){text.p, most};
}

static struct sd_span text_span(const char *text)
{
    return cut_text((struct sd_span){(const uint8_t *)text, strlen(text)}, MAX_OPTION);
}

static void write_section(struct sd_writer *w, const char *application)
{
    struct sd_span name = text_span(application);
    uint8_t fixed[16];
    struct sd_wr b = sd_wr_init(fixed, sizeof fixed);
    put32(&b, 0x1a2b3c4d);
    put16(&b, 1);
    put16(&b, 0);
    put64(&b, UINT64_MAX); /* the section's length is not known */
    uint32_t length = begin_block(w, BLOCK_SECTION, &b, option_size(name.len) + option_size(0));
    put_option(w, SHB_USERAPPL, name);
    put_end_of_options(w);
    end_block(w, length);
}

struct sd_writer *sd_writer_new(FILE *out, const char *application)
{
    struct sd_writer *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->out = out;
    write_section(w, application);
    return w;
}

void sd_writer_free(struct sd_writer *w)
{
    if (!w)
        return;
    free(w->slots);
    free(w);
}

static struct slot *slot_of(struct sd_writer *w, uint32_t interface)
{
    if (interface < w->slot_count)
        return &w->slots[interface];
    if (interface >= MAX_INTERFACES)
        return NULL;
    uint32_t count = w->slot_count ? w->slot_count : 4;
    while (count <= interface)
        count *= 2;
    struct slot *larger = realloc(w->slots, count * sizeof *larger);
    if (!larger)
        return NULL;
    memset(larger + w->slot_count, 0, (count - w->slot_count) * sizeof *larger);
    w->slots = larger;
    w->slot_count = count;
    return &w->slots[interface];
}

int sd_writer_interface(struct sd_writer *w, uint32_t interface, uint16_t linktype,
                        uint32_t snaplen, const char *name)
{
    struct slot *s = slot_of(w, interface);
    if (!s)
        return interface < MAX_INTERFACES ? -ENOMEM : -EINVAL;
    struct sd_span title = text_span(name);
    uint8_t fixed[8];
    struct sd_wr b = sd_wr_init(fixed, sizeof fixed);
    put16(&b, linktype);
    put16(&b, 0);
    put32(&b, snaplen);
    size_t options = option_size(1) + option_size(0) + (title.len ? option_size(title.len) : 0);
    uint32_t length = begin_block(w, BLOCK_INTERFACE, &b, options);
    if (title.len)
        put_option(w, IF_NAME, title);
    put_option(w, IF_TSRESOL, (struct sd_span){(const uint8_t[]){9}, 1});
    put_end_of_options(w);
    *s = (struct slot){.id = ++w->ids, .linktype = linktype};
    return end_block(w, length);
}

static int write_secrets(struct sd_writer *w, struct sd_span text)
{
    uint8_t fixed[8];
    struct sd_wr b = sd_wr_init(fixed, sizeof fixed);
    put32(&b, secrets_tls_key_log);
    put32(&b, (uint32_t)text.len);
    uint32_t length = begin_block(w, BLOCK_SECRETS, &b, text.len + padding(text.len));
    write_padded(w, text);
    return end_block(w, length);
}

/* Whole lines, as many as fit a block. */
static size_t lines_that_fit(struct sd_span lines)
{
    if (lines.len <= MAX_SECRETS)
        return lines.len;
    const uint8_t *last = memrchr(lines.p, '\n', MAX_SECRETS);
    return last ? (size_t)(last - lines.p) + 1 : MAX_SECRETS;
}

int sd_writer_keylog(struct sd_writer *w, struct sd_span lines)
{
    while (lines.len && !w->error) {
        size_t n = lines_that_fit(lines);
        write_secrets(w, (struct sd_span){lines.p, n});
        lines.p += n;
        lines.len -= n;
    }
    return -w->error;
}

/* Comments that fit one after another, and their size. */
static size_t comments_that_fit(const struct sd_span *comments, size_t count, size_t *size)
{
    *size = 0;
    for (size_t i = 0; i < count; i++) {
        size_t next = option_size(cut_text(comments[i], MAX_OPTION).len);
        if (*size + next > MAX_COMMENTS)
            return i;
        *size += next;
    }
    return count;
}

static int write_packet(struct sd_writer *w, uint32_t id, const struct sd_frame *f,
                        const struct sd_span *comments, size_t count)
{
    uint8_t fixed[20];
    struct sd_wr b = sd_wr_init(fixed, sizeof fixed);
    put32(&b, id);
    put_stamp(&b, f->time);
    put32(&b, (uint32_t)f->data.len);
    put32(&b, f->length);
    size_t options;
    count = comments_that_fit(comments, count, &options);
    if (count)
        options += option_size(0);
    uint32_t length =
        begin_block(w, BLOCK_ENHANCED, &b, f->data.len + padding(f->data.len) + options);
    write_padded(w, f->data);
    for (size_t i = 0; i < count; i++)
        put_option(w, OPT_COMMENT, cut_text(comments[i], MAX_OPTION));
    if (count)
        put_end_of_options(w);
    return end_block(w, length);
}

int sd_writer_frame(struct sd_writer *w, const struct sd_frame *f, const struct sd_span *comments,
                    size_t count)
{
    if (f->data.len > SD_FRAME_MAX)
        return -EINVAL;
    struct slot *s = slot_of(w, f->interface);
    if (!s || !s->id || s->linktype != f->linktype) {
        int rc = sd_writer_interface(w, f->interface, f->linktype, 0, "");
        if (rc)
            return rc;
    }
    w->last = f->time;
    return write_packet(w, w->slots[f->interface].id - 1, f, comments, count);
}

static void put_counter(struct sd_writer *w, uint16_t code, uint64_t value)
{
    uint8_t bytes[8];
    struct sd_wr b = sd_wr_init(bytes, sizeof bytes);
    put64(&b, value);
    put_option(w, code, (struct sd_span){bytes, sd_wr_len(&b)});
}

int sd_writer_statistics(struct sd_writer *w, uint32_t interface, uint64_t received,
                         uint64_t dropped)
{
    if (interface >= w->slot_count || !w->slots[interface].id)
        return -EINVAL;
    uint8_t fixed[12];
    struct sd_wr b = sd_wr_init(fixed, sizeof fixed);
    put32(&b, w->slots[interface].id - 1);
    put_stamp(&b, w->last);
    uint32_t length = begin_block(w, BLOCK_STATISTICS, &b, 2 * option_size(8) + option_size(0));
    put_counter(w, ISB_IFRECV, received);
    put_counter(w, ISB_IFDROP, dropped);
    put_end_of_options(w);
    return end_block(w, length);
}

int sd_writer_finish(struct sd_writer *w)
{
    if (!w->error && fflush(w->out))
        w->error = errno;
    return -w->error;
}
