/* SPDX-License-Identifier: MIT */
#include "common/psk.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/parse.h"

static bool read_psk_file(const char *path, char *hex, size_t cap, char why[static TOOL_WHY])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, hex, cap - 1);
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return tool_wrong(why, "--psk: cannot read %s: %m", path);
    hex[n] = '\0';
    hex[strcspn(hex, "\r\n")] = '\0';
    return true;
}

bool tool_psk_read(struct tool_psk *psk, const char *text, char why[static TOOL_WHY])
{
    char hex[2 * TOOL_PSK_MAX + 3];
    if (*text == '@') {
        if (!read_psk_file(text + 1, hex, sizeof hex, why))
            return false;
        text = hex;
    }
    psk->len = sizeof psk->bytes;
    bool ok = tool_parse_hex(text, psk->bytes, &psk->len);
    explicit_bzero(hex, sizeof hex);
    if (ok)
        return true;
    explicit_bzero(psk, sizeof *psk);
    return tool_wrong(why, "--psk: write the key as pairs of hex digits, %d bytes at most",
                      TOOL_PSK_MAX);
}

void tool_psk_hide(const char *text, int argc, char **argv)
{
    for (int i = 0; text && i < argc; i++) {
        size_t len = strlen(argv[i]);
        if (text >= argv[i] && text <= argv[i] + len && *text != '@')
            memset(argv[i] + (text - argv[i]), '*', len - (size_t)(text - argv[i]));
    }
}
