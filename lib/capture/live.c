/* SPDX-License-Identifier: MIT */
#include "capture/live.h"

#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/reader.h"
#include "sukat_dtls.h"

enum { LINKTYPE_RAW = 101, DEFAULT_BUFFER = 16 << 20 };

struct sd_live {
    pcap_t *pcap;
    uint64_t frames;
    uint32_t fraction; /* nanoseconds of the unit of the second time field */
    uint16_t linktype;
    struct pcap_stat seen; /* libpcap's last counters, which wrap around */
    struct sd_live_stats total;
};

/* Files and libpcap use the same number for a link type, except where systems differ: of the
 * types that carry IP that is DLT_RAW. */
static uint16_t dlt_to_linktype(int dlt)
{
    return dlt == DLT_RAW ? LINKTYPE_RAW : (uint16_t)dlt;
}

/* " (available: eth0, any, lo)", the interfaces that are up. */
static void list_those_up(char *text, size_t room)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_if_t *all = NULL;
    size_t used = 0;
    text[0] = '\0';
    if (pcap_findalldevs(&all, why))
        return;
    for (const pcap_if_t *i = all; i; i = i->next) {
        size_t need = strlen(i->name) + sizeof " (available: )";
        if (!(i->flags & PCAP_IF_UP) || used + need > room)
            continue;
        used += (size_t)snprintf(text + used, room - used, "%s%s",
                                 used ? ", " : " (available: ", i->name);
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
                          "no permission to capture on %s: run as root, or allow it with"
                          " \"setcap cap_net_raw=ep PROGRAM\", or read a capture file with -r",
                          interface);
    case PCAP_ERROR_NO_SUCH_DEVICE:
        list_those_up(there, sizeof there);
        return sd_err_set(e, SDTLS_IO, "no interface is called %s%s", interface, there);
    case PCAP_ERROR_IFACE_NOT_UP:
        return sd_err_set(e, SDTLS_IO, "interface %s is down: try \"ip link set %s up\"", interface,
                          interface);
    default:
        return sd_err_set(e, SDTLS_IO, "cannot capture on %s: %s", interface,
                          rc == PCAP_ERROR ? pcap_geterr(p) : pcap_statustostr(rc));
    }
}

static void configure_pcap(struct sd_live *l, const struct sd_live_config *c)
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
static int prepare_capture(struct sd_live *l, const struct sd_live_config *c, struct sd_err *e)
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
        return sd_err_set(e, SDTLS_IO, "cannot wait for packets on %s", c->interface);
    bool nano = pcap_get_tstamp_precision(l->pcap) == PCAP_TSTAMP_PRECISION_NANO;
    l->fraction = nano ? 1 : 1000;
    l->linktype = dlt_to_linktype(pcap_datalink(l->pcap));
    return 0;
}

static int start_capture(struct sd_live *l, const struct sd_live_config *c, struct sd_err *e)
{
    char why[PCAP_ERRBUF_SIZE];
    l->pcap = pcap_create(c->interface, why);
    if (!l->pcap)
        return sd_err_set(e, SDTLS_IO, "cannot capture on %s: %s", c->interface, why);
    configure_pcap(l, c);
    int rc = pcap_activate(l->pcap);
    if (rc < 0)
        return activation_error(e, l->pcap, c->interface, rc);
    return prepare_capture(l, c, e);
}

int sd_live_open(struct sd_live **out, const struct sd_live_config *config, struct sd_err *e)
{
    if (config->snaplen > SD_FRAME_MAX || config->buffer > INT32_MAX ||
        config->delay_ms > INT32_MAX)
        return sd_err_set(e, SDTLS_ARG, "snap length, buffer or delay is out of range");
    struct sd_live *l = calloc(1, sizeof *l);
    if (!l)
        return sd_err_set(e, SDTLS_NOMEM, "out of memory");
    int rc = start_capture(l, config, e);
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
        return sd_err_set(e, SDTLS_IO, "the capture ended: %s", pcap_geterr(l->pcap));
    *f = (struct sd_frame){
        .number = ++l->frames,
        .time = (int64_t)h->ts.tv_sec * SD_FRAME_SEC + (int64_t)h->ts.tv_usec * l->fraction,
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
