"""docs/bad-input.md 32: more than there is room for. A reader that does not read, thousands of idle connections, a rush to the door, no file
descriptor left, and all the memory one may hold: the call in another room goes on through each. What the limits do as they are without
a word in the configuration is in test_limits.py and test_floods.py; here they are off."""
import json
import os
import resource
import socket
import subprocess
import threading
import time

import bad_kit as kit
import gavel_e2e as e2e
from bad_kit import TEXT, check, code


class Operator:
    """Requests on the operator's socket, many at once."""

    def __init__(self, room):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(room.server.socket)
        self.s.settimeout(e2e.PATIENCE)
        self.file = self.s.makefile("rb")

    def chat(self, room, n, size):
        """n messages, of which the last is answered when all are done."""
        for i in range(0, n, 50):
            self.s.sendall(b"".join(json.dumps({"jsonrpc": "2.0", "id": i + k + 1, "method": "room.announce", "params": {
                "room": room, "text": "%d " % (i + k) + "x" * size}}).encode() + b"\n" for k in range(50)))
            for _ in range(50):
                check(b'"result"' in self.file.readline(), "an announcement")


def bad_32_slow_reader(room):
    """It is closed once 4096 messages or 8 MiB wait for it; who reads in the same room misses nothing."""
    invite = e2e.parse_link(room.server.create("hall", "--no-lobby")[1])["invite"]
    slow = kit.Raw(room.server.port)
    slow.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    params = {"room": "hall", "invite": invite}
    check(code(slow.ask("room.join", dict(params, name="slow"))) == "ok", "slow")
    reader, seen = kit.Raw(room.server.port), []
    check(code(reader.ask("room.join", dict(params, name="reader"))) == "ok", "reader")

    def read():
        while (f := reader.next()) is not None:
            seen.append(f[1])
            if b"the end" in f[1]:
                return
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    operator, n = Operator(room), 0
    while room.metrics()["slow_closed_total"] == 0:
        check(n < 20000, "a reader that does not read is kept")
        operator.chat("hall", 1000, 1900)
        n += 1000
        room.fine("%d unread messages" % n)
    room.server.ctl("announce", "hall", "the end")
    thread.join(e2e.PATIENCE)
    check(not thread.is_alive() and sum(b"announced" in s or b"xxxxx" in s for s in seen) >= n, "the reader missed something")
    until = time.monotonic() + e2e.PATIENCE
    while any(m["name"] == "slow" and m.get("presence", "here") == "here" for m in room.server.ctl("show", "hall")["room"]["members"]):
        check(time.monotonic() < until, "the slow one is still there")
    slow.close()
    reader.close()
    room.fine("a slow reader")


def bad_32_idle(room):
    """10,000 connections that say nothing, or what this machine makes of them in 12 s, and 200 that finish TLS and then say nothing."""
    kept, most = [], 10000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < most + 1000:
        most = hard - 1000
    resource.setrlimit(resource.RLIMIT_NOFILE, (most + 1000, hard))
    try:
        began, before = time.monotonic(), room.rss_kb()
        for i in range(most):
            s = socket.socket()
            s.settimeout(5)
            s.bind(("127.0.%d.1" % (10 + i // 5000), 0))
            try:
                s.connect(("127.0.0.1", room.server.port))
            except OSError:
                s.close()
                continue
            kept.append(s)
            if i % 1000 == 999:
                room.fine("%d idle connections" % (i + 1))
                if time.monotonic() - began > 12:
                    break
        check(len(kept) >= 1000, "only %d could connect" % len(kept))
        context = kit.tls()
        for i in range(200):
            s = socket.create_connection(("127.0.0.1", room.server.port), 5)
            try:
                kept.append(context.wrap_socket(s))
            except OSError:
                s.close()
        room.fine("idle connections")
        raw, _ = room.raw("among the idle")  # at the first try
        raw.close()
        print("%d idle in %.1f s, +%d kB" % (len(kept), time.monotonic() - began, room.rss_kb() - before))
        check(room.rss_kb() - before < 55 * len(kept), "%d kB for the idle" % (room.rss_kb() - before))
    finally:
        for s in kept:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room.fine("the idle have gone")


def bad_32_rush(room):
    """Many come in at once and stay; each is answered, and the two in the call do not notice."""
    invite = e2e.parse_link(room.server.create("rush", "--no-lobby")[1])["invite"]
    came, lock = [], threading.Lock()

    def worker(k):
        for n in range(40):
            r = kit.Raw(room.server.port)
            c = code(r.ask("room.join", {"room": "rush", "name": "g %d %d" % (k, n), "invite": invite}))
            with lock:
                came.append((c, r))
    began = time.monotonic()
    threads = [threading.Thread(target=worker, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    room.fine("the rush began")
    for t in threads:
        t.join(e2e.PATIENCE)
    room.fine("the rush ended")
    check(len(came) == 320 and all(c == "ok" for c, _ in came), "%d came: %s" % (len(came), {c for c, _ in came}))
    print("320 joins in %.1f s" % (time.monotonic() - began))
    for _, r in came:
        r.close()
    room.fine("all have left")


def bad_32_no_descriptor(folder):
    """With 150 descriptors 400 connections: who is in stays in, and when they have gone everything is as before."""
    room = kit.Room(folder, wrap=("prlimit", "--nofile=150"))
    kept = []
    for i in range(400):
        s = socket.socket()
        s.settimeout(0.2)
        try:
            s.connect(("127.0.0.1", room.server.port))
            kept.append(s)
        except OSError:
            s.close()
    check(len(kept) > 150, "the kernel takes %d" % len(kept))
    cpu = cpu_s(room)
    began = time.monotonic()
    room.fine("no descriptor left")
    room.fine("no descriptor left still")
    check(cpu_s(room) - cpu < 0.8 * (time.monotonic() - began) + 0.5, "it spins: %.1f s of %.1f" % (cpu_s(room) - cpu, time.monotonic() - began))
    for s in kept:
        s.close()
    raw = None
    until = time.monotonic() + e2e.PATIENCE
    while raw is None:
        try:
            raw, _ = room.raw("afterwards")
        except (OSError, e2e.Failure):
            check(time.monotonic() < until, "nobody comes in any more")
    raw.close()
    check(room.server.ctl("info") is not None, "the operator")
    room.fine("descriptors again")
    room.end()


def cpu_s(room):
    with open("/proc/%d/stat" % room.server.process.pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bad_32_memory(room):
    """What 300 connections can make it hold: each the most of a message, never finished."""
    before, kept = room.rss_kb(), []
    for i in range(300):
        r = kit.Raw(room.server.port)
        check(r.frame(TEXT, b"[" * 8000, final=False), "the first part")
        kept.append(r)
    room.fine("300 unfinished messages")
    grown = room.rss_kb() - before
    check(grown < 300 * 200, "300 unfinished messages cost %d kB" % grown)
    kept = []
    for i in range(50):
        r, _ = room.raw("heavy %d" % i)
        for n in range(8):
            r.frame(TEXT if n == 0 else 0, b" " * 8000, False)
        kept.append(r)
    room.fine("unfinished messages of people")
    check(room.rss_kb() - before < 300 * 200 + 50 * 300, "the messages cost %d kB" % (room.rss_kb() - before))
    for r in kept:
        r.close()


def test(folder):
    for name in ("a", "b"):
        os.mkdir(os.path.join(folder, name))
    room = kit.Room(os.path.join(folder, "a"))
    for attack in (bad_32_slow_reader, bad_32_idle, bad_32_rush, bad_32_memory):
        began = time.monotonic()
        attack(room)
        print("%s: %.1f s" % (attack.__name__, time.monotonic() - began), flush=True)
    room.end()
    bad_32_no_descriptor(os.path.join(folder, "b"))


e2e.main(test)
