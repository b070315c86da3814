"""What is remembered about people: asked for first, shown, copied, forgotten; and nothing goes anywhere else."""
import asyncio
import base64
import csv
import glob
import hashlib
import hmac
import json
import os
import pty
import re
import select
import shutil
import signal
import ssl
import subprocess
import time
import urllib.parse
import urllib.request

import websockets

import gavel_e2e as e2e

TEXT = """Purpose: to hold this meeting.
Data: your name, what you write, when you come and go, the quality of your line.
Your rights: see it (:privacy), a copy, correction, erasure; withdraw with :consent withdraw.
"""
ALICE, BOB = "Alicecanary", "Bobcanary"
WORDS = {ALICE: "alicewordscanary", BOB: "bobwordscanary"}


def config(folder, version, text=TEXT):
    with open(os.path.join(folder, "consent.txt"), "w") as f:
        f.write(text)
    path = os.path.join(folder, "gaveld.ini")
    with open(path, "w") as f:
        f.write(e2e.UNLIMITED + "[privacy]\nconsent_file = %s/consent.txt\nconsent_version = %s\ncontroller = The Operator\n"
                "contact = privacy@example.org\n" % (folder, version))
    return ["--config", path]


def check(what, ok, *seen):
    if not ok:
        raise e2e.Failure("%s: %r" % (what, seen))


def env_of(folder, name):
    """A machine of his own: another install id."""
    return dict(os.environ, XDG_STATE_HOME=os.path.join(folder, "state-" + name))


def join(folder, link, name, *args):
    return e2e.Client.join(link, name, "--no-audio", *args, env=env_of(folder, name))


def text_of(server, *words):
    r = subprocess.run([e2e.program("gavelctl"), "--socket", server.socket, *words], capture_output=True, timeout=e2e.PATIENCE)
    check(" ".join(words), r.returncode == 0, r)
    return r.stdout.decode()


# ---- consent ----

def asked_first(folder, server, link):
    for version in ([], ["--accept-consent=2"]):
        c = join(folder, link, "Nobodycanary", *version)
        asked = c.wait("consent", lambda e: e.get("event") == "consent")
        check("the text is given", asked["text"] == TEXT and asked["version"] == "3", asked)
        check("exit code", c.end() == 8)
    check("nobody joined", server.ctl("info")["joins"] == 0)
    check("nothing recorded", server.ctl("consent", "list")["consents"] == [])


def line_mode_prints(folder, link):
    r = subprocess.run([e2e.program("gavel"), "join", "-", "--name", "x", "--line", "--no-audio", "--control", "none"],
                       input=(link + "\n").encode(), capture_output=True, timeout=e2e.PATIENCE, start_new_session=True,
                       env=env_of(folder, "line"))
    check("line mode", r.returncode == 8 and b"--accept-consent=3" in r.stdout and b"Your rights" in r.stdout, r)


class Terminal:
    """gavel on a terminal of its own."""

    def __init__(self, folder, link, name, *args):
        path = os.path.join(folder, "link")
        with open(path, "w") as f:
            f.write(link)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", XDG_STATE_HOME=os.path.join(folder, "state-" + name))
            os.execv(e2e.program("gavel"), ["gavel", "join", link, "--name", name, "--no-audio", "--control", "none", *args])
        self.seen = b""

    def wait(self, want):
        deadline = time.monotonic() + e2e.PATIENCE
        while want.encode() not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                raise e2e.Failure("no %r on the terminal: %r" % (want, self.seen[-2000:]))
            try:
                self.seen += os.read(self.fd, 65536)
            except OSError:
                raise e2e.Failure("the terminal closed before %r: %r" % (want, self.seen[-2000:])) from None

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        while True:
            try:
                if not os.read(self.fd, 65536):
                    break
            except OSError:
                break
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return code


def a_person_is_asked(folder, server, link):
    for how in (["--line"], []):  # as sentences, and on the whole screen
        t = Terminal(folder, link, "tty", *how)
        t.wait("Type y or n: ")
        check("the whole text", b"Your rights" in t.seen and b"3" in t.seen, t.seen)
        t.type("\n")  # nothing is ticked beforehand
        check("no is no", t.end() == 8)
    check("nothing recorded", server.ctl("consent", "list")["consents"] == [])
    t = Terminal(folder, link, "tty", "--line")
    t.wait("Type y or n: ")
    t.type("y\n")
    t.wait("You are in")
    check("recorded", len(server.ctl("consent", "list")["consents"]) == 1)
    t.type("/quit\n/y\n")
    check("left", t.end() == 0)
    t = Terminal(folder, link, "tty", "--line")
    t.wait("You are in")
    check("asked once", b"Type y" not in t.seen and len(server.ctl("consent", "list")["consents"]) == 1, t.seen)
    t.type("/consent withdraw\n")
    check("gone by his own will", t.end() == 0)
    t = Terminal(folder, link, "tty", "--line")
    t.wait("Type y or n: ")
    t.type("n\n")
    check("asked again after withdrawing", t.end() == 8)
    check("withdrawn", server.ctl("consent", "list")["consents"][0]["withdrawn_ms"] > 0)


def a_new_text_asks_again(folder, link):
    c = join(folder, link, ALICE, "--accept-consent=3")
    check("another version", c.wait("consent", lambda e: e.get("event") == "consent")["version"] == "4")
    check("exit code", c.end() == 8)


def consent(folder):
    server = e2e.Server(folder, extra=config(folder, "3"))
    check("lint", server.ctl("consent", "lint") == {"purposes": True, "data": True, "rights": True})
    _, link = server.create("asked", "--no-lobby")
    asked_first(folder, server, link)
    line_mode_prints(folder, link)
    a_person_is_asked(folder, server, link)
    port = server.port
    server.stop()
    server = e2e.Server(folder, port=port, extra=config(folder, "4", TEXT + "And more.\n"))
    a_new_text_asks_again(folder, link)
    server.stop()


# ---- a copy, and erasing ----

def pid_of(server, number):
    return [c["pid"] for c in sorted(server.ctl("consent", "list")["consents"], key=lambda c: c["at_ms"])][number]


def read_all(folder):
    text = ""
    for path in sorted(glob.glob(os.path.join(folder, "*"))):
        check("for the owner only", os.stat(path).st_mode & 0o777 == 0o600, path)
        with open(path) as f:
            text += f.read()
    return text


def copy_of_alice(folder, server, pid, bob_pid):
    out = os.path.join(folder, "copy")
    server.ctl("privacy", "export", pid, "--to=" + out)
    check("folder", os.stat(out).st_mode & 0o777 == 0o700)
    with open(os.path.join(out, "manifest.json")) as f:
        m = json.load(f)
    check("manifest", m["format"] == "gavel-export" and m["subject"] == pid and m["controller"]["name"] == "The Operator", m)
    check("retention and withheld", "visit" in m["retention"] and m["withheld"] and m["recipients"], m)
    check("UTC", re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", m["exportedAt"]), m)
    schema = server.ctl("privacy", "schema")
    check("files as documented", {f["path"] for f in m["files"]} == set(schema), m)
    for f in m["files"]:
        with open(os.path.join(out, f["path"]), "rb") as g:
            check("digest of " + f["path"], hashlib.sha256(g.read()).hexdigest() == f["sha256"])
    text = read_all(out)
    for canary in (ALICE, WORDS[ALICE], "aliceedited", "handreasonforalice"):
        check("in the copy: " + canary, canary in text)
    for canary in (BOB, WORDS[BOB], bob_pid, "Hostcanary", "secretnotecanary"):
        check("not in the copy: " + canary, canary not in text, [l for l in text.split("\n") if canary in l])
    files = {f["path"]: f["records"] for f in m["files"]}
    for name in ("consents.json", "participations.json", "chat_sent.jsonl", "hands_polls.json", "moderation_received.json",
                 "qoe.csv", "audit_subject.jsonl"):
        check("something in " + name, files[name] > 0, files)
    with open(os.path.join(out, "chat_sent.jsonl")) as f:
        rows = [json.loads(line) for line in f]
    check("others by alias", any(str(r.get("to", "")).startswith("participant-") for r in rows), rows)
    with open(os.path.join(out, "qoe.csv"), newline="") as f:
        stay = list(csv.DictReader(f))[0]
    check("a stay", stay["room"] == "meeting" and int(stay["seconds"]) >= 0, stay)
    again = server.ctl("privacy", "export", pid, "--to=" + out, check=False)
    check("never over a folder that exists", again.returncode == 3, again)
    lines = text_of(server, "audit", "query")
    check("audited", "privacy.exported" in lines and ALICE not in lines, lines[-600:])


def copy_of_account(folder, server, link):
    """Every field of the list is one the server writes: an account with a second factor, signed in."""
    r = subprocess.run([e2e.program("gavelctl"), "--socket", server.socket, "--json", "account", "create", "carol", "--password=-"],
                       input=b"Marker owls do not vote\n", capture_output=True, timeout=e2e.PATIENCE)
    check("account", r.returncode == 0, r)
    server.ctl("account", "totp", "carol")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE

    def post(path, **form):
        with urllib.request.urlopen("https://127.0.0.1:%d%s" % (server.port, path), urllib.parse.urlencode(form).encode(),
                                    e2e.PATIENCE, context=tls) as reply:
            return json.loads(reply.read())

    device = post("/oauth/device_authorization", client_id="gavel", scope="room:join")
    server.ctl("device", "approve", device["user_code"], "--account=carol")
    token = post("/oauth/token", grant_type="urn:ietf:params:oauth:grant-type:device_code", device_code=device["device_code"])
    check("signed in", token["access_token"].startswith("cs1_"), token)
    pid = server.ctl("account", "list")["accounts"][0]["pid"]
    out = os.path.join(folder, "copy-account")
    server.ctl("privacy", "export", pid, "--to=" + out)
    with open(os.path.join(out, "sessions.json")) as f:
        session = json.load(f)[0]
    schema = server.ctl("privacy", "schema")
    told = schema["sessions.json"]["fields"].split(", ")
    check("every field of a session", all(k in session for k in told if k != "network") and set(session) <= set(told), session)
    check("its id, its times", session["id"] == server.ctl("session", "list")["sessions"][0]["id"] and session["seen"] >= session["made"]
          and session["scopes"] == "room:join", session)
    with open(os.path.join(out, "profile.json")) as f:
        profile = json.load(f)
    check("account and second factor", profile["account"] == "carol" and profile["second_factor"] is True
          and profile["account_since"], profile)
    text = read_all(out)
    check("no secret", token["access_token"] not in text and "argon2" not in text, text)
    copy_of_a_token(folder, server)


def copy_of_a_token(folder, server):
    """The ids of the token he came with last, and not the token."""
    made = server.ctl("app", "create", "shop", "--lobby=no")

    def b64(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    now = int(time.time())
    claims = {"iss": "shop", "aud": "gavel", "sub": "dora", "iat": now, "exp": now + 900, "jti": "tokenidcanary", "room": "sale",
              "scope": "room:join"}
    head = ".".join(b64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "gavel+jwt", "kid": made["kid"]}, claims))
    token = head + "." + b64(hmac.new(made["key"].encode(), head.encode(), hashlib.sha256).digest())

    async def come():
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        async with websockets.connect("wss://127.0.0.1:%d/v1/ws" % server.port, ssl=tls, subprotocols=["gavel.1"], compression=None) as ws:
            await ws.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "room.join", "params": {
                "room": "sale", "name": "Dora", "token": token, "consent": "3"}}))
            while True:
                m = json.loads(await asyncio.wait_for(ws.recv(), e2e.PATIENCE))
                if m.get("id") == 1:
                    return m

    joined = asyncio.run(come())
    check("joined by the token", "result" in joined, joined)
    out = os.path.join(folder, "copy-token")
    server.ctl("privacy", "export", "dora@shop", "--to=" + out)
    with open(os.path.join(out, "tokens.json")) as f:
        tokens = json.load(f)
    check("ids", tokens == [{"kid": made["kid"], "jti": "tokenidcanary"}], tokens)
    check("no token", token not in read_all(out))


def grep(folder, words):
    found = []
    for path in glob.glob(os.path.join(folder, "gavel.db*")):
        with open(path, "rb") as f:
            data = f.read()
        found += [(path, w) for w in words if w.encode() in data]
    return found


def meeting(folder, server):
    host_link, link = server.create("meeting", "--no-lobby")
    agree = "--accept-consent=3"
    host = join(folder, host_link, "Hostcanary", agree)
    host.wait_state("joined")
    alice = join(folder, link, ALICE, agree)
    alice.wait_state("joined")
    bob = join(folder, link, BOB, agree)
    bob.wait_state("joined")
    ids = {m["name"]: m["id"] for m in server.ctl("show", "meeting")["room"]["members"]}
    alice.act("chat", text=WORDS[ALICE])
    bob.act("chat", text=WORDS[BOB])
    alice.act("msg", who=[ids[BOB]], text="aliceedited")
    bob.act("msg", who=[ids[ALICE]], text=WORDS[BOB])
    alice.act("hand")
    host.act("mute", who=[ids[ALICE]], text="handreasonforalice")
    host.act("note", who=[ids[BOB]], text="secretnotecanary")
    host.act("note", who=[ids[ALICE]], text="secretnotecanary")
    host.act("mute", who=[ids[ALICE], ids[BOB]], text="secretnotecanary")
    return host, link, alice, bob


def rights(folder):
    server = e2e.Server(folder, extra=config(folder, "3"))
    host, link, alice, bob = meeting(folder, server)
    pid, bob_pid = pid_of(server, 1), pid_of(server, 2)
    alice.process.stdin.write(b"/privacy\n")
    alice.process.stdin.flush()
    page = alice.wait("what is stored", lambda e: e.get("event") == "privacy")
    check("what is stored", page["ok"] and pid in page["text"] and "consent" in page["text"] and "privacy@example.org" in page["text"],
          page)
    alice.say(cmd="leave")
    check("left", alice.end() == 0)
    copy_of_alice(folder, server, pid, bob_pid)
    copy_of_account(folder, server, link)
    rectify_restrict(folder, server, link, pid)
    held_and_erased(folder, server, pid, host)
    server.stop()
    check("not on disk", grep(folder, [ALICE, WORDS[ALICE], BOB]) == [])
    copy_without_server(folder, bob_pid)
    server = e2e.Server(folder, extra=config(folder, "3"))
    shown = json.dumps(server.ctl("show", "meeting"))
    check("still forgotten after a restart", ALICE not in shown and WORDS[ALICE] not in shown)
    server.stop()


def copy_without_server(folder, bob_pid):
    out = os.path.join(folder, "offline")
    r = subprocess.run([e2e.program("gavelctl"), "--database", os.path.join(folder, "gavel.db"), "privacy", "export", bob_pid,
                        "--to=" + out], capture_output=True, timeout=e2e.PATIENCE)
    check("offline", r.returncode == 0 and b"note this export" in r.stderr, r)
    none = subprocess.run([e2e.program("gavelctl"), "--database", os.path.join(folder, "gavel.db"), "privacy", "export",
                           "p-0123456789abcdef", "--to=" + out + "-none"], capture_output=True, timeout=e2e.PATIENCE)
    check("of nobody there is no copy", none.returncode == 3 and not os.path.exists(out + "-none"), none)
    text = read_all(out)
    check("his, and nobody else's", BOB in text and WORDS[BOB] in text and "Hostcanary" not in text and ALICE not in text, text)


def rectify_restrict(folder, server, link, pid):
    server.ctl("privacy", "rectify", pid, "--name=Correctedcanary")
    out = os.path.join(folder, "copy2")
    server.ctl("privacy", "export", pid, "--to=" + out)
    with open(os.path.join(out, "profile.json")) as f:
        check("corrected", json.load(f)["name"] == "Correctedcanary")
    shutil.rmtree(out)
    server.ctl("privacy", "restrict", pid, "--reason=disputed")
    c = join(folder, link, ALICE, "--accept-consent=3")
    ended = c.wait_state("ended")
    check("no join while restricted", ended["code"] == "restricted", ended)
    c.end()
    server.ctl("privacy", "restrict", pid, "--lift")


def held_and_erased(folder, server, pid, host):
    before = server.ctl("metering")["metering"]
    hold = server.ctl("hold", "add", pid, "--reason=suit", "--for=1d")["id"]
    refused = server.ctl("privacy", "erase", pid, check=False)
    check("held", refused.returncode == 3 and b"on_hold" in refused.stdout, refused)
    server.ctl("hold", "lift", hold)
    server.ctl("privacy", "erase", pid)
    host.wait("the room without him", lambda e: e.get("event") == "room" and ALICE not in json.dumps(e)
              and WORDS[ALICE] not in json.dumps(e) and WORDS[BOB] in json.dumps(e))
    shown = json.dumps(server.ctl("show", "meeting"))
    check("the room forgot him", ALICE not in shown and WORDS[ALICE] not in shown and BOB in shown, shown)
    check("the numbers stay", server.ctl("metering")["metering"] == before, before)
    for verb in (["about"], ["erase"], ["rectify", "--name=Again"], ["restrict"]):
        none = server.ctl("privacy", verb[0], pid, *verb[1:], check=False)
        check("nothing of his is left", none.returncode == 3 and b"no_user" in none.stdout, none)
    text_of(server, "audit", "verify")
    gone = server.ctl("privacy", "export", "nobody@shop", "--to=" + folder + "/x", check=False)
    check("nobody", gone.returncode == 3, gone)


# ---- metering, the list, no telemetry ----

def metering(folder):
    server = e2e.Server(folder)
    host_link, link = server.create("counted")
    host = join(folder, host_link, "host")
    host.wait_state("joined")
    waits = join(folder, link, "waits")
    waits.wait_state("lobby")
    began = time.monotonic()
    host.act("chat", text="the clock runs")
    while time.monotonic() - began < 2.2:  # what is measured is time itself
        select.select([], [], [], 0.1)
    waits.say(cmd="leave")
    waits.end()
    host.say(cmd="leave")
    host.end()
    rows = server.ctl("metering")["metering"]
    check("the lobby is not counted", len(rows) == 1 and rows[0]["visits"] == 1 and 2 <= rows[0]["seconds"] <= 4, rows)
    text = text_of(server, "metering", "--csv")
    check("CSV", text.startswith("app,room,visits,seconds\r\n") and ",counted,1," in text, text)
    classes(server)
    server.stop()


def classes(server):
    """Every class that the code writes is in the list, and no other."""
    used = set()
    for path in glob.glob(os.path.join(e2e.SOURCE, "core", "*", "*.c")):
        with open(path) as f:
            used |= set(re.findall(r'(?:doc_put|store_put_doc)\(\s*[\w>.-]+,\s*(?:known \? )?"(\w+)"(?: : "\w+")?', f.read()))
    listed = {r["name"] for r in server.ctl("privacy", "records")["records"] if r["kind"] == "class"}
    check("classes in the code and in the list", used | {"usage"} == listed, used ^ listed)


def no_telemetry(folder):
    trace = os.path.join(folder, "trace")
    strace = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", trace]
    server = e2e.Server(folder, wrap=strace)
    host_link, _ = server.create("quiet")
    c = e2e.start(strace[:-1] + [trace + "-client", e2e.program("gavel"), "join", "-", "--name", "x", "--headless", "--input", "null",
                                 "--output", "null"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    lines = e2e.Lines(c.stdout)
    c.stdin.write((host_link + "\n").encode())
    c.stdin.flush()
    lines.wait(lambda l: '"connected": true' in l or '"connected":true' in l, "sound path")
    c.stdin.write(b'{"cmd":"leave"}\n')
    c.stdin.flush()
    c.wait(e2e.PATIENCE)
    with open("/proc/%d/task/%d/children" % (server.process.pid, server.process.pid)) as f:
        os.kill(int(f.read().split()[0]), signal.SIGTERM)  # gaveld itself: strace ends with it
    server.process.wait(e2e.PATIENCE)
    told = ""
    for path in (trace, trace + "-client"):
        with open(path, errors="replace") as f:
            told += f.read()
    to = set(re.findall(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"', told))
    foreign = {a or b for a, b in to if not (a or b).startswith("127.") and (a or b) not in ("::1", "::ffff:127.0.0.1")}
    check("something was traced", any(a.startswith("127.") for a, _ in to), told[:500])
    check("nothing goes elsewhere", not foreign, foreign)


def test(folder):
    for part in (consent, rights, metering, no_telemetry):
        own = os.path.join(folder, part.__name__)
        os.mkdir(own)
        part(own)


e2e.main(test)
