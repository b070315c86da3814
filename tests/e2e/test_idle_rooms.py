"""Rooms in which nobody is cost nothing: while they stand empty no thread of the server wakes up, neither those just made nor
those that a restart read from the log. GAVEL_IDLE_ROOMS sets how many (2000)."""
import json
import os
import queue
import socket
import time

import gavel_e2e as e2e

ROOMS = int(os.environ.get("GAVEL_IDLE_ROOMS", "2000"))
SETTLE_S, WATCH_S = 3, 6


def check(what, said, ok):
    if not ok:
        raise e2e.Failure("%s: %s" % (what, said))


def make(server):
    s = socket.socket(socket.AF_UNIX)
    s.connect(server.socket)
    s.settimeout(e2e.PATIENCE)
    answers = s.makefile("rb")
    for i in range(0, ROOMS, 50):
        s.sendall(b"".join(json.dumps({"jsonrpc": "2.0", "id": k + 1, "method": "room.create", "params": {"room": "r-%d" % k}}).encode() + b"\n"
                           for k in range(i, min(i + 50, ROOMS))))
        for _ in range(i, min(i + 50, ROOMS)):
            line = answers.readline()
            check("a room is made", line, b'"result"' in line)
    s.close()


def threads(server):
    """Of each thread: how often it went to sleep and woke up, and the nanoseconds it ran."""
    found, base = {}, "/proc/%d/task" % server.process.pid
    for t in os.listdir(base):
        with open("%s/%s/status" % (base, t)) as f:
            switches = [int(l.split()[1]) for l in f if l.startswith("voluntary_ctxt_switches")][0]
        with open("%s/%s/schedstat" % (base, t)) as f:
            found[t] = (switches, int(f.read().split()[0]))
    return found


def rss_kb(server):
    with open("/proc/%d/status" % server.process.pid) as f:
        return [int(l.split()[1]) for l in f if l.startswith("VmRSS")][0]


def let_pass(server, seconds):
    """Reads what the server says, so that its pipe is never full."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            server.log.queue.get(timeout=left)
        except queue.Empty:
            return


def idle(server, when):
    let_pass(server, SETTLE_S)
    before = threads(server)
    let_pass(server, WATCH_S)
    after = threads(server)
    for t, (switches, ran) in after.items():
        was = before[t]
        check("%s: thread %s woke up" % (when, t), (before, after), switches == was[0])
        check("%s: thread %s ran" % (when, t), (before, after), ran - was[1] < 1000000)


def test(folder):
    server = e2e.Server(folder)
    empty = rss_kb(server)
    make(server)
    made = rss_kb(server)
    idle(server, "%d rooms" % ROOMS)
    server.stop()
    began = time.monotonic()
    server = e2e.Server(folder)
    print("%d rooms: %.1f KiB each, start with them %.2f s" % (ROOMS, (made - empty) / ROOMS, time.monotonic() - began))
    idle(server, "after a restart")
    check("they are there", server.ctl("info"), server.ctl("info")["rooms"] == ROOMS)
    server.stop()


e2e.main(test)
