/* SPDX-License-Identifier: MIT */
#include "dtls_scan/report/report.h"

enum scan_level scan_report_worst(const struct scan_report *r)
{
    enum scan_level worst = SCAN_OK;
    for (size_t i = 0; i < r->count; i++)
        if (r->results[i].outcome.level > worst)
            worst = r->results[i].outcome.level;
    return worst;
}

const char *scan_stop_text(enum scan_stop stop)
{
    static const char *const texts[] = {
        [SCAN_GO] = "",
        [SCAN_STOP_BUDGET] = "the limit of datagrams was reached (--max-datagrams)",
        [SCAN_STOP_TIME] = "the time limit was reached (--timeout)",
        [SCAN_STOP_SIGNAL] = "the scan was interrupted",
        [SCAN_STOP_MUTE] =
            ("the server stopped answering: it is busy with one client, has crashed, "
             "or blocks this address"),
        [SCAN_STOP_LOCAL] = "this host could not send"};
    return texts[stop];
}
