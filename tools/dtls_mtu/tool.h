/* dtls_mtu from its arguments to its exit status; apart from main() for tests. */
#ifndef MTU_TOOL_H
#define MTU_TOOL_H

int tool_main(int argc, char **argv);

#endif
