/* SPDX-License-Identifier: MIT */
/* The floor: libpcap hands out each packet of a file, and nobody looks at it. */
#include <pcap.h>
#include <stdio.h>

static void count(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
    (void)h, (void)bytes;
    ++*(unsigned long long *)(void *)user;
}

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE];
    unsigned long long packets = 0;
    pcap_t *p = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;
    if (!p || pcap_loop(p, -1, count, (u_char *)&packets) < 0)
        return 1;
    pcap_close(p);
    printf("%llu\n", packets);
    return 0;
}
