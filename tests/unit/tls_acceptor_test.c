/* SPDX-License-Identifier: MIT */
/* Which servers can begin, and what the error of the others says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sukat_dtls.h"
#include "tls/acceptor.h"

static void up_to_1_2_it_is_dtlsv1_listen(void **state)
{
    const struct sd_acceptor *a = NULL;
    struct sd_err err;
    (void)state;
    assert_int_equal(sd_acceptor_choose(&a, SDTLS_V1_0, &err), SDTLS_OK);
    assert_string_equal(a->name, "DTLSv1_listen");
    assert_int_equal(sd_acceptor_choose(&a, SDTLS_V1_2, &err), SDTLS_OK);
    assert_string_equal(a->name, "DTLSv1_listen");
}

static void beyond_the_reason_is_told(void **state)
{
    const struct sd_acceptor *a = NULL;
    struct sd_err err;
    (void)state;
    assert_int_equal(sd_acceptor_choose(&a, SDTLS_V1_3, &err), SDTLS_OPTION);
    assert_null(a);
    assert_non_null(strstr(err.text, "a server cannot offer DTLS 1.3"));
    assert_non_null(strstr(err.text, "SSL_new_listener"));
    assert_non_null(strstr(err.text, "use 1.2 or lower"));
}

static void what_is_no_good_hello_is_refused(void **state)
{
    static const char garbage[] = "garbage that is no ClientHello";
    const struct sd_acceptor *a = NULL;
    struct sd_err err = {0};
    SSL_CTX *ctx = SSL_CTX_new(DTLS_server_method());
    SSL *ssl = SSL_new(ctx);
    BIO *in = BIO_new_mem_buf(garbage, sizeof garbage);
    (void)state;
    assert_true(ctx && ssl && in);
    SSL_set_bio(ssl, in, BIO_new(BIO_s_mem()));
    assert_int_equal(sd_acceptor_choose(&a, SDTLS_V1_2, &err), SDTLS_OK);
    assert_int_equal(a->begin(ssl, &err), SDTLS_PROTO);
    assert_non_null(strstr(err.text, "rejected the ClientHello"));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_1_2_it_is_dtlsv1_listen),
        cmocka_unit_test(beyond_the_reason_is_told),
        cmocka_unit_test(what_is_no_good_hello_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
