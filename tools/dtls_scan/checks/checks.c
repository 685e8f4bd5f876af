/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "dtls_scan/checks/check.h"

static const struct {
    const struct scan_check *rows;
    const size_t *count;
} check_tables[] = {
    {scan_protocol_checks, &scan_protocol_count},
    {scan_stack_checks, &scan_stack_count},
    {scan_service_checks, &scan_service_count},
    {scan_tolerance_checks, &scan_tolerance_count},
    {scan_suite_checks, &scan_suite_check_count},
    {scan_extension_checks, &scan_extension_count},
    {scan_session_checks, &scan_session_count},
    {scan_certificate_checks, &scan_certificate_count},
    {scan_listen_checks, &scan_listen_count},
    {scan_hello_checks, &scan_hello_count},
    {scan_behaviour_checks, &scan_behaviour_count},
    {scan_weakness_checks, &scan_weakness_count},
    {scan_robot_checks, &scan_robot_count},
};

const struct scan_check *scan_check_at(size_t index)
{
    for (size_t i = 0; i < sizeof check_tables / sizeof *check_tables; i++) {
        if (index < *check_tables[i].count)
            return &check_tables[i].rows[index];
        index -= *check_tables[i].count;
    }
    return NULL;
}

const struct scan_check *scan_check_find(const char *id)
{
    const struct scan_check *c = NULL;
    for (size_t i = 0; (c = scan_check_at(i)); i++)
        if (!strcmp(c->id, id))
            break;
    return c;
}

static const struct {
    const char *id, *title;
} group_rows[] = {
#define SCAN_X(name, id, title) [SCAN_GROUP_##name] = {id, title},
    SCAN_GROUPS(SCAN_X)
#undef SCAN_X
};

const char *scan_group_id(enum scan_group group)
{
    return group_rows[group].id;
}

const char *scan_group_title(enum scan_group group)
{
    return group_rows[group].title;
}
