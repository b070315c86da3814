"""`gavel watch` on a real server: a table once, objects, exit codes of conditions, sentences; the screen in tmux with a person looked at,
a whisper, a server that goes away and comes back; over the operators' port with a session of `gavel login --monitor`; listening in."""
import json
import os
import re
import socket
import subprocess

import gavel_e2e as e2e
import gavel_tmux
import test_login as login

GAVEL = e2e.program("gavel")


def watch(*args, code=0):
    r = subprocess.run([GAVEL, "watch", *args], capture_output=True, stdin=subprocess.DEVNULL, timeout=e2e.PATIENCE)
    if r.returncode != code:
        raise e2e.Failure("gavel watch %s: %d, not %d: %s%s" % (" ".join(args), r.returncode, code, r.stdout.decode(), r.stderr.decode()))
    return r.stdout.decode() + r.stderr.decode()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def serve(folder, ops, port=0):
    path = os.path.join(folder, "watch.ini")
    with open(path, "w") as f:
        f.write(e2e.UNLIMITED + "[ops]\nport = %d\n" % ops)
    return e2e.Server(folder, port=port, extra=("--config", path))


def scripts(server):
    table = watch(server.socket, "--once")
    assert re.search(r"^standup +2 ", table, re.M) and re.search(r"^board +0 +1 ", table, re.M) and "2 rooms, 2 people" in table, table
    one = json.loads(watch(server.socket, "--once", "--json"))
    assert one["whole"] is True and {r["room"]: r["people"] for r in one["rooms"]} == {"standup": 2, "board": 0}, one
    assert watch(server.socket, "--fail-if", "rooms<1", "--fail-if", "loss>50%") == ""
    assert watch(server.socket, "--fail-if", "rooms<1", "--fail-if", "waiting>0", code=9) == "waiting>0: board (1)\n"
    one = json.loads(watch(server.socket, "--once", "--json", "--fail-if", "people>1 room=standup", code=9))
    assert one["failed"] == [{"condition": "people>1 room=standup", "rooms": ["standup"]}], one
    assert "character 6: a number is wanted here" in watch(server.socket, "--fail-if", "loss>>5", code=1)
    assert "cannot" in watch("https://nobody.invalid", "--once", code=3) + "cannot"
    watch(os.path.join(server.folder, "none.sock"), "--once", code=2)


def sentences(server):
    p = e2e.start([GAVEL, "watch", server.socket, "--line", "--interval", "250ms", "--fail-if", "rooms>3"], stdout=subprocess.PIPE,
                  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    out = e2e.Lines(p.stdout)
    out.wait(lambda l: l.startswith("2 rooms, 2 people, 1 waits"), "summary")
    host, _ = server.create("third")
    out.wait(lambda l: l == "third has opened.", "third")
    c = e2e.Client.join(host, "Thea", "--no-audio")
    out.wait(lambda l: l == "third: 1 inside (0).", "Thea inside")
    c.say(cmd="leave")
    assert c.end() == 0
    out.wait(lambda l: l == "third: 0 inside (1).", "Thea gone")
    server.create("fourth")
    out.wait(lambda l: l == "rooms>3: it is 4.0", "the condition")
    assert p.wait(e2e.PATIENCE) == 9
    for room in ("third", "fourth"):
        server.ctl("end", room)


def screen(folder, server, host, restart):
    w = gavel_tmux.Window("watch", folder)
    w.run(GAVEL, "watch", server.socket)
    w.wait(lambda s: re.search(r"^ !?.?board +0 +1", s, re.M) and "2 people" in s, "the rooms")
    w.key("/")
    w.type("people>0")
    w.key("Enter")
    w.wait("1 of 2 rooms: people>0")
    w.key("Down", "Enter")
    w.wait(lambda s: re.search(r"^ .?standup +2 inside", s, re.M) and "Ann" in s and "bob" in s, "the room from inside")
    w.key("Down", "Enter")
    w.wait("gavel/0.1.0")
    w.key("w")
    w.wait("To the hosts:")
    w.type("quiet, please")
    w.key("Enter")
    w.wait("The hosts have it.")
    said = host.wait_event("chat.sent")
    assert said["text"] == "quiet, please" and said["chat"] == "hosts", said
    w.key("Escape", "Escape", "Escape")
    for size in ((40, 12), (120, 40), (20, 5), (80, 24)):
        w.resize(*size)
        w.wait(lambda s: "standup" in s and "board" in s or size[1] < 10, "the rooms at %dx%d" % size)
    server.stop()
    w.wait("NO CONNECTION")
    server = restart()
    w.wait_gone("NO CONNECTION")
    w.key("q")
    w.wait("code=0")
    return server


def signed_in(server, accounts):
    g = login.Login("127.0.0.1:%d" % server.port, "--monitor", "--pin", server.pin)
    code = g.code()
    status, page = accounts.decide(code)
    assert status == 200, (status, page)
    g.out.wait(lambda l: l.startswith("Signed in."), "signing in")
    assert g.process.wait(e2e.PATIENCE) == 0


def over_tls(folder, server, ops):
    url = "https://127.0.0.1:%d" % ops
    assert "gavel login --monitor" in watch(url, "--once", code=3)
    wrong = os.path.join(folder, "wrong.token")
    with open(os.open(wrong, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        f.write("cs1_wrong\n")
    assert "token" in watch(url + "#p=" + server.pin, "--token", wrong, "--once", code=3)
    assert "certificate" in watch(url, "--token", wrong, "--once", code=2)
    accounts = login.Accounts.__new__(login.Accounts)
    accounts.base, accounts.password, accounts.used = "https://127.0.0.1:%d" % server.port, os.path.join(folder, "password"), 0
    with open(os.open(accounts.password, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        f.write(login.PASSWORD + "\n")
    server.ctl("account", "create", "ann", "--password=" + accounts.password,
               "--scopes=room:join monitor:watch monitor:listen monitor:silent")
    accounts.secret = server.ctl("account", "totp", "ann")["secret"]
    signed_in(server, accounts)
    assert "standup" in watch(url, "--once")  # pin and token are those of the session
    return url


def listening(folder, server, url, host):
    w = gavel_tmux.Window("listen", folder)
    w.run(GAVEL, "watch", url, "--output", "null", "--input", "null")
    w.wait("standup")
    w.key("Down", "Down", "Up")
    w.key("/")
    w.type("standup")
    w.key("Enter", "Down")
    w.key("L")
    w.wait("Why do you listen in?")
    w.type("complaint")
    w.key("Enter")
    w.wait("By which order")
    w.type("OPS-4")
    w.key("Enter")
    w.wait("For how many minutes")
    w.type("5")
    w.key("Enter")
    w.wait("Silent listening is switched off")
    w.key("q")
    w.wait("silent_off")  # the server's own refusal, by its name
    w.key("l")
    w.wait("Why do you listen in?")
    w.type("complaint")
    w.key("Enter")
    w.wait("By which order")
    w.type("OPS-4")
    w.key("Enter")
    w.wait("You listen, and everybody here is told.")
    host.wait("the monitor in the room", lambda e: e.get("event") == "room_event" and "monitor" in json.dumps(e))
    w.key("q", "y")
    w.wait("you have listened")
    w.wait("standup")
    w.key("q")
    w.wait("code=0")


def test(folder):
    ops = free_port()
    server = serve(folder, ops)
    host_link, guest = server.create("standup")
    server.pin = e2e.parse_link(guest)["pin"]
    host = e2e.Client.join(host_link, "Ann", "--no-audio")
    host.wait_state("joined")
    bob = e2e.Client.join(guest, "bob", "--no-audio")
    bob.wait_state("lobby")
    host.act("admit_all")
    bob.wait_state("joined")
    _, board = server.create("board")
    e2e.Client.join(board, "Wim", "--no-audio").wait_state("lobby")
    scripts(server)
    sentences(server)

    def restart():
        again = serve(folder, ops, port=server.port)
        again.pin = server.pin
        return again
    try:
        server = screen(folder, server, host, restart)
        url = over_tls(folder, server, ops)
        host.wait_state("joined")
        listening(folder, server, url, host)
    finally:
        gavel_tmux.end()
    server.stop()


if __name__ == "__main__":
    e2e.main(test)
