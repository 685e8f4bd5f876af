/* SPDX-License-Identifier: MIT */
#include "tls/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "sukat_dtls.h"
#include "tls/ossl.h"

/* Far more than any chain or CA bundle; a wrong file (an image, a log) may be larger. */
#define PEM_LIMIT ((size_t)8 << 20)

/* Appends the rest of fd to bio; 0 or an errno. */
static int slurp(int fd, BIO *bio)
{
    char buf[4096];
    size_t total = 0;
    for (;;) {
        ssize_t n = read(fd, buf, sizeof buf);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            return 0;
        total += (size_t)n;
        if (total > PEM_LIMIT)
            return EFBIG;
        if (BIO_write(bio, buf, (int)n) != n)
            return ENOMEM;
    }
}

int sd_pem_open(BIO **pbio, const char *what, const char *file, struct sd_err *err)
{
    *pbio = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio)
        return sd_ossl_err(err, SDTLS_NOMEM, "cannot read %s file %s", what, file);
    BIO_set_mem_eof_return(bio, 0);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    int error = fd < 0 ? errno : slurp(fd, bio);
    if (fd >= 0)
        close(fd);
    if (!error && BIO_pending(bio) > 0) {
        *pbio = bio;
        return SDTLS_OK;
    }
    BIO_free(bio);
    ERR_clear_error();
    if (!error)
        return sd_err_set(err, SDTLS_CRED, "%s file %s is empty", what, file);
    return sd_err_because(err, SDTLS_CRED, strerrordesc_np(error), "cannot read %s file %s", what,
                          file);
}

int sd_pem_no_password(char *buf, int size, int rwflag, void *asked)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    if (asked)
        *(bool *)asked = true;
    return -1;
}
