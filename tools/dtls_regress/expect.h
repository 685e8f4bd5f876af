/* What each check gives on the builds known today. */
#ifndef REGRESS_EXPECT_H
#define REGRESS_EXPECT_H

#include <stdbool.h>
#include <stddef.h>

/* A build that was measured. */
struct build {
    const char *name;      /* Debian's version: "3.5.7-1~deb13u2" */
    unsigned long version; /* OPENSSL_VERSION_NUMBER */
    const char *built;     /* when, as OPENSSL_BUILT_ON says it; NULL: every build of the version */
};

struct expectation {
    const char *result; /* NULL: nothing is known */
    const char *build;  /* of which it is known */
    bool known;         /* of this build; otherwise `build` is the nearest one before it */
};

/* A build counts as known when it was measured, and when it lies between two of the same branch
 * that give the same. `built` is OpenSSL_version(OPENSSL_BUILT_ON). */
struct expectation expect_of(const char *check, unsigned long version, const char *built);

/* The builds, oldest first; NULL beyond the last one. */
const struct build *expect_build(size_t index);
/* What a build gave; NULL when it was not measured. */
const char *expect_result(const char *check, const struct build *build);

#endif
