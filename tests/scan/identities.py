# SPDX-License-Identifier: MIT
"""Keys and certificates of the servers in the table, made once for each run in one folder.

NAME.pem is what a server is given as its certificate file (leaf first, then what else it sends),
NAME-key.pem its key; root.pem is what signed `chain`, `disorder` and `client`."""

import subprocess

KINDS = {
    "ecdsa": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "p384": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "rsa": ("-newkey", "rsa:2048"),
    "rsa1024": ("-newkey", "rsa:1024"),
    "ed25519": ("-newkey", "ed25519"),
    "sha1": ("-sha1", "-newkey", "rsa:2048"),
}
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def self_signed(folder, name, kind, subject="/CN=localhost", names=NAMES):
    more = ("-addext", names) if names else ()
    openssl("req", "-x509", *KINDS[kind], "-nodes", "-days", "30", "-subj", subject, *more,
            "-keyout", folder / f"{name}-key.pem", "-out", folder / f"{name}.pem")


def signed(folder, name, subject, issuer, extensions):
    """A P-256 certificate of `name`, signed by `issuer`."""
    openssl("req", "-new", *KINDS["ecdsa"], "-nodes", "-subj", subject,
            "-keyout", folder / f"{name}-key.pem", "-out", folder / f"{name}.csr")
    (folder / f"{name}.ext").write_text(extensions)
    openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / f"{issuer}.pem",
            "-CAkey", folder / f"{issuer}-key.pem", "-CAcreateserial", "-days", "30",
            "-extfile", folder / f"{name}.ext", "-out", folder / f"{name}.pem")


def expired(folder):
    """Valid in January 2020 only: `openssl ca` is the one command of OpenSSL 3.0 that sets dates."""
    openssl("req", "-new", *KINDS["ecdsa"], "-nodes", "-subj", "/CN=localhost",
            "-keyout", folder / "expired-key.pem", "-out", folder / "expired.csr")
    (folder / "index.txt").write_text("")
    (folder / "expired.cnf").write_text(
        "[ca]\ndefault_ca=one\n[one]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n"
        f"policy=any\nx509_extensions=names\n[any]\ncommonName=supplied\n[names]\n{NAMES}\n")
    subprocess.run(["openssl", "ca", "-batch", "-notext", "-selfsign", "-config", "expired.cnf", "-in", "expired.csr",
                    "-keyfile", "expired-key.pem", "-startdate", "20200101000000Z", "-enddate", "20200131000000Z",
                    "-out", "expired.pem"], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


def joined(folder, name, *parts):
    (folder / f"{name}.pem").write_bytes(b"".join((folder / f"{p}.pem").read_bytes() for p in parts))


def make(folder):
    for kind in KINDS:
        self_signed(folder, kind, kind)
    self_signed(folder, "othername", "ecdsa", "/CN=other.example", "subjectAltName=DNS:other.example")
    self_signed(folder, "root", "ecdsa", "/CN=A root", None)
    signed(folder, "middle", "/CN=A middle", "root", "basicConstraints=critical,CA:TRUE\n")
    signed(folder, "leaf", "/CN=localhost", "middle", NAMES + "\n")
    signed(folder, "client", "/CN=a client", "root", "extendedKeyUsage=clientAuth\n")
    joined(folder, "chain", "leaf", "middle")
    joined(folder, "disorder", "leaf", "root", "middle")
    joined(folder, "nomiddle", "leaf")
    joined(folder, "chain-rest", "middle")
    joined(folder, "disorder-rest", "root", "middle")
    for name in ("chain", "disorder", "nomiddle"):
        (folder / f"{name}-key.pem").write_bytes((folder / "leaf-key.pem").read_bytes())
    expired(folder)
    (folder / "psk.txt").write_text("someone:c0ffee00c0ffee00\n")  # for gnutls-serv; servers.PSK
    return folder
