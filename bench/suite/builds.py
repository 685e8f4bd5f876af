# SPDX-License-Identifier: MIT
"""Builds to measure: a build folder, or a git revision that is built first."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build/bench"


def _run(*args, **how):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, **how)
    if done.returncode:
        raise SystemExit(f"ci/bench: {' '.join(str(a) for a in args)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout.strip()


def _git(*args):
    return _run("git", "-C", ROOT, "-c", f"safe.directory={ROOT}", *args)


def build_revision(name):
    """Builds the library and nc_dtls of a revision in build/bench/SHA, once. Returns that folder."""
    sha = _git("rev-parse", "--verify", "--short=12", f"{name}^{{commit}}")
    source, build = WORK / sha / "source", WORK / sha / "build"
    if not (build / "bin/nc_dtls").exists():
        source.mkdir(parents=True, exist_ok=True)
        archive = WORK / sha / "source.tar"
        _git("archive", "-o", archive, sha)
        _run("tar", "-xf", archive, "-C", source)
        _run("cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release")
        _run("cmake", "--build", build, "--target", "sukat_dtls_static", "nc_dtls")
    return build


class Build:
    """.nc_dtls, .library_server: programs of one build of the project."""

    def __init__(self, name):
        folder = pathlib.Path(name)
        self.folder = folder.resolve() if (folder / "CMakeCache.txt").exists() else build_revision(name)
        self.name = name
        cache = (self.folder / "CMakeCache.txt").read_text()
        value = lambda key: re.search(rf"^{key}:\w+=(.*)$", cache, re.M)[1]
        self.source = pathlib.Path(value("CMAKE_HOME_DIRECTORY"))
        self.type = value("CMAKE_BUILD_TYPE")
        openssl = re.search(r"^SDTLS_OPENSSL:\w+=(.+)$", cache, re.M)
        self.openssl = pathlib.Path(openssl[1]) if openssl else None
        self.nc_dtls = self.folder / "bin/nc_dtls"

    def library_server(self):
        """The same small program over the library of this build, whatever bench/ that had."""
        program = WORK / f"library_server-{re.sub(r'[^A-Za-z0-9.]', '_', str(self.folder))}"
        program.parent.mkdir(parents=True, exist_ok=True)
        link = [f"-L{self.openssl}/lib", f"-Wl,-rpath,{self.openssl}/lib"] if self.openssl else []
        _run("cc", "-O2", "-D_GNU_SOURCE", f"-I{self.source}/include", f"-I{ROOT}/bench", "-o", program,
             ROOT / "bench/library_server.c", ROOT / "bench/server.c",
             self.folder / "lib/libsukat_dtls.a", *link, "-lssl", "-lcrypto")
        return program
