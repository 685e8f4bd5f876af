/* SPDX-License-Identifier: MIT */
#include "dtls_probe/stage.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "flow/ended.h"

enum {
    ERRANDS = 64,        /* in a tray: fewer locks and wake-ups */
    TRAYS = 8,           /* that may wait; what is in them is bounded by that */
    TEXT_BYTES = 1 << 14 /* of the reader, before they are sent on */
};

/* One thing to do, in order: print a text, take a conversation over, call a function. */
struct errand {
    struct sd_held *held;
    void (*fn)(void *of);
    void *of; /* of fn, or the text: then it is freed */
    size_t len;
};

struct tray {
    struct errand errand[ERRANDS];
    size_t count;
};

struct probe_stage {
    struct sd_handover handover;
    FILE *out, *text;
    struct tray trays[TRAYS];
    /* Under the lock: trays [taken, sent) wait, modulo TRAYS; trays[sent] is being filled. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t sent, taken;
    bool over;
    pthread_t thread;
    bool running, called;
    bool lost; /* of the reader: a text for which there was no memory */
};

/* --- in this thread --- */

static void take_here(void *arg, struct sd_held *h)
{
    const struct probe_stage *s = arg;
    sd_ended_take(s->handover.ended, h);
}

static void call_here(void *arg, void (*fn)(void *of), void *of)
{
    struct probe_stage *s = arg;
    s->called = true;
    fn(of);
    s->called = false;
}

/* --- in a thread of its own: the stage --- */

static void run_errand(struct probe_stage *s, const struct errand *p)
{
    if (p->held)
        take_here(s, p->held);
    else if (p->fn)
        call_here(s, p->fn, p->of);
    else
        fwrite(p->of, 1, p->len, s->out);
    if (!p->held && !p->fn)
        free(p->of);
}

/* NULL when no more will come. */
static const struct tray *wait_for_tray(struct probe_stage *s)
{
    const struct tray *c = NULL;
    pthread_mutex_lock(&s->lock);
    while (s->taken == s->sent && !s->over)
        pthread_cond_wait(&s->changed, &s->lock);
    if (s->taken != s->sent)
        c = &s->trays[s->taken % TRAYS];
    pthread_mutex_unlock(&s->lock);
    return c;
}

static void give_back_tray(struct probe_stage *s)
{
    pthread_mutex_lock(&s->lock);
    s->taken++;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void *run_stage(void *arg)
{
    struct probe_stage *s = arg;
    const struct tray *c;
    while ((c = wait_for_tray(s)) != NULL) {
        for (size_t i = 0; i < c->count; i++)
            run_errand(s, &c->errand[i]);
        give_back_tray(s);
    }
    return NULL;
}

/* --- the other side: the reader of the capture --- */

/* Sends the tray, and waits until the next one is free. */
static void send_tray(struct probe_stage *s)
{
    pthread_mutex_lock(&s->lock);
    s->sent++;
    pthread_cond_broadcast(&s->changed);
    while (s->sent - s->taken == TRAYS)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
    s->trays[s->sent % TRAYS].count = 0;
}

static void send_errand(struct probe_stage *s, const struct errand *p)
{
    struct tray *c = &s->trays[s->sent % TRAYS];
    c->errand[c->count++] = *p;
    if (c->count == ERRANDS)
        send_tray(s);
}

static void wait_until_done(struct probe_stage *s)
{
    if (s->trays[s->sent % TRAYS].count)
        send_tray(s);
    pthread_mutex_lock(&s->lock);
    while (s->taken != s->sent)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

static ssize_t send_text(void *arg, const char *bytes, size_t len)
{
    struct probe_stage *s = arg;
    char *copy = malloc(len);
    if (!copy) {
        s->lost = true;
        return 0;
    }
    memcpy(copy, bytes, len);
    send_errand(s, &(struct errand){.of = copy, .len = len});
    return (ssize_t)len;
}

static void take_there(void *arg, struct sd_held *h)
{
    struct probe_stage *s = arg;
    fflush(s->text);
    send_errand(s, &(struct errand){.held = h});
}

static void call_there(void *arg, void (*fn)(void *of), void *of)
{
    struct probe_stage *s = arg;
    fflush(s->text);
    send_errand(s, &(struct errand){.fn = fn, .of = of});
    wait_until_done(s);
}

/* --- open, close --- */

static bool start_thread(struct probe_stage *s)
{
    s->text = fopencookie(s, "w", (cookie_io_functions_t){.write = send_text});
    if (!s->text || setvbuf(s->text, NULL, _IOFBF, TEXT_BYTES))
        return false;
    s->handover.take = take_there;
    s->handover.call = call_there;
    s->running = !pthread_create(&s->thread, NULL, run_stage, s);
    return s->running;
}

struct probe_stage *probe_stage_new(const struct sd_tracker_config *config, FILE *out,
                                    bool threaded)
{
    struct probe_stage *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->out = out;
    s->handover = (struct sd_handover){s, sd_ended_new(config), take_here, call_here};
    if (s->handover.ended && (!threaded || start_thread(s)))
        return s;
    probe_stage_free(s);
    return NULL;
}

const struct sd_handover *probe_stage_handover(const struct probe_stage *s)
{
    return &s->handover;
}

FILE *probe_stage_text(const struct probe_stage *s)
{
    return s->text ? s->text : s->out;
}

bool probe_stage_is_called(const struct probe_stage *s)
{
    return s->called;
}

bool probe_stage_join(struct probe_stage *s)
{
    if (!s->running)
        return true;
    fflush(s->text);
    wait_until_done(s);
    pthread_mutex_lock(&s->lock);
    s->over = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    s->running = false;
    s->handover.take = take_here;
    s->handover.call = call_here;
    return !s->lost;
}

void probe_stage_free(struct probe_stage *s)
{
    if (!s)
        return;
    probe_stage_join(s);
    if (s->text)
        fclose(s->text);
    sd_ended_free(s->handover.ended);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
