/* SPDX-License-Identifier: MIT */
/* Forged datagrams of every kind, for tests of the guard. */
#ifndef SESSION_FORGE_H
#define SESSION_FORGE_H

#include "session_pair.h"
#include "wire/alert.h"

/* Far outside any replay window, where plaintext has one. */
#define HIGH UINT64_C(0x800000000000)

/* What an attacker can send who knows addresses and ports only. */
enum forgery {
    APPDATA,
    CID,
    ACK,
    HEARTBEAT,
    WARNING,
    FATAL,
    CLOSE_NOTIFY,
    SHORT_ALERT,
    ODD_ALERT,
    EMPTY_RECORD,
    SHORT_HANDSHAKE,
    BAD_FRAGMENT,
    HUGE_MESSAGE,
    HELLO_REQUEST,
    HELLO_REQUEST_NEXT,
    FINISHED,
    UNKNOWN_MESSAGE,
    VERIFY_REQUEST,
    CLIENT_HELLO_NEXT,
    CERT_REQUEST_FAR,
    SERVER_HELLO_FAR,
    CERT_VERIFY,
    CCS,
    CCS_EMPTY,
    CCS_ODD,
    ONE_BYTE,
    SHORT_SEALED,
    SEALED_DATA,
    SEALED_ALERT,
    SEALED_CCS,
    NEXT_EPOCH,
    LAST_EPOCH,
    OLD_VERSION,
    TLS_VERSION,
    UNKNOWN_TYPE,
    UNIFIED,
    CUT,
    NOISE,
    NOTHING,
    FORGERIES
};

static void record(struct sd_wr *w, uint8_t type, uint16_t epoch, const void *body, size_t len)
{
    const struct sd_record r = {
        .type = type, .version = SD_DTLS_1_2, .epoch = epoch, .seq = HIGH, .body = {body, len}};
    sd_record_build(w, &r);
}

static void alert(struct sd_wr *w, uint8_t level, uint8_t description)
{
    record(w, SD_CT_ALERT, 0, (uint8_t[]){level, description}, 2);
}

/* A handshake header as given, and a body of zeros. */
static void message(struct sd_wr *w, uint8_t type, uint32_t length, uint16_t seq, uint32_t off,
                    uint32_t frag)
{
    static const uint8_t zeros[64];
    size_t mark = sd_record_open(w, SD_CT_HANDSHAKE, SD_DTLS_1_2, 0, HIGH);
    sd_wr_u8(w, type);
    sd_wr_u24(w, length);
    sd_wr_u16(w, seq);
    sd_wr_u24(w, off);
    sd_wr_u24(w, frag);
    sd_wr_bytes(w, zeros, frag < sizeof zeros ? frag : sizeof zeros);
    sd_record_close(w, mark);
}

static void forge_plain(struct sd_wr *w, enum forgery what)
{
    switch (what) {
    case APPDATA:
        record(w, SD_CT_APPDATA, 0, "hello", 5);
        break;
    case CID:
        record(w, SD_CT_CID, 0, "hello", 5);
        break;
    case ACK:
        record(w, SD_CT_ACK, 0, "\0\0", 2);
        break;
    case HEARTBEAT:
        record(w, SD_CT_HEARTBEAT, 0, "\1\0\1xxxxxxxxxxxxxxxxx", 20);
        break;
    case WARNING:
        alert(w, SD_ALERT_WARNING, SD_ALERT_UNRECOGNIZED_NAME);
        break;
    case FATAL:
        alert(w, SD_ALERT_FATAL, SD_ALERT_HANDSHAKE_FAILURE);
        break;
    case CLOSE_NOTIFY:
        alert(w, SD_ALERT_WARNING, SD_ALERT_CLOSE_NOTIFY);
        break;
    case SHORT_ALERT:
        record(w, SD_CT_ALERT, 0, "\2", 1);
        break;
    case ODD_ALERT:
        alert(w, 7, 7);
        break;
    case EMPTY_RECORD:
        record(w, SD_CT_HANDSHAKE, 0, "", 0);
        break;
    case CCS:
        record(w, SD_CT_CCS, 0, "\1", 1);
        break;
    case CCS_EMPTY:
        record(w, SD_CT_CCS, 0, "", 0);
        break;
    default:
        record(w, SD_CT_CCS, 0, "\2", 1);
    }
}

static void forge_message(struct sd_wr *w, enum forgery what)
{
    switch (what) {
    case SHORT_HANDSHAKE:
        record(w, SD_CT_HANDSHAKE, 0, "\1\0\0\0\0", 5);
        break;
    case BAD_FRAGMENT:
        message(w, SD_HS_CERTIFICATE, 10, 2, 8, 8);
        break;
    case HUGE_MESSAGE:
        message(w, SD_HS_CERTIFICATE, 0xffffff, 2, 0, 16);
        break;
    case HELLO_REQUEST:
        message(w, SD_HS_HELLO_REQUEST, 0, 0, 0, 0);
        break;
    case HELLO_REQUEST_NEXT:
        message(w, SD_HS_HELLO_REQUEST, 0, 1, 0, 0);
        break;
    case FINISHED:
        message(w, SD_HS_FINISHED, 12, 3, 0, 12);
        break;
    case UNKNOWN_MESSAGE:
        message(w, 99, 12, 2, 0, 12);
        break;
    case CLIENT_HELLO_NEXT:
        message(w, SD_HS_CLIENT_HELLO, 48, 2, 0, 48);
        break;
    case CERT_REQUEST_FAR:
        message(w, SD_HS_CERTIFICATE_REQUEST, 16, 11, 0, 16);
        break;
    case SERVER_HELLO_FAR:
        message(w, SD_HS_SERVER_HELLO, 48, 9, 0, 48);
        break;
    default:
        message(w, SD_HS_CERTIFICATE_VERIFY, 16, 2, 0, 16);
    }
}

static void forge_sealed(struct sd_wr *w, enum forgery what)
{
    static const uint8_t junk[64] = {1, 2, 3};
    switch (what) {
    case ONE_BYTE:
        record(w, SD_CT_APPDATA, 1, junk, 1);
        break;
    case SHORT_SEALED:
        record(w, SD_CT_APPDATA, 1, junk, 15);
        break;
    case SEALED_DATA:
        record(w, SD_CT_APPDATA, 1, junk, 48);
        break;
    case SEALED_ALERT:
        record(w, SD_CT_ALERT, 1, junk, 26);
        break;
    case SEALED_CCS:
        record(w, SD_CT_CCS, 1, junk, 48);
        break;
    case NEXT_EPOCH:
        record(w, SD_CT_HANDSHAKE, 2, junk, 48);
        break;
    default:
        record(w, SD_CT_HANDSHAKE, 0xffff, junk, 48);
    }
}

static void forge_noise(struct sd_wr *w, enum forgery what)
{
    switch (what) {
    case OLD_VERSION:
        sd_wr_bytes(w, "\x16\x01\x00\0\0\0\0\0\0\0\0\0\1x", 14);
        break;
    case TLS_VERSION:
        sd_wr_bytes(w, "\x15\x03\x03\0\0\0\0\0\0\0\0\0\2\2\x28", 15);
        break;
    case UNKNOWN_TYPE:
        sd_wr_bytes(w, "\x63\xfe\xfd\0\0\0\0\0\0\0\0\0\1x", 14);
        break;
    case UNIFIED:
        sd_wr_bytes(w, "\x2f\0\1\0\x10xxxxxxxxxxxxxxxx", 21);
        break;
    case CUT:
        sd_wr_bytes(w, "\x16\xfe\xfd\0\0\0\0\0\0\0\0\1\0\2", 14);
        break;
    case NOISE:
        sd_wr_bytes(w, "GET / HTTP/1.1\r\n\r\n", 18);
        break;
    default:
        break;
    }
}

/* The verify request is the real one of the stand-in gate, late. */
static size_t forge(enum forgery what, uint8_t *buf, size_t cap)
{
    struct sd_wr w = sd_wr_init(buf, cap);
    if (what == VERIFY_REQUEST) {
        size_t r = sd_record_open(&w, SD_CT_HANDSHAKE, SD_DTLS_1_0, 0, HIGH);
        size_t h = sd_handshake_open(&w, SD_HS_HELLO_VERIFY_REQUEST, 2);
        sd_hello_verify_build(&w, &(struct sd_hello_verify){SD_DTLS_1_0, {the_cookie, 20}});
        sd_handshake_close(&w, h);
        sd_record_close(&w, r);
    } else if (what <= EMPTY_RECORD || (what >= CCS && what <= CCS_ODD)) {
        forge_plain(&w, what);
    } else if (what < CCS) {
        forge_message(&w, what);
    } else if (what <= LAST_EPOCH) {
        forge_sealed(&w, what);
    } else {
        forge_noise(&w, what);
    }
    return sd_wr_len(&w);
}

#endif
