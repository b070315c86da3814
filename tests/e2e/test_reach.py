"""What reaches a running client from outside its window: `gavelctl --client` over its control socket, and the person's hook. A host in
line mode, a headless guest, a real server."""
import json
import os
import signal
import stat
import subprocess

import gavel_e2e as e2e


class Talk:
    """gavel in line mode, with a control socket."""

    def __init__(self, link, name, control, *args, env=None):
        self.process = e2e.start([e2e.program("gavel"), "join", link, "--name", name, "--line", "--control", control, "--input", "null",
                                  "--output", "null", *args], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lines = e2e.Lines(self.process.stdout)

    def hear(self, text):
        return self.lines.wait(lambda line: line if text in line else None, repr(text))

    def end(self):
        self.process.stdin.write(b"/leave\n")
        self.process.stdin.close()
        return self.process.wait(e2e.PATIENCE)


def gavelctl(client, *args, env=None):
    r = subprocess.run([e2e.program("gavelctl"), client, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=e2e.PATIENCE, env=env)
    return r.returncode, r.stdout.decode(), r.stderr.decode()


def ok(client, *args):
    rc, out, err = gavelctl(client, *args)
    assert rc == 0 and not err, (args, rc, out, err)
    return out


def no(code, client, *args):
    """Refused with this stable code, in one line."""
    rc, out, err = gavelctl(client, *args)
    assert rc == 3 and not out and err.count("\n") == 1 and err.endswith(" (%s)\n" % code), (args, rc, out, err)
    rc, out, err = gavelctl(client, "--json", *args)
    assert rc == 3 and json.loads(out)["code"] == code and json.loads(out)["ok"] is False, (args, rc, out, err)


class Meeting:
    def __init__(self, folder):
        self.folder = folder
        self.server = e2e.Server(folder)
        self.host_link, self.link = self.server.create("hall")
        hooked = os.path.join(folder, "hooked")
        os.mkfifo(hooked, 0o600)
        self.hooked = e2e.Lines(os.fdopen(os.open(hooked, os.O_RDWR), "rb", 0))
        self.hanna = Talk(self.host_link, "hanna", "desk", "--hook", "cat >'%s'; echo noise" % hooked)
        self.hanna.hear("You are in hall.")
        self.sockets = os.path.join(folder, "run", "gavel")
        self.socket = os.path.join(self.sockets, "desk.sock")

    def person(self, name):
        return next(m for m in self.server.ctl("show", "hall")["room"]["members"] if m["name"] == name)


def knock(m):
    """The hook is told who knocks, as data: no word of it reaches the shell."""
    m.bob = e2e.Client.join(m.link, "bob $(touch gone)'\"", "--no-audio")
    m.bob.wait_state("lobby")
    told = m.hooked.wait(lambda line: json.loads(line), "line for the hook")
    assert told["event"] == "knock" and told["room"] == "hall" and told["waiting"] == 1, told
    assert "bob $(touch gone)'\"" in told["text"], told
    assert not os.path.exists("gone")
    ok("--client=desk", "admit", "#%d" % m.person("bob $(touch gone)'\"")["id"])
    m.bob.wait_state("joined")
    m.bob.say(act="name", text="bob")
    m.bob.wait_event("member.renamed")


def socket_file(m):
    mode = lambda path: stat.S_IMODE(os.stat(path).st_mode)
    assert stat.S_ISSOCK(os.stat(m.socket).st_mode) and mode(m.socket) == 0o600 and mode(m.sockets) == 0o700
    for client in ("--client=nobody", "--client=../run/gavel/desk"):
        rc, out, err = gavelctl(client, "status")
        assert rc == 2 and not out and err == "gavelctl: no such gavel is running\n", (rc, out, err)


def commands(m):
    status = json.loads(ok("--client=desk", "status"))
    assert status["state"] == "joined" and status["room"] == "hall" and status["here"] == 2 and status["waiting"] == 0, status
    assert status["me"]["name"] == "hanna" and not status["me"]["muted"] and status == json.loads(ok("--client", "status")), status
    watch = e2e.start([e2e.program("gavelctl"), "--client=desk", "watch"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE)
    m.watch, m.seen = watch, e2e.Lines(watch.stdout)
    sees = lambda what, want: m.seen.wait(lambda line: want(json.loads(line)), what)
    sees("the status as it is", lambda s: s == status)
    ok("--client=desk", "mute", "bob")
    assert m.bob.wait_event("member.muted")["who"] == [m.person("bob")["id"]]
    ok("--client=desk", "hand")
    sees("a raised hand", lambda s: s["me"]["hand"] == 1)
    m.hanna.hear("You raised a hand")
    for said in ("hello all of you", 'this is "quoted" here'):
        ok("--client=desk", "chat", said)
        assert m.bob.wait_event("chat.sent")["text"] == said
    ok("--client=desk", "floor-take", "bob", "--", "wait", "your turn")
    assert m.bob.wait_event("member.floor")["reason"] == "wait your turn"
    ok("--client=desk", "ban_rule", "cidr:203.0.113.0/24", "1h")
    assert "203.0.113" not in ok("--client=desk", "bans") and "1 " in ok("--client=desk", "bans")
    assert "hanna" in ok("--client=desk", "who") and "bob" in ok("--client=desk", "who")


def talk(m):
    """Push-to-talk from a foot pedal."""
    carl = Talk(m.link, "carl", "pedal")
    m.hooked.wait(lambda line: "carl" in line, "knock of carl")
    ok("--client=desk", "admit", "carl")
    carl.hear("You are in hall.")
    assert json.loads(ok("--client=pedal", "status"))["open"] is False
    ok("--client=pedal", "talk", "on")
    assert json.loads(ok("--client=pedal", "status"))["open"] is True
    ok("--client=pedal", "talk", "off")
    assert json.loads(ok("--client=pedal", "status"))["open"] is False
    m.carl = carl


def refusals(m):
    no("bad_request", "--client=desk", "nonsense")
    no("bad_request", "--client=desk", "mute", "zoe")
    no("not_allowed", "--client=pedal", "lock")  # refused by the client itself: no round trip
    no("no_change", "--client=desk", "unlock")
    ok("--client=desk", "mute-all", "hold")
    no("muted_by_host", "--client=pedal", "unmute")
    assert "needs cohost" in gavelctl("--client=pedal", "lock")[2], "known without asking the server"


def same_name(m):
    """A second client of the name works without a socket and says so; a dead one's is taken over."""
    second = Talk(m.host_link, "dora", "desk")
    second.hear("No control socket: ")
    second.hear("You are in hall.")
    assert json.loads(ok("--client=desk", "status"))["me"]["name"] == "hanna"
    assert second.end() == 0 and os.path.exists(m.socket)
    path = os.path.join(m.sockets, "pedal.sock")
    m.carl.process.kill()
    m.carl.process.wait()
    assert os.path.exists(path) and gavelctl("--client=pedal", "status")[0] == 2
    heir = Talk(m.host_link, "emil", "pedal")
    heir.hear("You are in hall.")
    assert json.loads(ok("--client=pedal", "status"))["me"]["name"] == "emil"
    heir.process.send_signal(signal.SIGTERM)
    heir.process.wait(e2e.PATIENCE)
    assert not os.path.exists(path), "gone with the client"


def folders(m):
    """Without $XDG_RUNTIME_DIR: in the state folder. A folder that others may enter is not used."""
    env = {k: v for k, v in os.environ.items() if k != "XDG_RUNTIME_DIR"}
    state = os.path.join(m.folder, "state", "gavel", "run")
    fred = Talk(m.host_link, "fred", "den", env=env)
    fred.hear("You are in hall.")
    assert os.listdir(state) == ["den.sock"] and stat.S_IMODE(os.stat(state).st_mode) == 0o700
    assert json.loads(gavelctl("--client=den", "status", env=env)[1])["me"]["name"] == "fred"
    assert fred.end() == 0 and os.listdir(state) == []
    os.chmod(state, 0o755)
    fred = Talk(m.host_link, "fred", "den", env=env)
    fred.hear("No control socket: ")
    fred.hear("You are in hall.")
    assert fred.end() == 0 and os.listdir(state) == []


def test(folder):
    os.environ["XDG_RUNTIME_DIR"] = os.path.join(folder, "run")
    os.chdir(folder)
    m = Meeting(folder)
    knock(m)
    socket_file(m)
    commands(m)
    talk(m)
    refusals(m)
    same_name(m)
    folders(m)
    ok("--client=desk", "role", "bob", "cohost", "take over")
    m.bob.wait_event("member.role")
    assert m.hanna.end() == 0 and not os.path.exists(m.socket), "the socket goes with the client"
    assert m.watch.wait(e2e.PATIENCE) == 0, "who watches sees that it is over"
    m.server.stop()


e2e.main(test)
