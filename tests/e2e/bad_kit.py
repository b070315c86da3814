"""What the tests of docs/bad-input.md share: a room with two people whose call goes on whatever happens, connections that write their
own bytes, and what the server has counted."""
import base64
import json
import os
import re
import socket
import ssl
import struct
import time

import gavel_e2e as e2e

KEY = base64.b64encode(bytes(16))
SUBPROTOCOL = b"Sec-WebSocket-Protocol: gavel.1\r\n"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def check(truth, what):
    if not truth:
        raise e2e.Failure(what)


def tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Raw:
    """One WebSocket, of which every byte is the test's to choose."""

    def __init__(self, port, extra=SUBPROTOCOL):
        self.s = tls().wrap_socket(socket.create_connection(("127.0.0.1", port), e2e.PATIENCE))
        self.s.settimeout(e2e.PATIENCE)
        self.got, self.ended = b"", False
        self.send(b"GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: " + KEY +
                  b"\r\nSec-WebSocket-Version: 13\r\n" + extra + b"\r\n")
        while b"\r\n\r\n" not in self.got and self.more():
            pass
        self.head, _, self.got = self.got.partition(b"\r\n\r\n")

    def send(self, data):
        try:
            self.s.sendall(data)
            return True
        except OSError:
            return False  # closed already: the caller reads what that means

    def more(self):
        """Reads some; False once the server has closed. Silence beyond all patience is a failure."""
        try:
            part = self.s.recv(65536)
        except socket.timeout:
            raise e2e.Failure("neither an answer nor a close after %r" % self.got[-300:])
        except OSError:
            part = b""
        self.got += part
        self.ended |= not part
        return bool(part)

    def frame(self, opcode, payload=b"", final=True, rsv=0, masked=True, length=None):
        """`length`: the bytes that tell the length, when they are to lie."""
        n, mask = len(payload), os.urandom(4)
        size = bytes([n]) if n < 126 else b"\x7e" + struct.pack(">H", n) if n < 65536 else b"\x7f" + struct.pack(">Q", n)
        size = length or size
        if masked:
            payload = mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload))
            size = bytes([size[0] | 0x80]) + size[1:]
        return self.send(bytes([(0x80 if final else 0) | rsv << 4 | opcode]) + size + payload)

    def next(self):
        """The next frame of the server (opcode, payload); None when it has closed without another."""
        while True:
            b = self.got
            n = b[1] if len(b) > 1 else 0
            at = 2 if n < 126 else 4 if n == 126 else 10
            if len(b) >= at:
                n = n if n < 126 else int.from_bytes(b[2:at], "big")
                if len(b) >= at + n:
                    self.got = b[at + n:]
                    if b[0] & 15 != PING:
                        return b[0] & 15, b[at:at + n]
                    self.frame(PONG, b[at:at + n])
                    continue
            if not self.more():
                return None

    def answer(self, number=1):
        """The answer to the request of that number; None when the server closed instead."""
        while (f := self.next()) is not None and f[0] != CLOSE:
            if f[0] == TEXT and (m := json.loads(f[1])).get("id") == number and "method" not in m:
                return m
        return None

    def close_code(self, what=""):
        """The code in the server's close frame, 0 when it ended without one. The code of an error answer when that comes first."""
        until = time.monotonic() + e2e.PATIENCE
        while (f := self.next()) is not None:
            if f[0] == CLOSE:
                return int.from_bytes(f[1][:2], "big")
            if f[0] == TEXT and "error" in (m := json.loads(f[1])):
                return code(m)
            check(time.monotonic() < until, "neither an answer nor a close: " + what)
        return 0

    def ask(self, method, params, number=1):
        self.frame(TEXT, json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode())
        return self.answer(number)

    def close(self):
        self.s.close()


def code(answer):
    return "closed" if answer is None else "ok" if "result" in answer else answer["error"]["data"]["code"]


class Room:
    """A server, a room without a lobby, and ann and bob who talk and write to each other in it."""

    def __init__(self, folder, wrap=()):
        self.folder, self.n = folder, 0
        self.server = e2e.Server(folder, wrap=wrap)
        self.host_link, self.link = self.server.create("den", "--no-lobby")
        self.invite = e2e.parse_link(self.link)["invite"]
        self.people, self.ids = {}, {}
        for name, freq in (("ann", 440), ("bob", 700)):
            wav = os.path.join(folder, name + ".wav")
            e2e.write_tone(wav, freq, 240)
            self.people[name] = e2e.Client.join(self.host_link if name == "ann" else self.link, name, "--play", wav, "--output", "null")
            self.ids[name] = self.people[name].wait_state("joined")["me"]
        self.fine("the start")

    def fine(self, after):
        """What one writes reaches the other, and each is heard: by levels that were not waiting already."""
        self.n += 1
        for name, other in (("ann", "bob"), ("bob", "ann")):
            text = "%d: fine after %s" % (self.n, after)
            self.people[other].act("chat", text=text)
            self.people[name].wait("chat after " + after, lambda e: e.get("event") == "room_event" and e["data"].get("text") == text)
            self.people[name].wait("level after " + after, lambda e: e.get("event") == "levels" and
                                   any(x["id"] == self.ids[other] for x in e["levels"]))

    def params(self, name="eve", **more):
        return dict({"room": "den", "name": name, "invite": self.invite}, **more)

    def raw(self, name="eve", **more):
        """A raw connection that is in the room, and its own number there."""
        r = Raw(self.server.port)
        answer = r.ask("room.join", self.params(name, **more))
        check(code(answer) == "ok", "%s: %s" % (name, answer))
        return r, answer["result"]

    def rss_kb(self):
        with open("/proc/%d/status" % self.server.process.pid) as f:
            return int(f.read().split("VmRSS:")[1].split()[0])

    def metrics(self):
        text = self.server.ctl("metrics")["text"]
        return {m[1]: int(m[2]) for m in re.finditer(r'^gavel_(?:limit_total\{limit=")?(\w+)(?:"\})? (\d+)$', text, re.M)}

    def end(self):
        for person in self.people.values():
            person.say(cmd="leave")
            check(person.end() == 0, "a bystander ended badly")
        self.server.stop()
