#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/exit.h"
#include "common/options.h"
#include "common/parse.h"
#include "common/term.h"
#include "common/text.h"

/* getopt_long() returns this plus the index in the table for a long option. */
enum { LONG_BASE = 256, NAME_MAX_LEN = 32 };

const struct tool_choice tool_colors[] = {{"auto", TOOL_COLOR_AUTO},
                                          {"always", TOOL_COLOR_ALWAYS},
                                          {"never", TOOL_COLOR_NEVER},
                                          {NULL, 0}};

bool tool_wrong(char why[static TOOL_WHY], const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, TOOL_WHY, fmt, ap);
    va_end(ap);
    return false;
}

static const char *proper_name(const struct tool_opt *o, char name[static NAME_MAX_LEN])
{
    snprintf(name, NAME_MAX_LEN, "%.*s", (int)strcspn(o->names, ","), o->names);
    return name;
}

static void *field(void *config, const struct tool_opt *o)
{
    return (char *)config + o->offset;
}

static bool set_choice(void *config, const struct tool_opt *o, const char *arg)
{
    for (const struct tool_choice *c = o->choices; c->name; c++) {
        if (strcmp(c->name, arg))
            continue;
        *(int *)field(config, o) = c->value;
        return true;
    }
    return false;
}

static bool set_uint(void *config, const struct tool_opt *o, const char *arg)
{
    unsigned max = o->value ? (unsigned)o->value : UINT32_MAX;
    return tool_parse_uint(arg, max, field(config, o));
}

static bool add_to_list(const char **list, int room, const char *arg)
{
    for (int i = 0; i < room; i++) {
        if (list[i])
            continue;
        list[i] = arg;
        return true;
    }
    return false;
}

static bool apply(void *config, const struct tool_opt *o, const char *arg)
{
    switch (o->kind) {
    case TOOL_FLAG:
        *(bool *)field(config, o) = true;
        return true;
    case TOOL_COUNT:
        ++*(unsigned *)field(config, o);
        return true;
    case TOOL_SET:
        *(int *)field(config, o) = o->value;
        return true;
    case TOOL_OR:
        *(unsigned *)field(config, o) |= (unsigned)o->value;
        return true;
    case TOOL_TEXT:
        *(const char **)field(config, o) = arg;
        return true;
    case TOOL_UINT:
        return set_uint(config, o, arg);
    case TOOL_PORT:
        return tool_parse_port(arg, field(config, o));
    case TOOL_SECONDS:
        return tool_parse_ms(arg, 1000, field(config, o));
    case TOOL_MILLIS:
        return tool_parse_ms(arg, 1, field(config, o));
    case TOOL_CHOICE:
        return set_choice(config, o, arg);
    case TOOL_LIST:
        return add_to_list(field(config, o), o->value, arg);
    }
    return false;
}

static void list_choices(const struct tool_choice *c, char *buf, size_t cap)
{
    size_t at = 0;
    buf[0] = '\0';
    for (; c->name && at < cap; c++)
        at += (size_t)snprintf(buf + at, cap - at, "%s%s", at ? ", " : "", c->name);
}

static bool bad_value(const struct tool_opt *o, const char *arg, char why[static TOOL_WHY])
{
    char name[NAME_MAX_LEN], list[128];
    proper_name(o, name);
    switch (o->kind) {
    case TOOL_CHOICE:
        list_choices(o->choices, list, sizeof list);
        return tool_wrong(why, "--%s '%s': must be one of %s", name, arg, list);
    case TOOL_SECONDS:
    case TOOL_MILLIS:
        return tool_wrong(why, "--%s '%s': not a time such as 2, 1.5s, 300ms or 5m", name, arg);
    case TOOL_PORT:
        return tool_wrong(why, "--%s '%s': not a port number", name, arg);
    case TOOL_LIST:
        return tool_wrong(why, "--%s '%s': at most %d of them", name, arg, o->value);
    default:
        if (o->value)
            return tool_wrong(why, "--%s '%s': not a number from 0 to %d", name, arg, o->value);
        return tool_wrong(why, "--%s '%s': not a number", name, arg);
    }
}

struct tables {
    struct option *longs;
    char *names; /* the strings that `longs` points into */
    char *shorts;
};

static void tables_free(struct tables *t)
{
    free(t->longs);
    free(t->names);
    free(t->shorts);
}

static bool tables_alloc(const struct tool_usage *u, struct tables *t)
{
    size_t names = 1, bytes = 1;
    for (size_t i = 0; i < u->count; i++) {
        bytes += strlen(u->opts[i].names) + 1;
        for (const char *p = u->opts[i].names; p; p = strchr(p + 1, ','))
            names++;
    }
    t->longs = calloc(names, sizeof *t->longs);
    t->names = malloc(bytes);
    t->shorts = malloc(2 * u->count + 2);
    return t->longs && t->names && t->shorts;
}

static bool tables_make(const struct tool_usage *u, struct tables *t)
{
    if (!tables_alloc(u, t))
        return false;
    struct option *next = t->longs;
    char *names = t->names, *shorts = t->shorts;
    *shorts++ = ':'; /* tell a missing argument from an unknown option */
    for (size_t i = 0; i < u->count; i++) {
        const struct tool_opt *o = &u->opts[i];
        if (o->letter)
            *shorts++ = o->letter;
        if (o->letter && o->arg)
            *shorts++ = ':';
        char *end = stpcpy(names, o->names), *save = NULL;
        for (char *n = strtok_r(names, ",", &save); n; n = strtok_r(NULL, ",", &save))
            *next++ = (struct option){n, o->arg ? required_argument : no_argument, NULL,
                                      LONG_BASE + (int)i};
        names = end + 1;
    }
    *shorts = '\0';
    return true;
}

static const struct tool_opt *option_of(const struct tool_usage *u, int c)
{
    if (c >= LONG_BASE)
        return &u->opts[c - LONG_BASE];
    for (size_t i = 0; i < u->count; i++)
        if (u->opts[i].letter == c)
            return &u->opts[i];
    return NULL;
}

static bool refused(const struct tool_usage *u, int c, char **argv, char why[static TOOL_WHY])
{
    char name[NAME_MAX_LEN];
    const struct tool_opt *o = optopt ? option_of(u, optopt) : NULL;
    if (c == ':' && o)
        return tool_wrong(why, "--%s needs an argument: %s", proper_name(o, name), o->arg);
    if (o && optopt >= LONG_BASE)
        return tool_wrong(why, "--%s takes no argument", proper_name(o, name));
    if (optopt)
        return tool_wrong(why, "unknown option -%c", optopt);
    return tool_wrong(why, "unknown or ambiguous option %s", argv[optind - 1]);
}

static bool parse_all(const struct tool_usage *u, const struct tables *t, void *config, int argc,
                      char **argv, char why[static TOOL_WHY])
{
    opterr = 0;
    optind = 0; /* glibc: start anew, also for a second command line */
    for (;;) {
        optopt = 0;
        int c = getopt_long(argc, argv, t->shorts, t->longs, NULL);
        if (c == -1)
            return true;
        if (c == '?' || c == ':')
            return refused(u, c, argv, why);
        const struct tool_opt *o = option_of(u, c);
        if (!apply(config, o, optarg))
            return bad_value(o, optarg, why);
    }
}

bool tool_options_parse(const struct tool_usage *u, void *config, int argc, char **argv, int *rest,
                        char why[static TOOL_WHY])
{
    struct tables t = {0};
    bool ok = tables_make(u, &t) ? parse_all(u, &t, config, argc, argv, why)
                                 : tool_wrong(why, "out of memory");
    tables_free(&t);
    *rest = optind;
    return ok;
}

/* "  -c, --certificate, --cert FILE" */
static int print_left(const struct tool_opt *o, FILE *to)
{
    int n = o->letter ? fprintf(to, "  -%c, ", o->letter) : fprintf(to, "      ");
    for (const char *p = o->names; *p;) {
        int len = (int)strcspn(p, ",");
        n += fprintf(to, "%s--%.*s", p == o->names ? "" : ", ", len, p);
        p += len + (p[len] == ',');
    }
    return n + (o->arg ? fprintf(to, " %s", o->arg) : 0);
}

void tool_usage_print(const struct tool_usage *u, FILE *to)
{
    enum { HELP_COLUMN = 34, HELP_WIDTH = 100 };
    const char *group = "";
    fprintf(to, "%s\n\n%s\n", u->about, u->synopsis);
    for (size_t i = 0; i < u->count; i++) {
        const struct tool_opt *o = &u->opts[i];
        if (!o->group)
            continue;
        if (strcmp(group, o->group))
            fprintf(to, "\n%s:\n", o->group);
        group = o->group;
        tool_wrap_after(to, (unsigned)print_left(o, to), o->help, HELP_COLUMN, HELP_WIDTH);
    }
    if (u->notes)
        fprintf(to, "\n%s", u->notes);
}

static bool takes_path(const struct tool_opt *o)
{
    return o->arg && (strstr(o->arg, "FILE") || strstr(o->arg, "DIR"));
}

/* Options as words: "-c --certificate --cert". */
static void print_words(const struct tool_opt *o, const char *between, FILE *to)
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

static void print_argument_case(const struct tool_opt *o, FILE *to)
{
    char list[128];
    if (!takes_path(o) && o->kind != TOOL_CHOICE)
        return;
    fprintf(to, "    ");
    print_words(o, "|", to);
    if (o->kind == TOOL_CHOICE) {
        list_choices(o->choices, list, sizeof list);
        for (char *p = list; *p; p++)
            if (*p == ',')
                *p = ' ';
        fprintf(to, ") COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); return;;\n", list);
    } else {
        fprintf(to, ") COMPREPLY=($(compgen -f -- \"$cur\")); return;;\n");
    }
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
        fprintf(to, "%s", sep);
        print_words(&u->opts[i], " ", to);
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
    fprintf(stderr, "%s: --completion %s: only bash is known\n", u->prog, shell);
    return TOOL_EXIT_USAGE;
}
