/* SPDX-License-Identifier: MIT */
#include "capture/bpf.h"

#include <pcap.h>
#include <stdlib.h>
#include <string.h>

#include "capture/reader.h"
#include "sukat_dtls.h"

enum { LINKTYPE_RAW = 101, MAX_LINKTYPES = 16 };

static int linktype_to_dlt(uint16_t linktype)
{
    return linktype == LINKTYPE_RAW ? DLT_RAW : linktype;
}

struct program {
    struct bpf_program code; /* empty when the filter has no meaning for this link type */
    uint16_t linktype;
};

struct sd_bpf {
    struct program programs[MAX_LINKTYPES];
    size_t count;
    char text[];
};

/* The program for a link type, compiled for the first frame of it; NULL: out of room. */
static struct program *program_for(struct sd_bpf *filter, uint16_t linktype, struct sd_err *e)
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

int sd_bpf_compile(struct sd_bpf **out, const char *text, struct sd_err *e)
{
    size_t size = strlen(text) + 1;
    struct sd_bpf *filter = calloc(1, sizeof *filter + size);
    if (!filter)
        return sd_err_set(e, SDTLS_NOMEM, "out of memory");
    memcpy(filter->text, text, size);
    struct program *p = program_for(filter, DLT_EN10MB, e);
    if (!p || !p->code.bf_insns) {
        sd_bpf_free(filter);
        return p ? SDTLS_ARG : sd_err_set(e, SDTLS_NOMEM, "out of memory");
    }
    *out = filter;
    return 0;
}

void sd_bpf_free(struct sd_bpf *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < filter->count; i++)
        pcap_freecode(&filter->programs[i].code);
    free(filter);
}

bool sd_bpf_match(struct sd_bpf *filter, const struct sd_frame *f)
{
    struct program *p = program_for(filter, f->linktype, NULL);
    if (!p || !p->code.bf_insns)
        return false;
    struct pcap_pkthdr h = {.caplen = (bpf_u_int32)f->data.len, .len = f->length};
    return pcap_offline_filter(&p->code, &h, f->data.p) != 0;
}
