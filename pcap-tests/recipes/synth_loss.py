# SPDX-License-Identifier: MIT
"""What looks like loss, copies or disorder and is not, beside what is."""

from scene import COOKIE, PSK_SUITE, Talk, recipe


@recipe
def small_messages(s):
    """Three whole messages, each in a small datagram of its own: nothing was cut."""
    t = Talk(s, suite=PSK_SUITE)
    t.cookie_exchange()
    t.fly("s", *t.server_messages())
    t.finish()
    t.chat()


@recipe
def timer_below_round_trip(s):
    """The client asks three times before the first answer can be there; each copy gets its answer."""
    t = Talk(s)
    t.hello()
    for _ in range(2):
        s.wait(0.1)
        t.again("c")
    s.wait(0.15)
    t.verify()
    t.hello(COOKIE)
    for _ in range(2):
        s.wait(0.1)
        t.verify()
        t.again("c")
    s.wait(0.15)
    t.flight4(padding=400)
    t.finish()
    t.chat()


@recipe
def restart_after_close(s):
    """Both sides closed before the client began again from the same port."""
    Talk(s, label="old").whole()
    s.wait(10)
    Talk(s, label="new").whole()


@recipe
def amplification_small(s):
    """The server's flight is small; only what it sends once the address is proved is large."""
    t = Talk(s, suite=PSK_SUITE)
    t.hello()
    t.flight4()
    t.finish()
    t.chat()
