/* SPDX-License-Identifier: MIT */
/* dtls_mtu from its arguments to its exit status; apart from main() for tests. */
#ifndef MTU_RUN_H
#define MTU_RUN_H

int mtu_main(int argc, char **argv);

#endif
