/* SPDX-License-Identifier: MIT */
#include "tls/resume.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tls/internal.h"
#include "tls/ossl.h"
#include "tls/pem.h"
#include "tls/verify.h"

enum { LOG_WARNING_LEVEL = 1, LOG_INFO_LEVEL = 2 };

/* Why a session cannot be resumed, or NULL: the end of "session file FILE ...". */
static const char *objection(SSL *ssl, SSL_SESSION *session, bool strict, const char *host)
{
    if (SSL_SESSION_get_protocol_version(session) >> 8 != 0xfe)
        return "contains a session of TLS, not of DTLS";
    /* When the new handshake agrees on longer records than this session had, OpenSSL before 3.2
     * writes past the end of its buffer (docs/fuzzing.md). */
    if (SSL_SESSION_get_max_fragment_length(session) != TLSEXT_max_fragment_length_DISABLED)
        return "contains a session with short records (max_fragment_length), which is not safe to "
               "resume";
    /* 0.1.0 saved sessions with the context of a server, and OpenSSL resumes only in the same. */
    SSL_SESSION_set1_id_context(session, (const unsigned char *)"", 0);
    if (!SSL_set_session(ssl, session))
        return "contains a session that OpenSSL does not resume";
    X509 *peer = SSL_SESSION_get0_peer(session);
    const struct sd_tls *t = sd_tls_of(ssl);
    if (t->pins.count && (!peer || !sd_pins_match(&t->pins, peer)))
        return "contains a session with a peer that is not pinned";
    if (!strict)
        return NULL;
    if (SSL_get_verify_result(ssl) != X509_V_OK)
        return "contains a session whose peer was not trusted";
    if (host && (!peer || !sd_verify_carries(peer, host)))
        return "contains a session with another host";
    return NULL;
}

/* When the server does not resume the session, OpenSSL drops it, but reads it again when it
 * retransmits its hello (3.0). So the session lives as long as its connection. */
static void keep_offered(SSL *ssl, SSL_SESSION *session)
{
    struct sd_ssl_link *link = sd_ssl_link_of(ssl);
    SSL_SESSION_free(link->offered);
    link->offered = session;
}

void sd_resume_load(SSL *ssl, bool strict, const char *host)
{
    const struct sd_tls *t = sd_tls_of(ssl);
    BIO *bio;
    struct sd_err err = {0};
    if (access(t->session_file, F_OK) < 0 && errno == ENOENT)
        return; /* the first run */
    if (sd_pem_open(&bio, "session", t->session_file, &err)) {
        sd_tls_log(t, LOG_WARNING_LEVEL, "%s; the handshake will be a full one", err.text);
        return;
    }
    SSL_SESSION *session = PEM_read_bio_SSL_SESSION(bio, NULL, sd_pem_no_password, NULL);
    BIO_free(bio);
    const char *why = session ? objection(ssl, session, strict, host)
                              : "contains no session that this OpenSSL can read";
    ERR_clear_error();
    if (why) {
        SSL_set_session(ssl, NULL);
        sd_tls_log(t, LOG_WARNING_LEVEL, "session file %s %s; the handshake will be a full one",
                   t->session_file, why);
    }
    keep_offered(ssl, session);
}

/* Session keys are as secret as a private key: mkostemp() gives mode 0600, and rename() never
 * leaves half a file. 0 or an errno. */
static int write_session(const char *temp, int fd, SSL_SESSION *session)
{
    FILE *f = fdopen(fd, "w");
    if (!f) {
        int error = errno;
        close(fd);
        unlink(temp);
        return error;
    }
    errno = 0;
    bool ok = PEM_write_SSL_SESSION(f, session);
    ok = fclose(f) == 0 && ok;
    if (ok)
        return 0;
    int error = errno ? errno : EIO;
    unlink(temp);
    return error;
}

static int store_session(const char *file, SSL_SESSION *session)
{
    char *temp;
    if (asprintf(&temp, "%s.XXXXXX", file) < 0)
        return ENOMEM;
    int fd = mkostemp(temp, O_CLOEXEC);
    int error = fd < 0 ? errno : write_session(temp, fd, session);
    if (!error && rename(temp, file) < 0) {
        error = errno;
        unlink(temp);
    }
    free(temp);
    return error;
}

static int new_session(SSL *ssl, SSL_SESSION *session)
{
    const struct sd_tls *t = sd_tls_of(ssl);
    if (!t || !t->session_file)
        return 0;
    int error = store_session(t->session_file, session);
    ERR_clear_error();
    if (error)
        sd_tls_log(t, LOG_WARNING_LEVEL, "cannot write session file %s: %s", t->session_file,
                   strerrordesc_np(error));
    else
        sd_tls_log(t, LOG_INFO_LEVEL, "saved the session in %s", t->session_file);
    return 0; /* the reference stays OpenSSL's */
}

void sd_resume_setup(SSL_CTX *ctx)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, new_session);
}
