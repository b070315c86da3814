"""Hostile clients at the port everybody can reach, with gaveld under valgrind: one memory error anywhere and the test fails. The first group
is the regression test of libwebsockets 4.1.6's use-after-free (an upgrade to anything but websocket on a kept-alive connection). All the
while two people are in a room, and their call goes on."""
import base64
import json
import os
import socket
import ssl
import struct

import gavel_e2e as e2e

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n"
H2C = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
KEY = base64.b64encode(bytes(16))
WAIT = 2 * e2e.PATIENCE  # valgrind is slow


class Raw:
    """One TLS connection; what comes back until the server closes or answers."""

    def __init__(self, port):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        self.s = tls.wrap_socket(socket.create_connection(("127.0.0.1", port), WAIT))
        self.s.settimeout(WAIT)

    def send(self, data):
        try:
            self.s.sendall(data)
        except (ConnectionError, ssl.SSLError):
            pass  # closed already: the caller reads what that means

    def until(self, end):
        """What comes until `end` is in it or the server has closed."""
        got = b""
        while end not in got:
            try:
                more = self.s.recv(65536)
            except (ConnectionError, ssl.SSLError) as e:
                if isinstance(e, socket.timeout):
                    raise e2e.Failure("neither an answer nor a close after %r" % got)
                more = b""
            if not more:
                return got + b"<closed>"
            got += more
        return got

    def response(self):
        """Status line, headers and, if it says how long it is, the body."""
        head = self.until(b"\r\n\r\n")
        if head.endswith(b"<closed>"):
            return head
        head, _, body = head.partition(b"\r\n\r\n")
        size = [int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length:")]
        while size and len(body) < size[0]:
            more = self.s.recv(65536)
            if not more:
                break
            body += more
        return head + b"\r\n\r\n" + body

    def closed(self):
        return self.until(b"\0never\0").endswith(b"<closed>")

    def frame(self, opcode, payload, final=True):
        n, mask = len(payload), os.urandom(4)
        size = bytes([0x80 | n]) if n < 126 else b"\xfe" + struct.pack(">H", n) if n < 65536 else b"\xff" + struct.pack(">Q", n)
        masked = bytes(b ^ mask[i & 3] for i, b in enumerate(payload))
        self.send(bytes([(0x80 if final else 0) | opcode]) + size + mask + masked)


def upgrade(port, path=b"/v1/ws", extra=b"Sec-WebSocket-Protocol: gavel.1\r\n"):
    r = Raw(port)
    r.send(b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: " % port +
           KEY + b"\r\nSec-WebSocket-Version: 13\r\n" + extra + b"\r\n")
    return r, r.response()


def http(port):
    r = Raw(port)
    r.send(GET)
    ok = r.response()
    assert ok.startswith(b"HTTP/1.1 200 ") and ok.endswith(b"\r\n\r\nok\n"), ok
    for path, code in ((b"/nothing", b"404"), (b"/", b"404"), (b"/../etc/passwd", b"40"), (b"/v1/ws", b"40"), (b"/j/room", b"200")):
        r = Raw(port)
        r.send(GET.replace(b"/healthz", path))
        assert r.response().startswith(b"HTTP/1.1 " + code), path
    for request in (b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
                    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nabc",
                    b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01nonsense\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70000 + b"\r\n\r\n"):
        r = Raw(port)
        r.send(request)
        got = r.response()
        assert not got.startswith((b"HTTP/1.1 2", b"HTTP/1.1 1")), (request[:40], got)
        r.send(b"raw raw")
        assert r.closed(), request[:40]


def use_after_free(port):
    for what in (b"foo", b"websockex", b"websocket2", b"h2c", b"WebSocke"):
        r = Raw(port)
        r.send(GET)
        assert b" 200 " in r.response()
        r.send(UPGRADE % what)
        got = r.response()
        assert b" 101 " not in got, (what, got)
        r = Raw(port)
        r.send(GET + UPGRADE % what)  # both in one packet
        assert b" 101 " not in r.response() + r.until(b"\r\n\r\n")
    for before in (b"", GET):
        r = Raw(port)
        if before:
            r.send(before)
            r.response()
        r.send(H2C)
        got = r.response()
        assert b" 101 " not in got and b"HTTP/1.1 2" not in got, got


def refused_upgrades(port):
    for path, extra in ((b"/v1/ws", b""), (b"/v1/ws", b"Sec-WebSocket-Protocol: chat\r\n"),
                        (b"/v1/ws", b"Sec-WebSocket-Protocol: admin\r\n"), (b"/v1/ws", b"Sec-WebSocket-Protocol: http\r\n"),
                        (b"/", b"Sec-WebSocket-Protocol: gavel.1\r\n"), (b"/healthz", b"Sec-WebSocket-Protocol: gavel.1\r\n"),
                        (b"/v1/ws", b"Sec-WebSocket-Protocol: gavel.1\r\nOrigin: https://evil.example\r\n"),
                        (b"/v1/ws", b"Sec-WebSocket-Protocol: gavel.1\r\nOrigin: null\r\n")):
        r, got = upgrade(port, path, extra)
        assert b" 101 " not in got, (path, extra, got)
        assert b"<closed>" in got or r.closed()
    for origin in (b"", b"Origin: https://127.0.0.1:%d\r\n" % port):
        r, got = upgrade(port, extra=b"Sec-WebSocket-Protocol: gavel.1\r\n" + origin)
        assert got.startswith(b"HTTP/1.1 101 "), got


def request(**members):
    return json.dumps(dict({"jsonrpc": "2.0", "id": 1, "method": "room.join"}, **members)).encode()


def bad_messages(port):
    """Each ends in an error answer or a close, never in silence."""
    big = request(params={"room": "x" * 70000})
    for opcode, text in ((2, b"{}"), (1, big), (1, b"[" * 100000), (1, b"[" * 60000), (1, b"\xff\xfe{}"), (1, b"{"), (1, b""),
                         (1, b"[]"), (1, request(id=-1)), (1, request(id=2 ** 60)), (1, request(params={"room": "call", "name": "\0"})),
                         (1, b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping","params":{}}'), (3, b"x"), (1, request(method="room.mute"))):
        r, got = upgrade(port)
        assert b" 101 " in got, got
        r.frame(opcode, text)
        got = r.until(b'"error"')
        assert b"<closed>" in got or b'"error"' in got, (text[:40], got)
    r, got = upgrade(port)  # the same too long message in small pieces
    for i in range(0, len(big), 1000):
        r.frame(1 if i == 0 else 0, big[i:i + 1000], i + 1000 >= len(big))
    got = r.until(b'"error"')
    assert b"<closed>" in got or b'"error"' in got, got


def still_there(people, ids):
    """Each hears the other now: a level of the other that was not waiting in the queue."""
    for name, other in (("host", "ann"), ("ann", "host")):
        people[name].act("chat", text="still there")
        people[name].wait("level of " + other, lambda e: e.get("event") == "levels" and any(x["id"] == ids[other] for x in e["levels"]), WAIT)


def test(folder):
    valgrind = ["valgrind", "--error-exitcode=9", "--quiet", "--log-file=" + os.path.join(folder, "valgrind.%p.log")]
    server = e2e.Server(folder, wrap=valgrind)
    host_link, guest_link = server.create("call", "--no-lobby")
    people, ids = {}, {}
    for name, freq in (("host", 440), ("ann", 700)):
        wav = os.path.join(folder, name + ".wav")
        e2e.write_tone(wav, freq, 240)
        people[name] = e2e.Client.join(host_link if name == "host" else guest_link, name, "--play", wav)
        ids[name] = people[name].wait_state("joined", WAIT)["me"]
    still_there(people, ids)
    for attack in (use_after_free, http, refused_upgrades, bad_messages):
        attack(server.port)
        still_there(people, ids)
        print(attack.__name__, "done", flush=True)
    for name in people:
        people[name].say(cmd="leave")
        assert people[name].end(WAIT) == 0
    try:
        server.stop()
    finally:
        for name in os.listdir(folder):
            if name.startswith("valgrind."):
                print(open(os.path.join(folder, name)).read(), end="")


e2e.main(test)
