/* SPDX-License-Identifier: MIT */
/* A handshake as a drawing: two lanes, time downwards, an arrow for each datagram. */
#ifndef PROBE_SVG_H
#define PROBE_SVG_H

#include <stdio.h>

#include "dtls_probe/report.h"

/* A file of its own: style, headline, drawing, findings. */
void probe_svg(FILE *to, const struct probe_report *r);
/* For a page that has the style and all other text. The row of frame 7 gets the id
 * "h<anchor>p7". */
void probe_svg_inline(FILE *to, const struct probe_report *r, unsigned anchor);
/* CSS for elements inside class "drawing" only. */
extern const char probe_svg_style[];

#endif
