/* SPDX-License-Identifier: MIT */
/* From argv to a configuration: option_table.c has each option by itself, this file what they mean
 * together. */
#include <net/if.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "nc_dtls/options.h"

/* A probe of a silent port should not take the 30 s of a handshake. */
enum { PROBE_WAIT_MS = 5000 };
/* Of a server: a peer that went without a word must not keep its place for ever. */
enum { SERVER_IDLE_MS = 10 * 60 * 1000 };
/* Commands: each is a process, and any client can start one. */
enum { MAX_EXEC = 100 };

static enum nc_role role_of(const struct nc_config *c)
{
    if (c->help)
        return NC_HELP;
    if (c->version)
        return NC_VERSION;
    if (c->completion)
        return NC_COMPLETION;
    if (c->listen)
        return NC_SERVER;
    if (c->probe)
        return NC_PROBE;
    return c->clients ? NC_LOAD : NC_CLIENT;
}

static bool check_server_only(const struct nc_config *c, char why[static TOOL_WHY])
{
    const char *option = c->fd != UINT32_MAX                ? "--fd"
                         : c->workers != UINT32_MAX         ? "--workers"
                         : c->once                          ? "--once"
                         : c->tls.max_clients               ? "--max-conns"
                         : c->tls.max_clients_per_host      ? "--max-conns-per-host"
                         : c->tls.max_half_open             ? "--max-half-open"
                         : c->client_cert != NC_UNSET       ? "--client-cert"
                         : c->tls.psk_hint                  ? "--psk-hint"
                         : c->tls.psk_file                  ? "--psk-file"
                         : c->max_connected != UINT32_MAX   ? "--max-connected"
                         : c->tls.flags & SDTLS_F_NO_COOKIE ? "--no-cookie"
                                                            : NULL;
    if (option && !c->listen)
        return tool_wrong(why, "%s needs -l", option);
    return true;
}

static bool check_together(const struct nc_config *c, char why[static TOOL_WHY])
{
    if (c->listen && (c->probe || c->clients))
        return tool_wrong(why, "-l and %s cannot be used together", c->probe ? "-z" : "--clients");
    if (c->probe && c->clients)
        return tool_wrong(why, "-z and --clients cannot be used together");
    if (c->workers != UINT32_MAX && c->once)
        return tool_wrong(why, "--workers and --once cannot be used together");
    if (c->max_exec && !c->exec)
        return tool_wrong(why, "--max-exec needs --exec");
    if (c->echo && c->exec)
        return tool_wrong(why, "--echo and --exec cannot be used together");
    if ((c->echo || c->exec) && (c->probe || c->clients))
        return tool_wrong(why, "%s and %s cannot be used together", c->echo ? "--echo" : "--exec",
                          c->probe ? "-z" : "--clients");
    if (c->count != 1 && !c->clients)
        return tool_wrong(why, "--count needs --clients");
    if (c->tls.key_file && !c->tls.cert_file)
        return tool_wrong(why, "-k %s needs -c FILE: the certificate of this key", c->tls.key_file);
    if (c->insecure && (c->verify || c->tls.verify_host || c->tls.pins))
        return tool_wrong(why, "--insecure and %s cannot be used together",
                          c->verify            ? "--verify"
                          : c->tls.verify_host ? "--verify-host"
                                               : "--pin");
    if (c->insecure && c->client_cert == SDTLS_VERIFY_REQUIRE)
        return tool_wrong(why, "--insecure and --client-cert require cannot be used together; use "
                               "--client-cert request to accept any certificate, or none");
    if (c->tls.psk_file && c->psk)
        return tool_wrong(why, "--psk and --psk-file cannot be used together");
    if (c->tls.pins && c->client_cert == SDTLS_VERIFY_NONE)
        return tool_wrong(why, "--pin and --client-cert none cannot be used together");
    /* DTLS versions count down. */
    if (c->tls.min_version && c->tls.max_version && c->tls.min_version < c->tls.max_version)
        return tool_wrong(why, "--min (%s) is higher than --max (%s)",
                          nc_version_text(c->tls.min_version), nc_version_text(c->tls.max_version));
    return true;
}

static bool check_target(const struct nc_config *c, char why[static TOOL_WHY])
{
    bool server = c->role == NC_SERVER;
    if (!server && !c->target.host)
        return tool_wrong(why, "a host and a port are needed, or -l to listen");
    if (!server && !c->target.port)
        return tool_wrong(why, "a port is needed, for example: nc_dtls %s 4433", c->target.host);
    if (!server && !strcmp(c->target.port, "0"))
        return tool_wrong(why, "port 0: the lowest port of a server is 1");
    if (c->fd != UINT32_MAX && (c->target.host || c->target.port))
        return tool_wrong(why, "--fd %u has an address already: give no host and no port", c->fd);
    if (!c->numeric || !c->target.host)
        return true;
    struct addrinfo *found, hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM};
    if (getaddrinfo(c->target.host, NULL, &hints, &found))
        return tool_wrong(why, "-n: host '%s' is not a numeric address", c->target.host);
    freeaddrinfo(found);
    return true;
}

static bool set_interface(struct nc_config *c, char why[static TOOL_WHY])
{
    unsigned index;
    if (!c->interface)
        return true;
    if (strlen(c->interface) >= sizeof c->interface_name)
        return tool_wrong(why, "-i '%.32s': interface name too long (%d characters at most)",
                          c->interface, IF_NAMESIZE - 1);
    strcpy(c->interface_name, c->interface);
    if (tool_parse_uint(c->interface, UINT32_MAX, &index) &&
        !if_indextoname(index, c->interface_name))
        return tool_wrong(why, "-i %s: no interface has this index", c->interface);
    if (!if_nametoindex(c->interface_name))
        return tool_wrong(why, "-i %s: no such interface", c->interface);
    c->tls.interface = c->interface_name;
    return true;
}

static bool set_psk(struct nc_config *c, char why[static TOOL_WHY])
{
    if (!c->psk)
        return true;
    if (!tool_psk_read(&c->psk_bytes, c->psk, why))
        return false;
    c->tls.psk = c->psk_bytes.bytes;
    c->tls.psk_len = c->psk_bytes.len;
    /* The default of openssl s_client and s_server. */
    if (!c->tls.psk_identity && c->role != NC_SERVER)
        c->tls.psk_identity = "Client_identity";
    return true;
}

static bool set_mtu(struct nc_config *c, char why[static TOOL_WHY])
{
    enum { LEAST = 228, MOST = 65507 };
    if (!c->mtu || !strcmp(c->mtu, "auto"))
        return true;
    if (tool_parse_uint(c->mtu, MOST, &c->tls.mtu) && c->tls.mtu >= LEAST)
        return true;
    return tool_wrong(why, "--mtu %s: use auto, or %d to %d bytes of UDP payload", c->mtu, LEAST,
                      MOST);
}

/* Of connections a second. */
static bool set_client_rate(struct nc_config *c, char why[static TOOL_WHY])
{
    enum { MOST = 1000000 };
    if (!c->rate_text || tool_parse_uint(c->rate_text, MOST, &c->rate))
        return true;
    return tool_wrong(why,
                      "--rate %s: with --clients use a number of connections a second, up to %d",
                      c->rate_text, MOST);
}

/* Below 100 Mbit/s, also with the headers that Ethernet adds: see docs/man/nc_dtls.1.scd. */
static bool set_data_rate(struct nc_config *c, char why[static TOOL_WHY])
{
    static const uint64_t usual = 80000000, least = 1000;
    c->bits_per_sec = usual;
    if (!c->rate_text)
        return true;
    if (tool_parse_bits(c->rate_text, &c->bits_per_sec) &&
        (!c->bits_per_sec || c->bits_per_sec >= least))
        return true;
    return tool_wrong(why,
                      "--rate %s: use a number of bits a second, 1k or more, such as 500k, 20M or "
                      "1G, or 0 for no limit; connections a second need --clients",
                      c->rate_text);
}

static bool set_rate(struct nc_config *c, char why[static TOOL_WHY])
{
    return c->clients ? set_client_rate(c, why) : set_data_rate(c, why);
}

static bool set_export(struct nc_config *c, char why[static TOOL_WHY])
{
    if (!c->export)
        return true;
    const char *colon = strrchr(c->export, ':');
    size_t len = colon ? (size_t)(colon - c->export) : 0;
    if (!len || len >= sizeof c->export_label || !tool_parse_uint(colon + 1, 256, &c->export_len) ||
        !c->export_len)
        return tool_wrong(why, "--export '%s': use LABEL:LEN with 1 to 256 bytes as LEN",
                          c->export);
    memcpy(c->export_label, c->export, len);
    c->export_label[len] = '\0';
    return true;
}

/* Each client of --exec needs a command, so one more could only be turned away. */
static void set_limits(struct nc_config *c)
{
    sdtls_config *t = &c->tls;
    bool serves_many = c->role == NC_SERVER && !c->once;
    if (t->idle_ms == UINT32_MAX)
        t->idle_ms = serves_many ? SERVER_IDLE_MS : 0;
    c->max_exec = c->max_exec ? c->max_exec : MAX_EXEC;
    if (c->exec && c->role == NC_SERVER && (!t->max_clients || t->max_clients > c->max_exec))
        t->max_clients = c->max_exec;
}

static void set_tls(struct nc_config *c)
{
    sdtls_config *t = &c->tls;
    if (c->role == NC_SERVER && !t->cert_file && !c->psk && !t->psk_file)
        t->flags |= SDTLS_F_SELF_SIGNED;
    if (c->role == NC_PROBE)
        t->flags |= SDTLS_F_PROBE;
    if (c->role == NC_PROBE && !t->handshake_ms)
        t->handshake_ms = PROBE_WAIT_MS;
    if (c->role == NC_SERVER && c->client_cert != NC_UNSET)
        t->verify = (enum sdtls_verify)c->client_cert;
    if (c->verify)
        t->verify = SDTLS_VERIFY_REQUIRE;
    if (c->insecure && t->verify != SDTLS_VERIFY_CHECK)
        t->verify = SDTLS_VERIFY_NONE;
    if (t->server_name && !strcmp(t->server_name, "none"))
        t->server_name = "";
    if (c->max_connected != UINT32_MAX)
        t->max_connected = c->max_connected;
    if (c->max_connected == 0)
        t->flags |= SDTLS_F_SHARED;
    set_limits(c);
}

/* -p and -s are our own end: for a server the address it listens on. */
static bool set_own_address(struct nc_config *c, char why[static TOOL_WHY])
{
    if (c->role != NC_SERVER) {
        c->tls.source_port = c->port;
        return true;
    }
    if (c->target.host && c->tls.source)
        return tool_wrong(why, "two addresses to listen on are given, '%s' and '%s'",
                          c->target.host, c->tls.source);
    if (c->target.port && c->port)
        return tool_wrong(why, "two ports to listen on are given, %s and %u", c->target.port,
                          c->port);
    if (c->tls.source)
        c->target.host = c->tls.source;
    c->tls.source = NULL;
    if (!c->port)
        return true;
    snprintf(c->port_text, sizeof c->port_text, "%u", c->port);
    c->target.port = c->port_text;
    return true;
}

bool nc_options(struct nc_config *c, int argc, char **argv, char why[static TOOL_WHY])
{
    *c = (struct nc_config){
        .tls = {SDTLS_CONFIG_INIT, .idle_ms = UINT32_MAX},
        .client_cert = NC_UNSET,
        .max_connected = UINT32_MAX,
        .fd = UINT32_MAX,
        .workers = UINT32_MAX,
        .quit_after_ms = UINT32_MAX,
        .count = 1,
    };
    int rest;
    if (!tool_options_parse(&nc_usage, c, argc, argv, &rest, why))
        return false;
    c->role = role_of(c);
    if (c->role >= NC_HELP)
        return true;
    if (!check_together(c, why) || !check_server_only(c, why) ||
        !tool_parse_target(&c->target, argv + rest, argc - rest, why) || !set_own_address(c, why) ||
        !check_target(c, why))
        return false;
    set_tls(c);
    bool ok = set_psk(c, why);
    tool_psk_hide(c->psk, argc, argv);
    return ok && set_interface(c, why) && set_mtu(c, why) && set_rate(c, why) && set_export(c, why);
}
