/* SPDX-License-Identifier: MIT */
/* Numbers of the IANA TLS registries that the code names. Each list is (identifier,
 * value, text); names.h turns values into these texts. */
#ifndef SD_WIRE_IANA_H
#define SD_WIRE_IANA_H

#define SD_CONTENT_TYPES(X)                                                                        \
    X(CCS, 20, "change_cipher_spec")                                                               \
    X(ALERT, 21, "alert")                                                                          \
    X(HANDSHAKE, 22, "handshake")                                                                  \
    X(APPDATA, 23, "application_data")                                                             \
    X(HEARTBEAT, 24, "heartbeat")                                                                  \
    X(CID, 25, "tls12_cid")                                                                        \
    X(ACK, 26, "ACK")

#define SD_HANDSHAKE_TYPES(X)                                                                      \
    X(HELLO_REQUEST, 0, "hello_request")                                                           \
    X(CLIENT_HELLO, 1, "client_hello")                                                             \
    X(SERVER_HELLO, 2, "server_hello")                                                             \
    X(HELLO_VERIFY_REQUEST, 3, "hello_verify_request")                                             \
    X(NEW_SESSION_TICKET, 4, "new_session_ticket")                                                 \
    X(END_OF_EARLY_DATA, 5, "end_of_early_data")                                                   \
    X(HELLO_RETRY_REQUEST, 6, "hello_retry_request")                                               \
    X(ENCRYPTED_EXTENSIONS, 8, "encrypted_extensions")                                             \
    X(REQUEST_CONNECTION_ID, 9, "request_connection_id")                                           \
    X(NEW_CONNECTION_ID, 10, "new_connection_id")                                                  \
    X(CERTIFICATE, 11, "certificate")                                                              \
    X(SERVER_KEY_EXCHANGE, 12, "server_key_exchange")                                              \
    X(CERTIFICATE_REQUEST, 13, "certificate_request")                                              \
    X(SERVER_HELLO_DONE, 14, "server_hello_done")                                                  \
    X(CERTIFICATE_VERIFY, 15, "certificate_verify")                                                \
    X(CLIENT_KEY_EXCHANGE, 16, "client_key_exchange")                                              \
    X(CLIENT_CERTIFICATE_REQUEST, 17, "client_certificate_request")                                \
    X(FINISHED, 20, "finished")                                                                    \
    X(CERTIFICATE_URL, 21, "certificate_url")                                                      \
    X(CERTIFICATE_STATUS, 22, "certificate_status")                                                \
    X(SUPPLEMENTAL_DATA, 23, "supplemental_data")                                                  \
    X(KEY_UPDATE, 24, "key_update")                                                                \
    X(COMPRESSED_CERTIFICATE, 25, "compressed_certificate")                                        \
    X(EKT_KEY, 26, "ekt_key")                                                                      \
    X(MESSAGE_HASH, 254, "message_hash")

#define SD_ALERTS(X)                                                                               \
    X(CLOSE_NOTIFY, 0, "close_notify")                                                             \
    X(UNEXPECTED_MESSAGE, 10, "unexpected_message")                                                \
    X(BAD_RECORD_MAC, 20, "bad_record_mac")                                                        \
    X(DECRYPTION_FAILED, 21, "decryption_failed")                                                  \
    X(RECORD_OVERFLOW, 22, "record_overflow")                                                      \
    X(DECOMPRESSION_FAILURE, 30, "decompression_failure")                                          \
    X(HANDSHAKE_FAILURE, 40, "handshake_failure")                                                  \
    X(NO_CERTIFICATE, 41, "no_certificate")                                                        \
    X(BAD_CERTIFICATE, 42, "bad_certificate")                                                      \
    X(UNSUPPORTED_CERTIFICATE, 43, "unsupported_certificate")                                      \
    X(CERTIFICATE_REVOKED, 44, "certificate_revoked")                                              \
    X(CERTIFICATE_EXPIRED, 45, "certificate_expired")                                              \
    X(CERTIFICATE_UNKNOWN, 46, "certificate_unknown")                                              \
    X(ILLEGAL_PARAMETER, 47, "illegal_parameter")                                                  \
    X(UNKNOWN_CA, 48, "unknown_ca")                                                                \
    X(ACCESS_DENIED, 49, "access_denied")                                                          \
    X(DECODE_ERROR, 50, "decode_error")                                                            \
    X(DECRYPT_ERROR, 51, "decrypt_error")                                                          \
    X(TOO_MANY_CIDS_REQUESTED, 52, "too_many_cids_requested")                                      \
    X(EXPORT_RESTRICTION, 60, "export_restriction")                                                \
    X(PROTOCOL_VERSION, 70, "protocol_version")                                                    \
    X(INSUFFICIENT_SECURITY, 71, "insufficient_security")                                          \
    X(INTERNAL_ERROR, 80, "internal_error")                                                        \
    X(INAPPROPRIATE_FALLBACK, 86, "inappropriate_fallback")                                        \
    X(USER_CANCELED, 90, "user_canceled")                                                          \
    X(NO_RENEGOTIATION, 100, "no_renegotiation")                                                   \
    X(MISSING_EXTENSION, 109, "missing_extension")                                                 \
    X(UNSUPPORTED_EXTENSION, 110, "unsupported_extension")                                         \
    X(CERTIFICATE_UNOBTAINABLE, 111, "certificate_unobtainable")                                   \
    X(UNRECOGNIZED_NAME, 112, "unrecognized_name")                                                 \
    X(BAD_CERTIFICATE_STATUS_RESPONSE, 113, "bad_certificate_status_response")                     \
    X(BAD_CERTIFICATE_HASH_VALUE, 114, "bad_certificate_hash_value")                               \
    X(UNKNOWN_PSK_IDENTITY, 115, "unknown_psk_identity")                                           \
    X(CERTIFICATE_REQUIRED, 116, "certificate_required")                                           \
    X(GENERAL_ERROR, 117, "general_error")                                                         \
    X(NO_APPLICATION_PROTOCOL, 120, "no_application_protocol")                                     \
    X(ECH_REQUIRED, 121, "ech_required")

#define SD_EXTENSIONS(X)                                                                           \
    X(SERVER_NAME, 0, "server_name")                                                               \
    X(MAX_FRAGMENT_LENGTH, 1, "max_fragment_length")                                               \
    X(CLIENT_CERTIFICATE_URL, 2, "client_certificate_url")                                         \
    X(TRUSTED_CA_KEYS, 3, "trusted_ca_keys")                                                       \
    X(TRUNCATED_HMAC, 4, "truncated_hmac")                                                         \
    X(STATUS_REQUEST, 5, "status_request")                                                         \
    X(USER_MAPPING, 6, "user_mapping")                                                             \
    X(CLIENT_AUTHZ, 7, "client_authz")                                                             \
    X(SERVER_AUTHZ, 8, "server_authz")                                                             \
    X(CERT_TYPE, 9, "cert_type")                                                                   \
    X(SUPPORTED_GROUPS, 10, "supported_groups")                                                    \
    X(EC_POINT_FORMATS, 11, "ec_point_formats")                                                    \
    X(SRP, 12, "srp")                                                                              \
    X(SIGNATURE_ALGORITHMS, 13, "signature_algorithms")                                            \
    X(USE_SRTP, 14, "use_srtp")                                                                    \
    X(HEARTBEAT, 15, "heartbeat")                                                                  \
    X(ALPN, 16, "application_layer_protocol_negotiation")                                          \
    X(STATUS_REQUEST_V2, 17, "status_request_v2")                                                  \
    X(SIGNED_CERTIFICATE_TIMESTAMP, 18, "signed_certificate_timestamp")                            \
    X(CLIENT_CERTIFICATE_TYPE, 19, "client_certificate_type")                                      \
    X(SERVER_CERTIFICATE_TYPE, 20, "server_certificate_type")                                      \
    X(PADDING, 21, "padding")                                                                      \
    X(ENCRYPT_THEN_MAC, 22, "encrypt_then_mac")                                                    \
    X(EXTENDED_MASTER_SECRET, 23, "extended_master_secret")                                        \
    X(TOKEN_BINDING, 24, "token_binding")                                                          \
    X(CACHED_INFO, 25, "cached_info")                                                              \
    X(TLS_LTS, 26, "tls_lts")                                                                      \
    X(COMPRESS_CERTIFICATE, 27, "compress_certificate")                                            \
    X(RECORD_SIZE_LIMIT, 28, "record_size_limit")                                                  \
    X(PWD_PROTECT, 29, "pwd_protect")                                                              \
    X(PWD_CLEAR, 30, "pwd_clear")                                                                  \
    X(PASSWORD_SALT, 31, "password_salt")                                                          \
    X(TICKET_PINNING, 32, "ticket_pinning")                                                        \
    X(TLS_CERT_WITH_EXTERN_PSK, 33, "tls_cert_with_extern_psk")                                    \
    X(DELEGATED_CREDENTIAL, 34, "delegated_credential")                                            \
    X(SESSION_TICKET, 35, "session_ticket")                                                        \
    X(TLMSP, 36, "TLMSP")                                                                          \
    X(TLMSP_PROXYING, 37, "TLMSP_proxying")                                                        \
    X(TLMSP_DELEGATE, 38, "TLMSP_delegate")                                                        \
    X(SUPPORTED_EKT_CIPHERS, 39, "supported_ekt_ciphers")                                          \
    X(PRE_SHARED_KEY, 41, "pre_shared_key")                                                        \
    X(EARLY_DATA, 42, "early_data")                                                                \
    X(SUPPORTED_VERSIONS, 43, "supported_versions")                                                \
    X(COOKIE, 44, "cookie")                                                                        \
    X(PSK_KEY_EXCHANGE_MODES, 45, "psk_key_exchange_modes")                                        \
    X(CERTIFICATE_AUTHORITIES, 47, "certificate_authorities")                                      \
    X(OID_FILTERS, 48, "oid_filters")                                                              \
    X(POST_HANDSHAKE_AUTH, 49, "post_handshake_auth")                                              \
    X(SIGNATURE_ALGORITHMS_CERT, 50, "signature_algorithms_cert")                                  \
    X(KEY_SHARE, 51, "key_share")                                                                  \
    X(TRANSPARENCY_INFO, 52, "transparency_info")                                                  \
    X(CONNECTION_ID_OLD, 53, "connection_id (deprecated)")                                         \
    X(CONNECTION_ID, 54, "connection_id")                                                          \
    X(EXTERNAL_ID_HASH, 55, "external_id_hash")                                                    \
    X(EXTERNAL_SESSION_ID, 56, "external_session_id")                                              \
    X(QUIC_TRANSPORT_PARAMETERS, 57, "quic_transport_parameters")                                  \
    X(TICKET_REQUEST, 58, "ticket_request")                                                        \
    X(DNSSEC_CHAIN, 59, "dnssec_chain")                                                            \
    X(SEQUENCE_NUMBER_ENCRYPTION_ALGORITHMS, 60, "sequence_number_encryption_algorithms")          \
    X(RRC, 61, "rrc")                                                                              \
    X(TLS_FLAGS, 62, "tls_flags")                                                                  \
    X(ECH_OUTER_EXTENSIONS, 64768, "ech_outer_extensions")                                         \
    X(ENCRYPTED_CLIENT_HELLO, 65037, "encrypted_client_hello")                                     \
    X(RENEGOTIATION_INFO, 65281, "renegotiation_info")

#define SD_SRTP_PROFILES(X)                                                                        \
    X(AES128_CM_SHA1_80, 0x0001, "SRTP_AES128_CM_HMAC_SHA1_80")                                    \
    X(AES128_CM_SHA1_32, 0x0002, "SRTP_AES128_CM_HMAC_SHA1_32")                                    \
    X(NULL_SHA1_80, 0x0005, "SRTP_NULL_HMAC_SHA1_80")                                              \
    X(NULL_SHA1_32, 0x0006, "SRTP_NULL_HMAC_SHA1_32")                                              \
    X(AEAD_AES_128_GCM, 0x0007, "SRTP_AEAD_AES_128_GCM")                                           \
    X(AEAD_AES_256_GCM, 0x0008, "SRTP_AEAD_AES_256_GCM")                                           \
    X(DOUBLE_128, 0x0009, "DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM")                              \
    X(DOUBLE_256, 0x000a, "DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM")                              \
    X(ARIA_128_CTR_80, 0x000b, "SRTP_ARIA_128_CTR_HMAC_SHA1_80")                                   \
    X(ARIA_128_CTR_32, 0x000c, "SRTP_ARIA_128_CTR_HMAC_SHA1_32")                                   \
    X(ARIA_256_CTR_80, 0x000d, "SRTP_ARIA_256_CTR_HMAC_SHA1_80")                                   \
    X(ARIA_256_CTR_32, 0x000e, "SRTP_ARIA_256_CTR_HMAC_SHA1_32")                                   \
    X(AEAD_ARIA_128_GCM, 0x000f, "SRTP_AEAD_ARIA_128_GCM")                                         \
    X(AEAD_ARIA_256_GCM, 0x0010, "SRTP_AEAD_ARIA_256_GCM")

#define SD_X(name, value, text) SD_CT_##name = (value),
enum sd_content_type { SD_CONTENT_TYPES(SD_X) };
#undef SD_X
#define SD_X(name, value, text) SD_HS_##name = (value),
enum sd_handshake_type { SD_HANDSHAKE_TYPES(SD_X) };
#undef SD_X
#define SD_X(name, value, text) SD_ALERT_##name = (value),
enum sd_alert_description { SD_ALERTS(SD_X) };
#undef SD_X
#define SD_X(name, value, text) SD_EXT_##name = (value),
enum sd_ext_type { SD_EXTENSIONS(SD_X) };
#undef SD_X
#define SD_X(name, value, text) SD_SRTP_##name = (value),
enum sd_srtp_profile { SD_SRTP_PROFILES(SD_X) };
#undef SD_X

#endif
