"""Who may enter: join tokens made here, by the standard library and openssl alone, shown to a real gaveld: our own JWT and those of five other
systems, rotation, revocation, replay, two applications, allow-lists, and what the database holds of keys (bad input 12 and 13)."""
import asyncio
import base64
import hashlib
import hmac
import json
import os
import secrets
import socket
import ssl
import struct
import subprocess
import time
import zlib

import websockets

import gavel_e2e as e2e

NOW = int(time.time())
BLUE_ROOM = "r-" + hashlib.sha256(b"BlueRoom").hexdigest()[:32]  # it is no room name, so it gets one


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def compact(value):
    return b64(json.dumps(value, separators=(",", ":")).encode())


def sign(header, claims, mac):
    head = (header if isinstance(header, str) else compact(header)) + "." + (claims if isinstance(claims, str) else compact(claims))
    return head + "." + b64(mac(head.encode()))


def hs256(key):
    return lambda text: hmac.new(key.encode() if isinstance(key, str) else key, text, hashlib.sha256).digest()


class App:
    """An application made by the operator, and a key of it."""

    def __init__(self, server, name, *flags):
        made = server.ctl("app", "create", name, "--lobby=no", *flags)
        self.server, self.name, self.kid, self.key = server, name, made["kid"], made["key"]

    def claims(self, sub, room, scope="room:join room:speak room:chat", **more):
        return {"iss": self.name, "aud": "gavel", "sub": sub, "iat": NOW, "exp": NOW + 900, "jti": secrets.token_hex(8), "room": room,
                "scope": scope, **more}

    def token(self, sub, room, kid=None, key=None, **more):
        return sign({"alg": "HS256", "typ": "gavel+jwt", "kid": kid or self.kid}, self.claims(sub, room, **more), hs256(key or self.key))

    def add_key(self, folder, fmt, secret, *flags):
        path = os.path.join(folder, "secret")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
            f.write(secret + "\n")
        kid = self.server.ctl("key", "add", self.name, "--format=" + fmt, "--secret=" + path, *flags)["kid"]
        os.unlink(path)
        return kid


class Guest:
    """One connection by the documented protocol."""

    @classmethod
    async def connect(cls, server):
        self = cls()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        self.ws = await websockets.connect("wss://127.0.0.1:%d/v1/ws" % server.port, ssl=tls, subprotocols=["gavel.1"], compression=None)
        self.id = 0
        return self

    async def call(self, method, **params):
        self.id += 1
        await self.ws.send(json.dumps({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}))
        while True:
            m = json.loads(await asyncio.wait_for(self.ws.recv(), e2e.PATIENCE))
            if m.get("id") == self.id:
                return m["result"] if "result" in m else m["error"]["data"]["code"]

    async def bye(self):
        """The code of the goodbye and of the close, and the seconds they took."""
        began, code = time.monotonic(), None
        try:
            while True:
                m = json.loads(await asyncio.wait_for(self.ws.recv(), e2e.PATIENCE))
                code = m["params"]["code"] if m.get("method") == "bye" else code
        except websockets.ConnectionClosed:
            return code, self.ws.close_code, time.monotonic() - began


async def join(server, token=None, room="den", **more):
    """The guest and his answer: the result, or the code of the refusal."""
    g = await Guest.connect(server)
    params = dict(more, room=room, name=more.get("name", "Someone"))
    if token is not None:
        params["token"] = token
    return g, await g.call("room.join", **params)


async def expect(server, code, *args, **more):
    g, r = await join(server, *args, **more)
    await g.ws.close()
    assert r == code, (r, code, args, more)


async def enters(server, *args, **more):
    g, r = await join(server, *args, **more)
    assert isinstance(r, dict) and r["state"] == "joined", (r, args, more)
    return g, r


def me(r):
    return next(m for m in r["room"]["members"] if m["id"] == r["me"])


async def own_tokens(server, folder, blue, red):
    g, r = await enters(server, blue.token("ann", "den"), name="Ann")
    assert me(r)["role"] == "speaker" and me(r)["name"] == "Ann" and r["app"] == "blue", r
    assert server.ctl("user", "show", "ann@blue")["user"] == "ann@blue"
    _, r = await enters(server, blue.token("hal", "den", scope="room:join room:moderate"))
    assert me(r)["role"] == "host"
    key = os.path.join(folder, "ed25519.pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout"], check=True, capture_output=True).stdout.decode()
    kid = blue.add_key(folder, "jwt-eddsa", public.strip())

    def ed25519(text):
        with open(os.path.join(folder, "text"), "wb") as f:
            f.write(text)
        return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", os.path.join(folder, "text")], check=True,
                              capture_output=True).stdout
    await enters(server, sign({"alg": "EdDSA", "typ": "gavel+jwt", "kid": kid}, blue.claims("eda", "den"), ed25519))
    der = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
    for secret in (der[-32:], public.encode(), public.strip().encode()):  # the public key as an HMAC key: the algorithm is the key's
        await expect(server, "invalid_token", sign({"alg": "HS256", "typ": "gavel+jwt", "kid": kid}, blue.claims("eve", "den"), hs256(secret)))


async def bad_tokens(server, blue, red):
    """Bad input 12. One answer for all; the audit log knows why."""
    key, head = hs256(blue.key), {"alg": "HS256", "typ": "gavel+jwt", "kid": blue.kid}
    c = lambda **more: blue.claims("eve", "den", **more)
    without = lambda name: {k: v for k, v in c().items() if k != name}
    good = blue.token("eve", "den")
    two = base64.urlsafe_b64encode(json.dumps(c())[:-1].encode() + b',"exp":%d}' % (NOW + 600)).decode().rstrip("=")
    tokens = [sign(dict(head, alg=alg), c(), mac) for alg in ("none", "None", "nOnE", "HS512", "RS256") for mac in (key, lambda text: b"")]
    tokens += [sign(head, without(name), key) for name in ("exp", "iat", "sub", "jti", "aud", "iss", "room", "scope")]
    tokens += [sign(head, c(exp=exp), key) for exp in (str(NOW + 600), 1e30, -1, NOW - 60, NOW + 10 ** 7, None, True)]
    tokens += [sign(dict(head, kid=kid), c(), key) for kid in ("../../x", "' OR 1--", "k" * 10000, "", red.kid, 7, "unknown")]
    tokens += [sign(dict(head, typ="JWT"), c(), key), sign(dict(head, crit=["x"]), c(), key), sign(dict(head, jku="https://x/"), c(), key)]
    tokens += [sign(head, two, key), good + "=", good[:-1] + chr(ord(good[-1]) + 1), good[:-2], good + ".x", good.replace(".", "", 1), "", "x", "..",
               sign(head, c(iat=NOW + 300), key), sign(head, c(nbf=NOW + 300), key), sign(head, c(aud="elsewhere"), key),
               sign(head, c(iss="red"), key), sign(head, c(), hs256(red.key)), red.token("eve", "den", kid=blue.kid), "A" * 9000, "cs1_" + "A" * 43]
    for t in tokens:
        try:
            await expect(server, "invalid_token", t)
        except websockets.ConnectionClosed as e:
            assert e.code == 4401 and len(t) > 8000, (e.code, t[:200])  # more than any first message
    await expect(server, "invalid_token", blue.token("eve", "hall"), room="den")
    await expect(server, "insufficient_scope", blue.token("eve", "den", scope="audit:read"))


async def used_once(server, blue):
    t = blue.token("once", "den")
    g, _ = await enters(server, t)
    await expect(server, "invalid_token", t)
    await g.ws.close()
    server.stop()
    server.__init__(server.folder, extra=EXTRA)
    await expect(server, "invalid_token", t)


def vidyo(user, app, key, expires):
    body = "provision\0%s@%s\0%d\0" % (user, app, expires + 62167219200)
    return base64.b64encode((body + "\0" + hmac.new(key.encode(), body.encode(), hashlib.sha384).hexdigest()).encode()).decode()


def opentok_t1(key, secret, session):
    data = "session_id=%s&create_time=%d&expire_time=%d&role=publisher&nonce=7" % (session, NOW, NOW + 600)
    sig = hmac.new(secret.encode(), data.encode(), hashlib.sha1).hexdigest()
    return "T1==" + base64.b64encode(("partner_id=%s&sig=%s:%s" % (key, sig, data)).encode()).decode()


def agora(app, certificate, channel, uid):
    text = lambda s: struct.pack("<H", len(s)) + s
    service = struct.pack("<HH", 1, 2) + struct.pack("<HIHI", 1, 600, 2, 600) + text(channel.encode()) + text(uid.encode())
    info = text(app.encode()) + struct.pack("<III", NOW, 600, 9) + struct.pack("<H", 1) + service
    k = hmac.new(struct.pack("<I", NOW), certificate.encode(), hashlib.sha256).digest()
    k = hmac.new(struct.pack("<I", 9), k, hashlib.sha256).digest()
    return "007" + base64.b64encode(zlib.compress(text(hmac.new(k, info, hashlib.sha256).digest()) + info)).decode()


def cube(app, secret):
    text = "application_id=%s&auth_key=ak&nonce=42&timestamp=%d&user[login]=cora" % (app, NOW)
    return text + "&signature=" + hmac.new(secret.encode(), text.encode(), hashlib.sha1).hexdigest()


async def other_systems(server, folder, blue):
    session = "1_MX4xMjM0NTZ-flNhdCBNYXIgMTUgMTQ6NDI6MjMgUERUIDIwMTR-MC40OTAxMzAyNX4"
    team, agora_app = "6d12d819-c0ae-42b5-b320-a7791890c662", "9" * 32
    jwt = {"session_id": session, "role": "moderator", "iat": NOW, "exp": NOW + 600, "scope": "session.connect", "iss": "123456", "ist": "project",
           "nonce": 5}
    samba = {"td": team, "rd": "blue-room", "ud": "user-123", "u": "Ada", "role": "moderator", "iat": NOW, "nbf": NOW, "exp": NOW + 600}
    made = [("vidyo", "ApplicationID", lambda s: vidyo("user1", "ApplicationID", s, NOW + 600), "BlueRoom", "user1@blue"),
            ("opentok", "123456", lambda s: opentok_t1("123456", s, session), session, None),
            ("opentok", "123456", lambda s: sign({"alg": "HS256", "typ": "JWT"}, jwt, hs256(s)), session, None),
            ("agora", agora_app, lambda s: agora(agora_app, s, "Channel 7", "77"), "Channel 7", "77@blue"),
            ("samba", team, lambda s: sign({"alg": "HS256", "typ": "JWT"}, samba, hs256(s)), "blue-room", "user-123@blue"),
            ("connectycube", "99", lambda s: cube("99", s), "den", None)]
    kids = {}
    for n, (fmt, issuer, make, room, user) in enumerate(made):
        secret = secrets.token_hex(20)[:32]
        await expect(server, "invalid_token", make(secret), room=room, app="blue")  # its format is not switched on, or not by this key
        kids[n] = blue.add_key(folder, fmt, secret, "--issuer=" + issuer)
        g, r = await enters(server, make(secret), room=room)
        assert r["app"] == "blue", r
        if user:
            assert server.ctl("user", "show", user)["kid"] == kids[n]
        await g.ws.close()
        await expect(server, "invalid_token", make(secret + "x"), room=room)
    for kid in kids.values():
        server.ctl("key", "revoke", "blue", kid)


async def rotation(server, folder, blue):
    fresh = secrets.token_urlsafe(32)
    kid = blue.add_key(folder, "jwt-hs256", fresh, "--kid=second", "--ttl=10m")
    assert kid == "second"
    retired = server.ctl("key", "retire", "blue", blue.kid, "--after=1h")
    assert retired["until_ms"] > time.time() * 1000
    states = {k["kid"]: k["state"] for k in server.ctl("key", "list", "blue")["keys"]}
    assert states[blue.kid] == "retiring" and states["second"] == "active", states
    await enters(server, blue.token("rob", "den"))
    await enters(server, blue.token("rob", "den", kid="second", key=fresh, exp=NOW + 600))
    await expect(server, "invalid_token", blue.token("rob", "den", kid="second", key=fresh, exp=NOW + 3600))  # longer than its key permits
    return fresh


async def revocation(server, blue, red):
    jti = secrets.token_hex(8)
    key = blue.add_key(server.folder, "jwt-hs256", "k" * 40, "--kid=third")
    cases = [(("user", "revoke", "r0@blue"), "r0", {}), (("token", "revoke", "blue", blue.kid, jti), "r1", {"jti": jti}),
             (("key", "revoke", "blue", key), "r2", {"kid": key, "key": "k" * 40})]
    for n, (verb, sub, more) in enumerate(cases):
        g, r = await enters(server, blue.token(sub, "den", **more))
        other, _ = await enters(server, blue.token("stays%d" % n, "den"))
        server.ctl(*verb)
        code, close, seconds = await g.bye()
        assert (code, close) == ("token_revoked", 4403) and seconds < 1, (code, close, seconds)
        assert await other.call("ping") == {}
        await other.ws.close()
        await expect(server, "cannot_resume", None, room="den", app="blue", resume=r["resume"])
        await expect(server, "invalid_token", blue.token(sub, "den", **more))  # made before it was revoked, or by the dead key
    # a token of the second before may come from a clock that is ahead by half a minute: what is made later than that is good
    code = "invalid_token"
    while code == "invalid_token":
        _, code = await join(server, blue.token("r0", "den", iat=int(time.time()) + 29))
    assert not isinstance(code, str), code
    # who was banned stays out with a new token, name and device
    g, r = await enters(server, blue.token("kim", "den"), name="Kim", device="one")
    server.ctl("ban", "blue/den", "#%d" % r["me"])
    assert (await g.bye())[0] == "banned"
    await expect(server, "banned", blue.token("kim", "den"), name="Other", device="two")


async def two_applications(server, blue, red):
    _, a = await enters(server, blue.token("ann", "BlueRoom"), room="BlueRoom")
    _, b = await enters(server, red.token("ann", "BlueRoom"), room="BlueRoom")
    assert len(b["room"]["members"]) == 1, b["room"]["members"]
    rooms = {r["room"]: r["here"] for r in server.ctl("rooms")["rooms"]}
    assert rooms["blue/" + BLUE_ROOM] >= 1 and rooms["red/" + BLUE_ROOM] == 1, rooms
    host, guest = server.create("red/hall")
    assert "/j/red/hall#" in guest
    client = e2e.Client.join(host, "Hanna", "--no-audio")  # our own client, by the link of an application's room
    client.wait_state("joined")
    assert server.ctl("show", "red/hall")["room"]["members"][0]["role"] == "owner"
    client.say(act="leave")
    server.ctl("app", "set", "red", "--rooms=made")
    await expect(server, "no_room", red.token("ann", "elsewhere"), room="elsewhere")
    for _ in range(4):
        await enters(server, red.token("ann", "BlueRoom"), room="BlueRoom")
    await expect(server, "too_many_sessions", red.token("ann", "BlueRoom"), room="BlueRoom")
    await expect(server, "invalid_token", red.token("ann", "BlueRoom"), room="blueroom")  # that is another room


async def addresses(server, blue):
    server.ctl("allow", "add", "blue/den", "192.0.2.0/24")
    await expect(server, "address_not_allowed", blue.token("ann", "den"))
    server.ctl("allow", "add", "blue/den", "127.0.0.0/8")
    await enters(server, blue.token("ann", "den"))
    ips = server.ctl("ips")
    assert {"cidr": "127.0.0.1/32", "port": server.port, "protocol": "tcp"} in ips["signalling"], ips
    assert {"cidr": "127.0.0.1/32", "port": server.media_port, "protocol": "udp"} in ips["media"] and ips["turn"] == ips["log"] == [], ips
    day = lambda n: time.strftime("%Y-%m-%d", time.gmtime(time.time() + n * 86400))
    soon = server.ctl("ips", "add", "203.0.113.0/24", "--class=media", "--from=" + day(30), check=False)
    assert soon.returncode == 3 and b"too_soon" in soon.stdout, soon
    server.ctl("ips", "add", "203.0.113.0/24", "--class=media", "--from=" + day(92))
    server.ctl("ips", "add", "198.51.100.0/24", "--class=turn", "--from=" + day(30), "--force")
    assert len(server.ctl("ips")["planned"]) == 2


def admin(server, method, **params):
    """One request over the operator's socket."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(e2e.PATIENCE)
        s.connect(server.socket)
        s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
        return json.loads(s.makefile().readline())["result"]


async def invites(server):
    """Bad input 13: an invite used twice, after it was revoked, after its end, for another room."""
    server.create("yard", "--no-lobby")
    server.create("barn", "--no-lobby")
    made = lambda **more: e2e.parse_link(admin(server, "room.invite", room="yard", **more)["link"])["invite"]
    spare, once, short = made(role="speaker"), made(role="speaker", uses=1), made(role="speaker", expires_ms=int(time.time() * 1000) - 1)
    await expect(server, "bad_invite", room="yard", invite=short)
    await enters(server, room="yard", invite=once)
    await expect(server, "bad_invite", room="yard", invite=once)
    await enters(server, room="yard", invite=spare)
    await expect(server, "bad_invite", room="barn", invite=spare)
    for i in server.ctl("invites", "yard"):
        server.ctl("invite_revoke", "yard", str(i["id"]))
    await expect(server, "bad_invite", room="yard", invite=spare)


def in_memory(server, keys):
    """VY-19: the memory of the idle process, as far as it can be written to, holds no key."""
    pid = server.process.pid
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            first, last = (int(x, 16) for x in line.split()[0].split("-"))
            if " rw" not in line or last - first > 1 << 28:  # so much only a sanitizer reserves
                continue
            mem.seek(first)
            held = b"".join(iter(lambda: mem.read(max(0, last - mem.tell())), b""))
            assert len(held) == last - first, line
            for k in keys:
                padded = bytes(b ^ 0x36 for b in k.encode())  # what HMAC makes of it: as good as the key
                assert k.encode() not in held and padded[:32] not in held, line


def at_rest(server, folder, keys):
    server.stop()
    dump = subprocess.run(["sqlite3", os.path.join(folder, "gavel.db"), ".dump"], check=True, capture_output=True).stdout
    log = "\n".join(server.log.seen).encode()
    for k in keys:
        for form in (k.encode(), k.encode().hex().encode(), base64.b64encode(k.encode())):
            assert form not in dump and form not in log and form.upper() not in dump


EXTRA = ()


async def run(folder):
    global EXTRA
    config = os.path.join(folder, "gavel.ini")
    with open(config, "w") as f:
        f.write("[server]\nname = gavel\n[limits]\n" + "".join("%s = 0\n" % k for k in ("joins_per_address", "joins_per_room", "strikes")))
    EXTRA = ("--config", config)
    server = e2e.Server(folder, extra=EXTRA)
    blue, red = App(server, "blue"), App(server, "red")
    shown = json.dumps([server.ctl("app", "show", "blue"), server.ctl("app", "list"), server.ctl("key", "list", "blue")])
    assert blue.key not in shown and blue.kid in shown
    in_memory(server, [blue.key, red.key])
    await own_tokens(server, folder, blue, red)
    await bad_tokens(server, blue, red)
    await used_once(server, blue)
    await other_systems(server, folder, blue)
    fresh = await rotation(server, folder, blue)
    await revocation(server, blue, red)
    await two_applications(server, blue, red)
    await addresses(server, blue)
    await invites(server)
    in_memory(server, [blue.key, red.key, fresh])
    at_rest(server, folder, [blue.key, red.key, fresh])


e2e.main(lambda folder: asyncio.run(run(folder)))
