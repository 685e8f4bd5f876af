#include "capture/live.h"

#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/reader.h"
#include "sukat_dtls.h"

enum { LINKTYPE_RAW = 101, MAX_LINKTYPES = 16, DEFAULT_BUFFER = 16 << 20 };

struct sd_live {
    pcap_t *pcap;
    uint64_t frames;
    uint32_t fraction; /* nanoseconds of the unit of the second time field */
    uint16_t linktype;
    struct pcap_stat seen; /* what libpcap said last: its counters wrap around */
    struct sd_live_stats total;
};

/* Files and libpcap have the same number for a link type but where systems differ; on
 * the types that carry IP that is DLT_RAW. */
static uint16_t dlt_to_linktype(int dlt)
{
    return dlt == DLT_RAW ? LINKTYPE_RAW : (uint16_t)dlt;
}

static int linktype_to_dlt(uint16_t linktype)
{
    return linktype == LINKTYPE_RAW ? DLT_RAW : linktype;
}

/* " (there are: eth0, any, lo)", of what is up. */
static void list_interfaces(char *text, size_t room)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_if_t *all = NULL;
    size_t used = 0;
    text[0] = '\0';
    if (pcap_findalldevs(&all, why))
        return;
    for (const pcap_if_t *i = all; i; i = i->next) {
        size_t need = strlen(i->name) + sizeof " (there are: )";
        if (!(i->flags & PCAP_IF_UP) || used + need > room)
            continue;
        used += (size_t)snprintf(text + used, room - used, "%s%s",
                                 used ? ", " : " (there are: ", i->name);
    }
    if (used)
        snprintf(text + used, room - used, ")");
    pcap_freealldevs(all);
}

static int activation_error(struct sd_err *e, pcap_t *p, const char *interface, int rc)
{
    char there[160];
    switch (rc) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return sd_err_set(e, SDTLS_IO,
                          "no permission to capture on %s: run as root, or give the program the"
                          " right with setcap cap_net_raw=ep, or read a file with -r",
                          interface);
    case PCAP_ERROR_NO_SUCH_DEVICE:
        list_interfaces(there, sizeof there);
        return sd_err_set(e, SDTLS_IO, "there is no interface %s%s", interface, there);
    case PCAP_ERROR_IFACE_NOT_UP:
        return sd_err_set(e, SDTLS_IO, "the interface %s is down", interface);
    default:
        return sd_err_set(e, SDTLS_IO, "cannot capture on %s: %s", interface,
                          rc == PCAP_ERROR ? pcap_geterr(p) : pcap_statustostr(rc));
    }
}

static void configure(struct sd_live *l, const struct sd_live_config *c)
{
    pcap_t *p = l->pcap;
    pcap_set_snaplen(p, c->snaplen ? (int)c->snaplen : (int)SD_FRAME_MAX);
    pcap_set_promisc(p, c->promiscuous);
    pcap_set_buffer_size(p, c->buffer ? (int)c->buffer : DEFAULT_BUFFER);
    if (c->delay_ms)
        pcap_set_timeout(p, (int)c->delay_ms);
    else
        pcap_set_immediate_mode(p, 1);
    pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
}

static int set_filter(pcap_t *p, const char *text, struct sd_err *e)
{
    struct bpf_program program;
    if (pcap_compile(p, &program, text, 1, PCAP_NETMASK_UNKNOWN))
        return sd_err_set(e, SDTLS_ARG, "filter \"%s\": %s", text, pcap_geterr(p));
    int rc = pcap_setfilter(p, &program);
    pcap_freecode(&program);
    return rc ? sd_err_set(e, SDTLS_IO, "filter \"%s\": %s", text, pcap_geterr(p)) : 0;
}

/* After activation, before the first frame. */
static int prepare(struct sd_live *l, const struct sd_live_config *c, struct sd_err *e)
{
    char why[PCAP_ERRBUF_SIZE];
    if (c->filter) {
        int rc = set_filter(l->pcap, c->filter, e);
        if (rc)
            return rc;
        /* What came before the filter was in place is not counted. */
        pcap_stats(l->pcap, &l->seen);
    }
    if (pcap_setnonblock(l->pcap, 1, why))
        return sd_err_set(e, SDTLS_IO, "cannot capture on %s: %s", c->interface, why);
    if (pcap_get_selectable_fd(l->pcap) < 0)
        return sd_err_set(e, SDTLS_IO, "%s is nothing that can be waited for", c->interface);
    bool nano = pcap_get_tstamp_precision(l->pcap) == PCAP_TSTAMP_PRECISION_NANO;
    l->fraction = nano ? 1 : 1000;
    l->linktype = dlt_to_linktype(pcap_datalink(l->pcap));
    return 0;
}

static int start(struct sd_live *l, const struct sd_live_config *c, struct sd_err *e)
{
    char why[PCAP_ERRBUF_SIZE];
    l->pcap = pcap_create(c->interface, why);
    if (!l->pcap)
        return sd_err_set(e, SDTLS_IO, "cannot capture on %s: %s", c->interface, why);
    configure(l, c);
    int rc = pcap_activate(l->pcap);
    if (rc < 0)
        return activation_error(e, l->pcap, c->interface, rc);
    return prepare(l, c, e);
}

int sd_live_open(struct sd_live **out, const struct sd_live_config *config, struct sd_err *e)
{
    if (config->snaplen > SD_FRAME_MAX || config->buffer > INT32_MAX ||
        config->delay_ms > INT32_MAX)
        return sd_err_set(e, SDTLS_ARG, "snap length, buffer or delay is out of range");
    struct sd_live *l = calloc(1, sizeof *l);
    if (!l)
        return sd_err_set(e, SDTLS_NOMEM, "out of memory");
    int rc = start(l, config, e);
    if (rc) {
        sd_live_close(l);
        return rc;
    }
    *out = l;
    return 0;
}

void sd_live_close(struct sd_live *l)
{
    if (!l)
        return;
    if (l->pcap)
        pcap_close(l->pcap);
    free(l);
}

int sd_live_fd(const struct sd_live *l)
{
    return pcap_get_selectable_fd(l->pcap);
}

uint16_t sd_live_linktype(const struct sd_live *l)
{
    return l->linktype;
}

int sd_live_interfaces(void (*each)(void *arg, const char *name, bool up), void *arg,
                       struct sd_err *e)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_if_t *all = NULL;
    if (pcap_findalldevs(&all, why))
        return sd_err_set(e, SDTLS_IO, "cannot list the interfaces: %s", why);
    for (const pcap_if_t *i = all; i; i = i->next)
        each(arg, i->name, i->flags & PCAP_IF_UP);
    pcap_freealldevs(all);
    return 0;
}

const char *sd_live_library(void)
{
    return pcap_lib_version();
}

int sd_live_next(struct sd_live *l, struct sd_frame *f, struct sd_err *e)
{
    struct pcap_pkthdr *h;
    const u_char *data;
    int rc = pcap_next_ex(l->pcap, &h, &data);
    if (rc == 0)
        return 0;
    if (rc < 0)
        return sd_err_set(e, SDTLS_IO, "the capture has ended: %s", pcap_geterr(l->pcap));
    *f = (struct sd_frame){
        .number = ++l->frames,
        .time = (int64_t)h->ts.tv_sec * 1000000000 + (int64_t)h->ts.tv_usec * l->fraction,
        .data = {data, h->caplen},
        .length = h->len,
        .linktype = l->linktype,
    };
    return 1;
}

int sd_live_statistics(struct sd_live *l, struct sd_live_stats *stats)
{
    struct pcap_stat now;
    if (pcap_stats(l->pcap, &now))
        return SDTLS_IO;
    l->total.received += (u_int)(now.ps_recv - l->seen.ps_recv);
    l->total.dropped += (u_int)(now.ps_drop - l->seen.ps_drop);
    l->total.missed += (u_int)(now.ps_ifdrop - l->seen.ps_ifdrop);
    l->seen = now;
    *stats = l->total;
    return 0;
}

struct program {
    struct bpf_program code; /* empty when the filter has no meaning for the type */
    uint16_t linktype;
};

struct sd_filter {
    struct program programs[MAX_LINKTYPES];
    size_t count;
    char text[];
};

/* The program for a link type, compiled when it is the first time; NULL: no room. */
static struct program *program_for(struct sd_filter *filter, uint16_t linktype, struct sd_err *e)
{
    for (size_t i = 0; i < filter->count; i++)
        if (filter->programs[i].linktype == linktype)
            return &filter->programs[i];
    if (filter->count == MAX_LINKTYPES)
        return NULL;
    pcap_t *dead = pcap_open_dead(linktype_to_dlt(linktype), (int)SD_FRAME_MAX);
    if (!dead)
        return NULL;
    struct program *p = &filter->programs[filter->count++];
    *p = (struct program){.linktype = linktype};
    if (pcap_compile(dead, &p->code, filter->text, 1, PCAP_NETMASK_UNKNOWN)) {
        p->code = (struct bpf_program){0};
        sd_err_set(e, SDTLS_ARG, "filter \"%s\": %s", filter->text, pcap_geterr(dead));
    }
    pcap_close(dead);
    return p;
}

int sd_filter_compile(struct sd_filter **out, const char *text, struct sd_err *e)
{
    size_t size = strlen(text) + 1;
    struct sd_filter *filter = calloc(1, sizeof *filter + size);
    if (!filter)
        return sd_err_set(e, SDTLS_NOMEM, "out of memory");
    memcpy(filter->text, text, size);
    struct program *p = program_for(filter, DLT_EN10MB, e);
    if (!p || !p->code.bf_insns) {
        sd_filter_free(filter);
        return p ? SDTLS_ARG : sd_err_set(e, SDTLS_NOMEM, "out of memory");
    }
    *out = filter;
    return 0;
}

void sd_filter_free(struct sd_filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < filter->count; i++)
        pcap_freecode(&filter->programs[i].code);
    free(filter);
}

bool sd_filter_match(struct sd_filter *filter, const struct sd_frame *f)
{
    struct program *p = program_for(filter, f->linktype, NULL);
    if (!p || !p->code.bf_insns)
        return false;
    struct pcap_pkthdr h = {.caplen = (bpf_u_int32)f->data.len, .len = f->length};
    return pcap_offline_filter(&p->code, &h, f->data.p) != 0;
}
