# SPDX-License-Identifier: MIT
"""ci/bench starts this; see there."""

import argparse
import pathlib
import subprocess
import sys
import tempfile

from compare import compare
from server import Failed, need_root


def make_keys(folder):
    """Options of our servers: a certificate of ECDSA P-256."""
    cert, key = pathlib.Path(folder, "cert.pem"), pathlib.Path(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", cert, "-subj", "/CN=bench", "-days", "30"],
                   check=True, capture_output=True)
    return ["-c", cert, "-k", key]


def options():
    p = argparse.ArgumentParser(prog="ci/bench")
    p.add_argument("--bin", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    p.add_argument("--compare", nargs=2, metavar=("A", "B"),
                   help="two build folders or git revisions, by instructions and system calls")
    p.add_argument("--only", metavar="NAME", help="only what has NAME in its name")
    p.add_argument("--json", metavar="FILE", help="write the result to FILE, too")
    return p.parse_args()


def main():
    o = options()
    need_root()
    with tempfile.TemporaryDirectory(prefix="sdtls-bench-") as folder:
        keys = make_keys(folder)
        if o.compare:
            compare(o.bin / "drive", keys, o.compare, o.only, o.json)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as e:
        sys.exit(f"ci/bench: {e}")
