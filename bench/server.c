/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server.h"

static volatile sig_atomic_t ended;

static void on_term(int sig)
{
    (void)sig;
    ended = 1;
}

bool server_ended(void)
{
    return ended;
}

/* A call that waits is to return, so without SA_RESTART. */
static void prepare_process(void)
{
    struct rlimit files;
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_term}, NULL);
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static void read_psk(struct server_options *o, const char *hex)
{
    o->psk_hex = hex;
    while (o->psk_len < sizeof o->psk &&
           sscanf(hex + 2 * o->psk_len, "%2hhx", &o->psk[o->psk_len]) == 1)
        o->psk_len++;
}

struct server_options server_options(int argc, char **argv)
{
    struct server_options o = {0};
    for (int c; (c = getopt(argc, argv, "c:k:p:e:o")) != -1;)
        switch (c) {
        case 'c':
            o.cert = optarg;
            break;
        case 'k':
            o.key = optarg;
            break;
        case 'p':
            read_psk(&o, optarg);
            break;
        case 'e':
            o.echoes = (unsigned)atoi(optarg);
            break;
        case 'o':
            o.own_sockets = true;
            break;
        default:
            exit(2);
        }
    if ((!o.cert || !o.key) && !o.psk_len) {
        fprintf(stderr, "usage: %s -c CERT -k KEY | -p PSK  [-e ECHOES] [-o]\n", argv[0]);
        exit(2);
    }
    prepare_process();
    return o;
}

void server_say_port(unsigned short port)
{
    printf("port %u\n", port);
    fflush(stdout);
}

void server_say_count(const struct server_count *n)
{
    printf("{\"handshakes\": %" PRIu64 ", \"messages\": %" PRIu64 ", \"bytes\": %" PRIu64 "}\n",
           n->handshakes, n->messages, n->bytes);
}
