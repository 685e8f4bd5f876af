/* SPDX-License-Identifier: MIT */
/* dtls_regress from its arguments to its exit status; apart from main() for tests. */
#ifndef REGRESS_TOOL_H
#define REGRESS_TOOL_H

int regress_main(int argc, char **argv);

#endif
