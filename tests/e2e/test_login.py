"""`gavel login` end to end: the approval is posted by curl, with a second factor; the session file, joining with it, refreshing, signing out;
what is refused; and no secret in argv, in a log or on the screen."""
import base64
import hashlib
import hmac
import json
import os
import re
import struct
import subprocess
import time

import gavel_e2e as e2e

PASSWORD = "correct horse battery staple"


def totp(secret, step):
    digest = hmac.new(base64.b32decode(secret + "=" * (-len(secret) % 8)), struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return "%06d" % ((struct.unpack(">I", digest[at:at + 4])[0] & 0x7FFFFFFF) % 1000000)


def curl(url, *args):
    r = subprocess.run(["curl", "-sk", "-m", "20", "-w", "\n%{http_code}", *args, url], capture_output=True, timeout=30)
    body, _, status = r.stdout.decode().rpartition("\n")
    return int(status), body


def post(url, *args, **fields):
    return curl(url, *args, *[x for k, v in fields.items() for x in ("--data-urlencode", "%s=%s" % (k, v))])


def argv_of(process):
    with open("/proc/%d/cmdline" % process.pid, "rb") as f:
        return f.read().replace(b"\0", b" ").decode("latin-1")


class Login:
    def __init__(self, *args):
        self.process = e2e.start([e2e.program("gavel"), "login", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE)
        self.out = e2e.Lines(self.process.stdout)
        self.errors = e2e.Lines(self.process.stderr)

    def code(self):
        return self.out.wait(lambda l: re.fullmatch(r" +([B-Z]{4}-[B-Z]{4})", l), "user code")[1]


class Accounts:
    def __init__(self, folder, server):
        self.base = "https://127.0.0.1:%d" % server.port
        self.password = os.path.join(folder, "password")
        with open(os.open(self.password, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(PASSWORD + "\n")
        server.ctl("account", "create", "ann", "--password=" + self.password)
        self.secret = server.ctl("account", "totp", "ann")["secret"]
        self.used = 0

    def decide(self, code, decision="approve", totp_code=None, password=PASSWORD):
        """One code of the authenticator is good once: the next step is waited for in the clock's error of one step."""
        if totp_code is None:
            now = int(time.time() / 30)
            step = max(now - 1, self.used + 1)
            if step > now + 1:
                raise e2e.Failure("no code left")
            self.used, totp_code = step, totp(self.secret, step)
        return post(self.base + "/device", user_code=code, account="ann", password=password, code=totp_code, decision=decision)


def session_file(server):
    return os.path.join(os.environ["XDG_STATE_HOME"], "gavel", "sessions", "127.0.0.1_%d.json" % server.port)


def approve_page(accounts, code):
    status, page = curl(accounts.base + "/device?user_code=" + code)
    assert status == 200 and code in page and "Is this exact code on your terminal now?" in page and "127.0.0.0/24" in page, page
    assert "enter rooms, be heard, write, admit from the lobby: co-host, moderate: host, own rooms" in page, page
    assert accounts.decide(code, password="wrong password!", totp_code="000000")[0] == 401
    assert accounts.decide(code, totp_code="")[0] == 401  # no second factor
    status, page = accounts.decide(code)
    assert status == 200 and "Done" in page, (status, page)
    assert accounts.decide(code, totp_code="")[0] == 400  # once


def tokens_work(accounts, kept):
    me = accounts.base + "/v1/me"
    status, body = curl(me, "-H", "Authorization: Bearer " + kept["access"])
    assert status == 200 and json.loads(body)["mfa"] is True and "ann" in json.loads(body)["user"], (status, body)
    status, body = post(accounts.base + "/oauth/introspect", "-H", "Authorization: Bearer " + kept["access"], token=kept["access"])
    assert status == 200 and json.loads(body)["active"] is True, body
    status, body = post(accounts.base + "/oauth/introspect", "-H", "Authorization: Bearer " + kept["access"], token="cs1_other")
    assert status == 403, (status, body)


def join_as(link, server, *args, **how):
    c = e2e.Client.join(link, "ann", "--no-audio", *args, **how)
    me = c.wait_state("joined")["me"]
    c.say(cmd="leave")
    assert c.end() == 0
    return c, me


def joining(server, guest, kept, path):
    c, _ = join_as(guest, server)
    assert not c.errors.seen, c.errors.seen
    kept["expires"] = 1  # about to end: refreshed first
    with open(path, "w") as f:
        json.dump(kept, f)
    join_as(guest, server)
    fresh = json.load(open(path))
    assert fresh["access"] != kept["access"] and fresh["refresh"] != kept["refresh"] and fresh["expires"] > time.time() * 1000
    assert os.stat(path).st_mode & 0o777 == 0o600
    join_as(guest, server, "--no-login")
    return fresh


def loose_files(guest, path):
    for mode in (0o640, 0o604, 0o660):
        os.chmod(path, mode)
        r = subprocess.run([e2e.program("gavel"), "join", "-", "--headless", "--no-audio"], input=guest.encode(), capture_output=True, timeout=30)
        assert r.returncode == 1 and b"chmod 600" in r.stderr, (oct(mode), r)
        r = subprocess.run([e2e.program("gavel"), "logout", "-"], input=guest.encode(), capture_output=True, timeout=30)
        assert r.returncode == 3 and b"chmod 600" in r.stderr and os.path.exists(path), r
    os.chmod(path, 0o600)


def other_pin(guest, path):
    """A link with a stranger's pin does not get the session's token."""
    pin = e2e.parse_link(guest)["pin"]
    bad = guest.replace(pin, ("A" if pin[0] != "A" else "B") + pin[1:])
    r = subprocess.run([e2e.program("gavel"), "join", "-", "--headless", "--no-audio"], input=bad.encode() + b"\n", capture_output=True, timeout=60)
    assert r.returncode == 2 and b"joining as a guest" in r.stderr, r
    r = subprocess.run([e2e.program("gavel"), "login", "-"], input=bad.encode() + b"\n", capture_output=True, timeout=60)
    assert r.returncode == 2 and b"certificate" in r.stderr, r


def token_option(folder, guest, kept):
    token = os.path.join(folder, "token")
    with open(os.open(token, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        f.write(kept["access"] + "\n")
    c = e2e.Client.join(guest, "ann", "--no-audio", "--token", token)
    c.wait_state("joined")
    c.say(cmd="leave")
    assert c.end() == 0
    os.chmod(token, 0o644)
    r = subprocess.run([e2e.program("gavel"), "join", "-", "--token", token], input=guest.encode(), capture_output=True, timeout=30)
    assert r.returncode == 1 and b"chmod 600" in r.stderr, r
    c = e2e.Client("join", "-", "--name", "ann", "--no-audio", "--token", "-")
    c.process.stdin.write((guest + "\n" + "cs1_" + "x" * 43 + "\n").encode())
    c.process.stdin.flush()
    assert c.wait_state("ended")["code"] == "invalid_token"
    assert c.end() == 3


def declined(server, accounts, guest):
    login = Login("127.0.0.1:%d" % server.port, "--pin", e2e.parse_link(guest)["pin"])
    code = login.code()
    used = accounts.used
    again = accounts.decide(code, totp_code=totp(accounts.secret, used))
    assert again[0] == 401, again  # the same code again
    recovery = server.ctl("account", "totp-off", "ann")
    assert accounts.decide(code, "deny", totp_code="")[0] == 200, recovery
    assert login.process.wait(60) == 3
    login.errors.wait(lambda l: "declined" in l, "why")


def ended(guest, path, dead):
    """A session that is over on the server: its token is sent and refused; refreshing says so, and one comes in as a guest."""
    def write(**changed):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            json.dump(dict(dead, **changed), f)
    write()
    c = e2e.Client.join(guest, "ann", "--no-audio")
    c.wait("refusal", lambda e: e.get("event") == "state" and e.get("state") == "ended" and "token" in json.dumps(e))
    assert c.end() == 3
    write(expires=1)
    c = e2e.Client.join(guest, "ann", "--no-audio")
    c.errors.wait(lambda l: "has ended" in l, "that it has ended")
    c.wait_state("joined")
    c.say(cmd="leave")
    assert c.end() == 0 and not os.path.exists(path)


def reuse(server, accounts, guest, path):
    """Without a second factor; a refresh token that is used twice ends the whole session."""
    login = Login("127.0.0.1:%d" % server.port, "--pin", e2e.parse_link(guest)["pin"])
    assert accounts.decide(login.code(), totp_code="")[0] == 200
    assert login.process.wait(60) == 0
    kept = json.load(open(path))
    status, body = post(accounts.base + "/oauth/token", grant_type="refresh_token", refresh_token=kept["refresh"])
    fresh = json.loads(body)
    assert status == 200 and curl(accounts.base + "/v1/me", "-H", "Authorization: Bearer " + fresh["access_token"])[0] == 200
    status, body = post(accounts.base + "/oauth/token", grant_type="refresh_token", refresh_token=kept["refresh"])
    assert status == 400 and json.loads(body)["error"] == "invalid_grant", body
    assert curl(accounts.base + "/v1/me", "-H", "Authorization: Bearer " + fresh["access_token"])[0] == 401


def no_secret_in(folder, server, secrets):
    server.stop()
    while server.log.queue.get(timeout=e2e.PATIENCE) is not None:
        pass
    log = "\n".join(server.log.seen)
    for secret in secrets:
        assert secret not in log, secret
        with open(os.path.join(folder, "gavel.db"), "rb") as f:
            assert secret.encode() not in f.read(), secret


def test(folder):
    server = e2e.Server(folder, extra=("--log", "debug"))
    host, guest = server.create("den", "--no-lobby")
    accounts = Accounts(folder, server)
    login = Login("-")
    login.process.stdin.write((guest + "\n").encode())
    login.process.stdin.flush()
    code = login.code()
    assert e2e.parse_link(guest)["invite"] not in argv_of(login.process)
    approve_page(accounts, code)
    assert login.process.wait(60) == 0, login.errors.seen
    path = session_file(server)
    kept = json.load(open(path))
    assert os.stat(path).st_mode & 0o777 == 0o600 and os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700
    login.out.wait(lambda l: "Signed in" in l, "the end")
    assert not any(kept[k] in l for k in ("access", "refresh") for l in login.out.seen)
    tokens_work(accounts, kept)
    old = dict(kept)
    fresh = joining(server, guest, kept, path)
    loose_files(guest, path)
    other_pin(guest, path)
    token_option(folder, guest, fresh)
    r = subprocess.run([e2e.program("gavel"), "logout", "127.0.0.1:%d" % server.port], capture_output=True, timeout=30)
    assert r.returncode == 0 and not os.path.exists(path), r
    assert curl(accounts.base + "/v1/me", "-H", "Authorization: Bearer " + fresh["access"])[0] == 401
    assert subprocess.run([e2e.program("gavel"), "logout", "127.0.0.1:%d" % server.port], capture_output=True, timeout=30).returncode == 3
    ended(guest, path, fresh)
    declined(server, accounts, guest)
    reuse(server, accounts, guest, path)
    no_secret_in(folder, server, [PASSWORD, accounts.secret, old["access"], old["refresh"], fresh["access"], fresh["refresh"],
                                  e2e.parse_link(guest)["invite"]])


if __name__ == "__main__":  # test_watch.py signs in too
    e2e.main(test)
