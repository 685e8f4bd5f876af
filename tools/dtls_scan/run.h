/* SPDX-License-Identifier: MIT */
/* dtls_scan from its arguments to its exit status; apart from main() for tests. */
#ifndef SCAN_RUN_H
#define SCAN_RUN_H

int scan_main(int argc, char **argv);

#endif
