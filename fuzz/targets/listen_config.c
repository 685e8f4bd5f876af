/* SPDX-License-Identifier: MIT */
/* Configurations of fuzz_listen, and where it listens. */
#include <stddef.h>
#include <sys/resource.h>

#include "harness/common.h"
#include "harness/senders.h"
#include "kernel/vk.h"
#include "targets/listen.h"

#include "endpoint/internal.h"

void listen_rare(struct newer *n, uint8_t rare, uint8_t more)
{
    sdtls_config *c = &n->config;
    if (rare & RARE_LIMITS)
        c->max_clients = c->max_half_open = c->max_half_open_per_host = c->max_clients_per_host = 0,
        c->max_half_open_bytes = 0;
    if (rare & RARE_QUIET)
        c->log = NULL, c->tap = NULL, c->log_level = 0;
    c->psk = rare & RARE_PSK ? "secret" : NULL;
    c->psk_len = rare & RARE_PSK ? 6 : 0;
    c->size = rare & RARE_NEWER ? sizeof *n : sizeof *c;
    n->more = rare & RARE_PSK;
    if (rare & RARE_SOCKETS)
        c->max_connected = 0;
    if (more & MORE_OLDER)
        c->size = offsetof(sdtls_config, cb_arg);
    if (more & MORE_UNSIZED)
        c->size = 0;
    if (more & MORE_ALMOST)
        c->log_level = 0;
    if (more & (MORE_INTERFACE | MORE_BAD_INTERFACE))
        c->interface = !(more & MORE_BAD_INTERFACE) ? "dev0"
                       : more & MORE_INTERFACE      ? "a name of more than 15 bytes"
                                                    : VK_NO_INTERFACE;
    if (more & MORE_EMPTY_PSK)
        c->psk = "", c->psk_len = 0;
}

int listen_with_few_files(sdtls *s)
{
    struct rlimit was, few;
    fuzz_check(!getrlimit(RLIMIT_NOFILE, &was), "no limit of files");
    few = was;
    few.rlim_cur = 32;
    fuzz_check(!setrlimit(RLIMIT_NOFILE, &few), "files cannot be limited");
    int rc = sdtls_listen(s, "0.0.0.0", "4433");
    fuzz_check(!setrlimit(RLIMIT_NOFILE, &was), "files remain limited");
    return rc;
}

int listen_adopt_any(sdtls *s)
{
    struct sd_addr any = sd_addr_any(AF_INET, LOCAL_PORT);
    int fd = vk_adopted(&any, 0);
    int rc = sdtls_adopt(s, fd);
    if (rc)
        vk_close(fd);
    return rc;
}

void listen_check_useless(sdtls *s)
{
    sdtls_event ev;
    fuzz_check(*sdtls_errmsg(s), "an error without a text");
    listen_ask_endpoint(s);
    if (s->unusable)
        fuzz_check(sdtls_next(s, &ev, 0) < 0 && sdtls_fd(s) < 0 &&
                       sdtls_connect(s, "192.0.2.50", "5000", NULL) < 0,
                   "it works without a configuration");
}
