"""Floods from several addresses, each in a network namespace of its own: while one goes on somebody from elsewhere comes in within a
second, the counters say that the limits held, and the server is as it was afterwards.

The test makes a namespace for itself first, so that nothing of it is seen outside or left behind. Needs root."""
import asyncio
import json
import os
import random
import re
import socket
import ssl
import subprocess
import sys
import time

import gavel_e2e as e2e

ADDRESS = "10.231.0.1"       # of the server, on its loopback
ATTACKERS = 3
SECONDS = 4                  # of a flood
PATIENT = 1.0                # how long a guest may take to come in
CONFIG = "[limits]\njoins_per_invite = 100000\njoins_per_room = 100000\n"  # so that the limits by address do the work


# ---- what runs in the namespaces: test_floods.py KIND LINK MEDIA_PORT ----

def tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def join_message(link, name):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "room.join",
                       "params": {"room": link["room"], "name": name, "invite": link["invite"], "device": name}})


async def join(link, name):
    """A WebSocket that has asked to come in, and the answer's state or the refusal's code."""
    import websockets
    ws = await websockets.connect("wss://%s:%d/v1/ws" % (link["host"], link["port"]), ssl=tls(), subprotocols=["gavel.1"],
                                  compression=None, open_timeout=5, close_timeout=1, max_size=1 << 24)
    await ws.send(join_message(link, name))
    while True:
        answer = json.loads(await asyncio.wait_for(ws.recv(), 5))
        if answer.get("id") == 1:
            return ws, answer["result"]["state"] if "result" in answer else answer["error"]["data"]["code"]


async def joins(link, seconds):
    """As many as can be, eight at a time; all of them stay."""
    until, seen, kept = time.monotonic() + seconds, {}, []

    async def worker(k):
        n = 0
        while time.monotonic() < until:
            n += 1
            try:
                ws, state = await join(link, "flood %d %d" % (k, n))
                kept.append(ws)
            except Exception as e:  # refused at some earlier door
                state = type(e).__name__
            seen[state] = seen.get(state, 0) + 1
    await asyncio.gather(*(worker(k) for k in range(8)))
    return seen


async def chat(link, seconds):
    ws, state = await join(link, "chatterbox")
    seen, n, until = {state: 1}, 1, time.monotonic() + seconds

    async def reader():
        async for text in ws:
            answer = json.loads(text)
            if answer.get("id", 0) > 1:
                code = "said" if "result" in answer else answer["error"]["data"]["code"]
                seen[code] = seen.get(code, 0) + 1
    task = asyncio.create_task(reader())
    while time.monotonic() < until:
        for _ in range(50):
            n += 1
            await ws.send(json.dumps({"jsonrpc": "2.0", "id": n, "method": "room.chat", "params": {"text": "x" * 500}}))
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)
    task.cancel()
    return seen


def half_open(link, seconds):
    """Connections that never say anything, as many as there are."""
    until, kept, refused = time.monotonic() + seconds, [], 0
    while time.monotonic() < until:
        while len(kept) < 200:
            s = socket.create_connection((link["host"], link["port"]), 5)
            s.setblocking(False)
            kept.append(s)
        time.sleep(0.1)
        for s in list(kept):
            try:
                gone = s.recv(1) == b""
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            if gone:
                refused += 1
                kept.remove(s)
                s.close()
    return {"closed": refused}


def garbage(link, port, seconds):
    """Datagrams of every kind, none of them asked for; nothing may come back."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setblocking(False)
    rng, until, sent, back = random.Random(1), time.monotonic() + seconds, 0, 0
    stun = bytes.fromhex("000100002112a442") + b"\1" * 12
    while time.monotonic() < until:
        for _ in range(200):
            body = rng.choice((stun, b"\x80\x6f" + rng.randbytes(60), b"\x16\xfe\xfd" + rng.randbytes(200), rng.randbytes(rng.randrange(1, 1400))))
            try:
                s.sendto(body, (link["host"], port))
                sent += 1
            except BlockingIOError:
                pass
        try:
            while s.recv(2000):
                back += 1
        except BlockingIOError:
            pass
        time.sleep(0.005)
    return {"sent": sent, "back": back}


async def guest(link, _):
    began = time.monotonic()
    _, state = await join(link, "guest of another net")
    return {"state": state, "s": time.monotonic() - began}


def attack(kind, link, port):
    link = e2e.parse_link(link)
    if kind == "half_open":
        return half_open(link, SECONDS)
    if kind == "garbage":
        return garbage(link, port, SECONDS)
    return asyncio.run({"joins": joins, "chat": chat, "guest": guest}[kind](link, SECONDS))


# ---- the test itself ----

def ip(*args):
    subprocess.run(["ip", *args], check=True, capture_output=True)


def lay_network():
    """net1..netN and guest: a namespace each, with one cable to here; the server's address is behind all of them."""
    os.makedirs("/run/netns", exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run/netns"], check=True)
    ip("link", "set", "lo", "up")
    ip("addr", "add", ADDRESS + "/32", "dev", "lo")
    for i, name in enumerate(["net%d" % k for k in range(1, ATTACKERS + 1)] + ["guest"], 1):
        ip("netns", "add", name)
        ip("link", "add", "here%d" % i, "type", "veth", "peer", "name", "there", "netns", name)
        ip("addr", "add", "10.231.%d.1/24" % i, "dev", "here%d" % i)
        ip("link", "set", "here%d" % i, "up")
        ip("-n", name, "addr", "add", "10.231.%d.2/24" % i, "dev", "there")
        ip("-n", name, "link", "set", "lo", "up")
        ip("-n", name, "link", "set", "there", "up")
        ip("-n", name, "route", "add", "default", "via", "10.231.%d.1" % i)


def run_in(name, kind, link, port):
    return e2e.start(["ip", "netns", "exec", name, sys.executable, __file__, kind, link, str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def result(process):
    out, err = process.communicate(timeout=e2e.PATIENCE)
    if process.returncode != 0:
        raise e2e.Failure("an attack broke: " + err.decode()[-1500:])
    return json.loads(out)


def metrics(server):
    text = server.ctl("metrics")["text"]
    return {m[1]: int(m[2]) for m in re.finditer(r'^gavel_(?:limit_total\{limit=")?(\w+)(?:"\})? (\d+)$', text, re.M)}


def flood(server, kind, link, guest_link, counters):
    """The flood from all its networks, guests meanwhile; each of `counters` grows."""
    before = metrics(server)
    attackers = [run_in("net%d" % k, kind, link, server.media_port) for k in range(1, ATTACKERS + 1)]
    slowest, tries = 0, 0
    time.sleep(1)
    while tries < 3 or any(p.poll() is None for p in attackers):
        r = result(run_in("guest", "guest", guest_link, 0))
        tries += 1
        slowest = max(slowest, r["s"])
        if r["state"] != "joined" or r["s"] > PATIENT:
            raise e2e.Failure("during %s a guest came in as %s after %.2f s" % (kind, r["state"], r["s"]))
        if tries == 12:
            break
    seen = [result(p) for p in attackers]
    after = metrics(server)
    print("%-10s %s; guests: %d, slowest %.2f s" % (kind, seen, tries, slowest))
    for name in counters:
        if after[name] <= before[name]:
            raise e2e.Failure("%s: the counter %s did not grow: %s" % (kind, name, after[name]))
    return seen


def rss_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%d/status" % pid).read())[1])


def test(folder):
    config = os.path.join(folder, "floods.ini")
    with open(config, "w") as f:
        f.write(CONFIG)
    server = e2e.Server(folder, extra=["--listen", ADDRESS, "--config", config])
    _, open_link = server.create("open", "--no-lobby")
    owner_link, waiting_link = server.create("waiting")
    _, chat_link = server.create("chatty", "--no-lobby")
    _, guest_link = server.create("quiet", "--no-lobby")
    start_kb = rss_kb(server.process.pid)

    for seen in flood(server, "chat", chat_link, guest_link, ["chat", "rate_limited_total"]):
        if not 1 <= seen.get("said", 0) <= 10 + 6 * (SECONDS + 1):
            raise e2e.Failure("so much was said: %s" % seen)
    for seen in flood(server, "garbage", guest_link, guest_link, ["media_unknown_source_total"]):
        if seen["back"] or seen["sent"] < 1000:
            raise e2e.Failure("garbage: %s" % seen)
    for seen in flood(server, "joins", open_link, guest_link, ["joins_per_address"]):
        if seen.get("joined", 0) > 62:
            raise e2e.Failure("one address came in %s times" % seen)
    flood(server, "half_open", guest_link, guest_link, ["half_open_per_network"])
    server.stop()

    server = e2e.Server(folder, extra=["--listen", ADDRESS, "--config", config])  # the addresses begin anew
    owner_link, waiting_link = server.create("knocked")
    server.create("other")
    _, guest_link = server.create("quiet2", "--no-lobby")
    for seen in flood(server, "joins", waiting_link, guest_link, ["joins_per_address"]):
        if not 1 <= seen.get("lobby", 0) <= 62:
            raise e2e.Failure("one address waits %s times" % seen)
    grown = rss_kb(server.process.pid) - start_kb
    print("grown by %d kB" % grown)
    if grown > 200000:
        raise e2e.Failure("the server grew by %d kB" % grown)
    server.stop()


if len(sys.argv) == 4:
    print(json.dumps(attack(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
    sys.exit(0)
if os.geteuid() != 0:
    print("skipped: floods from several addresses need network namespaces, which need root")
    sys.exit(77)
if os.environ.get("GAVEL_NETNS") != "own":
    sys.exit(subprocess.run(["unshare", "--net", "--mount", sys.executable, __file__], env=dict(os.environ, GAVEL_NETNS="own")).returncode)
lay_network()
sys.stdout.reconfigure(line_buffering=True)
e2e.main(test)
