/* SPDX-License-Identifier: MIT */
/* What the name of a suite says about it. */
#include <string.h>

#include "dtls_scan/checks/facts.h"
#include "wire/names.h"

static const char *text_of_suite(uint16_t suite)
{
    static char none[SD_NAME_TEXT];
    return sd_name(SD_NAME_SUITE, suite, none);
}

static bool has_word(const char *text, size_t len, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= len; i++) {
        bool begins = !i || text[i - 1] == '_', ends = i + n == len || text[i + n] == '_';
        if (begins && ends && !memcmp(text + i, word, n))
            return true;
    }
    return false;
}

bool scan_suite_is(uint16_t suite, const char *word)
{
    const char *name = text_of_suite(suite);
    return has_word(name, strlen(name), word);
}

bool scan_suite_exchange(uint16_t suite, const char *word)
{
    const char *name = text_of_suite(suite), *with = strstr(name, "_WITH_");
    return with && has_word(name, (size_t)(with - name), word);
}
