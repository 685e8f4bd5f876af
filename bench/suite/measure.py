# SPDX-License-Identifier: MIT
"""Rounds in which all servers of a figure take turns, and what they amount to."""

import json
import statistics
import subprocess
import sys

from server import DRIVE_S, Failed, Server, drive, each

STAY_CONNECTED_FROM = 100  # clients: connecting them again for each round would take longer than it
SPREAD_FROM = 100  # units of work in a round; with fewer one worker may have next to nothing
LEAST_SHARE = 0.2  # of the CPU time of the busiest worker
DID_SOME_WORK = 0.1  # of the messages; who receives less was not measured


def spread(values):
    """Median and quartiles."""
    if len(values) < 2:
        return {"median": values[0], "q1": values[0], "q3": values[0], "rounds": len(values)}
    q1, median, q3 = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "q1": q1, "q3": q3, "rounds": len(values)}


class Rounds:
    """One server of a figure over all rounds."""

    def __init__(self, driver, figure, peer, scale):
        self.driver, self.figure, self.peer = driver, figure, peer
        self.count = max(int(figure.count * scale), 20)
        self.args = peer.args(figure.role)
        self.load = [*figure.load, "-n", self.count]
        self.runs, self.server, self.load_process = [], None, None

    def round(self):
        if self.figure.clients >= STAY_CONNECTED_FROM:
            self.runs.append(self._again())
        else:
            self.runs.append(self._once())

    def _once(self):
        with Server(self.args) as server:
            run = drive(self.driver, server, *self.load)
            self._check_workers(server.thread_times())
            printed = server.end()
        return self._checked(run, printed)

    def _check_workers(self, times):
        """Each worker has its part: the kernel spreads clients by chance, and few say nothing."""
        if self.peer.workers == 1 or self.count < SPREAD_FROM:
            return
        if len(times) < self.peer.workers or min(times) < LEAST_SHARE * max(times):
            raise Failed(f"{self.args[0]}: a worker did no work: {times} ns of CPU time in its threads")

    def _checked(self, run, printed):
        if self.figure.size and self.figure.role == "sink":
            run["received"] = self.peer.received(printed, self.figure.size)
            run["lost"] = run["done"] - run["received"]
            run["done"] = run["received"]
        if run["done"] < max(1, DID_SOME_WORK * self.count):
            raise Failed(f"{self.args[0]} did no work: {run['done']} of {self.count}")
        return run

    def _again(self):
        if not self.server:
            self.server = Server(self.args)
            args = [self.driver, self.load[0], "-p", self.server.port, "-P", self.server.pid, *self.load[1:], "-i"]
            self.load_process = subprocess.Popen([str(a) for a in args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                                 text=True)
        self.load_process.stdin.write("\n")
        self.load_process.stdin.flush()
        line = self.load_process.stdout.readline()
        if not line:
            raise Failed(f"{self.args[0]}: the driver ended")
        return json.loads(line)

    def end(self):
        """Of those who stayed connected the losses are known only now, of all rounds together."""
        if not self.server:
            return
        self.load_process.stdin.close()
        self.load_process.wait(DRIVE_S)
        with self.server:
            printed = self.server.end()
        if self.figure.size and self.runs:
            asked = sum(run["done"] for run in self.runs)
            received = self.peer.received(printed, self.figure.size)
            if received < DID_SOME_WORK * asked:
                raise Failed(f"{self.args[0]} did no work: {received} of {asked}")
            for run in self.runs:
                run["lost"] = (asked - received) / len(self.runs)
                run["done"] -= run["lost"]

    def kill(self):
        for process in (self.load_process, self.server and self.server.process):
            if process and process.poll() is None:
                process.kill()
                process.wait()

    def result(self):
        done = [run["done"] for run in self.runs]
        of = lambda key, unit: spread([run[key] / unit / n for run, n in zip(self.runs, done)])
        r = {"cpu_us": of("cpu_ns", 1e3), "per_second": spread([n / run["wall_ns"] * 1e9 for run, n in zip(self.runs, done)]),
             "faults": of("faults", 1), "lost": spread([run["lost"] for run in self.runs]),
             "retransmits": spread([run["retransmits"] for run in self.runs]), "of": self.count}
        if self.figure.memory:
            r["user_kb"], r["kernel_kb"] = of("rss_kb", 1), of("slab_kb", 1)
        return r


def _available(figure, peers, results, names):
    for name in names:
        peer = peers[name]
        why = peer.missing()
        if not why and figure.size > peer.max_size:
            why = f"sends at most {peer.max_size} bytes"
        if why:
            results[name] = {"not_run": why}
        else:
            yield name, peer


def _count(driver, figure, peer):
    load = figure.counted_load or figure.load
    check = None
    if figure.size and figure.role == "sink":
        def check(printed, n):
            if peer.received(printed, figure.size) != n:
                raise Failed(f"{peer.program}: {peer.received(printed, figure.size)} of {n} messages under valgrind or strace")
    work = lambda server, n: drive(driver, server, *load, "-n", n)
    instructions, calls, names = each(peer.args(figure.role), work, figure.few, figure.many, check)
    return {"instructions": instructions, "system_calls": calls, "calls": names}


def _attempt(results, name, work):
    """A peer that fails is named in the report and on stderr; the others go on."""
    try:
        work()
        return True
    except (Failed, subprocess.TimeoutExpired) as e:
        print(f"ci/bench: {name}: {e}", file=sys.stderr)
        results[name] = {"failed": str(e)}
        return False


def measure(driver, figure, peers, rounds, scale, with_counts):
    """{peer: numbers}. The order of the peers turns round by round, as what comes first may have it better."""
    results = {}
    running = {name: Rounds(driver, figure, peer, scale)
               for name, peer in _available(figure, peers, results, dict.fromkeys((*figure.floors, *figure.peers)))}
    try:
        for i in range(rounds):
            for name in sorted(running, key=list(running).index, reverse=i % 2):
                if not _attempt(results, name, running[name].round):
                    running.pop(name).kill()
        for name, r in list(running.items()):
            if _attempt(results, name, r.end):
                results[name] = r.result()
    finally:
        for r in running.values():
            r.kill()
    for name in running if with_counts and figure.many else ():
        if "failed" not in results[name]:
            found = {}
            if _attempt(found, name, lambda: found.update(_count(driver, figure, peers[name]))):
                results[name].update(found)
            else:
                results[name]["not_counted"] = found[name]["failed"]
    return {name: results[name] for name in dict.fromkeys((*figure.floors, *figure.peers)) if name in results}
