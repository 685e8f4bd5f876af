/* SPDX-License-Identifier: MIT */
#include "dtls_probe/wanted.h"

#include <string.h>
#include <sys/stat.h>

#include "capture/reader.h"
#include "unseal/secrets.h"
#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/iana.h"
#include "wire/record.h"

enum { CLIENT_VERSION = 2, DTLS_MAJOR = 0xfe };

enum hello_at { NO_HELLO, HELLO, SPLIT_HELLO };

/* Whether a record with the beginning of a ClientHello is here, and its random. */
static enum hello_at read_hello_at(struct sd_span s, const uint8_t **client_random)
{
    struct sd_rd rd = sd_rd_init(s.p, s.len);
    if (sd_rd_u8(&rd) != SD_CT_HANDSHAKE || sd_rd_u8(&rd) != DTLS_MAJOR)
        return NO_HELLO;
    sd_rd_u8(&rd);
    if (sd_rd_u16(&rd)) /* epoch */
        return NO_HELLO;
    sd_rd_bytes(&rd, 8); /* number, length */
    if (sd_rd_u8(&rd) != SD_HS_CLIENT_HELLO)
        return NO_HELLO;
    sd_rd_bytes(&rd, 5); /* length, message_seq */
    uint32_t offset = sd_rd_u24(&rd), length = sd_rd_u24(&rd);
    if (rd.bad || offset >= CLIENT_VERSION + SD_RANDOM_LEN)
        return NO_HELLO;
    sd_rd_bytes(&rd, CLIENT_VERSION);
    struct sd_span r = sd_rd_bytes(&rd, SD_RANDOM_LEN);
    *client_random = r.p;
    return offset || length < CLIENT_VERSION + SD_RANDOM_LEN || rd.bad ? SPLIT_HELLO : HELLO;
}

/* Looks everywhere, so that no tunnel needs to be known. False when a hello is split. */
static bool want_of_frame(struct sd_secrets *s, struct sd_span frame)
{
    const uint8_t *client_random;
    while (frame.len) {
        const uint8_t *at = memchr(frame.p, SD_CT_HANDSHAKE, frame.len);
        if (!at)
            return true;
        frame = (struct sd_span){at, frame.len - (size_t)(at - frame.p)};
        enum hello_at hello = read_hello_at(frame, &client_random);
        if (hello == SPLIT_HELLO || (hello == HELLO && !sd_secrets_want(s, client_random)))
            return false;
        frame = (struct sd_span){at + 1, frame.len - 1};
    }
    return true;
}

void probe_want_secrets(struct sd_secrets *s, const char *path)
{
    struct sd_reader *reader;
    struct sd_frame f;
    struct sd_err e = {0};
    struct stat st;
    if (stat(path, &st) || !S_ISREG(st.st_mode) || sd_reader_open(&reader, path, NULL, &e))
        return;
    bool all = true;
    while (all && sd_reader_next(reader, &f) == SD_READER_FRAME)
        all = want_of_frame(s, f.data);
    if (!all)
        sd_secrets_want_all(s);
    sd_reader_close(reader);
}
