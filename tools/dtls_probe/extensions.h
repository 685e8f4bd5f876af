/* SPDX-License-Identifier: MIT */
/* Extensions of TLS as JSON. */
#ifndef PROBE_EXTENSIONS_H
#define PROBE_EXTENSIONS_H

#include <jansson.h>

#include "base/cursor.h"
#include "wire/certificate.h"

/* Who sent them: many are a list in an offer, and one value in an answer. */
enum probe_extensions_of { PROBE_OFFER, PROBE_ANSWER, PROBE_RETRY };

/* A list of {"name", "code", "length", ...}. `certs` reads distinguished names; NULL = nobody. */
json_t *probe_extensions(struct sd_span block, enum probe_extensions_of of,
                         const struct sd_cert_reader *certs);
/* The names of CAs in a vector of distinguished names in DER. */
json_t *probe_authorities(struct sd_span vector, const struct sd_cert_reader *certs);

#endif
