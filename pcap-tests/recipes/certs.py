# SPDX-License-Identifier: MIT
"""Throw-away certificates, in a folder that goes with the recipe."""

import os
import subprocess

NAME = "server.example"
CONFIG = """
[ca]
default_ca = here
[here]
new_certs_dir = {0}
database = {0}/index
serial = {0}/serial
default_md = sha256
policy = any
[any]
commonName = supplied
[leaf]
subjectAltName = DNS:{1}
[root]
basicConstraints = critical,CA:TRUE
[no_ca]
basicConstraints = critical,CA:FALSE
[no_signing]
basicConstraints = critical,CA:TRUE
keyUsage = critical,cRLSign
[no_more]
basicConstraints = critical,CA:TRUE,pathlen:0
"""


class Certs:
    def __init__(self, folder):
        self.folder = folder
        with open(self.at("config"), "w") as f:
            f.write(CONFIG.format(folder, NAME))
        open(self.at("index"), "w").close()
        with open(self.at("serial"), "w") as f:
            f.write("1000\n")
        self.make("ca", "Test Root", kind="root")

    def at(self, name):
        return os.path.join(self.folder, name)

    def key(self, name, key):
        how = ["-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{key}"] if isinstance(key, int) else \
              ["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{key}"]
        openssl("genpkey", *how, "-out", self.at(f"{name}.key"))

    def make(self, name, cn=NAME, key="P-256", issuer=None, start=None, end=None, kind="leaf"):
        """name.pem and name.key. start, end: YYYYMMDDHHMMSSZ. Without an issuer it signs itself."""
        self.key(name, key)
        openssl("req", "-new", "-config", "/dev/null", "-subj", f"/CN={cn}",
                "-key", self.at(f"{name}.key"), "-out", self.at("request"))
        signer = ["-cert", self.at(f"{issuer}.pem"), "-keyfile", self.at(f"{issuer}.key")] if issuer else \
                 ["-selfsign", "-keyfile", self.at(f"{name}.key")]
        openssl("ca", "-batch", "-notext", "-config", self.at("config"), *signer, "-extensions", kind,
                "-in", self.at("request"), "-out", self.at(f"{name}.pem"),
                *(["-startdate", start] if start else []),
                *(["-enddate", end] if end else ["-days", "30"]))
        return name

    def chain(self, name, *parts):
        """One file with several certificates."""
        with open(self.at(f"{name}.pem"), "w") as out:
            for part in parts:
                with open(self.at(f"{part}.pem")) as f:
                    out.write(f.read())
        return self.at(f"{name}.pem")

    def use(self, name):
        """The options of a program that has it."""
        return ["-cert", self.at(f"{name}.pem"), "-key", self.at(f"{name}.key")]


def openssl(*args):
    done = subprocess.run(["openssl", *args], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(args)}: {done.stderr}")
