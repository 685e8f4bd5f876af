/* SPDX-License-Identifier: MIT */
#include "dtls_regress/checks.h"

#include <string.h>

const struct regress_check *regress_check_at(size_t index)
{
    const struct {
        const struct regress_check *list;
        size_t count;
    } groups[] = {{regress_listen_checks, regress_listen_count},
                  {regress_error_checks, regress_error_count},
                  {regress_forgery_checks, regress_forgery_count},
                  {regress_timer_checks, regress_timer_count},
                  {regress_mtu_checks, regress_mtu_count},
                  {regress_read_checks, regress_read_count},
                  {regress_session_checks, regress_session_count},
                  {regress_memory_checks, regress_memory_count}};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (index < groups[i].count)
            return &groups[i].list[index];
        index -= groups[i].count;
    }
    return NULL;
}

const struct regress_check *regress_check_find(const char *name)
{
    const struct regress_check *c;
    for (size_t i = 0; (c = regress_check_at(i)); i++)
        if (!strcmp(c->name, name))
            return c;
    return NULL;
}
