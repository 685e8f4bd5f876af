/* SPDX-License-Identifier: MIT */
#include "dtls_probe/json.h"

#include <jansson.h>
#include <stdlib.h>

#include "dtls_probe/summary.h"
#include "dtls_probe/words.h"
#include "wire/extension.h"
#include "wire/hello.h"
#include "wire/names.h"
#include "wire/record.h"

/* --- packets: by hand, for speed; nothing in them is text from the network --- */

static void print_addr(FILE *to, const char *key, const struct sd_addr *a)
{
    char text[SD_ADDR_TEXT];
    fprintf(to, ",\"%s\":\"%s\"", key, sd_addr_text(a, text));
}

static void print_fields(FILE *to, const json_t *fields)
{
    char *text = fields ? json_dumps(fields, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    if (text)
        fprintf(to, ",\"fields\":%s", text);
    free(text);
}

static void print_record(FILE *to, const struct sd_event *e, const json_t *fields)
{
    char words[PROBE_EVENT_TEXT];
    fprintf(to, "{\"message\":\"%s\",\"epoch\":%u,\"seq\":%llu,\"length\":%u",
            probe_words_event(e, words, sizeof words), e->epoch, (unsigned long long)e->seq,
            e->record);
    if (e->content && probe_is_record(e))
        fprintf(to, ",\"content_type\":%u", e->content);
    if (e->kind == SD_EV_HANDSHAKE)
        fprintf(to,
                ",\"handshake_type\":%u,\"message_seq\":%u,\"fragment_offset\":%u,"
                "\"fragment_length\":%u,\"message_length\":%u",
                e->message, e->message_seq, e->frag_off, e->frag_len, e->length);
    if (e->gap)
        fprintf(to, ",\"gap\":%u", e->gap);
    if (e->flags & SD_EVF_RETRANSMIT)
        fprintf(to, ",\"retransmission\":%u", e->copy);
    if (e->flags & SD_EVF_DUPLICATE)
        fputs(",\"duplicate\":true", to);
    if (e->flags & SD_EVF_REORDERED)
        fputs(",\"reordered\":true", to);
    if (e->flags & SD_EVF_REUSED)
        fputs(",\"number_reused\":true", to);
    if (e->flags & SD_EVF_DECRYPTED)
        fputs(",\"decrypted\":true", to);
    print_fields(to, fields);
    fputc('}', to);
}

void probe_json_packet(FILE *to, const struct sd_packet *p, const struct probe_messages *messages)
{
    const struct sd_event *e = p->events;
    bool server = e->flags & SD_EVF_SERVER;
    fprintf(to, "{\"type\":\"packet\",\"number\":%llu,\"time\":%lld.%09lld,\"handshake\":%llu",
            (unsigned long long)p->number, (long long)(p->time / SD_NS_SECOND),
            (long long)(p->time % SD_NS_SECOND), (unsigned long long)p->x->id);
    const struct sd_addr *from = server ? &p->x->server : &p->x->client;
    const struct sd_addr *dst = server ? &p->x->client : &p->x->server;
    print_addr(to, "src", p->datagram ? &p->datagram->src : from);
    print_addr(to, "dst", p->datagram ? &p->datagram->dst : dst);
    if (e->kind == SD_EV_ICMP)
        print_addr(to, "icmp_from", &sd_rare(p->x)->icmp_from);
    fprintf(to, ",\"from\":\"%s\",\"length\":%u,\"ip_length\":%u,\"flight\":%u,\"records\":[",
            server ? "server" : "client", p->datagram ? p->datagram->length : 0,
            p->datagram ? p->datagram->ip_length : 0, e->flight);
    for (size_t i = 0; i < p->count; i++) {
        if (i)
            fputc(',', to);
        print_record(to, &p->events[i], probe_messages_find(messages, &p->events[i]));
    }
    fputs("]}\n", to);
}

/* --- handshakes --- */

static void print_object(FILE *to, json_t *line)
{
    char *text =
        line ? json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(16)) : NULL;
    if (text)
        fprintf(to, "%s\n", text);
    free(text);
    json_decref(line);
}

static json_t *packets_of(const struct sd_finding *f)
{
    json_t *list = json_array();
    for (size_t i = 0; i < f->packet_count; i++)
        json_array_append_new(list, json_integer(f->packets[i]));
    return list;
}

static json_t *finding_object(const struct sd_finding *f)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:o}", "id", f->entry->id, "severity",
                          sd_severity_name(f->severity), "confidence",
                          sd_confidence_name(f->confidence), "packets", packets_of(f));
    tool_field(o, "title", f->entry->title);
    tool_field(o, "detail", f->detail);
    tool_field(o, "advice", f->entry->advice);
    tool_field(o, "runner_up", f->runner_up ? f->runner_up->id : NULL);
    if (f->mtu_above)
        json_object_set_new(o, "mtu_above", json_integer(f->mtu_above));
    if (f->mtu_below)
        json_object_set_new(o, "mtu_at_most", json_integer(f->mtu_below));
    return o;
}

static void add_server_name(json_t *o, const struct sd_exchange *x)
{
    struct sd_span body = sd_kept(x, SD_KEPT_CLIENT_HELLO), ext, host;
    struct sd_client_hello ch;
    char name[256];
    if (sd_client_hello_parse(&ch, body, body.len) != SD_HELLO_WHOLE ||
        !sd_ext_find(ch.extensions, SD_EXT_SERVER_NAME, &ext) || !sd_ext_server_name(ext, &host))
        return;
    snprintf(name, sizeof name, "%.*s", (int)host.len, (const char *)host.p);
    tool_field(o, "server_name", name);
}

static json_t *handshake_object(const struct probe_report *r)
{
    char client[SD_ADDR_TEXT], server[SD_ADDR_TEXT], version[SD_NAME_TEXT], suite[SD_NAME_TEXT];
    const struct sd_exchange *x = r->x;
    json_t *o =
        json_pack("{s:s, s:I, s:s, s:s, s:s}", "type", "handshake", "handshake", (json_int_t)x->id,
                  "client", sd_addr_text(&x->client, client), "server",
                  sd_addr_text(&x->server, server), "outcome", probe_outcome_name(r->outcome));
    json_object_set_new(o, "version",
                        x->version ? json_string(sd_name(SD_NAME_VERSION, x->version, version))
                                   : json_null());
    json_object_set_new(o, "cipher",
                        x->negotiated ? json_string(sd_name(SD_NAME_SUITE, x->suite, suite))
                                      : json_null());
    json_object_set_new(o, "duration_ms",
                        x->established ? json_real(probe_duration_ms(x)) : json_null());
    json_object_set_new(o, "start", json_real(probe_seconds(x->start)));
    json_object_set_new(o, "negotiated", json_boolean(x->negotiated));
    json_object_set_new(o, "resumed", json_boolean(x->resumed));
    json_object_set_new(o, "decrypted", json_boolean(x->opened));
    json_object_set_new(o, "mid_session", json_boolean(x->mid_session));
    json_object_set_new(o, "one_way", json_boolean(r->view->one_way));
    json_object_set_new(o, "client_datagrams", json_integer(x->side[SD_CLIENT].datagrams));
    json_object_set_new(o, "server_datagrams", json_integer(x->side[SD_SERVER].datagrams));
    if (r->again)
        json_object_set_new(o, "update", json_true());
    tool_field(o, "vantage", probe_vantage_name(r->view->vantage));
    tool_field(o, "client_stack", *r->view->stacks ? r->view->stacks : NULL);
    add_server_name(o, x);
    return o;
}

/* The certificates that a side sent, as in its packets. */
static void add_certificates(json_t *o, const char *key, const struct sd_exchange *x,
                             enum sd_kept which, const struct sd_cert_reader *certs)
{
    struct sd_span body = sd_kept(x, which);
    if (body.len)
        json_object_set_new(o, key, probe_certificates(body, x->version == SD_DTLS_1_3, certs));
}

void probe_json_handshake(FILE *to, const struct probe_report *r,
                          const struct sd_cert_reader *certs)
{
    json_t *o = handshake_object(r), *list = json_array();
    if (certs) {
        add_certificates(o, "server_certificates", r->x, SD_KEPT_SERVER_CERTIFICATE, certs);
        add_certificates(o, "client_certificates", r->x, SD_KEPT_CLIENT_CERTIFICATE, certs);
    }
    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(list, finding_object(&r->findings[i]));
    json_object_set_new(o, "findings", list);
    print_object(to, o);
    for (size_t i = 0; i < r->count; i++) {
        json_t *f = json_pack("{s:s, s:I}", "type", "finding", "handshake", (json_int_t)r->x->id);
        json_t *fields = finding_object(&r->findings[i]);
        json_object_update(f, fields);
        json_decref(fields);
        print_object(to, f);
    }
}

void probe_json_lone(FILE *to, const struct sd_lone *l, const struct sd_finding *f)
{
    char one[SD_ADDR_TEXT], other[SD_ADDR_TEXT];
    json_t *o = json_pack("{s:s, s:[s, s]}", "type", "finding", "addresses",
                          sd_addr_text(l->one, one), sd_addr_text(l->other, other));
    json_t *fields = finding_object(f);
    json_object_update(o, fields);
    json_decref(fields);
    print_object(to, o);
}

void probe_json_summary(FILE *to, const struct probe_totals *t)
{
    json_t *o =
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "type",
                  "summary", "frames", (json_int_t)t->frames, "datagrams", (json_int_t)t->datagrams,
                  "dtls", (json_int_t)t->dtls, "handshakes", (json_int_t)t->handshakes, "ok",
                  (json_int_t)t->ok, "failed", (json_int_t)t->failed, "incomplete",
                  (json_int_t)t->incomplete, "fatal", (json_int_t)t->findings[SD_FATAL], "warnings",
                  (json_int_t)t->findings[SD_WARNING], "dropped", (json_int_t)t->dropped, "evicted",
                  (json_int_t)t->evicted, "no_memory", (json_int_t)t->no_memory);
    if (t->early)
        json_object_set_new(o, "early", json_integer((json_int_t)t->early));
    tool_field(o, "file", t->file);
    tool_field(o, "damage", t->damage);
    print_object(to, o);
}
