#include "dtls_regress/experiments.h"

#include <string.h>

const struct experiment *experiment_at(size_t index)
{
    const struct {
        const struct experiment *list;
        size_t count;
    } groups[] = {{listen_experiments, listen_count},   {error_experiments, error_count},
                  {forgery_experiments, forgery_count}, {timer_experiments, timer_count},
                  {mtu_experiments, mtu_count},         {read_experiments, read_count},
                  {session_experiments, session_count}, {memory_experiments, memory_count}};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (index < groups[i].count)
            return &groups[i].list[index];
        index -= groups[i].count;
    }
    return NULL;
}

const struct experiment *experiment_find(const char *name)
{
    const struct experiment *e;
    for (size_t i = 0; (e = experiment_at(i)); i++)
        if (!strcmp(e->name, name))
            return e;
    return NULL;
}
