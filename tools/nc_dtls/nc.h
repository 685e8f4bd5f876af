/* SPDX-License-Identifier: MIT */
/* What the files of nc_dtls share. */
#ifndef NC_NC_H
#define NC_NC_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "common/exit.h"
#include "common/output.h"
#include "common/signals.h"
#include "common/sink.h"
#include "nc_dtls/options.h"
#include "sukat_dtls.h"

enum { NC_DATAGRAM_MAX = 16384, NC_NEVER = -1, NC_US_PER_MS = 1000 };

/* What every worker counts, and somebody wants to know of all. */
enum nc_shared_count {
    NC_COUNT_PEERS,   /* established */
    NC_COUNT_WAITING, /* peers with an unsent rest */
    NC_COUNT_RUNNING, /* commands of --exec */
    NC_COUNT_SERVING, /* those whose peer is there */
    NC_COUNTS
};

/* What one worker asks of another one, as bits. */
enum {
    NC_ASK_TURN = 1,           /* of the main thread: look at stdin again */
    NC_ASK_SEND = 1 << 1,      /* the message to all peers */
    NC_ASK_REAP = 1 << 2,      /* commands have ended */
    NC_ASK_KILL_GONE = 1 << 3, /* commands whose peer has gone are in the way */
    NC_ASK_COUNTERS = 1 << 4,
    NC_ASK_LEAVE = 1 << 5, /* the main thread ends */
    NC_ASK_OVER = 1 << 6   /* of the main thread: a worker has ended */
};

/* The command that --exec runs for one peer. It may outlive the connection for
 * as long as it takes to read what is left. */
struct nc_child {
    sdtls_conn *conn; /* NULL once the peer has gone */
    char peer[TOOL_ADDR_TEXT];
    pid_t pid;      /* 0 once it is reaped */
    int to, from;   /* its stdin and stdout; -1 when closed */
    uint8_t *queue; /* bytes that its stdin has not taken yet */
    size_t queued;
    int next_signal; /* after the peer has gone: SIGTERM, then SIGKILL */
    uint64_t when;   /* that signal's time */
    TAILQ_ENTRY(nc_child) next;
};

/* An established connection; the connection's user pointer. */
struct nc_peer {
    sdtls_conn *conn;
    struct nc_child *child; /* --exec */
    bool paused;            /* not read: what it sends cannot be passed on now */
    bool blocked;           /* sdtls_send() said AGAIN: WRITABLE will come */
    uint8_t *unsent;        /* the rest of the message that is being sent, or NULL */
    size_t unsent_len;
    TAILQ_ENTRY(nc_peer) next;
};

/* stdin, read only while a peer is connected. */
struct nc_pump {
    bool ended;     /* nothing more can be read */
    bool done;      /* nor sent */
    size_t at, end; /* in buf: what is to be sent yet */
    uint8_t buf[NC_DATAGRAM_MAX];
};

/* What became of all data; for the end. */
struct nc_tally {
    uint64_t sent, sent_bytes; /* datagrams that the kernel took */
    uint64_t received, received_bytes;
    uint64_t refused, refused_bytes; /* datagrams that this host refused to send */
    uint64_t unsent_bytes;           /* that waited to be sent when their connection ended */
    uint64_t unwritten_bytes;        /* that stdout did not take */
    uint64_t unread_peers;           /* connections that ended while they were paused */
    char why[256];                   /* the last refusal */
};

struct nc_load; /* --clients; load.c */
struct nc_team; /* --workers */

struct nc {
    struct nc_config cfg;
    struct tool_out out;
    struct tool_signals signals;
    sdtls *s;
    void (*on_event)(struct nc *n, const sdtls_event *ev);
    void (*on_tick)(struct nc *n, uint64_t now); /* every turn of the loop; or NULL */
    TAILQ_HEAD(, nc_peer) peers;
    TAILQ_HEAD(, nc_child) children;
    struct nc_pump pump;
    struct tool_sink *payload; /* stdout, of all workers; see nc_lock() */
    struct tool_sink own_payload;
    bool gathers; /* its writes wait for the end of the turn */
    bool pauses;  /* peers were paused because of it, and have to be resumed */
    struct nc_tally tally;
    unsigned shared[NC_COUNTS]; /* by enum nc_shared_count; atomic */
    uint64_t *pace, next_send;  /* pace.c: ns, CLOCK_MONOTONIC; *pace is of all workers, atomic */
    struct nc_team *team;       /* NULL: one thread */
    int call_fd;                /* eventfd: `asked` has something; -1 without a team */
    unsigned asked;             /* NC_ASK_*; atomic */
    bool over;                  /* this worker's loop has ended; atomic */
    struct nc_load *load;
    int keylog_fd; /* -1 = none */
    const char *keylog_path;
    uint64_t wake; /* the loop turns at this time at the latest, ms; UINT64_MAX */
    uint64_t quit_at;
    uint64_t slowest_ms; /* the slowest handshake so far, ms; atomic */
    const char *leaving; /* why we close what is still open; NULL = not known */
    bool done, ended;    /* ended: by a signal */
    int status;
    int failure; /* of this side, while nothing else failed: the exit status; 0 = none */
};

/* --workers: what the threads share. */
struct nc_team {
    pthread_mutex_t lock; /* of stdout, and of what follows */
    sdtls_group *group;
    struct nc *member[NC_WORKERS];
    pthread_t thread[NC_WORKERS]; /* [0] is not used: the main thread */
    unsigned count, started;
    /* The message of stdin that is on its way to all peers. */
    uint8_t message[NC_DATAGRAM_MAX];
    size_t message_len;
    unsigned undelivered; /* workers that have not sent it yet; atomic */
    /* SIGUSR1: counters so far, and workers that have not added theirs. */
    uint64_t *sums;
    unsigned uncounted;
};

/* nc_dtls.c: from the arguments to the exit status. */
int nc_main(int argc, char **argv);

/* loop.c: runs until nc_quit(). */
void nc_loop(struct nc *n);

/* turn.c */
uint64_t nc_now(void); /* ms, CLOCK_MONOTONIC */
/* The loop must turn at this time. */
void nc_wake_at(struct nc *n, uint64_t when);
/* This connection has just completed its handshake. */
void nc_note_handshake(struct nc *n, const sdtls_conn *c);
/* Ends the loop; the first status counts. */
void nc_quit(struct nc *n, int status);
/* Ends the loop in good order once replies had the time of -q, at once with -N. Without both they
 * have 0.2 s and the time of the slowest handshake. */
void nc_quit_after_replies(struct nc *n);

/* client.c, server.c, load.c: each runs its role and returns the exit status. */
int nc_client(struct nc *n);
int nc_server(struct nc *n);
int nc_load(struct nc *n);
void nc_load_free(struct nc_load *l);

/* peer.c: what a client and a server both do with connections. */
struct nc_peer *nc_peer_add(struct nc *n, sdtls_conn *c); /* NULL: no memory; closes it */
void nc_peer_remove(struct nc *n, struct nc_peer *p);
void nc_close_all(struct nc *n); /* at the end */
struct nc_peer *nc_peer_of(const sdtls_event *ev);
void nc_peer_data(struct nc *n, const sdtls_event *ev);
void nc_peer_writable(struct nc *n, const sdtls_event *ev);

/* pause.c: stops reading from it; and goes on. */
void nc_peer_pause(struct nc_peer *p);
void nc_peer_resume(struct nc_peer *p);

/* send.c: sends a message, in pieces when it is larger than one datagram may be. What the socket or
 * the pace does not allow now stays with the peer; nothing more may be sent to it until then. */
void nc_send(struct nc *n, struct nc_peer *p, const void *data, size_t len);
void nc_send_writable(struct nc *n, struct nc_peer *p);
void nc_send_tick(struct nc *n);
void nc_send_forget(struct nc *n, struct nc_peer *p);
bool nc_all_sent(const struct nc *n);
/* One datagram; *done is how much of the data is dealt with. SDTLS_AGAIN: nothing, try again after
 * WRITABLE. Any other error is counted. */
int nc_send_piece(struct nc *n, sdtls_conn *c, const void *data, size_t len, size_t *done);

/* pace.c: how fast data may be sent, see --rate. */
void nc_pace_sent(struct nc *n, size_t len);
/* Whether the next datagram may go; else the loop turns when it may. */
bool nc_pace_ready(struct nc *n);

/* stdin.c */
bool nc_pump_wanted(struct nc *n);
void nc_pump_run(struct nc *n);
void nc_pump_tick(struct nc *n);

/* stdout.c: what stdout does not take now waits in memory. False when stdout is gone. */
bool nc_stdout(struct nc *n, const void *data, size_t len);
/* So much waits that no peer's data is wanted. */
bool nc_stdout_full(struct nc *n);
bool nc_stdout_waits(struct nc *n); /* something is not written yet */
int nc_stdout_wants(struct nc *n);  /* the descriptor to poll for POLLOUT, or -1 */
void nc_stdout_writable(struct nc *n);
/* Whether messages are gathered from now on; those that were are written. */
void nc_stdout_gather(struct nc *n, bool gather);
/* At the end: waits until stdout has taken everything, or a signal comes. */
void nc_stdout_finish(struct nc *n);

/* exec.c */
bool nc_exec(struct nc *n, struct nc_peer *p);
bool nc_exec_full(const struct nc_child *ch); /* its stdin is not read */
void nc_exec_data(struct nc *n, struct nc_child *ch, const void *data, size_t len);
/* The peer has gone. */
void nc_exec_hang_up(struct nc *n, struct nc_child *ch);
void nc_exec_reap(struct nc *n);
void nc_exec_kill_gone(struct nc *n); /* those whose peer has gone */
/* Signals the overdue and frees those that are done with. */
void nc_exec_tick(struct nc *n, uint64_t now);
void nc_exec_readable(struct nc *n, struct nc_child *ch);
void nc_exec_writable(struct nc *n, struct nc_child *ch);
/* Whether its stdout is to be read now. */
bool nc_exec_wanted(struct nc *n, const struct nc_child *ch);
/* At the end: hangs up on all, waits a moment, kills. */
void nc_exec_end(struct nc *n);

/* activate.c: serves the sockets from the service manager. How many, or an enum sdtls_err. */
int nc_adopt_activated(struct nc *n);

/* reload.c: SIGHUP means that this server reads its files again; otherwise it ends. */
bool nc_reloads(const struct nc *n);
void nc_reload(struct nc *n);

/* report.c: events as lines or JSON. */
void nc_report_error(const struct nc *n, int err); /* sdtls_errmsg(), with a hint */
void nc_report_listening(const struct nc *n);
void nc_report_connecting(const struct nc *n);
void nc_report_ready(const struct nc *n, const sdtls_event *ev);
void nc_report_other(const struct nc *n, const sdtls_event *ev);
void nc_report_closed(const struct nc *n, const sdtls_event *ev, bool established);
/* We end an established connection. */
void nc_report_leaving(const struct nc *n, sdtls_conn *c);
void nc_report_data(const struct nc *n, const char *peer, bool sent, size_t len);
/* The command for a peer has ended; status as of waitpid(). */
void nc_report_command(const struct nc *n, const char *peer, int status);
void nc_report_counters(const struct nc *n); /* of all workers, which have ended or are one */
void nc_report_sums(const struct nc *n, const uint64_t *sums);
void nc_report_probe(struct nc *n, const sdtls_event *ev);

/* workers.c */
unsigned nc_workers_usual(void);  /* CPUs that we may use */
bool nc_team_open(struct nc *n);  /* n->s and the other endpoints; false: no memory */
bool nc_team_start(struct nc *n); /* the threads */
void nc_team_stop(struct nc *n);  /* ends them, and adds up their tallies */
void nc_team_free(struct nc *n);  /* but for n->s */

/* team.c. Without a team these work for the one thread. */
void nc_lock(struct nc *n); /* stdout */
void nc_unlock(struct nc *n);
unsigned nc_team_size(const struct nc *n);
struct nc *nc_team_member(const struct nc *n, unsigned i);
void nc_team_count(struct nc *n, enum nc_shared_count which, int more);
unsigned nc_team_sum(const struct nc *n, enum nc_shared_count which);
void nc_team_ask(struct nc *to, unsigned what); /* NC_ASK_* */
void nc_team_ask_others(struct nc *n, unsigned what);
/* To the peers of all other workers; not before nc_team_delivered() says so of the one before. */
void nc_team_broadcast(struct nc *n, const void *data, size_t len);
bool nc_team_delivered(const struct nc *n);

/* asked.c */
void nc_team_asked(struct nc *n);   /* call_fd is readable */
void nc_counters_now(struct nc *n); /* prints them, while all workers go on */

/* counters.c: arrays of all counters, in the library's order; NULL: no memory. */
uint64_t *nc_counters_new(const struct nc *n);
void nc_counters_add(const struct nc *n, uint64_t *sums);
uint64_t *nc_counters_sum(const struct nc *n); /* of workers that have ended */

/* loss.c: the end, and what was lost on this host. True when something was. */
bool nc_report_end(struct nc *n);
void nc_tally_add(struct nc_tally *to, const struct nc_tally *from);

/* version.c */
int nc_version(const struct nc_config *c); /* -V; the exit status */

#endif
