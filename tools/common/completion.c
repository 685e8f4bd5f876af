/* SPDX-License-Identifier: MIT */
/* --completion bash */
#include <string.h>

#include "common/exit.h"
#include "common/options.h"

static bool takes_path(const struct tool_opt *o)
{
    return o->arg && (strstr(o->arg, "FILE") || strstr(o->arg, "DIR"));
}

/* The spellings of an option: "-c --certificate --cert". */
static void print_spellings(const struct tool_opt *o, const char *between, FILE *to)
{
    const char *sep = "";
    if (o->letter) {
        fprintf(to, "-%c", o->letter);
        sep = between;
    }
    for (const char *p = o->names; *p;) {
        int len = (int)strcspn(p, ",");
        fprintf(to, "%s--%.*s", sep, len, p);
        sep = between;
        p += len + (p[len] == ',');
    }
}

static void print_choices(const struct tool_choice *c, FILE *to)
{
    for (const char *sep = ""; c->name; c++, sep = " ")
        fprintf(to, "%s%s", sep, c->name);
}

/* What may follow an option: a file name or one of its choices. */
static void print_argument_case(const struct tool_opt *o, FILE *to)
{
    bool choice = o->kind == TOOL_CHOICE;
    if (!choice && !takes_path(o))
        return;
    fputs("    ", to);
    print_spellings(o, "|", to);
    fputs(") COMPREPLY=($(compgen ", to);
    if (choice) {
        fputs("-W \"", to);
        print_choices(o->choices, to);
        fputs("\"", to);
    } else {
        fputs("-f", to);
    }
    fputs(" -- \"$cur\")); return;;\n", to);
}

void tool_completion_print(const struct tool_usage *u, FILE *to)
{
    fprintf(to, "_%s() {\n  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n",
            u->prog);
    fprintf(to, "  case $prev in\n");
    for (size_t i = 0; i < u->count; i++)
        if (u->opts[i].group)
            print_argument_case(&u->opts[i], to);
    fprintf(to, "  esac\n  [[ $cur == -* ]] && COMPREPLY=($(compgen -W \"");
    const char *sep = "";
    for (size_t i = 0; i < u->count; i++) {
        if (!u->opts[i].group)
            continue;
        fputs(sep, to);
        print_spellings(&u->opts[i], " ", to);
        sep = " ";
    }
    fprintf(to, "\" -- \"$cur\"))\n}\ncomplete -F _%s -o default %s\n", u->prog, u->prog);
}

int tool_completion(const struct tool_usage *u, const char *shell)
{
    if (!strcmp(shell, "bash")) {
        tool_completion_print(u, stdout);
        return TOOL_EXIT_OK;
    }
    fprintf(stderr, "%s: --completion %s: only bash is supported\n", u->prog, shell);
    return TOOL_EXIT_USAGE;
}
