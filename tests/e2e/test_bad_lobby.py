"""docs/bad-input.md 13, 30 and 31: what somebody who holds an old link, waits, was sent away, or
lost a right a moment ago, gets to see and can still do."""
import base64
import hashlib
import hmac
import json
import os
import time

import bad_kit as kit
import gavel_e2e as e2e
from bad_kit import TEXT, check, code
from bad_udp import Seat, good_check

PASSWORD = "correct horse battery staple"


def everything(raw):
    """All frames that are there or come within half a second."""
    raw.s.settimeout(0.5)
    frames, until = [], time.monotonic() + 0.5
    try:
        while time.monotonic() < until and (f := raw.next()) is not None:
            frames.append(f[1])
    except e2e.Failure:
        pass
    raw.s.settimeout(e2e.PATIENCE)
    return b"\n".join(frames)


def bad_13_invites(room, host):
    """Of another room, used up, past its end, revoked: one answer for all of them."""
    def enter(link, name="guest"):
        r = kit.Raw(room.server.port)
        return code(r.ask("room.join", room.params(name, invite=e2e.parse_link(link)["invite"])))

    def invite(n, **params):
        return host.ask("room.invite", params, n)["result"]["link"]
    check(enter(room.server.create("other", "--no-lobby")[1]) == "bad_invite", "an invite of another room")
    once = invite(20, uses=1)
    check((enter(once), enter(once, "again")) == ("ok", "bad_invite"), "an invite for one, used twice")
    soon = int(time.time() * 1000) + 700
    ends = invite(21, expires_ms=soon)
    check(enter(ends) == "ok", "an invite before its end")
    while time.time() * 1000 <= soon:
        time.sleep(0.05)
    check(enter(ends) == "bad_invite", "an invite after its end")
    gone = invite(22)
    mine = max(i["id"] for i in room.server.ctl("invites", "den"))
    check(enter(gone) == "ok" and code(host.ask("room.invite_revoke", {"id": mine}, 23)) == "ok" and enter(gone) == "bad_invite", "a revoked invite")
    room.fine("old invites")


def bad_30_waiting(room, host):
    """Who waits: neither names, nor chat, nor levels, nor a path for sound; and none of it can be asked for."""
    check(code(host.ask("room.lobby", {"on": True}, 50)) == "ok" and code(host.ask("room.password", {"text": PASSWORD}, 51)) == "ok", "the lobby")
    check(code(kit.Raw(room.server.port).ask("room.join", room.params("w"))) == "password_needed", "no password was asked for")
    check(code(kit.Raw(room.server.port).ask("room.join", room.params("w", password="wrong"))) == "bad_password", "a wrong password")
    eve = Seat(room, "waits", password=PASSWORD)
    first = json.dumps(eve.answer)
    check(eve.answer["state"] == "lobby" and "sdp" not in eve.answer and "room" not in eve.answer, "the lobby's answer: %s" % first)
    room.people["ann"].act("chat", text="a secret between us")
    room.fine("somebody waits")
    wanted = (("room.chat", {"text": "x"}), ("room.history", {"n": 100}), ("room.hand", {}), ("room.admit", {"who": [eve.answer["me"]]}),
              ("room.admit_all", {}), ("room.attendance", {}), ("room.msg", {"who": 1, "text": "x"}), ("room.claim_code", {}),
              ("room.remove", {"who": [1]}), ("room.role", {"who": eve.answer["me"], "role": "host"}), ("room.unlock", {}),
              ("room.show", {}), ("room.vote", {"n": 1}), ("room.topic", {"text": "x"}))
    for n, (method, params) in enumerate(wanted, 100):
        got = eve.raw.ask(method, params, n)
        if "result" in got:
            check(method == "room.history" and got["result"]["chat"] == [], "%s while waiting: %s" % (method, got))
    got = eve.raw.ask("room.media", {"sdp": eve.offer}, 200)
    check(got.get("result") == {}, "a path while waiting: %s" % got)
    seen = everything(eve.raw)
    for word in (b"secret", b"ann", b"bob", b"levels", b"members", b"ufrag", PASSWORD.encode(), b"chat.sent"):
        check(word not in seen and word.decode() not in first, "who waits sees %r: %r" % (word, seen[-500:]))
    check(code(host.ask("room.admit", {"who": [eve.answer["me"]]}, 52)) == "ok", "admit")
    seen = eve.raw.got
    while b'"connected"' not in seen and b'"answer"' not in seen:
        f = eve.raw.next()
        seen += f[1]
    seen += everything(eve.raw)
    check(b"members" in seen and PASSWORD.encode() not in seen and PASSWORD.encode() not in everything(host), "the password is told")
    with open(os.path.join(room.folder, "gavel.db"), "rb") as f:
        check(PASSWORD.encode() not in f.read(), "the password is on the disk")
    check(code(host.ask("room.password", {}, 53)) == "ok" and code(host.ask("room.lobby", {"on": False}, 54)) == "ok", "as before")
    eve.raw.close()
    room.fine("somebody waited")


def token(app, kid, key):
    def b64(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    now = int(time.time())
    text = ".".join(b64(json.dumps(part).encode()) for part in (
        {"alg": "HS256", "typ": "gavel+jwt", "kid": kid}, {"iss": app, "aud": "gavel", "sub": "mallory", "iat": now, "exp": now + 900, "jti": "once",
                                                           "room": "den", "scope": "room:join room:speak room:chat"}))
    return text + "." + b64(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest())


def dead(room, eve, host, join_again):
    """Removes her, and within a second nothing of hers works."""
    check(eve.check()[:2] == b"\1\1", "her check before")
    check(code(host.ask("room.remove", {"who": [eve.answer["me"]]}, 60)) == "ok", "remove")
    began = time.monotonic()
    said = eve.raw.ask("room.chat", {"text": "I am still here"}, 70)
    check(said is None or code(said) != "ok", "her session: %s" % said)
    eve.s.setblocking(False)
    quiet = 0
    while quiet < 3:  # until three checks in a row are not answered
        check(time.monotonic() - began < 1, "her ICE credentials live for longer than a second")
        eve.s.sendto(good_check(eve.keys), eve.to)
        time.sleep(0.05)
        try:
            eve.s.recv(2000)
            quiet = 0
        except BlockingIOError:
            quiet += 1
    for params in join_again:
        got = kit.Raw(room.server.port).ask("room.join", params)
        check(code(got) not in ("ok", "closed"), "again: %s" % got)
    check(time.monotonic() - began < 1, "all that took %.2f s" % (time.monotonic() - began))
    room.fine("a removal")
    lines = [l for l in room.people["bob"].lines.seen if "still here" in l]
    check(not lines, lines)


def bad_30_kicked(room, host):
    eve = Seat(room, "eve")
    dead(room, eve, host, [{"room": "den", "resume": eve.answer["resume"]}])
    app = room.server.ctl("app", "create", "blue", "--lobby=no")
    ticket = token("blue", app["kid"], app["key"])
    seat = kit.Raw(room.server.port)
    got = seat.ask("room.join", {"room": "den", "name": "mallory", "token": ticket})
    check(code(got) == "ok", "by a token: %s" % got)
    room.server.ctl("remove", "blue/den", "mallory")
    for params in ({"room": "den", "name": "mallory", "token": ticket}, {"app": "blue", "room": "den", "resume": got["result"]["resume"]}):
        again = kit.Raw(room.server.port).ask("room.join", params)
        check(code(again) not in ("ok", "closed"), "%s: %s" % (params, again))
    room.fine("a used token")


def bad_31_demoted(room, host):
    """bob speaks all the while: his sound ends with his right, in whatever order the two change."""
    bob, ann = room.ids["bob"], room.people["ann"]

    def hears(yes):
        for _ in range(200):
            e = ann.wait("levels", lambda e: e.get("event") == "levels")
            if any(x["id"] == bob for x in e["levels"]) == yes:
                return True
        return False
    for turn in range(4):
        check(code(host.ask("room.role", {"who": bob, "role": "audience"}, 300 + turn * 10)) == "ok", "demote")
        began = time.monotonic()
        check(hears(False) and time.monotonic() - began < 2, "a demoted speaker is heard")
        check(code(host.ask("room.role", {"who": bob, "role": "speaker"}, 301 + turn * 10)) == "ok", "promote")
        host.ask("room.floor_give", {"who": [bob]}, 302 + turn * 10)
        check(hears(True), "a speaker is not heard")
    # a moderator's acts that arrive with his demotion: those behind it do nothing
    co, seat = room.raw("co")
    check(code(host.ask("room.role", {"who": seat["me"], "role": "cohost"}, 400)) == "ok", "promote co")
    while b"cohost" not in (f := co.next())[1]:
        pass
    host.frame(TEXT, json.dumps({"jsonrpc": "2.0", "id": 401, "method": "room.role", "params": {"who": seat["me"], "role": "speaker"}}).encode())
    for n in range(20):
        co.frame(TEXT, json.dumps({"jsonrpc": "2.0", "id": 500 + n, "method": "room.topic", "params": {"text": "topic %d" % n}}).encode())
    demoted = host.answer(401)["result"]["seq"]
    late = [n for n in range(20) if "result" in (a := co.answer(500 + n)) and a["result"]["seq"] > demoted]
    check(not late, "acts %s were done after the demotion" % late)
    check(code(co.ask("room.topic", {"text": "x"}, 600)) in ("not_allowed", "rank"), "he may still")
    co.close()
    room.fine("demotions")


def test(folder):
    room = kit.Room(folder)
    host = kit.Raw(room.server.port)
    answer = host.ask("room.join", room.params("boss", invite=e2e.parse_link(room.host_link)["invite"]))
    check(code(answer) == "ok", answer)
    bad_13_invites(room, host)
    bad_30_waiting(room, host)
    bad_30_kicked(room, host)
    bad_31_demoted(room, host)
    host.close()
    room.end()


e2e.main(test)
