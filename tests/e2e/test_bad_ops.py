"""`gavel watch` against servers that mean ill or are ill: silent, slow, cut off in a message, texts that would drive a terminal, figures
beyond reckoning, ten thousand rooms, a flood that leaves no time for keys; and a standard output that takes nothing."""
import json
import os
import resource
import socket
import subprocess
import threading
import time

import gavel_e2e as e2e
import gavel_tmux

GAVEL = e2e.program("gavel")
SERVER = dict(version="0.1.0", name="bad", now_ms=1760000000000, uptime_s=9, conns=1, rooms=1, people=1, waiting=0, away=0, packets_in_s=1,
              packets_out_s=1, cpu_permille=1, load_permille=[1], handshakes=0, watchers=1, listeners=0)
PAIRS = ("loss_up", "loss_down", "jitter_ms", "rtt_ms", "mos_tenths")
ROW = dict(room="standup", app="", name="standup", region="", people=1, waiting=0, away=0, hosts=1, monitors=0, talkers=0, muted=0, lines=0,
           since_ms=1, created_ms=1, waiting_ms=0, locked=False, lobby=False, alerts=[], tiers=dict(full=0, packed=0, low=0, min=0),
           via=dict(udp=0, tcp=0, turn=0, tunnel=0), **{k: [0, 0] for k in PAIRS})


def feed(rooms=(ROW,), **server):
    return {"server": dict(SERVER, **server), "rooms": list(rooms)}


class Fake:
    """Answers by `handle(connection, request)` on a socket of its own."""

    def __init__(self, folder, name, handle):
        self.path, self.handle = os.path.join(folder, name), handle
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(4)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            connection = self.listener.accept()[0]
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            for line in connection.makefile("r"):
                self.handle(connection, json.loads(line))
        except OSError:
            pass
        connection.close()


def say(connection, message):
    connection.sendall(json.dumps(dict(message, jsonrpc="2.0")).encode() + b"\n")


def answers(result):
    def handle(connection, request):
        say(connection, {"id": request["id"], "result": result if request["method"] == "ops.watch" else {}})
    return handle


def watch(path, *args, stdout=subprocess.PIPE):
    return subprocess.Popen([GAVEL, "watch", path, *args], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE)


def ends(process, code, *words):
    out, err = process.communicate(timeout=e2e.PATIENCE)
    text = (out or b"") + err
    assert process.returncode == code and all(w in text.decode() for w in words), (process.returncode, text[-500:])
    assert not any(c < 32 and c != 10 for c in text), text[-500:]
    return text.decode()


def refused(connection, request):
    text = "no\x1b]0;owned\x07 \x1b[2J\r\u202eway" + "é" * 300
    say(connection, {"id": request["id"], "error": {"code": -32000, "message": text, "data": {"code": "invalid_token"}}})


def cut_off(connection, request):
    whole = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": feed()})
    connection.sendall(whole[:len(whole) // 2].encode())
    connection.shutdown(socket.SHUT_RDWR)


def slowly(connection, request):
    if request["method"] != "ops.watch":
        return
    for c in (json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": feed()}) + "\n").encode():
        connection.sendall(bytes([c]))


def flood(connection, request):
    say(connection, {"id": request["id"], "result": feed()})
    n = 0
    while request["method"] == "ops.watch":
        n += 1
        say(connection, {"method": "ops", "params": feed([dict(ROW, people=n % 9, room="r%d" % (n % 50), name="x")])})


def many(folder):
    rooms = [dict(ROW, room="application-%d/a-room-with-a-name-%d" % (i % 90, i), app="application-%d" % (i % 90), name="a-room-with-a-name-%d" % i,
                  people=i % 300) for i in range(10000)]
    began = time.monotonic()
    p = watch(Fake(folder, "many", answers(feed(rooms))).path, "--once")
    out = ends(p, 0)
    took = time.monotonic() - began
    assert out.count("\n") == 10002 and took < 15, (out.count("\n"), took)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 300 * 1024 or "GAVEL_SANITIZED" in os.environ, "memory"


def test(folder):
    silent = watch(Fake(folder, "silent", lambda c, r: None).path, "--once", "--fail-if", "mos<3")
    ends(watch(Fake(folder, "refused", refused).path, "--once"), 3, "way")
    ends(watch(Fake(folder, "cut", cut_off).path, "--once"), 2)
    ends(watch(Fake(folder, "slow", slowly).path, "--once"), 0, "standup")
    good = Fake(folder, "good", answers(feed())).path
    ends(watch(good, "--fail-if", "mos<3", "--fail-if", "loss>5%", "--fail-if", "jitter>1"), 0)  # nothing is known: nothing holds
    ends(watch(good, "--fail-if", "people>0"), 9)
    for wrong in ("loss > 5 %", "loss>5% and mos<3", "loss>5% or mos<3", "loss>5, mos<3", "loss>5 && mos<3"):
        ends(watch(good, "--fail-if", wrong), 1, "character")
    with open("/dev/full", "w") as full:
        ends(watch(good, "--once", stdout=full), 1, "No space left")
    wrong_rows = (dict(people=2 ** 32), dict(people="1"), dict(room="a\x1bb"), dict(mos_tenths=[1]), dict(since_ms=1e300))
    for bad in [feed(now_ms=2 ** 63 - 1), feed(now_ms=-1), {"rooms": []}, [], 7] + [feed([dict(ROW, **w)]) for w in wrong_rows]:
        ends(watch(Fake(folder, "bad%d" % time.monotonic_ns(), answers(bad)).path, "--once"), 7)
    many(folder)
    try:
        w = gavel_tmux.Window("flood", folder)
        w.run(GAVEL, "watch", Fake(folder, "flood", flood).path)
        w.wait("r49")
        w.key("q")
        w.wait("code=0")
    finally:
        gavel_tmux.end()
    ends(silent, 2, "does not answer")


if __name__ == "__main__":
    e2e.main(test)
