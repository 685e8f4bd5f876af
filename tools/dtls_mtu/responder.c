/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/responder.h"

#include <poll.h>

#include "common/exit.h"
#include "common/fields.h"
#include "dtls_mtu/exit.h"
#include "dtls_mtu/message.h"
#include "dtls_mtu/stop.h"
#include "net/socket.h"
#include "sukat_dtls.h"

enum { IDLE_MS = 60000, ERROR_TEXT = 512 };

/* UDP payload that the kernel's route to this peer carries, as ICMP errors lowered it; 0 =
 * unknown. */
static uint16_t cached_payload(const sdtls_conn *c)
{
    int fd = sdtls_conn_fd(c);
    size_t payload = fd < 0 ? 0 : sd_socket_route_payload(fd);
    return payload < UINT16_MAX ? (uint16_t)payload : 0;
}

static int answer_message(sdtls_conn *c, const struct mtu_message *m, size_t padded)
{
    uint8_t text[MTU_MESSAGE_LEN];
    mtu_message_build(text, m);
    return padded ? sdtls_send_padded(c, text, sizeof text, padded)
                  : sdtls_send(c, text, sizeof text);
}

static void answer_in_size(sdtls_conn *c, const struct mtu_message *asked)
{
    struct mtu_message m = {MTU_MESSAGE_SENT, asked->id, asked->size, cached_payload(c)};
    if (!answer_message(c, &m, asked->size))
        return;
    m.type = MTU_MESSAGE_REFUSED;
    answer_message(c, &m, 0);
}

static void respond(const sdtls_event *ev)
{
    struct mtu_message m;
    if (!mtu_message_parse(&m, ev->data, ev->len)) {
        sdtls_send(ev->conn, ev->data, ev->len);
        return;
    }
    if (m.type == MTU_MESSAGE_ASK) {
        struct mtu_message arrived = {MTU_MESSAGE_ARRIVED, m.id, (uint16_t)ev->datagram,
                                      (uint16_t)ev->fragment};
        answer_message(ev->conn, &arrived, 0);
    } else if (m.type == MTU_MESSAGE_SEND) {
        answer_in_size(ev->conn, &m);
    }
}

static void print_addresses(const struct tool_out *out, const sdtls *d)
{
    const struct sockaddr *sa;
    socklen_t len;
    for (unsigned i = 0; (sa = sdtls_local(d, i, &len)); i++) {
        char text[TOOL_ADDR_TEXT];
        tool_addr_text(sa, len, text);
        if (!out->quiet)
            tool_say(out, 0, "Listening on %s", text);
        json_t *fields = json_object();
        tool_field(fields, "address", text);
        tool_event(out, "listening", fields);
    }
}

static void on_responder_event(const struct tool_out *out, const sdtls_event *ev)
{
    if (ev->type == SDTLS_EV_DATA)
        respond(ev);
    else if (ev->type == SDTLS_EV_READY)
        tool_say(out, 1, "%s connected", sdtls_peer_text(ev->conn));
    else if (ev->type == SDTLS_EV_CLOSED)
        tool_say(out, 1, "%s closed: %s", sdtls_peer_text(ev->conn),
                 ev->text ? ev->text : "the session is over");
}

static int serve_clients(sdtls *d, const struct tool_out *out, const struct tool_signals *signals)
{
    struct pollfd fds[] = {{.fd = sdtls_fd(d), .events = POLLIN},
                           {.fd = signals->fd, .events = POLLIN}};
    for (;;) {
        sdtls_event ev;
        int rc, sig;
        while ((rc = sdtls_next(d, &ev, 0)) > 0)
            on_responder_event(out, &ev);
        if (rc < 0) {
            tool_error(out, "%s", sdtls_errmsg(d));
            return MTU_EXIT_NO_ANSWER;
        }
        if ((sig = mtu_stop_signal(signals)))
            return MTU_EXIT_SIGNAL + sig;
        poll(fds, 2, -1);
    }
}

int mtu_responder_run(const struct mtu_config *c, const struct tool_out *out,
                      const struct tool_signals *signals)
{
    sdtls_config config = {SDTLS_CONFIG_INIT,       .cert_file = c->cert_file,
                           .key_file = c->key_file, .flags = SDTLS_F_SELF_SIGNED,
                           .family = c->family,     .idle_ms = IDLE_MS};
    sdtls *d = sdtls_new(&config);
    int rc = d ? sdtls_listen(d, c->target.host, c->target.port) : SDTLS_NOMEM;
    if (rc) {
        char words[ERROR_TEXT];
        tool_error(
            out, "%s",
            tool_library_text(d ? sdtls_errmsg(d) : sdtls_strerror(rc), words, sizeof words));
        sdtls_free(d);
        return tool_exit_of(rc, false) == TOOL_EXIT_USAGE ? MTU_EXIT_USAGE : MTU_EXIT_NO_ANSWER;
    }
    print_addresses(out, d);
    rc = serve_clients(d, out, signals);
    sdtls_free(d);
    return rc;
}
