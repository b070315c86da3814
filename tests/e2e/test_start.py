"""What cannot start says why in one sentence that names the file or port, with the documented exit code; so does a join that cannot be; and
gavelctl asks every question of its list and reads the words of an act as a shell gives them (every act: test_acts.py)."""
import os
import re
import signal
import socket
import sqlite3
import subprocess

import gavel_e2e as e2e


def run(args, cwd):
    r = subprocess.run(args, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=e2e.PATIENCE * 2)
    return r.returncode, r.stdout.decode(), r.stderr.decode()


def gaveld(folder, *args):
    return run([e2e.program("gaveld"), "--listen", "127.0.0.1", "--port", "0", "--media-port", "0", "--database", "new.db", "--socket",
                "new.sock", *args], folder)


def refused(folder, code, says, *args):
    """gaveld ends with `code` and one line, which holds all of `says`."""
    rc, out, err = gaveld(folder, *args)
    lines = err.splitlines()
    assert rc == code and not out, (args, rc, out, err)
    assert len(lines) == 1 and all(s in lines[0] for s in says), (args, says, err)


def write(folder, name, data, mode=0o600):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)
    return path


# ---- gaveld ----

def configurations(folder):
    for text, says in ((b"[server]\nport = 1\nfoo = 1\n", ["bad.ini", "line 3", "foo"]), (b"[server]\nport = 70000\n", ["line 2", "70000"]),
                       (b"[server]\nport = x\n", ["line 2", "'x'", "port"]), (b"[server]\ntls12 = maybe\n", ["line 2", "maybe", "tls12"]),
                       (b"[media]\nthreads = 17\n", ["line 2", "threads"]), (b"[nowhere]\nport = 1\n", ["line 2", "nowhere"]),
                       (b"nonsense\n", ["bad.ini", "line 1"])):
        write(folder, "bad.ini", text)
        refused(folder, 1, says, "--config", "bad.ini")
        refused(folder, 1, says, "--config=bad.ini", "--check-config")
    refused(folder, 1, ["missing.ini"], "--config", "missing.ini")
    refused(folder, 1, [folder, "cannot be read"], "--config", folder)
    write(folder, "good.ini", b"; a comment\n[server]\nport = 0\ntls12 = yes\n[media]\nthreads = 1\n")
    rc, out, err = gaveld(folder, "--config", "good.ini", "--check-config")
    assert rc == 0 and out == "the configuration is valid\n" and not err
    for args in (("--port", "70000"), ("--port", "x"), ("--media-port", "-1"), ("--log", "loud"), ("--nonsense",), ("extra",)):
        rc, out, err = gaveld(folder, *args)
        assert rc == 1 and args[0].lstrip("-").split("extra")[0] in err, (args, err)


def ports_and_files(folder):
    tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for s in (tcp, udp):
        s.bind(("127.0.0.1", 0))
    tcp.listen()
    for s, option in ((tcp, "--port"), (udp, "--media-port")):
        refused(folder, 2, [str(s.getsockname()[1]), "port_taken"], option, str(s.getsockname()[1]))
        s.close()
    refused(folder, 2, ["not-an-address"], "--listen", "not-an-address")
    write(folder, "many.ini", b"[media]\nthreads = 16\n")
    refused(folder, 2, ["65521", "16 media threads", "port_taken"], "--config", "many.ini", "--media-port", "65521")
    for path in ("missing/a.sock", "new.db/a.sock", "x" * 200):
        refused(folder, 2, [path[:100]], "--socket", path)
    kept = write(folder, "precious.txt", b"precious")
    refused(folder, 2, ["precious.txt", "not a socket"], "--socket", "precious.txt")
    assert open(kept, "rb").read() == b"precious", "a file that is no socket is left alone"
    write(folder, "tls.ini", b"[server]\ncertificate = no.pem\nkey = no.key\n")
    refused(folder, 2, ["no.pem", "no.key", "certificate"], "--config", "tls.ini")
    write(folder, "no.pem", b"not a certificate")
    refused(folder, 2, ["no.pem"], "--config", "tls.ini")


def databases(folder):
    write(folder, "garbage.db", os.urandom(20000))
    refused(folder, 3, ["garbage.db"], "--database", "garbage.db")
    db = sqlite3.connect(os.path.join(folder, "other.db"))
    db.execute("create table pets(name)")
    db.commit()
    db.close()
    refused(folder, 3, ["other.db", "not a database of gavel"], "--database", "other.db")
    os.mkdir(os.path.join(folder, "folder.db"))
    refused(folder, 3, ["folder.db"], "--database", "folder.db")
    refused(folder, 3, ["missing/a.db"], "--database", "missing/a.db")
    e2e.Server(folder).stop()  # makes gavel.db
    key = os.path.join(folder, "gavel.db.key")
    os.chmod(key, 0o644)
    refused(folder, 3, ["gavel.db.key", "chmod 600"], "--database", "gavel.db")
    os.chmod(key, 0o600)
    os.rename(key, key + ".away")
    refused(folder, 3, ["gavel.db.key", "missing"], "--database", "gavel.db")
    write(folder, "gavel.db.key", bytes(32))
    refused(folder, 3, ["gavel.db", "key"], "--database", "gavel.db")
    os.replace(key + ".away", key)
    db = sqlite3.connect(os.path.join(folder, "gavel.db"))
    version = db.execute("pragma user_version").fetchone()[0]
    db.execute("pragma user_version=%d" % (version + 1))
    db.commit()
    refused(folder, 3, ["gavel.db", "newer"], "--database", "gavel.db")
    db.execute("pragma user_version=%d" % version)
    db.commit()
    db.close()


def second_server(folder):
    """Refused, and the first does not notice."""
    refused(folder, 3, ["gavel.db", "in use"], "--database", "gavel.db")
    refused(folder, 2, ["admin.sock", "in use"], "--socket", "admin.sock")


# ---- gavel join ----

def join(link, *args, wait=True):
    p = e2e.start([e2e.program("gavel"), "join", link, "--name", "x", "--no-audio", *args], stdin=subprocess.DEVNULL,
                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return join_end(p) if wait else p


def join_end(p):
    out, err = p.communicate(timeout=e2e.PATIENCE * 2)
    return p.returncode, out.decode(), err.decode()


def joins(folder, server):
    _, link = server.create("door")
    p = e2e.parse_link(link)
    with socket.socket() as s:  # a port that was free a moment ago
        s.bind(("127.0.0.1", 0))
        nobody = s.getsockname()[1]
    dead = join(link.replace(":%d/" % p["port"], ":%d/" % nobody), "--line", wait=False)  # takes its time to give up
    for bad in ("nonsense", "", "https://", "https://127.0.0.1/", "http://127.0.0.1/j/door#i=x", link.replace("#i=", "#i=!"),
                link.replace("/j/door", "/j/../x")):
        rc, out, err = join(bad)
        assert rc == 1 and not out and re.fullmatch(r"gavel: [^\n]+\n", err), (bad, rc, out, err)
    other = "A" * 43
    for bad, rc_want, code, says in ((link.replace(p["pin"], other), 2, "certificate", "certificate"),
                                     (link.replace("/j/door", "/j/attic"), 3, "no_room", "no such room"),
                                     (link.replace(p["invite"], other), 3, "bad_invite", "invite"),
                                     (link.split("#")[0] + "#p=" + p["pin"], 3, "bad_invite", "invite")):
        rc, out, err = join(bad, "--line")
        last = out.splitlines()[-1]
        assert rc == rc_want and not err and says in last and last.count(". ") <= 1, (bad, rc, out, err)
        rc, out, err = join(bad, "--headless")
        assert rc == rc_want and '"code":"%s"' % code in out.splitlines()[-1], (bad, rc, out, err)
    for args in (("nowhere",), ("join",), ("join", "a", "b"), ("join", link, "--nonsense")):
        rc, out, err = run([e2e.program("gavel"), *args], folder)
        assert rc == 1 and err.startswith(("gavel: ", "usage")), (args, rc, out, err)
    return dead


# ---- gavelctl ----

with open(os.path.join(e2e.SOURCE, "core/room/acts.def")) as table:
    ACTS = re.findall(r'^ACT\(\w+, "(\w+)"', table.read(), re.M)


class Ctl:
    def __init__(self, folder, server):
        self.folder, self.server, self.used = folder, server, set()

    def run(self, *args):
        return run([e2e.program("gavelctl"), "--socket", self.server.socket, *args], self.folder)

    def ok(self, *args):
        self.used.add(args[0])
        rc, out, err = self.run(*args)
        assert rc == 0 and not err, (args, rc, out, err)
        return out

    def no(self, code, says, *args):
        self.used.add(args[0])
        rc, out, err = self.run(*args)
        assert rc == code and says in err and not out and err.count("\n") == 1, (args, rc, out, err)

    def room(self):
        return self.server.ctl("show", "hall")["room"]

    def person(self, name):
        return next((m for m in self.room()["members"] if m["name"] == name), None)


def enter(ctl, link, name):
    c = e2e.Client.join(link, name, "--no-audio")
    c.wait_state("lobby")
    ctl.ok("admit", "hall", name)
    c.wait_state("joined")
    return c


def words(ctl, link, bob):
    """Names with blanks, patterns, times, numbers and reasons, in the quotes of a shell."""
    ann = enter(ctl, link, "Ann Lee")
    ctl.ok("mute", "hall", "Ann Lee", "bob", "--", "too loud, both")
    assert bob.wait_event("member.muted")["reason"] == "too loud, both"
    assert ctl.person("Ann Lee")["muted"] and ctl.person("bob")["muted"]
    ctl.ok("undo", "hall")
    ctl.ok("floor_take", "hall", "*e*")  # only she has an e
    assert "floor" not in ctl.person("Ann Lee") and ctl.person("bob")["floor"]
    ctl.no(1, "nobody here fits z*", "mute", "hall", "z*")
    ctl.ok("gain", "hall", "bob", "-6")
    assert ctl.person("bob")["gain_db"] == -6
    for bad in ("-60", "loud"):
        ctl.no(1, "gain needs", "gain", "hall", "bob", bad)
    ctl.ok("slow", "hall", "1m")
    assert ctl.room()["slow_s"] == 60
    ctl.ok("slow", "hall", "0")
    ctl.ok("ban", "hall", "Ann Lee", "2h", "speak", "--", "shouting")
    assert re.search(r"Ann Lee +speaker +banned from speaking", ctl.ok("show", "hall"))
    assert re.search(r"^(\d+) +Ann Lee +speak until \d{4}-\d\d-\d\dT\S+Z.*shouting$", ctl.ok("bans", "hall"), re.M)
    ctl.ok("unban", "hall", str(ctl.room()["bans"][0]["id"]))
    ctl.ok("remove", "hall", "#%d" % ctl.person("Ann Lee")["id"])
    assert ann.end() == 4


def lists(ctl):
    """Each row of a list begins with the id that its acts take."""
    ctl.ok("note", "hall", "bob", "came", "late")
    ctl.ok("trust", "hall", "bob")
    ctl.ok("ban_rule", "hall", "cidr:203.0.113.0/24", "1d")
    for verb, row, act, key in (("notes", r"^(\d+) +about #\d+ by .*: came late$", "note_delete", "notes"),
                                ("trusted", r"^(\d+) +bob$", "untrust", "trusted"),
                                ("bans", r"^(\d+) +\(address\) +join  until \d{4}-", "unban", "bans")):
        found = re.search(row, ctl.ok(verb, "hall"), re.M)
        assert found and ctl.room()[key], verb
        ctl.ok(act, "hall", found[1])
        assert ctl.ok(verb, "hall") == "" and not ctl.room().get(key), verb
    assert len(re.findall(r"^\d+ +(owner, past the lobby|speaker)$", ctl.ok("invites", "hall"), re.M)) == 2
    assert [i["role"] for i in ctl.server.ctl("invites", "hall")] == ["owner", "speaker"], "the list as JSON"


def gavelctl(folder, server):
    ctl = Ctl(folder, server)
    links = re.findall(r"https://\S+", ctl.ok("create", "hall"))
    ctl.no(3, "exists", "create", "hall")
    ctl.no(3, "name", "create", "No Such Name")
    assert re.search(r"^hall +0 +0 +0 +no +yes$", ctl.ok("rooms"), re.M)
    host = e2e.Client.join(links[0], "host", "--no-audio")
    host.wait_state("joined")
    bob, waiting = enter(ctl, links[1], "bob"), e2e.Client.join(links[1], "carl", "--no-audio")
    waiting.wait_state("lobby")
    ctl.ok("deny", "hall", "carl", "--", "not today")
    assert waiting.end() == 3
    waiting = e2e.Client.join(links[1], "dora", "--no-audio")
    waiting.wait_state("lobby")
    ctl.ok("admit_all", "hall")
    waiting.wait_state("joined")
    assert re.search(r"#\d+ +bob +speaker +may speak", ctl.ok("show", "hall"))

    ctl.ok("lock", "hall")
    assert ctl.room()["locked"]
    ctl.no(3, "already", "lock", "hall")
    rc, out, _ = join(links[1], "--line")
    assert rc == 3 and "locked" in out
    ctl.ok("unlock", "hall")
    ctl.ok("topic", "hall", "spring", "plans")
    assert ctl.room()["topic"] == "spring plans"
    ctl.ok("mute", "hall", "BOB")  # the case does not matter
    assert bob.wait_event("member.muted")["who"] == [ctl.person("bob")["id"]] and ctl.person("bob")["muted"]
    ctl.ok("undo", "hall")
    assert "muted" not in ctl.person("bob")
    ctl.ok("mute", "hall", "bob", "dora")
    ctl.ok("ask_unmute", "hall", "bob")
    bob.wait_event("member.asked_unmute")
    bob.act("unmute")
    ctl.ok("mute_all", "hall", "hold")
    assert ctl.room()["mute_all"] == "hold"
    ctl.ok("mute_lift", "hall")
    ctl.ok("floor_take", "hall", "bob", "dora")
    bob.act("hand")
    assert "floor" not in ctl.person("dora") and ctl.person("bob")["hand"] == 1
    ctl.ok("next", "hall")
    assert ctl.person("bob")["floor"] and "hand" not in ctl.person("bob")
    ctl.ok("floor_give", "hall", "dora")
    bob.act("hand")
    ctl.ok("hand_lower", "hall", "bob")
    assert "hand" not in ctl.person("bob")
    ctl.ok("role", "hall", "bob", "cohost")
    assert ctl.person("bob")["role"] == "cohost"
    ctl.ok("role", "hall", "#%d" % ctl.person("bob")["id"], "speaker")
    ctl.no(1, "role needs one of", "role", "hall", "bob", "king")
    words(ctl, links[1], bob)
    lists(ctl)

    ctl.ok("chat", "hall", "--", "hello", "all")
    said = bob.wait_event("chat.sent")
    assert said["text"] == "hello all" and said["actor"] == 0, said
    ctl.ok("chat_delete", "hall", str(said["seq"]))
    ctl.no(3, "no such message", "chat_delete", "hall", "999999")
    ctl.ok("msg", "hall", "bob", "only", "you")
    assert bob.wait_event("chat.sent")["text"] == "only you"
    ctl.ok("hosts", "hall", "to the hosts")
    assert host.wait("message", lambda e: e.get("event") == "room_event" and e["data"].get("chat") == "hosts")
    ctl.ok("chat_clear", "hall")
    assert not [c for c in ctl.room().get("chat", []) if c.get("text")]
    ctl.ok("chat_mode", "hall", "off")
    assert bob.act("chat", ok=False, text="hush")["code"] == "chat_off"
    ctl.ok("policy", "hall", "lobby")
    ctl.ok("lobby", "hall", "off")
    assert not ctl.room()["lobby"]
    ctl.no(1, "on|off", "lobby", "hall", "perhaps")
    for self_act in ("hand", "unmute", "leave"):  # the operator is nobody in the room
        ctl.no(3, "only the person", self_act, "hall")

    ctl.ok("remove", "hall", "dora", "--", "too loud")
    assert waiting.end() == 4 and ctl.person("dora") is None
    ctl.ok("ban", "hall", "bob")
    assert bob.end() == 4, (bob.process.returncode, list(bob.lines.queue.queue), list(bob.errors.queue.queue))
    ban = ctl.room()["bans"][0]
    assert join(links[1], "--line")[0] == 3, "this installation is banned"
    ctl.ok("unban", "hall", str(ban["id"]))
    ctl.no(3, "nobody", "unban", "hall", str(ban["id"]))
    link = ctl.ok("invite", "hall", "cohost").strip()
    second = e2e.Client.join(link, "eve", "--no-audio")
    second.wait_state("joined")
    assert ctl.person("eve")["role"] == "cohost"
    ctl.ok("invite_revoke", "hall", str(max(i["id"] for i in ctl.room()["invites"])))
    assert join(link, "--line")[0] == 3

    ctl.no(3, "no such room", "show", "attic")
    ctl.no(3, "no such room", "lock", "attic")
    ctl.no(1, "nobody here is called zoe", "mute", "hall", "zoe")
    ctl.no(1, "no #999 here", "mute", "hall", "#999")
    ctl.no(1, "explode", "explode", "hall")
    ctl.no(1, "which room", "lock")
    rc, out, err = ctl.run("--json", "show", "attic")
    assert rc == 3 and '"no_room"' in out and not err
    assert server.ctl("info")["rooms"] >= 1 and "joins" in ctl.ok("info")
    rc, _, err = run([e2e.program("gavelctl"), "--socket", "none.sock", "rooms"], folder)
    assert rc == 2 and "none.sock" in err and err.count("\n") == 1
    assert "gavel_" in ctl.ok("metrics") and "signalling" in ctl.ok("ips")
    assert re.search("draining +yes", ctl.ok("drain")) and re.search("draining +no", ctl.ok("drain", "--undo"))
    assert "none" in ctl.ok("alerts")
    assert "stay until" in ctl.ok("quality", "hall", "--since=1d")
    assert "hall" in ctl.ok("metering") or "no" in ctl.ok("metering")
    ctl.no(3, "nowhere.sqlite", "restore", "nowhere.sqlite", "--to=%s" % os.path.join(folder, "other.db"))
    ctl.ok("end", "hall")
    assert host.end() == 5 and second.end() == 5, "the room has ended"
    ctl.no(3, "ended", "topic", "hall", "late")
    listed = set(re.findall(r"^  ([a-z_]+)(?:  .*| [A-Z[].*|)$", ctl.run("--help")[1], re.M))
    verbs = listed - set(ACTS)
    assert len(ACTS) > 70 and set(ACTS) < listed, "acts that help leaves out: %s" % (set(ACTS) - listed)
    assert "maintenance start" in ctl.run("maintenance", "--help")[1] and ctl.run("nothing", "--help")[0] == 1, "a group's help"
    assert "invites" in verbs and not verbs - ctl.used, "not tried: %s" % (verbs - ctl.used)


def test(folder):
    configurations(folder)
    ports_and_files(folder)
    databases(folder)
    server = e2e.Server(folder)
    second_server(folder)
    dead = joins(folder, server)
    gavelctl(folder, server)
    rc, out, err = join_end(dead)
    assert rc == 2 and "connect" in out.splitlines()[-1], (rc, out, err)
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(e2e.PATIENCE) == 0


e2e.main(test)
