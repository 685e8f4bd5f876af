#include "dtls_regress/expect.h"

#include <stddef.h>
#include <string.h>

/* From this version on, until the next row of the same check. */
struct row {
    const char *check;
    unsigned long from;
    const char *result;
};

#define SSL_1_1_1 0x10101000UL
#define SSL_3(minor, patch) (0x30000000UL | (minor) << 20 | (patch) << 4)
#define SSL_4(minor, patch) (0x40000000UL | (minor) << 20 | (patch) << 4)

static const struct row rows[] = {
#define EXPECT(check, from, result) {check, from, result},
#include "dtls_regress/expected.def"
#undef EXPECT
};

/* No newer version than the newest that was measured is known. */
static const unsigned long newest = SSL_4(0, 0xff);

const char *expect_result(const char *check, unsigned long version)
{
    const char *result = NULL;
    if (version > newest)
        return NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].check, check) && rows[i].from <= version)
            result = rows[i].result;
    return result;
}
