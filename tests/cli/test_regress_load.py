# SPDX-License-Identifier: MIT
"""dtls_regress on a machine that has more to do than it can."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from test_regress import results

HOG_SECONDS = 600


@pytest.fixture
def load():
    """A load of 8 or more. The processes end by themselves where nobody ends them."""
    hog = f"import time\nend = time.monotonic() + {HOG_SECONDS}\nwhile time.monotonic() < end: pass"
    busy = [subprocess.Popen([sys.executable, "-c", hog]) for _ in range(max(8, 2 * os.cpu_count()))]
    yield
    early = [process.returncode for process in busy if process.poll() is not None]
    for process in busy:
        process.kill()
        process.wait()
    assert not early, f"{len(early)} processes ended early, with {early}"


def test_ten_runs_give_the_same_on_a_loaded_machine(load):
    with ThreadPoolExecutor(5) as pool:
        first, *others = pool.map(lambda _: results(), range(10))
    assert all(other == first for other in others)
