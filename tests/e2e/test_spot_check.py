"""An operator listens in. Announced: everybody hears two tones and reads a line when it begins and ends, who comes later sees it, and he only
hears. In silence: each condition that is missing is a refusal of its own; with all of them nobody in the room can tell, and the audit log can."""
import asyncio
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import aioice.ice
import numpy
import websockets
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

import gavel_e2e as e2e

RATE, HOST, LOW, HIGH = 48000, 440, 880, 1320
SCOPES = "room:join monitor:watch monitor:listen monitor:silent"
PASSWORD = "correct horse battery staple"
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    OPS_PORT = free.getsockname()[1]
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]  # by itself it leaves out loopback


def totp(secret, step):
    import base64
    import hashlib
    import hmac
    digest = hmac.new(base64.b32decode(secret + "=" * (-len(secret) % 8)), struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return "%06d" % ((struct.unpack(">I", digest[at:at + 4])[0] & 0x7FFFFFFF) % 1000000)


def post(server, path, **fields):
    import ssl as tls
    import urllib.error
    import urllib.parse
    import urllib.request
    context = tls.create_default_context()
    context.check_hostname, context.verify_mode = False, tls.CERT_NONE
    try:
        url, body = "https://127.0.0.1:%d%s" % (server.port, path), urllib.parse.urlencode(fields).encode()
        with urllib.request.urlopen(url, body, 20, context=context) as r:
            return r.read().decode()
    except urllib.error.HTTPError as e:
        raise e2e.Failure("%s: %d %s" % (path, e.code, e.read().decode()))


def account(folder, server, name, mfa):
    password = os.path.join(folder, "password")
    with open(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write(PASSWORD + "\n")
    server.ctl("account", "create", name, "--password=" + password, "--scopes=" + SCOPES)
    return server.ctl("account", "totp", name)["secret"] if mfa else None


def session(server, name, secret, scope=SCOPES):
    """An access token as `gavel login` gets it."""
    d = json.loads(post(server, "/oauth/device_authorization", scope=scope))
    code = totp(secret, int(time.time() / 30)) if secret else ""
    post(server, "/device", user_code=d["user_code"], account=name, password=PASSWORD, code=code, decision="approve")
    return json.loads(post(server, "/oauth/token", grant_type="urn:ietf:params:oauth:grant-type:device_code",
                           device_code=d["device_code"]))["access_token"]


class Refused(Exception):
    pass


class Operator:
    """A connection of an operator, with ears (aiortc) when it joins a room."""

    def __init__(self, server, port=None):
        self.id, self.requests, self.pc, self.notes, self.pcm = 0, {}, None, [], numpy.zeros(0)
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.arrived = threading.Condition()
        self.run(self.connect(port or server.port))

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(e2e.PATIENCE)

    async def connect(self, port):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        self.ws = await websockets.connect("wss://127.0.0.1:%d/v1/ws" % port, ssl=tls, subprotocols=["gavel.1"], compression=None)
        asyncio.ensure_future(self.read())

    async def read(self):
        try:
            async for text in self.ws:
                m = json.loads(text)
                if "id" in m and "method" not in m:
                    self.requests.pop(m["id"]).set_result(m)
                    continue
                with self.arrived:
                    self.notes.append(m)
                    self.arrived.notify_all()
        except websockets.ConnectionClosed:
            pass

    async def ask_async(self, method, **params):
        self.id += 1
        answer = self.requests[self.id] = self.loop.create_future()
        await self.ws.send(json.dumps({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}))
        m = await answer
        if "error" in m:
            raise Refused(m["error"]["data"]["code"], m["error"]["data"])
        return m["result"]

    def ask(self, method, **params):
        return self.run(self.ask_async(method, **params))

    def note(self, what, want):
        with self.arrived:
            if not self.arrived.wait_for(lambda: any(want(m) for m in self.notes), e2e.PATIENCE):
                raise e2e.Failure("no %s; notes: %s" % (what, json.dumps(self.notes)[:3000]))
            return next(m for m in self.notes if want(m))

    async def listen_async(self, params):
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pc.addTransceiver("audio", direction="recvonly")
        self.pc.on("track", lambda track: asyncio.ensure_future(self.hear(track)))
        await self.pc.setLocalDescription(await self.pc.createOffer())
        r = await self.ask_async("room.join", sdp=self.pc.localDescription.sdp, **params)
        await self.pc.setRemoteDescription(RTCSessionDescription(r["sdp"], "answer"))
        return r

    async def hear(self, track):
        try:
            while True:
                pcm = (await track.recv()).to_ndarray().reshape(-1, 2)[:, 0] / 32768
                self.pcm = numpy.concatenate([self.pcm[-RATE:], pcm])
        except MediaStreamError:
            pass

    def listen(self, room, token, mode, **monitor):
        return self.run(self.listen_async({"room": room, "token": token, "consent": "1", "monitor": dict(monitor, mode=mode)}))

    def wait_hears(self, freq):
        deadline = time.monotonic() + e2e.PATIENCE
        while e2e.tone_amplitude(self.pcm[-RATE // 5:], RATE, freq) < 0.1:
            if time.monotonic() > deadline:
                raise e2e.Failure("the monitor does not hear %d Hz: %d samples" % (freq, len(self.pcm)))
            threading.Event().wait(0.05)

    def close(self):
        async def close():
            if self.pc:
                await self.pc.close()
            await self.ws.close()
        self.run(close())


def refused(server, code, token, mode="silent", room="board", **monitor):
    o = Operator(server)
    try:
        o.ask("room.join", room=room, token=token, monitor=dict(monitor, mode=mode))
    except Refused as e:
        assert e.args[0] == code, (code, e.args)
        return e.args[1]
    finally:
        o.close()
    raise e2e.Failure("not refused with " + code)


def configure(folder, **change):
    values = dict({"silent": "no", "second_person": "no", "tell_host_after": "yes", "consent_monitoring": "no"}, **change)
    path = os.path.join(folder, "gaveld.ini")
    text = os.path.join(folder, "consent.txt")
    with open(text, "w") as f:
        f.write("An operator may listen to this room.\n")
    with open(path, "w") as f:
        f.write(e2e.UNLIMITED + "[server]\nregion = lab\n[ops]\nport = %d\n[privacy]\nconsent_file = %s\nconsent_version = 1\n" % (OPS_PORT, text) +
                "consent_monitoring = %(consent_monitoring)s\n[monitor]\nsilent = %(silent)s\nsecond_person = %(second_person)s\n" % values +
                "tell_host_after = %(tell_host_after)s\n" % values)
    return path


def reload(folder, server, **change):
    configure(folder, **change)
    server.process.send_signal(signal.SIGHUP)
    server.log.wait(lambda l: "was read again" in l, "the configuration read again")


def segments(path):
    """What a recording has of both tones: ["LH", "HL"] are two signals, one that rises and one that falls."""
    pcm, rate = e2e.read_wav(path)
    n, signals, last = int(0.06 * rate), [], -1e9
    for i in range(0, len(pcm) - n, n // 2):
        low, high = (e2e.tone_amplitude(pcm[i:i + n], rate, f) for f in (LOW, HIGH))
        if max(low, high) < 0.08 or max(low, high) < 2 * min(low, high):
            continue
        if i - last > rate / 2:
            signals.append("")
        last, letter = i, "L" if low > high else "H"
        if not signals[-1].endswith(letter):
            signals[-1] += letter
    return signals


def sound_passes(client, n=3):
    for _ in range(n):
        client.wait("link report", lambda e: e.get("event") == "link")


def audit(server, action):
    """The last entry of an action."""
    out = subprocess.run([e2e.program("gavelctl"), "--socket", server.socket, "--json", "audit", "query",
                          "--action=" + action], capture_output=True, timeout=e2e.PATIENCE, check=True)
    return [json.loads(l) for l in out.stdout.decode().splitlines()][-1]


def meta_of(entry):
    return entry.get("meta") or entry["data"]["meta"]


def console(server, token):
    """The feed at the operator's port: rows with figures, and what changes."""
    c = Operator(server, OPS_PORT)
    try:
        c.ask("ops.watch")
        raise e2e.Failure("watched without having signed in")
    except Refused as e:
        assert e.args[0] == "not_joined", e
    who = c.ask("ops.sign_in", token=token)
    assert who["user"] == "ann" and who["mfa"] and "monitor:watch" in who["scopes"], who
    first = c.ask("ops.watch", interval_ms=250)
    row, = first["rooms"]
    assert row["room"] == "board" and row["people"] == 2 and row["hosts"] == 1 and row["region"] == "lab" and row["alerts"] == [], row
    assert first["server"]["rooms"] == 1 and first["server"]["people"] == 2, first["server"]
    full = lambda r: r["talkers"] == 1 and r["lines"] == 2 and r["via"]["udp"] == 2 and sum(r["tiers"].values()) == 2
    c.note("row with a talker and figures", lambda m: m["method"] == "ops" and any(full(r) for r in m["params"]["rooms"]))
    room = c.ask("ops.room", room="board")
    assert [p["name"] for p in room["people"] if p["talking"] and p["level"] < 60] == ["host"], room
    return c


def announced(folder, server, token, host, bob, guest_link):
    ops = Operator(server)
    for missing, code in (({"ticket": "T-1"}, "monitor_reason"), ({"reason": "noise"}, "monitor_ticket")):
        refused(server, code, token, mode="listen", **missing)
    r = ops.listen("board", token, "listen", reason="noise", ticket="T-1")
    assert r["state"] == "joined"
    assert [m["role"] for m in r["room"]["members"] if m["name"] == "ops (monitor, listening)"] == ["monitor"], r
    for c in (host, bob):
        c.wait("line of the chat", lambda e: e.get("event") == "room_event" and "Monitoring begins" in json.dumps(e))
    ops.wait_hears(HOST)
    for method, params in (("room.chat", {"text": "hi"}), ("room.unmute", {}), ("room.hand", {}), ("room.lock", {})):
        try:
            ops.ask(method, **params)
            raise e2e.Failure(method + " was not refused")
        except Refused as e:
            assert e.args[0] == "not_allowed", (method, e)
    ops.ask("ops.whisper", text="your line crackles")
    host.wait("whisper", lambda e: e.get("event") == "room_event" and "crackles" in json.dumps(e))
    late = e2e.Client.join(guest_link, "late", "--no-audio", "--accept-consent", "1")
    late.wait("notice", lambda e: "A monitor is listening" in json.dumps(e))
    late.say(cmd="leave")
    assert late.end() == 0
    assert any(m["role"] == "monitor" for m in server.ctl("show", "board")["room"]["members"])
    sound_passes(bob)  # whole tones, and a pause before the next
    ops.ask("room.leave")
    for c in (host, bob):
        c.wait("line of the chat", lambda e: e.get("event") == "room_event" and "Monitoring has ended" in json.dumps(e))
    sound_passes(bob)
    ops.close()
    end = audit(server, "monitor.end")
    assert end["ticket"] == "T-1" and meta_of(end)["reason"] == "noise" and meta_of(end)["seconds"] >= 1, end


def conditions(folder, server, token, plain, scoped):
    why = {"reason": "complaint", "ticket": "T-2", "minutes": 1}
    refused(server, "silent_off", token, **why)
    reload(folder, server, silent="yes")
    refused(server, "silent_text", token, **why)
    reload(folder, server, silent="yes", consent_monitoring="yes", second_person="yes")
    refused(server, "silent_scope", scoped, **why)
    refused(server, "silent_mfa", plain, **why)
    refused(server, "monitor_reason", token, **dict(why, reason=""))
    refused(server, "monitor_ticket", token, **dict(why, ticket=""))
    refused(server, "silent_minutes", token, **dict(why, minutes=11))
    refused(server, "no_room", token, room="elsewhere", **why)
    return refused(server, "silent_approval", token, **why)["approval"]


def in_silence(folder, server, token, approval, host, bob):
    roster = [m["name"] for m in server.ctl("show", "board")["room"]["members"]]
    assert server.ctl("monitor", "list")["approvals"][0]["approval"] == approval
    server.ctl("monitor", "approve", str(approval))
    seen = len(bob.lines.seen) + bob.lines.queue.qsize()
    ops = Operator(server)
    r = ops.listen("board", token, "silent", reason="complaint", ticket="T-2", minutes=1)
    assert r["state"] == "listening" and "resume" not in r and [m["name"] for m in r["room"]["members"]] == roster, r
    assert audit(server, "monitor.begin")["ticket"] == "T-2", "at once"
    ops.wait_hears(HOST)
    assert [m["name"] for m in server.ctl("show", "board")["room"]["members"]] == roster
    assert [x["here"] for x in server.ctl("rooms")["rooms"] if x["room"] == "board"] == [len(roster)]
    listener, = server.ctl("monitor", "list")["listeners"]
    assert listener["mode"] == "silent" and listener["operator"] == "ann" and listener["reason"] == "complaint", listener
    for method in ("room.chat", "room.hand", "privacy.show", "room.history"):
        try:
            ops.ask(method)
            raise e2e.Failure(method + " was not refused")
        except Refused as e:
            assert e.args[0] == "not_allowed", (method, e)
    sound_passes(bob, 2)
    ops.ask("room.leave")
    ops.close()
    host.wait("word afterwards", lambda e: e.get("event") == "room_event" and "unannounced" in json.dumps(e) and "complaint" in json.dumps(e))
    sound_passes(bob, 1)
    told = bob.lines.seen[seen:] + [l for l in bob.lines.queue.queue if l]
    for line in told:
        assert json.loads(line)["event"] in ("link", "levels", "mic", "quality", "security"), line
    end = audit(server, "monitor.end")
    assert end["ticket"] == "T-2" and meta_of(end)["reason"] == "complaint" and meta_of(end)["mode"] == "silent", end
    assert meta_of(end)["seconds"] >= 1 and meta_of(end)["approved_by"] == "operator", end
    refused(server, "silent_approval", token, reason="complaint", ticket="T-2", minutes=1)  # it was for once


def test(folder):
    server = e2e.Server(folder, extra=["--config", configure(folder)])
    host_link, guest_link = server.create("board", "--no-lobby")
    tokens = {name: session(server, name, account(folder, server, name, mfa)) for name, mfa in (("ann", True), ("cat", False))}
    scoped = session(server, "cat", None, "room:join monitor:listen")
    wav, heard = os.path.join(folder, "host.wav"), {n: os.path.join(folder, n + "-heard.wav") for n in ("host", "bob")}
    e2e.write_tone(wav, HOST, 90)
    host = e2e.Client.join(host_link, "host", "--play", wav, "--record", heard["host"], "--accept-consent", "1")
    host.wait_state("joined")
    bob = e2e.Client.join(guest_link, "bob", "--input", "null", "--record", heard["bob"], "--accept-consent", "1")
    bob.wait_state("joined")
    for c in (host, bob):
        c.wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))
    watcher = console(server, tokens["ann"])
    announced(folder, server, tokens["ann"], host, bob, guest_link)
    watcher.note("row with a monitor", lambda m: m["method"] == "ops" and any(r["monitors"] == 1 for r in m["params"]["rooms"]))
    approval = conditions(folder, server, tokens["ann"], tokens["cat"], scoped)
    in_silence(folder, server, tokens["ann"], approval, host, bob)
    for c in (host, bob):
        c.say(cmd="leave")
        assert c.end() == 0
    for name, path in heard.items():
        assert segments(path) == ["LH", "HL"], (name, segments(path))
    metered = server.ctl("metering")["metering"]
    assert sum(m["visits"] for m in metered) == 3, metered  # host, bob, late
    server.stop()


e2e.main(test)
