# SPDX-License-Identifier: MIT
"""How it ended for a pair that others tried to part."""

from conftest import counters, stop


def end(pair, side):
    """Ends both, which have --stats; the counters of that side. It is still the first association."""
    found = stop(pair.server)
    assert found["conn.established"] == 1
    pair.client.wait()
    return found if side == "server" else counters(pair.client)
