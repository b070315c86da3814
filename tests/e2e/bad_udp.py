"""Checks (STUN, RFC 8489) byte by byte, and a participant who holds true ICE credentials: shared by the tests of docs/bad-input.md."""
import hashlib
import hmac
import json
import os
import re
import socket
import struct
import subprocess
import zlib

import bad_kit as kit
import gavel_e2e as e2e

COOKIE = bytes.fromhex("2112a442")
USERNAME, INTEGRITY, XOR_MAPPED, PRIORITY, USE_CANDIDATE, CONTROLLING, FINGERPRINT = 6, 8, 0x20, 0x24, 0x25, 0x802a, 0x8028
OFFER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
m=audio %(port)d UDP/TLS/RTP/SAVPF 111
c=IN IP4 127.0.0.1
a=mid:0
a=sendrecv
a=rtcp-mux
a=ice-ufrag:evil
a=ice-pwd:passwordof24letters00000
a=fingerprint:%(hash)s %(fingerprint)s
a=setup:active
a=rtpmap:111 opus/48000/2
a=candidate:1 1 udp 2130706431 127.0.0.1 %(port)d typ host
"""


def attribute(kind, value=b"", told=None):
    return struct.pack(">HH", kind, len(value) if told is None else told) + value + bytes(-len(value) % 4)


def message(body, kind=1, length=None):
    return struct.pack(">HH", kind, len(body) if length is None else length) + COOKIE + b"\7" * 12 + body


def signed(body, password):
    """`body` with the integrity over it, not yet sealed by a fingerprint."""
    part = message(body, length=len(body) + 24)
    return body + attribute(INTEGRITY, hmac.new(password, part, hashlib.sha1).digest())


def finished(body, kind=1, xor=0):
    part = message(body, kind, len(body) + 8)
    return message(body + attribute(FINGERPRINT, struct.pack(">I", zlib.crc32(part) ^ 0x5354554e ^ xor)), kind)


def base(seat):
    return (attribute(USERNAME, seat["ufrag"] + b":evil") + attribute(PRIORITY, b"\x7e\0\0\xff") + attribute(CONTROLLING, b"\1" * 8) +
            attribute(USE_CANDIDATE))


def good_check(seat):
    return finished(signed(base(seat), seat["pwd"]))


def udp(source="127.0.0.1", port=0):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((source, port))
    s.settimeout(e2e.PATIENCE)
    return s


class Seat:
    """eve, joined with an offer: what she needs for checks, and her certificate."""

    def __init__(self, room, name, how="sha-256", fingerprint=None, **params):
        self.key, self.cert = (os.path.join(room.folder, name + end) for end in (".key", ".crt"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout",
                        self.key, "-out", self.cert], check=True, capture_output=True)
        der = subprocess.run(["openssl", "x509", "-in", self.cert, "-outform", "DER"], check=True, capture_output=True).stdout
        digest = fingerprint or hashlib.new(how.replace("-", ""), der).hexdigest().upper()
        self.s = udp()
        self.port = self.s.getsockname()[1]
        self.offer = OFFER.replace("\n", "\r\n") % {"port": self.port, "hash": how, "fingerprint": ":".join(re.findall("..", digest))}
        self.raw, self.answer = room.raw(name, sdp=self.offer, **params)
        self.to = ("127.0.0.1", room.server.media_port)
        sdp = self.answer.get("sdp", "")
        self.keys = {k: m[1].encode() for k in ("ufrag", "pwd") if (m := re.search(r"a=ice-%s:(\S+)" % k, sdp))}

    def check(self):
        self.s.sendto(good_check(self.keys), self.to)
        return self.s.recv(2000)

    def media(self):
        """The server's next word on her media path."""
        while (f := self.raw.next()) is not None:
            if b'"media"' in f[1]:
                return json.loads(f[1])["params"]
        raise e2e.Failure("the connection ended")
