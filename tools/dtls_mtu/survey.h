/* One measurement of one target, with all that was learnt. */
#ifndef MTU_SURVEY_H
#define MTU_SURVEY_H

#include "common/output.h"
#include "common/signals.h"
#include "dtls_mtu/contact.h"
#include "dtls_mtu/handshake.h"
#include "dtls_mtu/measure.h"
#include "dtls_mtu/options.h"
#include "dtls_mtu/peer.h"
#include "dtls_mtu/ping.h"
#include "dtls_mtu/trace.h"
#include "flow/finding.h"

enum mtu_exit {
    MTU_EXIT_OK,
    MTU_EXIT_DEFECT,
    MTU_EXIT_USAGE,
    MTU_EXIT_NO_ANSWER,
    MTU_EXIT_NOT_MEASURABLE,
    MTU_EXIT_UNSURE,
    MTU_EXIT_SIGNAL = 128
};

enum { VERDICTS = 8, VERDICT_TEXT = 320 };

struct verdict {
    const struct sd_entry *entry; /* of the catalogue that dtls_probe has, too */
    enum sd_severity severity;
    char text[VERDICT_TEXT];
};

struct survey {
    const struct mtu_config *cfg;
    struct tool_out out;
    struct tool_signals signals;
    bool color, progress, shown; /* on stderr: a line of progress stands there */

    struct path path;
    struct contact contact;
    /* IP packet bytes: what leaves this host, of that the most that is tried, and what the
     * kernel remembers of the path. */
    unsigned interface, local, kernel;
    bool has_c2s, has_s2c;
    struct measured c2s, s2c;
    struct handshake handshake;
    struct peer peer;
    struct ping ping;
    struct trace trace;

    struct verdict verdicts[VERDICTS]; /* the worst first */
    unsigned verdict_count;
    int exit;
    sd_time begun, ended;
};

/* Measures; fills everything but verdicts. False when it was ended by a signal. */
bool survey_run(struct survey *s);
/* What the numbers mean: verdicts and exit status. */
void survey_judge(struct survey *s);
void survey_report(const struct survey *s);
void survey_json(const struct survey *s);
/* IP packet bytes of either direction; 0 = not known. */
unsigned survey_c2s(const struct survey *s);
unsigned survey_s2c(const struct survey *s);

/* On one host nothing but the server's own buffers limits a packet. */
bool survey_same_host(const struct survey *s);

#endif
