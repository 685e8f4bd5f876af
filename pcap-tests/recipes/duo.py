# SPDX-License-Identifier: MIT
"""A client and a server with a middlebox between them, from start to outcome."""

import os

import dtls
from middlebox import Middlebox, sent
from peers import listening, say, start, stop

DATA = {side: sent(side, content=dtls.DATA, epoch=1) for side in "cs"}
CLOSE = {side: sent(side, content=dtls.ALERT, epoch=1) for side in "cs"}


# Outcomes, to be asked of a middlebox until one is true.

def seen(match, times=1):
    return lambda box: box.count(match) >= times


def ended(box):
    """The client gave up."""
    return box.peer.poll() is not None


def pings(times):
    """The client's data came so many times; for each that did it is told to send the next."""
    said = [1]

    def outcome(box):
        came = box.count(DATA["c"])
        if came >= said[0] and came < times:
            said[0] += 1
            say(box.peer, b"ping\n")
        return came >= times
    return outcome


def duo(path, server, client, rules=(), until=pings(1), seconds=12, goodbye=True, back_port=0):
    """server: its command, or None when one runs already."""
    box = Middlebox(path, rules, back_port)
    serving = start(server) if server else None
    box.peer = None
    try:
        if serving:
            listening()
        box.peer = start(client)
        say(box.peer, b"ping\n")
        outcome = box.run(until, seconds)
        if goodbye:
            say(box.peer, b"Q\n")
            box.run(seen(CLOSE["c"]), 2)
        box.run(lambda b: False, 0.2)  # what was sent last shall be in the file
    finally:
        box.close()
        stop(box.peer, serving)
    if not outcome:
        raise RuntimeError(f"not what was to happen in {os.path.basename(path)}")
