/* SPDX-License-Identifier: MIT */
/* A pre-shared key as an argument: hex digits, or @FILE with a file that holds them. */
#ifndef TOOL_PSK_H
#define TOOL_PSK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/why.h"

enum { TOOL_PSK_MAX = 512 /* bytes, as OpenSSL's */ };

struct tool_psk {
    size_t len;
    uint8_t bytes[TOOL_PSK_MAX];
};

/* False with the error in `why`, and nothing of the key left in memory. */
bool tool_psk_read(struct tool_psk *psk, const char *text, char why[static TOOL_WHY]);
/* Others can read our arguments in /proc: overwrites the key, which is part of one of them. */
void tool_psk_hide(const char *text, int argc, char **argv);

#endif
