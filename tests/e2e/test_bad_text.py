"""docs/bad-input.md 10 and 11: what would command a terminal, turn a line around or begin a new line in a log, in every text that one person
can put before another. Looked for in the very bytes that a terminal, line mode, headless mode, gavelctl and the logs get."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
import unicodedata

import bad_kit as kit
import gavel_e2e as e2e
from bad_kit import check, code

EVIL = ("\x1b]52;c;cHduZWQ=\x07\x1b[66;66H\x1bP+q\x1b\\\x9b31m\x90q\x9c\x9d52;c;eA==\x07\u202egnp.\u202c\u2066x\u2069\u200b\u200d\ufeff\u2028\u2029"
        "\x85\x00\x7f\x08\x08\rOVERWRITE\x0c\x0bts=1 level=error msg=PWNED %s%n%99999d\U000e0041")
MARKS = "o" + "\u0301" * 4000
NEWLINE = "\nts=1 level=error msg=PWNED\r\n"
FORBIDDEN = [s.encode() for s in ("\x1b]52", "\x1b[66;66H", "\x1bP+q", "\x9b", "\x90", "\x9c", "\x9d", "\x85", "\u202e", "\u202c", "\u2066",
                                  "\u2069", "\u200b", "\ufeff", "\u2028", "\u2029", "\U000e0041", "\u0301" * 5, "\x7f", "\x00")]



def harmless(what, data, control=b""):
    """None of it in these bytes; nor any control character but these."""
    for bad in FORBIDDEN:
        at = data.find(bad)
        check(at < 0, "%s has %r: %r" % (what, bad, data[max(at - 40, 0):at + 40]))
    if control:
        found = re.search(rb"[\x00-\x1f\x7f]", data.translate(None, control))
        check(not found, "%s has %r" % (what, found))


class Terminal:
    """gavel on a terminal of its own: every byte it writes to it."""

    def __init__(self, link):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        self.process = e2e.start([e2e.program("gavel"), "join", link, "--name", "watcher", "--no-audio"], stdin=slave, stdout=slave, stderr=slave,
                                 start_new_session=True, env=dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8"))
        os.close(slave)
        self.bytes = b""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        try:
            while part := os.read(self.master, 65536):
                self.bytes += part
        except OSError:
            pass

    def wait(self, *texts):
        until = time.monotonic() + e2e.PATIENCE
        for text in texts:
            while text not in self.bytes:
                check(time.monotonic() < until and self.process.poll() is None, "the terminal does not show %r" % text)
                time.sleep(0.02)

    def leave(self):
        os.write(self.master, b":leave\r")
        self.process.wait(e2e.PATIENCE)


def line_mode(link):
    process = e2e.start([e2e.program("gavel"), "join", "-", "--name", "listener", "--line", "--no-audio", "--control", "none"], stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    process.stdin.write((link + "\n").encode())
    process.stdin.flush()
    return process, e2e.Lines(process.stdout)


def acts(mine, theirs):
    """Every act that carries a text to others: (act, params); the mark is in the text."""
    evil = lambda n: {"text": "A%d" % n + EVIL + "Z%d" % n}
    yield "name", evil(0)
    yield "chat", evil(1)
    yield "chat", {"text": "A2" + MARKS + "Z2"}
    yield "topic", evil(3)
    yield "agenda", {"text": "A4" + EVIL + "\nitem" + EVIL}
    yield "announce", evil(5)
    yield "msg", dict(evil(6), who=theirs)
    yield "rename", dict(evil(7), who=mine)
    yield "note", dict(evil(8), who=theirs)
    yield "lock", evil(9)
    yield "unlock", {}
    yield "lobby_say", evil(10)
    yield "poll", {"text": "A11" + EVIL + "? | yes" + EVIL[:30] + " | no"}
    yield "poll_end", {}
    yield "hosts", evil(12)
    yield "hold", dict(evil(13), who=mine)


def bad_11_names(room):
    """Everybody's name, from a device of each: strange ones are cleaned, or refused."""
    strange = (EVIL, NEWLINE + "eve" + NEWLINE, "eve" + NEWLINE, MARKS[:1001], "\u202eeve", "\x1b[31meve\x1b[0m", "%s%n%s%n", "\r\rann",
               "ann\u200b", "\u0430nn")
    for name in strange:
        r = kit.Raw(room.server.port)
        got = r.ask("room.join", room.params(name.replace("\x00", "")))
        check(code(got) in ("ok", "bad_name"), "name %.60r: %.300s" % (ascii(name), got))
        if "result" in got:
            shown = next(m["name"] for m in got["result"]["room"]["members"] if m["id"] == got["result"]["me"])
            harmless("a name", shown.encode(), b" ")
            check(shown != "ann" and len(shown) <= 96, shown)
        r.close()
    for name in ("", " ", "\u200b", "\u202e\u202e", "\x07\x07", "\u3164", "\u0301\u0301"):
        r = kit.Raw(room.server.port)
        check(code(r.ask("room.join", room.params(name))) in ("bad_name", "bad_json"), "name %r" % name)
        r.close()


def bad_10_file_names(room, folder):
    """No text of another names a file; the room's name, which could, is letters."""
    for name in ("../../etc/x", "a/b", "..", ".", "", "a\nb", "a\x1b[31m", "%2e%2e", "x" * 64, "A", "-rf", "\u202ex"):
        r = room.server.ctl("create", name, check=False)
        check(not isinstance(r, dict), "a room of the name %r" % name)
        harmless("gavelctl's complaint", r.stdout + r.stderr, b"\n")
        answer = kit.Raw(room.server.port).ask("room.join", dict(room.params("eve"), room=name))
        check(code(answer) in ("no_room", "bad_argument", "bad_json"), "%r: %s" % (name, answer))
    for base, folders, files in os.walk(folder):
        for name in folders + files:
            check(re.fullmatch(r"[\w.@+-]+", name), "a file %r" % os.path.join(base, name))


def bad_10_operators_output(room):
    ctl = [e2e.program("gavelctl"), "--socket", room.server.socket]
    seen = b""
    for words in (["show", "den"], ["--json", "show", "den"], ["notes", "den"], ["bans", "den"], ["rooms"], ["info"], ["metrics"], ["audit", "query"],
                  ["audit", "query", "--names"], ["--json", "audit", "query", "--names"], ["attendance", "den"], ["trusted", "den"]):
        r = subprocess.run(ctl + words, capture_output=True, timeout=e2e.PATIENCE)
        harmless("gavelctl " + " ".join(words), (r.stdout + r.stderr).replace(b"\r\n", b"\n"), b"\n\t")
        seen += r.stdout
    check(b"A8" in seen and b"A0" in seen, "neither note nor name are told: %r" % seen[:600])
    path = os.path.join(room.folder, "audit.jsonl")
    r = subprocess.run(ctl + ["audit", "export", path], capture_output=True, timeout=e2e.PATIENCE)
    check(r.returncode == 0, "export: %s" % r)
    with open(path, "rb") as f:
        text = f.read()
    harmless("the export of the audit log", text, b"\n")
    check(all(json.loads(line) for line in text.splitlines()), "an empty line")


def bad_10_texts(room):
    terminal = Terminal(room.host_link)
    listener, lines = line_mode(room.host_link)
    lines.wait(lambda l: "You are in den" in l, "line mode")
    terminal.wait(b"People")
    host = kit.Raw(room.server.port)
    me = host.ask("room.join", room.params("evil", invite=e2e.parse_link(room.host_link)["invite"]))["result"]["me"]
    guest, seat = room.raw("victim")
    check(code(host.ask("room.lobby", {"on": True}, 2)) == "ok", "the lobby")
    knocker = kit.Raw(room.server.port)
    check(code(knocker.ask("room.join", room.params("K" + EVIL.replace("\x00", "") + "K"))) == "ok", "a knock")
    number = 2
    for act, params in acts(seat["me"], room.ids["bob"]):
        number += 1
        text = params.get("text", "").replace("\x00", "")  # that alone is bad_json: test_bad_ws.py
        got = host.ask("room." + act, dict(params, **({"text": text} if text else {})), number)
        check(code(got) in ("ok", "bad_text"), "%s: %s" % (act, got))
        time.sleep(0.15)  # the screen has time to draw each
    number += 1
    got = host.ask("room.ban", {"who": [seat["me"]], "text": "A14" + EVIL.replace("\x00", "") + "Z14"}, number)
    check(code(got) in ("ok", "no_member"), "ban: %s" % got)
    terminal.wait(b"]52;c;", b"OVERWRITE", b"%s%n")
    terminal.leave()
    lines.wait(lambda l: "A11" in l, "the poll in line mode")
    listener.stdin.write(b"/leave\n")
    listener.stdin.close()
    listener.wait(e2e.PATIENCE)
    harmless("the terminal", terminal.bytes)
    heard = "\n".join(lines.seen + [l for l in lines.queue.queue if l]).encode()
    check(b"%s%n" in heard and b"OVERWRITE" in heard, "line mode says nothing: %r" % heard[-500:])
    harmless("line mode", heard, b"\n")
    host.ask("room.lobby", {"on": False}, number + 1)
    room.fine("evil texts")
    got = "\n".join(room.people["bob"].lines.seen)
    check("A6" in got and "%s%n" in got, "headless mode says nothing")
    harmless("headless mode", got.encode(), b"\n")
    for line in room.people["bob"].lines.seen:
        for c in json.loads('"%s"' % "".join(re.findall(r"\\u[0-9a-f]{4}", line))):
            check(unicodedata.category(c) not in ("Cc", "Cf") or c in "\n\u200d", "headless mode has %r" % c)


def test(folder):
    room = kit.Room(folder)
    bad_10_texts(room)
    bad_11_names(room)
    bad_10_file_names(room, folder)
    bad_10_operators_output(room)
    room.fine("evil names")
    room.end()
    log = "\n".join(room.server.log.seen + [l for l in room.server.log.queue.queue if l]).encode()
    harmless("the log", log, b"\n")
    check(b"\nts=1 level=error" not in log and b"msg=listening" in log, "a line of the log was made up")


e2e.main(test)
