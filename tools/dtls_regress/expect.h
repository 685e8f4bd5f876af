/* What each check gives on the builds known today. */
#ifndef REGRESS_EXPECT_H
#define REGRESS_EXPECT_H

/* The result that is expected of this check with an OpenSSL of this number
 * (OPENSSL_VERSION_NUMBER); NULL when nothing is known. */
const char *expect_result(const char *check, unsigned long version);

#endif
