# SPDX-License-Identifier: MIT
"""What the numbers were measured on, and whether it was quiet."""

import os
import platform
import re
import subprocess

from peers import version_of

QUIET_LOAD = 0.3  # of the minute before


def _first(pattern, path):
    found = re.search(pattern, open(path).read(), re.M)
    return found[1] if found else "unknown"


def _package(name):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def _steal():
    return int(open("/proc/stat").readline().split()[8])


def describe(servers, library):
    """Everything that is known before; the rest is added by quiet()."""
    versions = {name: v for name, peer in servers.items() if (v := version_of(peer))}
    for package in ("libwolfssl-dev", "libmbedtls-dev", "valgrind", "strace", "tcpdump", "tshark"):
        if v := _package(package):
            versions[package] = v
    linked = subprocess.run(["ldd", library], capture_output=True, text=True, check=False).stdout
    return {"processor": _first(r"^model name\s*: (.*)$", "/proc/cpuinfo"), "processors": os.cpu_count(),
            "memory_gb": round(int(_first(r"^MemTotal:\s*(\d+)", "/proc/meminfo")) / 2**20, 1),
            "kernel": platform.release(), "system": _first(r'^PRETTY_NAME="(.*)"', "/etc/os-release"),
            "libssl": (re.search(r"libssl\S* => (\S+)", linked) or ["", "unknown"])[1].rsplit("/", 1)[-1],
            "versions": versions, "load_before": os.getloadavg()[0], "_steal": _steal()}


def finish(machine):
    """Adds what happened meanwhile. The load behind is our own; what another virtual machine took is not."""
    machine["stolen_ticks"] = _steal() - machine.pop("_steal")
    machine["quiet"] = machine["load_before"] <= QUIET_LOAD
    return machine
