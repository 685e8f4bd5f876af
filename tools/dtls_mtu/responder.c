#include "dtls_mtu/responder.h"

#include <poll.h>
#include <string.h>

#include "common/exit.h"
#include "dtls_mtu/message.h"
#include "net/socket.h"
#include "sukat_dtls.h"

enum { IDLE_MS = 60000 };

/* What the kernel learnt of the way to this peer, which ICMP told it. */
static uint16_t believed(const sdtls_conn *c)
{
    int fd = sdtls_conn_fd(c);
    size_t payload = fd < 0 ? 0 : sd_socket_route_payload(fd);
    return payload < UINT16_MAX ? (uint16_t)payload : 0;
}

static int say(sdtls_conn *c, const struct message *m, size_t padded)
{
    uint8_t text[MESSAGE_LEN];
    message_build(text, m);
    return padded ? sdtls_send_padded(c, text, sizeof text, padded)
                  : sdtls_send(c, text, sizeof text);
}

static void answer_in(sdtls_conn *c, const struct message *asked)
{
    struct message m = {MESSAGE_SENT, asked->id, asked->size, believed(c)};
    if (!say(c, &m, asked->size))
        return;
    m.type = MESSAGE_REFUSED;
    say(c, &m, 0);
}

static void on_data(const sdtls_event *ev)
{
    struct message m;
    if (!message_parse(&m, ev->data, ev->len)) {
        sdtls_send(ev->conn, ev->data, ev->len);
        return;
    }
    if (m.type == MESSAGE_ASK) {
        struct message arrived = {MESSAGE_ARRIVED, m.id, (uint16_t)ev->datagram,
                                  (uint16_t)ev->fragment};
        say(ev->conn, &arrived, 0);
    } else if (m.type == MESSAGE_SEND) {
        answer_in(ev->conn, &m);
    }
}

static void tell_listening(const struct survey *s, const sdtls *d)
{
    const struct sockaddr *sa;
    socklen_t len;
    for (unsigned i = 0; (sa = sdtls_local(d, i, &len)); i++) {
        char text[TOOL_ADDR_TEXT];
        tool_addr_text(sa, len, text);
        if (!s->cfg->quiet)
            tool_say(&s->out, 0, "Listening on %s", text);
        json_t *fields = json_object();
        tool_field(fields, "address", text);
        tool_event(&s->out, "listening", fields);
    }
}

static void on_event(const struct survey *s, const sdtls_event *ev)
{
    if (ev->type == SDTLS_EV_DATA)
        on_data(ev);
    else if (ev->type == SDTLS_EV_READY)
        tool_say(&s->out, 1, "%s connected", sdtls_peer_text(ev->conn));
    else if (ev->type == SDTLS_EV_CLOSED)
        tool_say(&s->out, 1, "%s closed: %s", sdtls_peer_text(ev->conn),
                 ev->text ? ev->text : "done");
}

static int serve(struct survey *s, sdtls *d)
{
    struct pollfd fds[] = {{.fd = sdtls_fd(d), .events = POLLIN},
                           {.fd = s->signals.fd, .events = POLLIN}};
    for (;;) {
        sdtls_event ev;
        int rc, sig;
        while ((rc = sdtls_next(d, &ev, 0)) > 0)
            on_event(s, &ev);
        if (rc < 0) {
            tool_error(&s->out, "%s", sdtls_errmsg(d));
            return MTU_EXIT_NO_ANSWER;
        }
        while ((sig = tool_signals_next(&s->signals)))
            if (sig == SIGINT || sig == SIGTERM || sig == SIGHUP)
                return MTU_EXIT_SIGNAL + sig;
        poll(fds, 2, -1);
    }
}

int responder_run(struct survey *s)
{
    const struct mtu_config *c = s->cfg;
    sdtls_config config = {SDTLS_CONFIG_INIT,       .cert_file = c->cert_file,
                           .key_file = c->key_file, .flags = SDTLS_F_SELF_SIGNED,
                           .family = c->family,     .idle_ms = IDLE_MS};
    sdtls *d = sdtls_new(&config);
    int rc = d ? sdtls_listen(d, c->target.host, c->target.port) : SDTLS_NOMEM;
    if (rc) {
        tool_error(&s->out, "%s", d ? sdtls_errmsg(d) : sdtls_strerror(rc));
        sdtls_free(d);
        return tool_exit_of(rc, false) == TOOL_EXIT_USAGE ? MTU_EXIT_USAGE : MTU_EXIT_NO_ANSWER;
    }
    tell_listening(s, d);
    rc = serve(s, d);
    sdtls_free(d);
    return rc;
}
