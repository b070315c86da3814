"""gavel-load against gaveld: 60 listeners and 3 speakers in a room it made itself, and what it says of them."""
import json
import os
import subprocess

import gavel_e2e as e2e

TOOL = os.path.join(e2e.BUILD, "tests", "bench", "gavel-load")
LISTENERS = 60


def load(*args):
    r = subprocess.run([TOOL, "--json", *args], capture_output=True, timeout=e2e.PATIENCE * 4)
    return r.returncode, r.stdout.decode(), r.stderr.decode()


def check(what, said, condition):
    if not condition:
        raise e2e.Failure("%s: %s" % (what, said))


def crowd(server):
    code, out, errors = load("--gavelctl", server.socket, "--listeners", str(LISTENERS), "--speakers", "3", "--talking", "1,2",
                             "--turn", "1", "--seconds", "8", "--decode", "4", "--pid", str(server.process.pid))
    said = out + errors
    check("exit code %d" % code, said, code == 0)
    r = json.loads(out)
    check("everybody is there", said, (r["listeners"], r["speakers"], r["failed"]) == (LISTENERS, 3, 0))
    check("everybody heard", said, r["ok"] and r["deaf"] == 0)
    check("those who were decoded heard the sines", said, r["decoded"] == LISTENERS // 4 and r["decoded_wrong"] == 0)
    check("no packet is lost on loopback", said, r["lost"] == 0)
    check("about fifty packets a second", said, 35 < r["packets_per_listener_second"] < 65)
    check("delays were measured", said, r["delay_samples"] > LISTENERS * 100 and 0 < r["delay_p50"] <= r["delay_p99"])
    check("and onsets", said, 0 < r["onset_p50"] <= r["onset_p99"])
    for name in ("joins_per_second", "join_answer_p50", "join_first_sound_p99", "server_us_per_listener_second",
                 "server_kib_per_participant", "server_ms_per_join", "load_cores"):
        check(name, said, r[name] > 0)


def silence(server, guest):
    """Who is muted is not heard, and the tool says so instead of calling it a success."""
    r = subprocess.Popen([TOOL, "--json", "--link", guest, "--listeners", "3", "--speakers", "1", "--seconds", "2"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    e2e.STARTED.append(r)
    out, errors = r.communicate(timeout=e2e.PATIENCE * 2)
    said = out.decode() + errors.decode()
    check("exit code %d" % r.returncode, said, r.returncode == 1)
    check("nobody heard", said, json.loads(out)["deaf"] == 3)


def refusals(server):
    code, out, errors = load("--link", "https://127.0.0.1:%d/j/nowhere#i=%s" % (server.port, "A" * 43), "--listeners", "1", "--seconds", "1")
    check("an unpinned certificate of nobody known is refused", errors, code == 1 and "TLS" in errors)
    code, out, errors = load("--listeners", "1")
    check("no room, no run", errors, code == 2 and "which rooms" in errors)


def test(folder):
    server = e2e.Server(folder)
    crowd(server)
    rooms = server.ctl("rooms")["rooms"]
    check("its room has ended", rooms, rooms == [])
    refusals(server)
    host, guest = server.create("muted", "--no-lobby")
    server.ctl("mute_entry", "muted", "on")
    silence(server, guest)
    server.stop()


e2e.main(test)
