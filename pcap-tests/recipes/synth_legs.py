# SPDX-License-Identifier: MIT
"""Written by hand: one handshake captured on both sides of a NAT or a relay."""

from scene import CLIENT, SERVER, Talk, recipe, retries

PUBLIC = ("203.0.113.9", 61000)  # what the NAT makes of CLIENT
RELAY = ("192.0.2.77", 3478)


class TwoLegs(Talk):
    """Each datagram goes into the device and comes out of it, unless `lost` (of a side) says no."""

    def __init__(self, scene, inner=(CLIENT, SERVER), outer=(PUBLIC, SERVER)):
        super().__init__(scene, *inner)
        self.legs, self.dead = {"c": (inner, outer), "s": (outer, inner)}, set()

    def put(self, side, payload):
        for n, (client, server) in enumerate(self.legs[side]):
            if n and side in self.dead:
                continue
            self.scene.put(*((client, server) if side == "c" else (server, client)), payload)


@recipe
def nat_both_legs(s):
    """From the server's flight on, its packets no longer come out of the NAT."""
    t = TwoLegs(s)
    t.cookie_exchange()
    t.dead.add("s")
    t.flight4()
    retries(s, lambda: (t.again("c"), t.again("s")))


@recipe
def nat_both_legs_not(s):
    """All of it comes out."""
    t = TwoLegs(s)
    t.cookie_exchange()
    t.flight4()
    t.finish()
    t.chat()


@recipe
def relay_both_legs(s):
    """A relay with other addresses on its far side; small packets of the server's flight are lost in it, too."""
    t = TwoLegs(s, (CLIENT, RELAY), (("192.0.2.77", 49160), SERVER))
    t.cookie_exchange()
    t.dead.add("s")
    t.fly("s", *([i] for i in sum(t.server_messages(), [])))
    retries(s, lambda: (t.again("c"), t.again("s")))


@recipe
def port_behind_nat(s):
    """A device talked from its port 5563; now the server sends a hello to the device's port 5684, in vain."""
    Talk(s, ("198.51.100.7", 5563)).whole()
    s.wait(10)
    t = Talk(s, SERVER, ("198.51.100.7", 5684), label="back")
    t.hello()
    retries(s, lambda: t.again("c"))
