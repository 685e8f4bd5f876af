/* SPDX-License-Identifier: MIT */
/* drive: the load that every server gets, ours and the others, and what the server used for it.
 *
 *   drive MODE -p PORT [-P PID] [-n COUNT] [-c CLIENTS] [-w WINDOW] [-s SIZE] [-e ECHOES]
 *              [-r RATE] [-k PSK] [-i]
 *
 * Prints one JSON object. Fails when the work was not done, so that nothing that merely dropped
 * its load looks fast. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive.h"
#include "process.h"

static uint64_t slab_kb(void)
{
    char line[128];
    uint64_t kb = 0;
    FILE *f = fopen("/proc/meminfo", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Slab: %" SCNu64, &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb;
}

void drive_begin(struct drive *d)
{
    if (d->pid && !process_settle(d->pid))
        die("the server is gone, or never idle");
    d->cpu_ns = process_cpu(d->pid);
    d->faults = process_faults(d->pid);
    d->rss_kb = process_rss(d->pid);
    d->slab_kb = slab_kb();
    d->wall_ns = process_now();
}

void drive_end(struct drive *d)
{
    clients_flush();
    d->wall_ns = process_now() - d->wall_ns;
    if (d->pid && !process_settle(d->pid))
        die("the server is gone, or never idle");
    d->cpu_ns = process_cpu(d->pid) - d->cpu_ns;
    d->faults = process_faults(d->pid) - d->faults;
    d->rss_kb = process_rss(d->pid) - d->rss_kb;
    d->slab_kb = slab_kb() - d->slab_kb;
}

static void print_result(const struct drive *d)
{
    printf("{\"mode\": \"%s\", \"done\": %" PRIu64 ", \"lost\": %" PRIu64
           ", \"retransmits\": %" PRIu64 ", \"wall_ns\": %" PRIu64,
           d->mode, d->done, d->lost, d->retransmits, d->wall_ns);
    if (d->pid)
        printf(", \"cpu_ns\": %" PRIu64 ", \"faults\": %" PRIu64 ", \"rss_kb\": %" PRId64
               ", \"slab_kb\": %" PRId64,
               d->cpu_ns, d->faults, (int64_t)d->rss_kb, (int64_t)d->slab_kb);
    puts("}");
    fflush(stdout);
}

static void connect_clients(struct drive *d)
{
    clients_prepare(&d->set, 0, d->clients);
    drive_handshakes(d, 0, d->clients, true);
}

static void handshake_mode(struct drive *d)
{
    if (d->resume)
        drive_session(d);
    clients_prepare(&d->set, 0, d->count);
    drive_begin(d);
    drive_handshakes(d, 0, d->count, false);
    drive_end(d);
}

static void resume_mode(struct drive *d)
{
    d->resume = true;
    handshake_mode(d);
}

/* With -i once for each line of stdin, so that rounds of several servers can take turns while their
 * clients stay connected. */
static void repeat(struct drive *d, void (*work)(struct drive *d))
{
    char line[8];
    connect_clients(d);
    do {
        if (d->interactive && !fgets(line, sizeof line, stdin))
            exit(0);
        drive_begin(d);
        work(d);
        drive_end(d);
        if (d->interactive)
            print_result(d);
    } while (d->interactive);
}

static void hello_mode(struct drive *d)
{
    repeat(d, drive_hellos);
}

static void message_mode(struct drive *d)
{
    repeat(d, drive_messages);
}

static void echo_mode(struct drive *d)
{
    repeat(d, drive_echo);
}

/* The first client pays for what the server needs once. */
static void idle_mode(struct drive *d)
{
    clients_prepare(&d->set, 0, d->count + 1);
    drive_handshakes(d, 0, 1, true);
    drive_begin(d);
    drive_handshakes(d, 1, d->count + 1, true);
    drive_end(d);
}

static void half_mode(struct drive *d)
{
    clients_prepare(&d->set, 0, d->count + 1);
    drive_handshakes(d, 0, 1, true);
    drive_begin(d);
    drive_half_open(d, 1, d->count + 1);
    drive_end(d);
}

static const struct mode {
    const char *name;
    void (*run)(struct drive *d);
    bool clients_are_counted; /* COUNT is a number of clients */
} modes[] = {{"hello", hello_mode, false},  {"handshake", handshake_mode, true},
             {"resume", resume_mode, true}, {"message", message_mode, false},
             {"echo", echo_mode, false},    {"idle", idle_mode, true},
             {"half-open", half_mode, true}};

static const struct mode *find_mode(const char *name)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(name, modes[i].name))
            return &modes[i];
    die("no mode %s", name);
}

static unsigned number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || end == text || n > 100000000)
        die("%s is no number", text);
    return (unsigned)n;
}

static void read_options(struct drive *d, int argc, char **argv)
{
    for (int o; (o = getopt(argc, argv, "p:P:n:c:w:s:e:r:k:i")) != -1;) {
        if (o == 'k')
            d->psk = optarg;
        else if (o == '?')
            exit(2);
        else if (o == 'i')
            d->interactive = true;
        else
            *(o == 'n'   ? &d->count
              : o == 'c' ? &d->clients
              : o == 'w' ? &d->window
              : o == 's' ? &d->size
              : o == 'e' ? &d->echoes
              : o == 'r' ? &d->rate
              : o == 'P' ? (unsigned *)&d->pid
                         : &(unsigned){0}) = number(optarg);
        if (o == 'p')
            d->port = (unsigned short)number(optarg);
    }
    if (!d->window || d->size < 1 || d->size > 16384)
        die("a window of at least 1, messages of 1 to 16384 bytes");
}

int main(int argc, char **argv)
{
    static struct drive d = {.count = 1000, .clients = 0, .window = 1, .size = 1200, .echoes = 1};
    if (argc < 2)
        die("usage: drive MODE -p PORT [-P PID] [-n COUNT] [-c CLIENTS] [-w WINDOW] [-s SIZE] "
            "[-e ECHOES] [-r RATE] [-k PSK] [-i]");
    const struct mode *m = find_mode(argv[1]);
    optind = 2;
    read_options(&d, argc, argv);
    clients_init(&d.set, m->clients_are_counted ? d.count + 1 : d.clients, d.port, d.psk);
    d.mode = m->name;
    m->run(&d);
    print_result(&d);
    return 0;
}
