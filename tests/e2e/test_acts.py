"""Every act of the table, end to end: as a host over the protocol (params) and as the operator through gavelctl (words); the highest
role that may not is refused with its stable code; where the row says UNDO, undo brings back exactly the room that `gavelctl show` told
of before. An act without a case here is a failure."""
import os
import re

import crowd as people
import gavel_e2e as e2e

CAST = {"hanna": "host", "cora": "cohost", "sam": "speaker", "sue": "speaker", "audrey": "audience"}
BELOW = {"AUDIENCE": "monitor", "COHOST": "sam", "HOST": "cora"}  # who just may not


def table():
    """name -> (least role, target, undo), from the table itself."""
    with open(os.path.join(e2e.SOURCE, "core/room/acts.def")) as f:
        rows = re.findall(r'^ACT\(\w+, "(\w+)", \w+, (\w+), (\w+), \w+,\s*"[^"]*",\s*(UNDO|KEEP)', f.read(), re.M)
    return {name: (least, target, undo == "UNDO") for name, least, target, undo in rows}


class Room:
    """A room of its own for each case, with a person of each role, called sam-r7 or so. `who` takes the part before the dash."""

    def __init__(self, server, crowd, name, waits=False):
        self.server, self.crowd, self.name = server, crowd, name
        self.host_link, self.link = server.create(name)
        for person, role in CAST.items():
            self.enter(person, self.host_link if role == "host" else self.ctl("invite", role, "direct")["link"], "joined")
        if waits:
            for person in ("wanda", "wim", "will"):
                self.enter(person, self.link, "lobby")

    def enter(self, person, link, state):
        guest = self.crowd.join(self.full(person), link)
        self.crowd.wait("%s in %s" % (person, self.name), lambda: guest.state == state or guest.refused)
        assert guest.state == state, "%s: %s" % (person, guest.refused)

    def full(self, person):
        return person + "-" + self.name

    def guest(self, person):
        return self.crowd.guests[self.full(person)]

    def ctl(self, act, *words, check=True):
        return self.server.ctl(act, self.name, *words, check=check)

    def show(self):
        return self.server.ctl("show", self.name)["room"]

    def member(self, person, room=None):
        return next((m for m in (room or self.show())["members"] if m["id"] == self.guest(person).me), None)

    def params(self, p):
        ids = lambda v: [self.guest(x).me for x in v] if isinstance(v, (list, tuple)) else self.guest(v).me
        return {k: ids(v) if k in ("who", "except") else v(self) if callable(v) else v for k, v in p.items()}

    def words(self, text):
        text = text(self) if callable(text) else text
        return [w + "-" + self.name if w in CAST or w in ("wanda", "wim", "will", "monitor") else w for w in text.split()]

    def do(self, person, act, ids=None, **p):
        reply = self.crowd.ask(self.full(person), act, **(ids or self.params(p)))
        if "error" in reply:
            raise e2e.Failure("%s by %s: %s" % (act, person, reply["error"]))
        return reply["result"]

    def code(self, person, act, ids):
        return self.crowd.act(self.full(person), act, **ids)

    def message(self, text):
        return next(c["id"] for c in self.show()["chat"] if c.get("text") == text)


# ---- what an act must have changed ----

def is_so(what, key, value):
    found = what.get(key, type(value)())  # what is not set is left out
    return found == value or "%s is %r, not %r" % (key, found, value)


def has(key, value=True):
    return lambda r, room: is_so(room, key, value)


def of(person, key, value=True):
    return lambda r, room: is_so(r.member(person, room), key, value)


def gone(person):
    return lambda r, room: r.member(person, room) is None or "%s is still there" % person


def inside(person):
    return lambda r, room: r.member(person, room).get("presence") != "waiting" or "%s still waits" % person


def waiting(person):
    return lambda r, room: r.member(person, room).get("presence") == "waiting" or "%s does not wait" % person


def some(key, n=1):
    return lambda r, room: len(room.get(key, [])) == n or "%s: %s" % (key, room.get(key))


def told(text, kind=None):
    return lambda r, room: any(c.get("text") == text and (kind is None or c["chat"] == kind) for c in room["chat"]) or "no such message"


def always(r, room):
    return True


class Case:
    """One act. words: for gavelctl. params: for the protocol; a function asks the room first. event: what a cohost sees. check: what
    `show` must tell; again_check: when the operator has done it after the host. before: acts that prepare, (person, act, params).
    reply: the key that the answer has. by: who does it, when not the host. waits: three people are in the lobby."""

    def __init__(self, words="", event=None, check=always, before=(), again_check=None, reply=None, by="hanna", waits=False, **params):
        self.words, self.event, self.check, self.before, self.reply, self.by = words, event, check, before, reply, by
        self.again_check, self.waits, self.params = again_check or check, waits, params


def first(key):
    return lambda r: r.show()[key][0]["id"]


SAID = [("sam", "chat", {"text": "first"})]
POLL = [("hanna", "poll", {"text": "Lunch? | yes | no"})]
TWO_SIDES = [("hanna", "breakouts", {"n": 2})]
HAND = [("sam", "hand", {})]
CASES = {
    "admit": Case("wim", "member.admitted", inside("wanda"), waits=True, who=["wanda"], again_check=inside("wim")),
    "admit_all": Case("", "member.admitted", inside("wim"), waits=True),
    "deny": Case("wim no", "member.denied", gone("wanda"), waits=True, who=["wanda"], text="no", again_check=gone("wim")),
    "lobby_say": Case("soon", "chat.sent", told("soon", "lobby"), waits=True, text="soon"),
    "hold": Case("sue wait", "member.held", waiting("audrey"), who=["audrey"], text="wait", again_check=waiting("sue")),
    "lobby": Case("off", "room.lobby", has("lobby", False), on=False),
    "auto_admit": Case("nobody", "room.auto_admit", has("auto_admit", "nobody"), whom="nobody"),
    "trust": Case("sue", "room.trusted", some("trusted"), who=["sam"], again_check=some("trusted", 2)),
    "untrust": Case(lambda r: str(first("trusted")(r)), "room.untrusted", some("trusted"), again_check=some("trusted", 0),
                    before=[("hanna", "trust", {"who": ["sam", "sue"]})], id=first("trusted")),
    "mute": Case("sam too loud", "member.muted", of("sam", "muted"), who=["sam"], text="too loud"),
    "unmute": Case("", "member.unmuted", of("sam", "muted", False), by="sam", before=[("hanna", "mute", {"who": ["sam"]})]),
    "mute_all": Case("hold sue", "room.mute_all", of("sam", "muted"), **{"hold": True, "except": ["sue"]}),
    "mute_lift": Case("", "room.mute_all", has("mute_all", "off"), before=[("cora", "mute_all", {"hold": True})]),
    "mute_entry": Case("on", "room.mute_entry", has("mute_entry"), on=True),
    "ask_unmute": Case("sam", "member.asked_unmute", of("sam", "exempt"), before=[("hanna", "mute", {"who": ["sam"]})], who=["sam"]),
    "decline": Case("", "member.declined", of("sam", "exempt", False), by="sam",
                    before=[("hanna", "mute", {"who": ["sam"]}), ("hanna", "ask_unmute", {"who": ["sam"]})]),
    "floor_give": Case("audrey", "member.floor", of("audrey", "floor"), who=["audrey"]),
    "floor_take": Case("sam enough", "member.floor", of("sam", "floor", False), who=["sam"], text="enough"),
    "one_speaker": Case("on", "room.one_speaker", has("one_speaker"), on=True),
    "priority": Case("sam", "member.priority", of("sam", "priority"), who="sam"),
    "gain": Case("sam -3", "member.gain", of("sam", "gain_db", -3), who="sam", db=-3),
    "talk_time": Case("90 take", "room.talk_time", has("talk_s", 90), seconds=90, take=True),
    "hand": Case("", "member.hand", lambda r, room: bool(r.member("sam", room).get("hand")) or "no hand", by="sam"),
    "hand_lower": Case("sam", "member.hand", of("sam", "hand", 0), before=HAND, who=["sam"]),
    "hands_down": Case("", "member.hand", of("sam", "hand", 0), before=HAND),
    "next": Case("", "member.floor", of("audrey", "floor"), before=[("audrey", "hand", {})]),
    "role": Case("sam cohost", "member.role", of("sam", "role", "cohost"), who="sam", role="cohost"),
    "name": Case("Samuel", "member.renamed", of("sam", "name", "Samuel"), by="sam", text="Samuel"),
    "rename": Case("sam Samuel", "member.renamed", of("sam", "name", "Samuel"), who="sam", text="Samuel"),
    "remove": Case("sue bye", "member.removed", gone("audrey"), who=["audrey"], text="bye", again_check=gone("sue")),
    "ban": Case("sue 1h join bye", "room.banned", some("bans"), who=["sam"], seconds=3600, what="speak", text="bye",
                again_check=some("bans", 2)),
    "ban_check": Case("sam", None, always, reply="also", who=["sam"]),
    "ban_rule": Case("cidr:2001:db8::/48 1d join", "room.banned", some("bans"), rule="user:mallory", seconds=60, what="join",
                     again_check=some("bans", 2)),
    "ban_edit": Case(lambda r: "%d 2h still" % first("bans")(r), "room.ban_edited",
                     lambda r, room: room["bans"][0]["reason"] in ("longer", "still") or room["bans"],
                     before=[("hanna", "ban_rule", {"rule": "user:mallory"})], id=first("bans"), seconds=60, text="longer"),
    "unban": Case(lambda r: str(first("bans")(r)), "room.unbanned", some("bans"), again_check=some("bans", 0), id=first("bans"),
                  before=[("hanna", "ban_rule", {"rule": "user:mallory"}), ("hanna", "ban_rule", {"rule": "user:eve"})]),
    "note": Case("sam came late", "note.added", some("notes"), who="sam", text="came late", again_check=some("notes", 2)),
    "note_delete": Case(lambda r: str(first("notes")(r)), "note.deleted", some("notes"), again_check=some("notes", 0), id=first("notes"),
                        before=[("hanna", "note", {"who": "sam", "text": t}) for t in ("one", "two")]),
    "succession": Case("sue sam", "room.succession", lambda r, room: room["successors"] == [r.guest("cora").me] or room.get("successors"),
                       who=["cora"], again_check=some("successors", 2)),
    "claim_code": Case("", "room.claim_code", always, reply="code"),
    "claim": Case("nonsense", "member.role", of("sam", "role", "host"), by="sam", text=lambda r: r.do("hanna", "claim_code")["code"]),
    "move": Case("sam 1", "member.moved", of("sam", "side", 1), before=TWO_SIDES, who=["sam"], n=1),
    "breakouts": Case("3", "room.breakouts", has("sides", 2), n=2, again_check=has("sides", 3)),
    "distribute": Case("", "member.moved", before=TWO_SIDES,
                       check=lambda r, room: all(r.member(p, room).get("side") for p in ("sam", "sue", "audrey")) or "not all"),
    "recall": Case("5m", "room.recall", lambda r, room: room.get("recall_ms", 0) > 0 or "no recall",
                   before=TWO_SIDES + [("hanna", "distribute", {})], seconds=300),
    "chat": Case("operator-speaks", "chat.sent", told("hello"), text="hello", again_check=told("operator-speaks")),
    "msg": Case("cora operator-speaks", "chat.sent", told("psst"), who="cora", text="psst", again_check=told("operator-speaks")),
    "hosts": Case("operator-speaks", "chat.sent", told("we hosts"), text="we hosts", again_check=told("operator-speaks", "hosts")),
    "announce": Case("operator-speaks", "chat.sent", told("hear ye", "announce"), text="hear ye",
                     again_check=told("operator-speaks", "announce")),
    "chat_edit": Case(lambda r: "%d third" % r.message("second"), "chat.edited", told("second"), by="sam", before=SAID,
                      id=lambda r: r.message("first"), text="second"),
    "chat_delete": Case(lambda r: str(r.message("other")), "chat.deleted", lambda r, room: not told("first")(r, room) is True or "still",
                        before=SAID + [("sue", "chat", {"text": "other"})], id=lambda r: r.message("first")),
    "chat_purge": Case("sue", "chat.purged", lambda r, room: told("first")(r, room) is not True or "still there",
                       before=SAID + [("sue", "chat", {"text": "other"})], who="sam",
                       again_check=lambda r, room: told("other")(r, room) is not True or "still there"),
    "chat_clear": Case("", "chat.cleared", lambda r, room: told("first")(r, room) is not True or "still there", before=SAID),
    "chat_mode": Case("off", "room.chat_mode", has("chat_mode", "off"), mode="off"),
    "slow": Case("30s", "room.slow", has("slow_s", 30), seconds=30),
    "links": Case("off", "room.links", has("no_links"), on=False),
    "pin": Case(lambda r: str(r.message("first")), "room.pinned", lambda r, room: room.get("pin") == r.message("first") or room.get("pin"),
                before=SAID, id=lambda r: r.message("first")),
    "unpin": Case("", "room.pinned", has("pin", 0), before=SAID + [("hanna", "pin", {"id": lambda r: r.message("first")})]),
    "lock": Case("closed", "room.locked", has("lock_text", "closed"), text="closed"),
    "unlock": Case("", "room.locked", has("locked", False), before=[("hanna", "lock", {"text": "closed"})]),
    "password": Case("sesame", "room.password", has("has_password"), text="sesame"),
    "topic": Case("budget", "room.topic", has("topic", "budget"), text="budget"),
    "agenda": Case("one;two", "room.agenda", lambda r, room: room.get("agenda") in ("one\ntwo", ["one", "two"]) or room.get("agenda"),
                   text="one;two"),
    "agenda_next": Case("", "room.agenda_at", has("agenda_at", 1), before=[("cora", "agenda", {"text": "one;two;three"})]),
    "max_people": Case("50", "room.max_people", has("max_people", 50), n=50),
    "max_speakers": Case("50", "room.max_speakers", has("max_speakers", 50), n=50),
    "poll": Case("Tea?|yes|no", "poll.opened", lambda r, room: room["poll"]["open"] or room["poll"], text="Lunch? | yes | no"),
    "vote": Case("1", "poll.voted", lambda r, room: any(r.guest("sam").me in v for v in room["poll"]["votes"]) or room["poll"], before=POLL,
                 by="sam", n=1),
    "poll_end": Case("", "poll.ended", lambda r, room: not room["poll"].get("open") or room["poll"], before=POLL),
    "invite": Case("audience direct", "invite.made", always, reply="link", role="speaker"),
    "invite_revoke": Case(lambda r: str(first("invites")(r)), "invite.revoked", always, id=first("invites")),
    "policy": Case("end", "room.policy", has("policy", "end"), policy="end"),
    "name_hosts": Case("off", "room.name_hosts", has("hide_hosts"), on=False),
    "attendance": Case("", None, always, reply="csv"),
    "leave": Case("", "member.left", gone("sam"), by="sam"),
    "undo": Case("", "act.undone", has("locked", False), before=[("hanna", "lock", {})]),
    "end": Case("5m", "room.ending", lambda r, room: room.get("ends_ms", 0) > 0 or "does not end", seconds=300),
    "end_cancel": Case("", "room.ending", has("ends_ms", 0), before=[("hanna", "end", {"seconds": 300})]),
}
# What the operator is told who has no self, or nothing left to do it to: the code instead of a second positive case.
OPERATOR = {"unmute": "only_self", "decline": "only_self", "hand": "only_self", "name": "only_self", "leave": "only_self",
            "admit_all": "nothing_to_do", "claim": "no_change", "vote": "not_joined", "chat_edit": "not_allowed",
            "chat_clear": "nothing_to_do", "undo": "nothing_to_do",
            "poll": "poll_open", "poll_end": "no_poll", "end_cancel": "nothing_to_do"}


def state(room):
    """The room without what counts up; the time an agenda's item has taken begins anew with every change."""
    return {k: v != 0 if k == "agenda_ms" else v for k, v in room.items() if k not in ("seq", "hand_last")}


def changes(a, b):
    out = ["%s: %r -> %r" % (k, a.get(k), b.get(k)) for k in sorted(set(a) | set(b)) if a.get(k) != b.get(k) and k != "members"]
    return out + ["%r -> %r" % (x, y) for x, y in zip(a["members"], b["members"]) if x != y]


def must(what, said):
    if said is not True:
        raise e2e.Failure("%s: %s" % (what, said))


def undone(r, name, before, undo):
    undo()
    diff = changes(before, state(r.show()))
    assert not diff, "undo of %s leaves: %s" % (name, "; ".join(diff))


def as_host(r, name, case, undo):
    for person, act, params in case.before:
        r.do(person, act, **params)
    params = r.params(case.params)
    before, seen = state(r.show()), len(r.guest("cora").seen)
    reply = r.do(case.by, name, ids=params)
    assert case.reply is None or case.reply in reply, "%s answers %s" % (name, reply)
    if case.event:
        r.crowd.wait("%s at cora's" % case.event, lambda: case.event in r.guest("cora").seen[seen:])
    must(name, case.check(r, r.show()))
    if undo:
        undone(r, name, before, lambda: r.do(case.by, "undo"))
    return params


def as_operator(r, name, case, undo):
    words = r.words(case.words)
    expected = OPERATOR.get(name, "done")
    before = state(r.show())
    answer = r.ctl(name, *words, check=False)
    if expected != "done":
        assert not isinstance(answer, dict), "%s: the operator could: %s" % (name, answer)
        assert '"%s"' % expected in answer.stdout.decode(), "%s: %s%s" % (name, answer.stdout.decode(), answer.stderr.decode())
        return
    if not isinstance(answer, dict):
        raise e2e.Failure("gavelctl %s %s: %s%s" % (name, words, answer.stdout.decode(), answer.stderr.decode()))
    assert case.reply is None or case.reply in answer, "%s answers %s" % (name, answer)
    must("gavelctl " + name, case.again_check(r, r.show()))
    if undo:
        undone(r, name, before, lambda: r.ctl("undo"))


def refused(r, name, params, least):
    if name == "leave":
        return
    person = BELOW[least]
    if person == "monitor":
        r.enter("monitor", r.ctl("invite", "monitor", "direct")["link"], "joined")
    before = state(r.show())
    code = r.code(person, name, params)
    assert code == "not_allowed", "%s by %s: %s" % (name, person, code)
    assert state(r.show()) == before, "a refused %s has changed the room" % name


def test(folder):
    acts = table()
    missing, extra = set(acts) - set(CASES), set(CASES) - set(acts)
    assert len(acts) > 70 and not missing and not extra, "without a case: %s; without an act: %s" % (sorted(missing), sorted(extra))
    server = e2e.Server(folder)
    crowd = people.Crowd()
    only = os.environ.get("GAVEL_ACTS", "").split() or sorted(acts)
    failures = []
    for n, name in enumerate(only):
        least, _, undo = acts[name]
        try:
            r = Room(server, crowd, "r%d" % n, CASES[name].waits)
            params = as_host(r, name, CASES[name], undo)
            as_operator(r, name, CASES[name], undo)
            refused(r, name, params, least)
            r.ctl("end", "0")
        except Exception as e:
            failures.append("%s: %s %s" % (name, type(e).__name__, e))
            print(failures[-1], flush=True)
    if failures:
        raise e2e.Failure("%d of %d acts:\n%s" % (len(failures), len(only), "\n".join(failures)))
    print("%d acts" % len(only))
    crowd.close()
    server.stop()


e2e.main(test)
