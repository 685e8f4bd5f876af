"""Datagrams of DTLS 1.2 made by hand, for peers that do not behave."""

import socket
import struct

HANDSHAKE, CLIENT_HELLO, SERVER_HELLO, HELLO_VERIFY_REQUEST = 22, 1, 2, 3
VERSION = b"\xfe\xfd"
RECORD, MESSAGE = 13, 12  # sizes of the headers
DEADLINE = 30


def record(content_type, body, sequence=0, epoch=0):
    return struct.pack("!B2sHIHH", content_type, VERSION, epoch, sequence >> 16, sequence & 0xffff, len(body)) + body


def message(message_type, body, message_seq=0):
    """A handshake message in one fragment."""
    size = len(body).to_bytes(3, "big")
    return bytes([message_type]) + size + struct.pack("!H", message_seq) + b"\0\0\0" + size + body


def extension(number, body):
    return struct.pack("!HH", number, len(body)) + body


EXTENSIONS = (extension(10, b"\0\2\0\x17") + extension(11, b"\1\0")  # P-256, uncompressed
              + extension(13, b"\0\2\4\3") + extension(23, b""))  # ecdsa_secp256r1_sha256, RFC 7627


def client_hello(cookie=b"", random=bytes(32), number=None):
    """The first ClientHello, or with a cookie the second."""
    number = (1 if cookie else 0) if number is None else number
    suites = b"\xc0\x2b\x00\xff"  # TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, RFC 5746
    body = (VERSION + random + b"\0" + bytes([len(cookie)]) + cookie + struct.pack("!H", len(suites)) + suites
            + b"\1\0" + struct.pack("!H", len(EXTENSIONS)) + EXTENSIONS)
    return record(HANDSHAKE, message(CLIENT_HELLO, body, number), number)


def hello_verify_request(cookie, number=0):
    # RFC 6347 section 4.2.1: server_version is that of DTLS 1.0 whatever follows.
    return record(HANDSHAKE, message(HELLO_VERIFY_REQUEST, b"\xfe\xff" + bytes([len(cookie)]) + cookie), number)


def message_type(datagram):
    return datagram[RECORD] if datagram[0] == HANDSHAKE else None


def cookie_of(datagram):
    assert message_type(datagram) == HELLO_VERIFY_REQUEST
    at = RECORD + MESSAGE + 2
    return datagram[at + 1:at + 1 + datagram[at]]


class HalfClient:
    """Proves its address with the cookie, gets the server's flight and stops."""

    def __init__(self, port, host="127.0.0.1", random=bytes(32)):
        self.server = (host, int(port))
        self.random = random
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(DEADLINE)

    def ask(self, datagram):
        """Sends a datagram; what comes back, and from where."""
        self.socket.sendto(datagram, self.server)
        return self.socket.recvfrom(65536)

    def half_open(self):
        answer, _ = self.ask(client_hello(random=self.random))
        answer, peer = self.ask(client_hello(cookie_of(answer), self.random))
        assert message_type(answer) == SERVER_HELLO
        return peer

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.socket.close()
