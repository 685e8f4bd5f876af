/* SPDX-License-Identifier: MIT */
#include "flow/rules/catalogue.h"

#include <string.h>

const struct sd_entry sd_catalogue[] = {
#define SD_ENTRY(name, id, severity, title, cause, advice, reference)                              \
    {id, SD_##severity, title, cause, advice, reference},
#include "flow/rules/catalogue.def"
#undef SD_ENTRY
};

const size_t sd_catalogue_count = sizeof(sd_catalogue) / sizeof(sd_catalogue[0]);

const struct sd_entry *sd_catalogue_find(const char *id)
{
    for (size_t i = 0; i < sd_catalogue_count; i++)
        if (strcmp(sd_catalogue[i].id, id) == 0)
            return &sd_catalogue[i];
    return NULL;
}
