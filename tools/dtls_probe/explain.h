/* --explain: entries of the catalogue, for reading. */
#ifndef PROBE_EXPLAIN_H
#define PROBE_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

#include "flow/finding.h"

/* One entry by its id, or all in a line each for "list". False when there is none such. */
bool probe_explain(FILE *to, const char *id);

#endif
