/* SPDX-License-Identifier: MIT */
/* A UDP address, IPv4 or IPv6; or the number of a path whose addresses nobody knows here. */
#ifndef SD_BASE_ADDR_H
#define SD_BASE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct sd_addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct {
            sa_family_t family; /* AF_UNSPEC */
            uint8_t id[8];      /* unaligned: the struct has the size of a sockaddr_in6 */
        } path;
    };
};

/* Room for "[ipv6%scope]:port" and its terminator. */
#define SD_ADDR_TEXT 72
/* Longest serialised form of sd_addr_bytes. */
#define SD_ADDR_BYTES 24

/* Copies a sockaddr; false (and an AF_UNSPEC address) for other families. */
bool sd_addr_from(struct sd_addr *a, const struct sockaddr *sa, socklen_t len);
socklen_t sd_addr_len(const struct sd_addr *a);
bool sd_addr_eq(const struct sd_addr *a, const struct sd_addr *b);
struct sd_addr sd_addr_path(uint64_t id);
uint64_t sd_addr_path_id(const struct sd_addr *a);
/* The wildcard address of a family. */
struct sd_addr sd_addr_any(int family, uint16_t port);
bool sd_addr_is_any(const struct sd_addr *a);
uint16_t sd_addr_port(const struct sd_addr *a);
void sd_addr_set_port(struct sd_addr *a, uint16_t port);
/* "192.0.2.1:4433" "[2001:db8::1]:4433" or "path 7"; returns buf. */
const char *sd_addr_text(const struct sd_addr *a, char buf[static SD_ADDR_TEXT]);
/* A canonical serialisation (family, port, address, scope) for hashing and
 * MACs: equal addresses give equal bytes. Returns how many were written. */
size_t sd_addr_bytes(const struct sd_addr *a, uint8_t out[static SD_ADDR_BYTES]);
/* The part that identifies a host for limits: the whole IPv4 address (a mapped one, too), or the
 * /56 of an IPv6 one, with port and scope cleared. A /56 is what a home gets (RFC 6177): who has
 * one could use 256 networks of 2^64 addresses each. A path without addresses is its own host. */
struct sd_addr sd_addr_host(const struct sd_addr *a);

#endif
