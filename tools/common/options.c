/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "common/parse.h"
#include "common/term.h"

/* getopt_long() returns this plus the index in the table for a long option. */
enum { LONG_BASE = 256, NAME_MAX_LEN = 32 };

const struct tool_choice tool_colors[] = {{"auto", TOOL_COLOR_AUTO},
                                          {"always", TOOL_COLOR_ALWAYS},
                                          {"never", TOOL_COLOR_NEVER},
                                          {NULL, 0}};

static const char *option_name(const struct tool_opt *o, char name[static NAME_MAX_LEN])
{
    snprintf(name, NAME_MAX_LEN, "%.*s", (int)strcspn(o->names, ","), o->names);
    return name;
}

static void *option_field(void *config, const struct tool_opt *o)
{
    return (char *)config + o->offset;
}

static bool set_choice(void *config, const struct tool_opt *o, const char *arg)
{
    for (const struct tool_choice *c = o->choices; c->name; c++) {
        if (strcmp(c->name, arg))
            continue;
        *(int *)option_field(config, o) = c->value;
        return true;
    }
    return false;
}

static bool set_uint(void *config, const struct tool_opt *o, const char *arg)
{
    unsigned max = o->value ? (unsigned)o->value : UINT32_MAX;
    return tool_parse_uint(arg, max, option_field(config, o));
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

static bool apply_option(void *config, const struct tool_opt *o, const char *arg)
{
    switch (o->kind) {
    case TOOL_FLAG:
        *(bool *)option_field(config, o) = true;
        return true;
    case TOOL_COUNT:
        ++*(unsigned *)option_field(config, o);
        return true;
    case TOOL_SET:
        *(int *)option_field(config, o) = o->value;
        return true;
    case TOOL_OR:
        *(unsigned *)option_field(config, o) |= (unsigned)o->value;
        return true;
    case TOOL_TEXT:
        *(const char **)option_field(config, o) = arg;
        return true;
    case TOOL_UINT:
        return set_uint(config, o, arg);
    case TOOL_PORT:
        return tool_parse_port(arg, option_field(config, o));
    case TOOL_SECONDS:
        return tool_parse_ms(arg, TOOL_MS_PER_SEC, option_field(config, o));
    case TOOL_MILLIS:
        return tool_parse_ms(arg, 1, option_field(config, o));
    case TOOL_CHOICE:
        return set_choice(config, o, arg);
    case TOOL_LIST:
        return add_to_list(option_field(config, o), o->value, arg);
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
    option_name(o, name);
    switch (o->kind) {
    case TOOL_CHOICE:
        list_choices(o->choices, list, sizeof list);
        return tool_wrong(why, "--%s '%s': use one of %s", name, arg, list);
    case TOOL_SECONDS:
    case TOOL_MILLIS:
        return tool_wrong(why, "--%s '%s': not a time such as 2, 1.5s, 300ms or 5m", name, arg);
    case TOOL_PORT:
        return tool_wrong(why, "--%s '%s': not a port number (0 to 65535)", name, arg);
    case TOOL_LIST:
        return tool_wrong(why, "--%s '%s': --%s may be given %d times at most", name, arg, name,
                          o->value);
    default:
        if (o->value)
            return tool_wrong(why, "--%s '%s': not a number from 0 to %d", name, arg, o->value);
        return tool_wrong(why, "--%s '%s': not a number", name, arg);
    }
}

struct getopt_tables {
    struct option *longs;
    char *names; /* the strings that `longs` points into */
    char *shorts;
};

static void tables_free(struct getopt_tables *t)
{
    free(t->longs);
    free(t->names);
    free(t->shorts);
}

static bool tables_alloc(const struct tool_usage *u, struct getopt_tables *t)
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

static bool tables_make(const struct tool_usage *u, struct getopt_tables *t)
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

static bool bad_option(const struct tool_usage *u, int c, char **argv, char why[static TOOL_WHY])
{
    char name[NAME_MAX_LEN];
    const struct tool_opt *o = optopt ? option_of(u, optopt) : NULL;
    if (c == ':' && o)
        return tool_wrong(why, "--%s needs an argument: %s", option_name(o, name), o->arg);
    if (o && optopt >= LONG_BASE)
        return tool_wrong(why, "--%s takes no argument", option_name(o, name));
    if (optopt)
        return tool_wrong(why, "unknown option -%c", optopt);
    return tool_wrong(why, "unknown or ambiguous option %s", argv[optind - 1]);
}

static bool parse_all(const struct tool_usage *u, const struct getopt_tables *t, void *config,
                      int argc, char **argv, char why[static TOOL_WHY])
{
    opterr = 0;
    optind = 0; /* glibc: start again, also for a second command line */
    for (;;) {
        optopt = 0;
        int c = getopt_long(argc, argv, t->shorts, t->longs, NULL);
        if (c == -1)
            return true;
        if (c == '?' || c == ':')
            return bad_option(u, c, argv, why);
        const struct tool_opt *o = option_of(u, c);
        if (!apply_option(config, o, optarg))
            return bad_value(o, optarg, why);
    }
}

bool tool_options_parse(const struct tool_usage *u, void *config, int argc, char **argv, int *rest,
                        char why[static TOOL_WHY])
{
    struct getopt_tables t = {0};
    bool ok = tables_make(u, &t) ? parse_all(u, &t, config, argc, argv, why)
                                 : tool_wrong(why, "out of memory");
    tables_free(&t);
    *rest = optind;
    return ok;
}
