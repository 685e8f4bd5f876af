/* lib/net: accept, reply, connect, close over loopback. */
#include "net_tools.h"

static void a_first_datagram_is_unknown_and_a_second_belongs_to_its_peer(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    int fd = sender("127.0.0.1");
    send_text(fd, &at, "hello");
    struct sd_datagram got = next_datagram(d);
    assert_null(got.to);
    assert_int_equal(got.len, 5);
    assert_memory_equal(got.data, "hello", 5);
    assert_true(sd_addr_eq(&got.local, &at));
    assert_int_equal(sd_demux_reply(d, &got, "who?", 4), 0);
    expect_text(fd, "who?");
    struct sd_peer *p = sd_demux_accept(d, &got, &at);
    assert_non_null(p);
    assert_true(sd_peer_fd(p) >= 0);
    assert_ptr_equal(sd_peer_user(p), &at);
    assert_int_equal(sd_peer_send(p, "welcome", 7), 0);
    expect_text(fd, "welcome");
    send_text(fd, &at, "again");
    got = next_datagram(d);
    assert_ptr_equal(got.to, p);
    assert_memory_equal(got.data, "again", 5);
    assert_true(sd_peer_route_payload(p) > 1200);
    sd_demux_close(d, p);
    send_text(fd, &at, "after");
    got = next_datagram(d);
    assert_null(got.to);
    sd_demux_free(d);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_datagram_is_unknown_and_a_second_belongs_to_its_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
