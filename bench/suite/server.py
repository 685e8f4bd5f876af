# SPDX-License-Identifier: MIT
"""A server under load: started plain, under strace or under callgrind, driven, ended, read."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

START_S = 30  # valgrind starts slowly
END_S = 60
DRIVE_S = 600


class Failed(Exception):
    """A measurement did not do its work; the text says which and why."""


def _port_said(path):
    found = re.search(rb"^port (\d+)$", path.read_bytes(), re.M)
    return found and int(found[1])


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A running server; .port and .pid for the driver. stdout is kept in a file.

    It says "port N" first, or is told: "{port}" in an argument becomes a free one."""

    def __init__(self, args, wrapper=(), cwd=None):
        self.folder = tempfile.TemporaryDirectory(prefix="sdtls-bench-")
        self.out = pathlib.Path(self.folder.name, "stdout")
        self.err = pathlib.Path(self.folder.name, "stderr")
        port = free_port() if "{port}" in " ".join(map(str, args)) else None
        self.args = [*map(str, wrapper), *(str(a).replace("{port}", str(port)) for a in args)]
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(self.args, stdin=subprocess.PIPE, stdout=out, stderr=err, cwd=cwd)
        self.pid = self.process.pid
        self.port = port or self._wait(lambda: _port_said(self.out), "no port")
        if port:
            self._wait(self._bound, "port not bound")

    def _bound(self):
        """Whether somebody has bound the port, on any address."""
        wanted = f":{self.port:04X} "
        return any(wanted in open(f"/proc/net/{name}").read() for name in ("udp", "udp6"))

    def _wait(self, done, why):
        deadline = time.monotonic() + START_S
        while not (result := done()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise Failed(f"{' '.join(self.args)}: {why}: {self.err.read_text(errors='replace')[-500:]}")
            time.sleep(0.02)
        return result

    def thread_times(self):
        """CPU time of each thread, ns."""
        tasks = pathlib.Path(f"/proc/{self.pid}/task").iterdir()
        return [int((task / "schedstat").read_text().split()[0]) for task in tasks]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        """Ends it in order and returns what it printed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()
        return self.out.read_bytes()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
        self.process.stdin.close()
        self.folder.cleanup()


def drive(driver, server, mode, *options):
    """One run of the load generator; the object that it printed."""
    args = [str(a) for a in (driver, mode, "-p", server.port, "-P", server.pid, *options)]
    done = subprocess.run(args, capture_output=True, text=True, timeout=DRIVE_S)
    if done.returncode:
        raise Failed(f"{' '.join(server.args)}\n  {' '.join(args)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def messages_received(printed):
    """What our servers count themselves, in the last line of their output."""
    return json.loads(printed.splitlines()[-1])["messages"]


def instructions(path):
    """Instructions in user mode of a callgrind output."""
    return int(re.search(r"^(?:summary|totals): (\d+)", path.read_text(), re.M)[1])


def system_calls(path):
    """{name: calls} of the output of strace -c -U calls,name; the file comes after the program's end."""
    deadline = time.monotonic() + END_S
    while "total" not in (text := path.read_text() if path.exists() else ""):
        if time.monotonic() > deadline:
            raise Failed(f"strace wrote nothing to {path}")
        time.sleep(0.02)
    lines = re.findall(r"^\s*(\d+)\s+(\S+)$", text, re.M)
    return {name: int(calls) for calls, name in lines if name != "total"}


def counted(args, load, check=None, cwd=None):
    """What one server uses for one load, apart from time: (instructions, {system call: count}).

    load(server) drives; check(printed) looks whether the work was done."""
    with tempfile.TemporaryDirectory(prefix="sdtls-bench-") as folder:
        calls, grind = pathlib.Path(folder, "calls"), pathlib.Path(folder, "grind")
        wrappers = (["strace", "-D", "-f", "-c", "-U", "calls,name", "-o", calls],
                    ["valgrind", "--tool=callgrind", f"--callgrind-out-file={grind}", "-q"])
        for wrapper in wrappers:
            with Server(args, wrapper, cwd) as server:
                load(server)
                printed = server.end()
            if check:
                check(printed)
        return instructions(grind), system_calls(calls)


def each(args, load, few, many, check=None, **how):
    """(instructions, system calls, {name: calls}) for one unit of work: the difference of two runs,
    in which what a program does at its beginning and end is the same."""
    runs = [counted(args, lambda s, n=n: load(s, n), (lambda p, n=n: check(p, n)) if check else None, **how)
            for n in (few, many)]
    more = many - few
    names = {name: (runs[1][1].get(name, 0) - runs[0][1].get(name, 0)) / more
             for name in {*runs[0][1], *runs[1][1]}}
    used = {name: round(n, 2) for name, n in sorted(names.items(), key=lambda i: -i[1]) if abs(n) >= 0.005}
    return (runs[1][0] - runs[0][0]) / more, sum(names.values()), used


def need_root():
    if os.geteuid():
        raise Failed("the driver sends from many loopback addresses with large buffers: run it as root")
