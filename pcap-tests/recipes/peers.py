# SPDX-License-Identifier: MIT
"""The programs that talk: OpenSSL's and GnuTLS' command line tools, and our nc_dtls."""

import os
import subprocess
import time

from middlebox import PORT_CLIENT, PORT_SERVER

BIN = os.environ.get("SDTLS_BIN") or os.path.join(os.path.dirname(__file__), "../../build/dev/bin")
PSK = "00112233445566778899aabbccddeeff"
SUITE = "ECDHE-ECDSA-AES128-GCM-SHA256"
PSK_SUITE = "PSK-AES128-GCM-SHA256"


def s_server(*options, mtu=1400, version="-dtls1_2", port=PORT_SERVER):
    return ["openssl", "s_server", version, "-accept", f"127.0.0.1:{port}", *size(mtu), *options]


def s_client(*options, mtu=1400, version="-dtls1_2", to=f"127.0.0.1:{PORT_CLIENT}"):
    return ["openssl", "s_client", version, "-connect", to, *size(mtu), *options]


def size(mtu):
    return ["-mtu", str(mtu)] if mtu else []


def with_psk(key=PSK):
    """Of both s_server and s_client."""
    return ["-psk", key, "-cipher", PSK_SUITE]


def nc_dtls(*options):
    return [os.path.join(BIN, "nc_dtls"), *options]


def start(command, namespace=None):
    prefix = ["ip", "netns", "exec", namespace] if namespace else []
    log = open(f"{os.environ['RECIPE_TMP']}/{os.path.basename(command[0])}.log", "ab")
    return subprocess.Popen(prefix + command, stdin=subprocess.PIPE, stdout=log, stderr=log)


def listening(port=PORT_SERVER, namespace=None, seconds=10):
    """Waits until somebody has bound it."""
    prefix = ["ip", "netns", "exec", namespace] if namespace else []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        table = subprocess.run(prefix + ["cat", "/proc/net/udp", "/proc/net/udp6"],
                               capture_output=True, text=True, check=True).stdout
        if f":{port:04X} " in table:
            return
        time.sleep(0.02)
    raise RuntimeError(f"nobody listens on {port}")


def say(process, text):
    try:
        process.stdin.write(text)
        process.stdin.flush()
    except (BrokenPipeError, ValueError):
        pass


def stop(*processes):
    for p in processes:
        if p and p.poll() is None:
            p.kill()
        if p:
            p.wait()
