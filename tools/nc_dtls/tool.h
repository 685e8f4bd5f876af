/* The whole program as a function, for main() and for a fuzzer. */
#ifndef NC_TOOL_H
#define NC_TOOL_H

int tool_main(int argc, char **argv);

#endif
