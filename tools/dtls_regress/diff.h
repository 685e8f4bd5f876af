/* SPDX-License-Identifier: MIT */
/* What changed between two runs, in words. */
#ifndef REGRESS_DIFF_H
#define REGRESS_DIFF_H

/* Compares two files that --json wrote, and prints the changes on stdout. 0: nothing changed, 1:
 * something did, 2: a file cannot be used (said on stderr). */
int regress_diff(const char *old_path, const char *new_path);

#endif
