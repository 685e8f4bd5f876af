/* SPDX-License-Identifier: MIT */
/* What each check gave on the builds that were measured. */
#ifndef REGRESS_EXPECT_H
#define REGRESS_EXPECT_H

#include <stdbool.h>
#include <stddef.h>

/* A measured build. */
struct regress_build {
    const char *name;      /* Debian's version: "3.5.7-1~deb13u2" */
    unsigned long version; /* OPENSSL_VERSION_NUMBER */
    const char *built;     /* the date in OPENSSL_BUILT_ON; NULL: every build of the version */
};

struct regress_expectation {
    const char *result; /* NULL: nothing is known */
    const char *build;  /* which gave it */
    bool known;         /* for this build; otherwise `build` is the nearest one before it */
};

/* The result is known for a measured build, and for one between two measured builds of the same
 * branch that gave the same. `built` is OpenSSL_version(OPENSSL_BUILT_ON). */
struct regress_expectation regress_expect_of(const char *check, unsigned long version,
                                             const char *built);

/* The builds, oldest first; NULL after the last. */
const struct regress_build *regress_expect_build(size_t index);
/* NULL: no build has this name. */
const struct regress_build *regress_expect_find(const char *name);
/* What the build gave; NULL: the check was not measured on it. */
const char *regress_expect_result(const char *check, const struct regress_build *build);

#endif
