/* SPDX-License-Identifier: MIT */
#include "tls/internal.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The way from an SSL back to the context and to what is kept with it.
 *
 * OpenSSL's callbacks get the SSL alone, and its application data belongs to the program. So
 * our pointer has a slot of its own: a number that OpenSSL gives once in the life of the
 * process and that never changes. */
static int slot = -1;
static pthread_once_t slot_once = PTHREAD_ONCE_INIT;

static void link_free(void *ssl, void *mine, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
    struct sd_ssl_link *link = mine;
    (void)ssl, (void)ad, (void)index, (void)argl, (void)argp;
    if (!link)
        return;
    free(link->expected);
    X509_free(link->culprit);
    SSL_SESSION_free(link->offered);
    free(link);
}

static void draw_slot(void)
{
    slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, link_free);
}

struct sd_ssl_link *sd_ssl_link_of(const SSL *ssl)
{
    pthread_once(&slot_once, draw_slot);
    return slot < 0 ? NULL : SSL_get_ex_data(ssl, slot);
}

struct sd_tls *sd_tls_of(const SSL *ssl)
{
    const struct sd_ssl_link *link = sd_ssl_link_of(ssl);
    return link ? link->tls : NULL;
}

struct sd_ssl_link *sd_ssl_link_make(SSL *ssl)
{
    struct sd_ssl_link *link = sd_ssl_link_of(ssl);
    if (link)
        return link;
    link = calloc(1, sizeof *link);
    if (link && slot >= 0 && SSL_set_ex_data(ssl, slot, link))
        return link;
    free(link);
    return NULL;
}

void sd_tls_log(const struct sd_tls *t, int level, const char *fmt, ...)
{
    char line[512];
    if (!t->log)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    t->log(t->cb_arg, level, line);
}
