/* SPDX-License-Identifier: MIT */
/* IANA names of the numbers on the wire. */
#ifndef SD_WIRE_NAMES_H
#define SD_WIRE_NAMES_H

#include <stdint.h>

enum sd_registry {
    SD_NAME_CONTENT,   /* enum sd_content_type */
    SD_NAME_HANDSHAKE, /* enum sd_handshake_type */
    SD_NAME_ALERT,     /* enum sd_alert_description */
    SD_NAME_LEVEL,     /* of an alert */
    SD_NAME_VERSION,   /* "DTLS 1.2" */
    SD_NAME_SUITE,     /* "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" */
    SD_NAME_EXTENSION, /* enum sd_ext_type */
    SD_NAME_GROUP,     /* "x25519" */
    SD_NAME_SCHEME,    /* signature schemes, "ecdsa_secp256r1_sha256" */
    SD_NAME_SRTP,      /* enum sd_srtp_profile */
    /* Values of one byte: */
    SD_NAME_CERT_TYPE,        /* of a CertificateRequest, "ecdsa_sign" */
    SD_NAME_CERT_FORMAT,      /* "X.509", "Raw Public Key" (RFC 7250) */
    SD_NAME_CERT_COMPRESSION, /* two bytes, "zlib" (RFC 8879) */
    SD_NAME_POINT_FORMAT,     /* "uncompressed" (RFC 8422) */
    SD_NAME_PSK_MODE,         /* "psk_dhe_ke" (RFC 8446 section 4.2.9) */
    SD_NAME_COMPRESSION       /* of records, "null" */
};

/* Room for the text of a value without a name, "0x1234". */
enum { SD_NAME_TEXT = 8 };

/* The name; for a value without one its hex digits, written to buf. The 16
 * values that RFC 8701 reserves are all "GREASE". */
const char *sd_name(enum sd_registry registry, uint16_t value, char buf[static SD_NAME_TEXT]);

#endif
