/* SPDX-License-Identifier: MIT */
/* The table of a tool's options: the parser, --help and the shell completion read it, and a test
 * compares the man page with it. */
#ifndef TOOL_OPTIONS_H
#define TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/why.h"

/* What an option does to the field at `offset` of the tool's configuration. */
enum tool_opt_kind {
    TOOL_FLAG,    /* bool: true */
    TOOL_COUNT,   /* unsigned: one more each time */
    TOOL_SET,     /* int: `value` */
    TOOL_OR,      /* unsigned: |= `value` */
    TOOL_TEXT,    /* const char *: the argument itself */
    TOOL_UINT,    /* unsigned: a number, at most `value` when that is not 0 */
    TOOL_PORT,    /* uint16_t */
    TOOL_SECONDS, /* unsigned milliseconds: "2", "1.5s", "300ms", "5m" */
    TOOL_MILLIS,  /* the same, a bare number being milliseconds */
    TOOL_CHOICE,  /* int: one of `choices` */
    TOOL_LIST     /* const char *[value]: one more argument; NULL ends the list unless it is full */
};

struct tool_choice {
    const char *name; /* NULL ends the list */
    int value;
};

struct tool_opt {
    char letter;       /* 0 = none */
    const char *names; /* long names, comma-separated; the first is the proper one */
    const char *arg;   /* name of the argument; NULL = takes none */
    const char *group; /* heading in --help; NULL = accepted, but hidden */
    const char *help;
    enum tool_opt_kind kind;
    size_t offset;
    int value;
    const struct tool_choice *choices;
};

/* The rows that every tool has, last in its table. They fill the fields `color`, `help`,
 * `version` and `completion` of the tool's configuration, a struct of this `type`. */
/* clang-format off */
#define TOOL_STANDARD_OPTS(type) \
    {0, "color", "WHEN", "General", "use colors: auto (default), always or never", TOOL_CHOICE, offsetof(type, color), 0, tool_colors}, \
    {'h', "help", NULL, "General", "print the options of this program", TOOL_FLAG, offsetof(type, help), 0, NULL}, \
    {'V', "version", NULL, "General", "print the versions of this program and its libraries", TOOL_FLAG, offsetof(type, version), 0, NULL}, \
    {0, "completion", "SHELL", "General", "print a completion script for SHELL, which is bash", TOOL_TEXT, offsetof(type, completion), 0, NULL}
/* clang-format on */

/* The arguments of --color: enum tool_color (term.h). */
extern const struct tool_choice tool_colors[];

struct tool_usage {
    const char *prog;
    const char *synopsis; /* lines, without the program's name */
    const char *about;    /* one sentence */
    const char *notes;    /* printed last; or NULL */
    const struct tool_opt *opts;
    size_t count;
};

/* Fills `config`; *rest is the index of the first positional argument (argv is
 * permuted). False with the sentence in `why` when something is wrong. */
bool tool_options_parse(const struct tool_usage *u, void *config, int argc, char **argv, int *rest,
                        char why[static TOOL_WHY]);
/* --help; usage.c */
void tool_usage_print(const struct tool_usage *u, FILE *to);

/* The completion script for bash; completion.c. */
void tool_completion_print(const struct tool_usage *u, FILE *to);
/* --completion SHELL: prints the script on stdout, or an error on stderr when SHELL is not bash.
 * Returns the exit status. */
int tool_completion(const struct tool_usage *u, const char *shell);

#endif
