/* SPDX-License-Identifier: MIT */
#include "dtls_probe/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/bpf.h"
#include "capture/reader.h"
#include "capture/writer.h"
#include "dtls_probe/svg.h"

enum { COMMENTS_MAX = PROBE_COMMENTS_OF_FRAME /* with those that a frame has already */ };

/* --- while the run goes on --- */

static void note_packet(void *arg, const struct sd_packet *p)
{
    struct probe_files *f = arg;
    if (f->failed)
        probe_members_add(&f->members, p->number, p->x->id);
}

static bool is_chosen(const struct probe_files *f, const struct probe_report *r)
{
    return (!f->config->handshake || r->x->id == f->config->handshake) &&
           (!f->config->only_failed || r->outcome == SD_FAILED);
}

/* The file has room for one handshake: the first that failed, else the first. */
static void draw_svg(struct probe_files *f, const struct probe_report *r)
{
    if (f->drawn && (fseek(f->svg_file, 0, SEEK_SET) || ftruncate(fileno(f->svg_file), 0)))
        return; /* not a file that can be written a second time */
    probe_svg(f->svg_file, r);
    f->drawn = true;
    f->drawn_failed = r->outcome == SD_FAILED;
}

static void note_result(void *arg, const struct probe_report *r)
{
    struct probe_files *f = arg;
    if (f->copy || f->failed)
        probe_comments_add(&f->comments, r);
    if (f->failed && r->outcome == SD_FAILED)
        probe_members_fail(&f->members, r->x->id);
    if (!is_chosen(f, r))
        return;
    if (f->html_file)
        probe_html_add(&f->html, r);
    if (f->svg_file && (!f->drawn || (!f->drawn_failed && r->outcome == SD_FAILED)))
        draw_svg(f, r);
}

static bool same_file(const char *a, const char *b)
{
    struct stat one, two;
    return !stat(a, &one) && !stat(b, &two) && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino && S_ISREG(one.st_mode);
}

/* By inode, not by name: opening an input for writing would empty it. */
static bool is_input(const struct probe_config *c, const char *path)
{
    for (unsigned i = 0; i < c->reads; i++)
        if (same_file(path, c->read[i]))
            return true;
    return c->keylog && same_file(path, c->keylog);
}

static bool open_output(struct probe_files *f, FILE **file, const char *path)
{
    if (!path)
        return true;
    if (is_input(f->config, path)) {
        tool_error(f->out, "%s is an input file: give the output another name", path);
        return false;
    }
    *file = fopen(path, "we");
    if (!*file)
        tool_error(f->out, "cannot write %s: %s", path, strerror(errno));
    return *file != NULL;
}

static void note_lone(void *arg, const struct sd_lone *l, const struct sd_finding *finding)
{
    struct probe_files *f = arg;
    if (f->html_file)
        probe_html_lone(&f->html, l, finding);
}

/* What the copies need, until they are written. */
static bool open_temporary(struct probe_files *f)
{
    int error = f->copy || f->failed ? probe_comments_open(&f->comments) : 0;
    if (!error && f->failed)
        error = probe_members_open(&f->members);
    if (error)
        tool_error(f->out, "cannot make a temporary file: %s", strerror(error));
    return !error;
}

bool probe_files_open(struct probe_files *f, struct probe_run *r, const char *source)
{
    const struct probe_config *c = r->config;
    *f = (struct probe_files){.config = c, .out = r->out};
    if (!open_output(f, &f->copy, c->write) || !open_output(f, &f->failed, c->save_failed) ||
        !open_output(f, &f->svg_file, c->svg) || !open_output(f, &f->html_file, c->html))
        return false;
    if (!open_temporary(f))
        return false;
    if (f->html_file)
        probe_html_begin(&f->html, f->html_file, source);
    probe_listen(r, &(struct probe_listener){f, note_packet, note_result, note_lone});
    return true;
}

/* --- copies --- */

struct copying {
    struct probe_files *f;
    const struct probe_run *run;
    struct sd_reader *reader;
    struct sd_writer *writer;
    bool only_failed;
    uint32_t interfaces; /* announced so far */
    uint64_t seen;
};

static size_t gather_comments(struct copying *c, const struct sd_frame *frame,
                              struct sd_span spans[static COMMENTS_MAX])
{
    size_t n = 0, found;
    while (n < COMMENTS_MAX && sd_reader_comment(c->reader, &spans[n]))
        n++;
    const char *own = probe_comments_take(&c->f->comments, frame->number, &found);
    for (; found && n < COMMENTS_MAX; found--, own += strlen(own) + 1)
        spans[n++] = (struct sd_span){(const uint8_t *)own, strlen(own)};
    return n;
}

static int announce_interfaces(struct copying *c)
{
    const struct sd_reader_interface *i;
    int status = 0;
    while (!status && (i = sd_reader_interface(c->reader, c->interfaces)) != NULL)
        status = sd_writer_interface(c->writer, c->interfaces++, i->linktype, i->snaplen, i->name);
    return status;
}

static int copy_frame(struct copying *c, const struct sd_frame *frame)
{
    struct sd_span comments[COMMENTS_MAX];
    if (c->run->filter && !sd_bpf_match(c->run->filter, frame))
        return 0;
    if (c->only_failed && !probe_members_has(&c->f->members, frame->number))
        return 0;
    size_t n = gather_comments(c, frame, comments);
    int status = announce_interfaces(c);
    return status ? status : sd_writer_frame(c->writer, frame, comments, n);
}

static int copy_frames(struct copying *c)
{
    struct sd_frame frame;
    int status = 0;
    const struct probe_keylog *k = &c->run->keylog;
    if (k->length)
        status = sd_writer_keylog(c->writer, (struct sd_span){(const uint8_t *)k->text, k->length});
    while (!status && sd_reader_next(c->reader, &frame) == SD_READER_FRAME &&
           !(c->run->config->count && c->seen++ >= c->run->config->count))
        status = copy_frame(c, &frame);
    for (uint32_t i = 0; !status && i < c->interfaces; i++)
        status = sd_writer_statistics(c->writer, i, 0, sd_reader_interface(c->reader, i)->dropped);
    return status ? status : sd_writer_finish(c->writer);
}

static bool write_copy(struct probe_files *f, struct probe_run *r, const char *path, FILE *to,
                       const char *name, bool only_failed)
{
    struct copying c = {.f = f, .run = r, .only_failed = only_failed};
    struct sd_err e = {0};
    if (!to)
        return true;
    if (sd_reader_open(&c.reader, path, NULL, &e)) {
        tool_error(f->out, "%s", e.text);
        return false;
    }
    probe_comments_rewind(&f->comments);
    c.writer = sd_writer_new(to, "dtls_probe " SDTLS_VERSION);
    int status = c.writer ? copy_frames(&c) : -ENOMEM;
    if (status)
        tool_error(f->out, "cannot write %s: %s", name, strerror(-status));
    sd_writer_free(c.writer);
    sd_reader_close(c.reader);
    return !status;
}

/* --- at the end --- */

static bool close_output(struct probe_files *f, FILE **file, const char *path)
{
    bool ok = !*file || (!fflush(*file) && !ferror(*file));
    if (*file && fclose(*file))
        ok = false;
    *file = NULL;
    if (!ok)
        tool_error(f->out, "cannot write %s: %s", path, strerror(errno));
    return ok;
}

/* False when the temporary files failed. */
static bool tell_lost(const struct probe_files *f)
{
    int error = f->members.error ? f->members.error : f->comments.error;
    if (f->comments.failed || f->members.lost)
        tool_warn(f->out, "out of memory: the written file lacks some comments or packets");
    if (error)
        tool_error(f->out,
                   "temporary file: %s; the written file lacks some comments or packets: free "
                   "space in /tmp",
                   strerror(error));
    return !error;
}

bool probe_files_finish(struct probe_files *f, struct probe_run *r, const char *path)
{
    const struct probe_config *c = f->config;
    probe_members_close(&f->members);
    bool copied = write_copy(f, r, path, f->copy, c->write, false);
    bool saved = write_copy(f, r, path, f->failed, c->save_failed, true);
    bool kept = tell_lost(f);
    if (f->html_file)
        probe_html_end(&f->html, &r->totals);
    if (f->svg_file && !f->drawn)
        tool_warn(f->out, "the capture has no handshake to draw: %s is empty", c->svg);
    /* A copy that failed was reported already. */
    bool ok = copied && close_output(f, &f->copy, c->write);
    ok = saved && close_output(f, &f->failed, c->save_failed) && ok;
    ok = close_output(f, &f->svg_file, c->svg) && ok;
    return close_output(f, &f->html_file, c->html) && ok && kept;
}

void probe_files_close(struct probe_files *f)
{
    FILE *const open[] = {f->copy, f->failed, f->svg_file, f->html_file};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (open[i])
            fclose(open[i]);
    probe_comments_free(&f->comments);
    probe_members_free(&f->members);
}
