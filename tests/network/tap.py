# SPDX-License-Identifier: MIT
"""A wire tap between one client and a server, and a talk in both directions."""

import socket
import threading

import pytest


@pytest.fixture
def tap():
    """Forwards one client to a server's port; .port is where, .sizes those the client sent, .answers what came
    back. `change` makes of each datagram of the client what is forwarded."""
    opened = []

    class Tap:
        def __init__(self, port, change):
            self.change = change
            self.down, self.up = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
            self.down.bind(("127.0.0.1", 0))
            self.up.connect(("127.0.0.1", int(port)))
            self.port, self.sizes, self.client = self.down.getsockname()[1], [], None
            self.answers = []
            self.stop = threading.Event()
            self.threads = [threading.Thread(target=f) for f in (self.upwards, self.downwards)]
            for thread in self.threads:
                thread.start()

        def take(self, s):
            s.settimeout(0.1)
            while not self.stop.is_set():
                try:
                    yield s.recvfrom(65536)
                except (socket.timeout, ConnectionRefusedError):
                    pass

        def upwards(self):
            for data, self.client in self.take(self.down):
                self.sizes.append(len(data))
                self.up.send(self.change(data))

        def downwards(self):
            for data, _ in self.take(self.up):
                self.answers.append(data)
                if self.client:
                    self.down.sendto(data, self.client)

    def start(port, change=lambda data: data):
        opened.append(Tap(port, change))
        return opened[-1]

    yield start
    for one in opened:
        one.stop.set()
        for thread in one.threads:
            thread.join()
        one.down.close()
        one.up.close()


def both_say_something(one, other):
    one.send(b"from one\n")
    other.wait_for("out", "from one")
    other.send(b"from the other\n")
    one.wait_for("out", "from the other")
