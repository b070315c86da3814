"""coturn with the configuration we ship, and a small TURN client (RFC 8656) for what a real one never tries."""
import base64
import hashlib
import hmac
import os
import re
import shutil
import socket
import struct
import subprocess
import time

import gavel_e2e as e2e
import netns

SECRET, NEXT_SECRET = "a-secret-that-both-know-4711", "the-one-they-will-share-next"
COOKIE = 0x2112A442
MEDIA_PORT = 5004


def make_cert(folder, names):
    """A self-made certificate and key for relays; who trusts it has its path in SSL_CERT_FILE."""
    cert, key = os.path.join(folder, "relay.pem"), os.path.join(folder, "relay.key")
    netns.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
              "-days", "2", "-subj", "/CN=relay", "-addext", "subjectAltName=" + ",".join("DNS:" + n for n in names))
    return cert, key


def shipped(name, values):
    """A file of docs/ with what is in capitals filled in."""
    with open(os.path.join(e2e.SOURCE, "docs", name)) as f:
        text = "".join(line if line.startswith("#") else re.sub(r"\b[A-Z][A-Z_0-9]{4,}\b", lambda m: values[m[0]], line) for line in f)
    return text


class Relay:
    """docs/coturn.conf and docs/coturn.nft, filled in, on the relay's addresses of the public side."""

    def __init__(self, base):
        folder = os.path.join(base, "relay")
        os.mkdir(folder)
        os.chmod(base, 0o711)
        self.cert, key = make_cert(folder, ["relay.test", "relay6.test", "relay46.test"])
        text = shipped("coturn.conf", {"RELAY_ADDRESS": netns.RELAY_IP, "CERTIFICATE": self.cert, "PRIVATE_KEY": key, "SECRET": SECRET,
                                       "REALM": "conf.test", "MEDIA_ADDRESS": netns.MEDIA_IP})
        text += "static-auth-secret=%s\n" % NEXT_SECRET
        text += "listening-ip=%s\nrelay-ip=%s\nallowed-peer-ip=%s\n" % (netns.RELAY_IP6, netns.RELAY_IP6, netns.MEDIA_IP6)
        conf = os.path.join(folder, "turnserver.conf")
        with open(conf, "w") as f:
            f.write(text)
        for path in (folder, *(os.path.join(folder, name) for name in os.listdir(folder))):
            shutil.chown(path, "turnserver", "turnserver")
        netns.run(*netns.inside(netns.PUBLIC), "nft", "-f", "-", input=shipped("coturn.nft", {
            "MEDIA_ADDRESS": netns.MEDIA_IP, "MEDIA_IPV6": netns.MEDIA_IP6, "MEDIA_PORTS": "%d-%d" % (MEDIA_PORT, MEDIA_PORT + 3)}))
        self.log = os.path.join(folder, "turn.log")
        args = ["turnserver", "-c", conf, "--proc-user", "turnserver", "--proc-group", "turnserver", "--log-file", self.log,
                "--simple-log", "--verbose", "--no-stdout-log", "--pidfile", os.path.join(folder, "turn.pid"), "--userdb",
                os.path.join(folder, "turndb")]
        self.process = e2e.start([*netns.inside(netns.PUBLIC), *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
        self.wait_up()

    def wait_up(self):
        deadline = time.monotonic() + e2e.PATIENCE
        while ":443 " not in netns.run(*netns.inside(netns.PUBLIC), "ss", "-ltn"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise e2e.Failure("coturn does not come up: " + (open(self.log).read()[-2000:] if os.path.exists(self.log) else ""))
            time.sleep(0.02)


def credentials(user, seconds, secret=SECRET):
    name = "%d:%s" % (int(time.time()) + seconds, user)
    return name, base64.b64encode(hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()).decode()


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


def peer(address):
    """XOR-PEER-ADDRESS of 12 zero bytes' transaction (the caller's is used for IPv6)."""
    return b"\0\1" + struct.pack("!HI", 9 ^ (COOKIE >> 16), struct.unpack("!I", socket.inet_aton(address))[0] ^ COOKIE)


def peer6(address, tid):
    mask = struct.pack("!I", COOKIE) + tid
    raw = socket.inet_pton(socket.AF_INET6, address)
    return b"\0\2" + struct.pack("!H", 9 ^ (COOKIE >> 16)) + bytes(a ^ b for a, b in zip(raw, mask))


class Turn:
    """A client of the relay by UDP. Each request returns 0, or the error code."""

    def __init__(self, user, password):
        self.user, self.password, self.realm, self.nonce = user, password, b"", b""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(e2e.PATIENCE)
        self.socket.connect((netns.RELAY_IP, 3478))

    def ask(self, method, make):
        for _ in range(2):  # the first time to learn realm and nonce
            tid = os.urandom(12)
            body = make(tid)
            if self.nonce:
                body += attribute(6, self.user.encode()) + attribute(0x14, self.realm) + attribute(0x15, self.nonce)
                key = hashlib.md5(b":".join([self.user.encode(), self.realm, self.password.encode()])).digest()
                head = struct.pack("!HHI", method, len(body) + 24, COOKIE) + tid
                body += attribute(8, hmac.new(key, head + body, hashlib.sha1).digest())
            self.socket.send(struct.pack("!HHI", method, len(body), COOKIE) + tid + body)
            code, found = self.answer(tid)
            if code != 401 or self.nonce:
                return code
            self.realm, self.nonce = found[0x14], found[0x15]
        return code

    def answer(self, tid):
        while True:
            data = self.socket.recv(2048)
            kind, size = struct.unpack("!HH", data[:4])
            if data[8:20] != tid:
                continue
            found, at = {}, 20
            while at < 20 + size:
                a, n = struct.unpack("!HH", data[at:at + 4])
                found[a] = data[at + 4:at + 4 + n]
                at += 4 + n + -n % 4
            return (found[9][2] * 100 + found[9][3] if kind & 0x110 == 0x110 else 0), found

    def allocate(self, family=None):
        extra = attribute(0x17, bytes([family, 0, 0, 0])) if family else b""
        return self.ask(3, lambda tid: attribute(0x19, b"\x11\0\0\0") + extra)

    def allocate_tcp(self):
        return self.ask(3, lambda tid: attribute(0x19, b"\x06\0\0\0"))

    def refresh(self):
        return self.ask(4, lambda tid: b"")

    def permit(self, address):
        return self.ask(8, lambda tid: attribute(0x12, peer6(address, tid) if ":" in address else peer(address)))

    def bind(self, address):
        return self.ask(9, lambda tid: attribute(0xC, b"\x40\0\0\0") + attribute(0x12, peer6(address, tid) if ":" in address else peer(address)))
