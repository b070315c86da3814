"""Drain and maintenance with the real programs: nobody new comes in, rooms go on, readiness says so; a planned maintenance is told to everyone
(chat line, notification, the banner of the terminal), survives kill -9, sends all away at its time, and they come back when it is over."""
import json
import os
import re
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import gavel_e2e as e2e
import gavel_tmux


def ready(port):
    try:
        with urllib.request.urlopen("https://127.0.0.1:%d/readyz" % port, timeout=e2e.PATIENCE, context=ssl._create_unverified_context()) as r:
            return r.status, json.load(r)
    except urllib.error.HTTPError as e:
        return e.code, json.load(e)


def turned_away(link, name):
    c = e2e.Client.join(link, name, "--no-audio")
    said = c.wait_state("ended")
    assert said["code"] == "draining", said
    c.end()
    return said["text"]


def drained(server, ops, host, guest):
    ann = e2e.Client.join(host, "Ann", "--no-audio")
    ann.wait_state("joined")
    assert ready(ops) == (200, {"ready": True, "not": []})
    server.ctl("drain")
    assert ready(ops) == (503, {"ready": False, "not": ["draining"]})
    turned_away(guest, "Bob")
    r = server.ctl("create", "late", check=False)
    assert r.returncode == 3 and b"draining" in r.stdout + r.stderr, r
    ann.act("chat", text="we go on")
    r = server.ctl("maintenance", "show")
    assert r["draining"] and not r["takes_people"], r
    server.ctl("drain", "--undo")
    assert ready(ops)[0] == 200
    return ann


def test(folder):
    conf = os.path.join(folder, "gaveld.conf")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        ops = s.getsockname()[1]
    with open(conf, "w") as f:
        f.write(e2e.UNLIMITED + "[ops]\nport = %d\n" % ops)
    server = e2e.Server(folder, extra=("--config", conf))
    port = server.port
    host, guest = server.create("den", "--no-lobby")
    ann = drained(server, ops, host, guest)

    server.ctl("maintenance", "start", "--at", "+1h", "--for", "2h", "--text", "new disks")
    said = ann.wait("announcement", lambda e: e.get("event") == "room_event" and e["data"].get("chat") == "announce")["data"]
    assert said["text"].startswith("This server will be down: maintenance from ") and said["text"].endswith(": new disks"), said
    told = ann.wait("maintenance", lambda e: e.get("event") == "maintenance")
    assert abs(told["at_ms"] / 1000 - time.time() - 3600) < 60 and told["text"] == "new disks", told
    screen = gavel_tmux.Window("bob", folder)
    try:
        screen.run(e2e.program("gavel"), "join", guest, "--name", "Bob", "--no-audio")
        screen.wait(lambda s: re.search(r"SERVER GOES DOWN IN (1:00:00|59:\d\d|58:\d\d): new disks", s), "the banner")
    finally:
        gavel_tmux.tmux("kill-server")

    server.kill()  # what is planned is on disk
    server = e2e.Server(folder, port=port, extra=("--config", conf))
    assert server.ctl("maintenance", "show")["text"] == "new disks"
    ann.wait_state("joined")
    r = server.ctl("maintenance", "start", "--at", "+1h", check=False)
    assert r.returncode == 3, r
    server.ctl("maintenance", "cancel")
    ann.wait("end of it", lambda e: e.get("event") == "maintenance" and e["at_ms"] == 0)

    server.ctl("maintenance", "start", "--at", "+4s", "--for", "8s", "--before", "3s")
    ann.wait_state("reconnecting")  # sent away at its time
    assert "maintenance from" in turned_away(guest, "Bob")
    assert ready(ops)[1]["not"] == ["draining"]
    ann.wait_state("joined")  # and back by herself
    assert ready(ops)[0] == 200
    bob = e2e.Client.join(guest, "Bob", "--no-audio")
    bob.wait_state("joined")
    lines = subprocess.run([e2e.program("gavelctl"), "--socket", server.socket, "--json", "audit", "query"], capture_output=True,
                           timeout=e2e.PATIENCE)
    entries = [json.loads(line)["action"] for line in lines.stdout.splitlines()]
    for action in ("server.drain", "server.undrain", "maintenance.start", "maintenance.cancel", "maintenance.begin", "maintenance.end"):
        assert action in entries, (action, entries)
    server.stop()


e2e.main(test)
