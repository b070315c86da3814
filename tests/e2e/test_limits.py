"""The limits of the port everybody can reach, one after another, as they are without a word in the configuration: what happens beyond
each, and that its counter in `gavelctl metrics` grows. Floods from several addresses: test_floods.py."""
import asyncio
import base64
import json
import os
import re
import ssl
import subprocess
import time

import websockets

import gavel_e2e as e2e

GUEST = {"jsonrpc": "2.0", "id": 1, "method": "room.join"}


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def check(truth, what):
    if not truth:
        raise e2e.Failure(what)


class Port:
    """The public port of a server, and what it has counted."""

    def __init__(self, server):
        self.server = server
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def connect(self):
        return websockets.connect("wss://127.0.0.1:%d/v1/ws" % self.server.port, ssl=self.tls, subprotocols=["gavel.1"], compression=None,
                                  open_timeout=20, ping_interval=None, close_timeout=1, max_size=1 << 24)

    async def join(self, room, invite, name="n", by="invite"):
        """The socket, and the state or the code of the refusal."""
        ws = await self.connect()
        await ws.send(json.dumps(dict(GUEST, params={"room": room, "name": name, by: invite})))
        while True:
            answer = json.loads(await asyncio.wait_for(ws.recv(), e2e.PATIENCE))
            if answer.get("id") == 1:
                return ws, answer["result"]["state"] if "result" in answer else answer["error"]["data"]["code"]

    def metrics(self):
        text = self.server.ctl("metrics")["text"]
        return {m[1]: int(m[2]) for m in re.finditer(r'^gavel_(?:limit_total\{limit=")?(\w+)(?:"\})? (\d+)$', text, re.M)}

    def held(self, limit):
        return self.metrics()[limit]


async def closed_with(ws):
    """The close code, once everything before it is read."""
    try:
        while True:
            await asyncio.wait_for(ws.recv(), e2e.PATIENCE)
    except websockets.ConnectionClosed as e:
        return e.rcvd.code if e.rcvd else None


def every_row_has_a_counter(port):
    rows = subprocess.run([e2e.program("gaveld"), "--limits"], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^\*?([a-z_]+) +\d+ \S", rows.split("NAME  ", 1)[1], re.M)
    metrics = port.metrics()
    missing = [n for n in names if n not in metrics]
    check(len(names) >= 25 and not missing, "rows: %d, without a counter: %s" % (len(names), missing))
    text = port.server.ctl("metrics")["text"]
    for line in text.splitlines():  # what Prometheus reads: comments, or a name, labels and a number
        check(re.fullmatch(r'# (HELP|TYPE) (gavel|process)_\w+ .+|(gavel|process)_\w+(\{\w+="[\w.+]+"(,\w+="[\w.+]+")?\})? \d+(\.\d+)?', line),
              "not a metric: " + line)
    typed = re.findall(r"^# TYPE (\w+)", text, re.M)
    check(len(typed) == len(set(typed)), "a metric stands twice")
    for name in ("media_packets_in_total", "media_unknown_source_total", "connections", "rate_limited_total"):
        check(name in metrics, "no " + name)


async def first_message(port):
    ws = await port.connect()  # says nothing
    check(await closed_with(ws) == 4401, "silence")
    check(port.held("first_message") == 1, "counter of silence")
    ws = await port.connect()
    await ws.send(json.dumps(dict(GUEST, params={"room": "den", "name": "n", "sdp": "x" * 8200})))
    check(await closed_with(ws) == 4401 and port.held("first_message_size") == 1, "a first message of more than 8 KiB")


async def messages(port, invite):
    for what, parts, limit in (("65 frames", ["x"] * 64, "message_fragments"), ("64 KiB and one", "x" * 65537, "message_size"),
                               ("in frames", ["x" * 3000] * 30, "message_size")):
        ws, state = await port.join("den", invite)
        check(state == "joined", state)
        before = port.held(limit)
        await ws.send(parts)
        check(await closed_with(ws) == 1009, what)
        check(port.held(limit) == before + 1, what + ": counter")
    ws, _ = await port.join("den", invite)
    await ws.send(['{"jsonrpc":"2.0","id":2,', '"method":"ping"', ',"params":{}}'] + [" "] * 60)  # 64 frames with the empty last one are fine
    while "id" not in (answer := json.loads(await asyncio.wait_for(ws.recv(), e2e.PATIENCE))):
        pass
    check(answer["id"] == 2 and "result" in answer, "64 frames: %s" % answer)


async def a_class_of_forty(port, invite):
    came = await asyncio.gather(*(port.join("class", invite, "pupil %d" % k) for k in range(40)))
    check([state for _, state in came] == ["joined"] * 40, "a class behind one address: %s" % [s for _, s in came])
    states = [state for _, state in await asyncio.gather(*(port.join("class", invite, "crowd %d" % k) for k in range(40)))]
    check(states.count("rate_limited") >= 10 and port.held("joins_per_address") == states.count("rate_limited"), "a crowd: %s" % states)


async def acts(port, invite):
    ws, state = await port.join("den", invite)
    for n in range(2, 302):
        await ws.send(json.dumps({"jsonrpc": "2.0", "id": n, "method": "ping", "params": {}}))
    codes = {}
    while sum(codes.values()) < 300:
        answer = json.loads(await asyncio.wait_for(ws.recv(), e2e.PATIENCE))
        if answer.get("id", 0) >= 2:
            code = "ok" if "result" in answer else answer["error"]["data"]["code"]
            check(code == "ok" or answer["error"]["data"]["retry_ms"] > 0, "no word of when to come again")
            codes[code] = codes.get(code, 0) + 1
    check(39 <= codes["ok"] < 150 and codes["rate_limited"] == port.held("acts"), "acts: %s" % codes)


async def guessing(port, invite):
    """Twenty tokens that nobody signed: nobody comes in from the address any more, with a line in the log and in the audit log; who
    is in stays. An old link is no guess: nobody guesses 32 bytes."""
    inside, state = await port.join("den", invite)
    for k in range(20):
        _, code = await port.join("den", "A" * 42 + "AEIMQUYcgkosw048"[k % 16])
        check(code == "bad_invite", "old link %d: %s" % (k, code))
    kid, now = port.server.ctl("app", "create", "blue")["kid"], int(time.time())
    claims = {"iss": "blue", "aud": "gavel", "sub": "eve", "iat": now, "exp": now + 600, "jti": "x", "room": "den", "scope": "room:join"}
    parts = ({"alg": "HS256", "typ": "gavel+jwt", "kid": kid}, claims)
    forged = ".".join(b64(json.dumps(part).encode()) for part in parts)
    for k in range(20):
        _, code = await port.join("den", forged + "." + b64(bytes([k] * 32)), by="token")
        check(code == "invalid_token", "guess %d: %s" % (k, code))
    port.server.log.wait(lambda l: "event=ids.alert" in l, "line of the alert")
    m = port.metrics()
    check(m["ids_alerts_total"] == 1 and m["ids_strikes_total"] == 20, "counters: %s" % m)
    _, code = await port.join("den", invite)
    check(code == "rate_limited", "a blocked address came in: " + code)
    check(port.held("strikes") >= 1, "counter of blocked joins")
    await inside.send(json.dumps({"jsonrpc": "2.0", "id": 9, "method": "ping", "params": {}}))
    while (answer := json.loads(await asyncio.wait_for(inside.recv(), e2e.PATIENCE))).get("id") != 9:
        pass
    check("result" in answer, "who was in is out")
    dump = subprocess.run([e2e.program("gavelctl"), "--socket", port.server.socket, "--json", "audit", "query"], capture_output=True, text=True)
    check(dump.returncode != 0 or "ids.alert" in dump.stdout, "the audit log does not know")


def server_with(folder, name, text):
    where = os.path.join(folder, name)
    os.mkdir(where)
    path = os.path.join(where, "gaveld.ini")
    with open(path, "w") as f:
        f.write("[limits]\nloopback = yes\n" + text)  # everybody here comes from this machine
    return e2e.Server(where, extra=["--config", path])


def test(folder):
    server = server_with(folder, "a", "")
    port = Port(server)
    every_row_has_a_counter(port)
    den, school = (e2e.parse_link(server.create(room, "--no-lobby")[1])["invite"] for room in ("den", "class"))

    async def one_by_one():
        await first_message(port)
        await messages(port, den)
        await acts(port, den)
    asyncio.run(one_by_one())
    server.stop()

    server = server_with(folder, "b", "")
    port = Port(server)
    school = e2e.parse_link(server.create("class", "--no-lobby")[1])["invite"]
    asyncio.run(a_class_of_forty(port, school))
    server.stop()

    server = server_with(folder, "c", "joins_per_address = 1000\n")
    den = e2e.parse_link(server.create("den", "--no-lobby")[1])["invite"]
    asyncio.run(guessing(Port(server), den))
    server.stop()


e2e.main(test)
