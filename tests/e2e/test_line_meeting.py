"""A whole moderated meeting in line mode, as a blind host has it: every act typed, every answer read as a sentence. Beside the host: a
guest in line mode, a headless client, and a crowd of twenty. In the middle the server is restarted, once politely and once by kill -9."""
import os
import re
import stat

import crowd as people
import gavel_e2e as e2e

GUESTS = ["guest-%02d" % n for n in range(1, 21)]


class Talk:
    """gavel in line mode: sentences out, lines in."""

    def __init__(self, link, name, *args):
        self.name = name
        self.process = e2e.start([e2e.program("gavel"), "join", "-", "--name", name, "--line", "--no-audio", "--control", "none", *args],
                                 stdin=e2e.subprocess.PIPE, stdout=e2e.subprocess.PIPE, stderr=e2e.subprocess.PIPE,
                                 start_new_session=True)  # no terminal that could be asked for a password
        self.errors = e2e.Lines(self.process.stderr)
        self.lines = e2e.Lines(self.process.stdout)
        self.say(link)

    def say(self, text):
        self.process.stdin.write((text + "\n").encode())
        self.process.stdin.flush()

    def hear(self, *sentences, patience=None):
        """All of these, in any order; the matches in the order asked for."""
        found = [None] * len(sentences)

        def want(line):
            for i, sentence in enumerate(sentences):
                found[i] = found[i] or re.search(sentence, line)
            return all(found)
        missing = lambda: ", ".join(repr(s) for s, f in zip(sentences, found) if not f)
        try:
            self.lines.wait(want, "sentence", patience)
        except e2e.Failure as failure:
            raise e2e.Failure("%s does not hear %s: %s" % (self.name, missing(), failure)) from None
        return found[0] if len(found) == 1 else found

    def does(self, command, *sentences):
        self.say(command)
        return self.hear(*sentences)

    def end(self):
        self.process.stdin.close()
        return self.process.wait(e2e.PATIENCE)


class Meeting:
    def __init__(self, folder):
        self.folder = folder
        self.server = e2e.Server(folder)
        self.host_link, self.link = self.server.create("standup")
        self.carol = Talk(self.host_link, "carol")
        self.carol.hear(r"^You are in standup\. 1 here: you\. \d\d:\d\d$")
        self.ann = e2e.Client.join(self.link, "ann", "--no-audio",  # on another machine than bob: each has one vote
                                   env=dict(os.environ, XDG_STATE_HOME=os.path.join(folder, "ann")))
        self.ann.wait_state("lobby")
        self.bob = Talk(self.link, "bob")
        self.bob.hear(r"^You are in the lobby, number 2 of 2\. A host has been told\.$")
        self.crowd = people.Crowd(self.link, GUESTS)

    def room(self):
        return self.server.ctl("show", "standup")["room"]

    def person(self, name):
        return next(m for m in self.room()["members"] if m["name"] == name)


def lobby(m):
    carol, bob, crowd = m.carol, m.bob, m.crowd
    crowd.wait_count(20, state="lobby")
    carol.hear(r"^(22 people wait: .*\.|.* is waiting to come in\. 22 waiting\.) \d\d:\d\d$")
    carol.does("/lobby-say The meeting begins at ten.", r"^You to the lobby: The meeting begins at ten\.")
    bob.hear(r"^A host writes: The meeting begins at ten\.")
    carol.does("/msg bob You are next.", r"^You to bob \(private\): You are next\.")
    bob.hear(r"You are next\.")
    carol.does("/admit guest-0*", r"^You let 9 people in\. 10 here\.")
    crowd.wait_count(9, state="joined")
    carol.does("/deny guest-20 not today", r"^You turned guest-20 away: not today\.")
    carol.does("/ban guest-19 spam", r"^Turn guest-19 away from the lobby of standup and keep them out\? y: ban, anything else: no\.$")
    carol.does("y", r"^You .*banned guest-19.*spam")
    crowd.wait("two turned away", lambda: crowd.guests["guest-20"].bye == "denied" and crowd.guests["guest-19"].bye in ("banned", "denied"))
    carol.does("/admit-all", r"^You let 11 people in\. 21 here\.")
    bob.hear(r"^You are in standup\. \d+ here\.")
    crowd.wait_count(18, state="joined")
    m.ann.wait_state("joined")
    carol.does("/hold guest-01 one moment", r"^You put guest-01 back into the lobby: one moment\. 20 here\.")
    bob.hear(r"(^guest-01 went back to the lobby\.|, 1 left\.) 20 here\.")
    carol.does("/waiting", r"^guest-01, ", r"^1 waiting\.$")
    carol.does("/admit guest-01", r"^You let guest-01 in\. 21 here\.")
    carol.does("/trust guest-02", r"^You trusted guest-02")
    carol.does("/auto-admit nobody", r"^You changed who need not wait: everybody waits\.")
    carol.does("/trusted", r"^\d+  guest-02$", r"^1 need not wait, but auto-admit is nobody\.$")


def voice(m):
    carol, bob, crowd = m.carol, m.bob, m.crowd
    carol.does("/mute-all hold ann", r"^You muted everyone but hosts\. Nobody can unmute until it is lifted\. Left out: ann\. "
                                     r"/undo takes it back\.")
    bob.hear(r"^carol muted everyone but hosts\. Nobody can unmute until it is lifted\. Left out: ann\.")
    crowd.wait_count(18, muted=True)
    assert crowd.act("guest-03", "unmute") == "muted_by_host"
    m.ann.act("mute")
    m.ann.act("unmute")
    bob.does("/unmute", r"^Not done: .*muted everyone")
    carol.does("/ask-unmute bob", r"^You asked bob to unmute\.")
    bob.hear(r"^carol asks you to unmute\. Unmute\? y: unmute, anything else: stay muted")
    bob.does("you mean me?", r"^You: you mean me\?")  # not an answer, though it begins with y
    bob.say("n")
    carol.hear(r"^bob stays muted\.")
    carol.does("/ask-unmute bob", r"^You asked bob to unmute\.")
    bob.hear(r"^carol asks you to unmute\. Unmute\?")
    bob.say("y")
    carol.hear(r"^bob is unmuted\.")
    carol.does("/mute-lift", r"^You lifted mute-all")
    carol.does("/mute bob too loud", r"^You muted bob: too loud\. /undo takes it back\.")
    bob.hear(r"^carol muted you: too loud \(you may unmute\)\.")
    carol.does("/undo", r"^You undid the last act\.", r"^bob is unmuted\.")
    carol.say("\n".join("/mute-entry " + "on off".split()[i % 2] for i in range(14)))  # all at once, and none is lost
    for _ in range(7):
        carol.hear(r"^You changed the entry: newcomers come in muted\.")
        carol.hear(r"^You changed the entry: newcomers come in unmuted\.")


def hands(m):
    carol, bob, crowd = m.carol, m.bob, m.crowd
    carol.does("/floor-take bob", r"^You took the floor from bob\.")
    bob.hear(r"^carol took the floor from you\.")
    assert crowd.act("guest-02", "hand") == "ok"
    m.ann.act("hand")
    carol.hear(r"^guest-02 raised a hand, number 1\.", r"^ann raised a hand, number 2\.")
    bob.does("/hand", r"^You raised a hand, number 3\.")
    carol.hear(r"^bob raised a hand, number 3\.")
    carol.does("/go-hands", r"^1: guest-02, ", r"^2: ann, ", r"^3: bob, ")
    carol.does("/next", r"^You .*guest-02")
    carol.does("/hand-lower ann", r"^You lowered the hand of ann\.")
    carol.does("/next", r"^You gave bob the floor\.")
    bob.hear(r"^carol gave you the floor\.")
    carol.does("/hands", r"^No hand is raised\.$")
    carol.does("/hands-dow", r"^Not done: hands-dow is too short for hands-down: type it in full\.$")
    carol.does("/hands-down", r"^Not done: no hand is raised\.$")
    carol.does("/priority ann", r"^You made ann priority speaker")
    carol.does("/gain ann -3", r"^You set ann's volume for all to -3 dB\.")
    carol.does("/card ann", r"^role: speaker", r"^voice: .*priority.*-3 dB")
    carol.does("/priority ann off", r"^You ended ann's priority\.")
    carol.does("/one-speaker on", r"^You set one speaker at a time\.")
    carol.does("/talk-time 2s take", r"^You set the talk time to 2 s, then the floor is taken\.")
    carol.does("/floor-give guest-03", r"^You gave guest-03 the floor\.")
    crowd.wait("the floor of guest-03", lambda: crowd.guests["guest-03"].floor)
    carol.hear(r"^guest-03's talk time is (over|up)")
    crowd.wait("the floor taken", lambda: not crowd.guests["guest-03"].floor)
    carol.does("/talk-time 0", r"^You lifted the limit of talk time\.")
    carol.does("/one-speaker off", r"^You let several people speak at a time\.")


def persons(m):
    carol, bob, crowd = m.carol, m.bob, m.crowd
    carol.does("/role bob cohost you help me", r"^You made bob a cohost: you help me\.")
    bob.hear(r"^carol made you a cohost: you help me\.")
    bob.does("/mute carol", r"^Not done: ")  # rank
    carol.does("/role bob speaker", r"^You made bob a speaker\.")
    bob.hear(r"^carol made you a speaker\.")
    carol.does("/rename bob robert", r"^You renamed bob to robert\.")
    bob.hear(r"^carol renamed you to robert\.")
    bob.does("/name bob", r"^You are called bob now\.")
    carol.hear(r"^robert is called bob now\.")
    carol.does("/note bob came late", r"^You wrote a note on bob: came late\.")
    note = carol.does("/notes", r"^(\d+)  on bob: came late \(by carol")[1]
    carol.does("/note-delete " + note, r"^You deleted a note\.")
    carol.does("/ban guest-04 1h speak shouting", r"^Ban guest-04 from speaking in standup for (1 h|60 min)\? ")
    carol.does("y", r"^You banned guest-04 from speaking for (1 h|60 min): shouting\.")
    crowd.wait("silence of guest-04", lambda: "member.silenced" in crowd.guests["guest-04"].seen)
    ban = carol.does("/bans", r"^(\d+)  guest-04: may not speak for .* more: shouting \(by you\)$")[1]
    carol.does("/ban-edit %s 2h still shouting" % ban, r"^You changed the ban of guest-04: .*still shouting\.")
    carol.does("/unban " + ban, r"^You let guest-04 speak again\.|^You lifted the ban of guest-04\.")
    carol.does("/remove guest-18", r"^Remove guest-18 from standup\? y: remove, b: ")
    carol.does("b", r"^Remove guest-18 from standup and keep them out\? y: ban, anything else: no\.$")
    carol.say("n")
    carol.does("/ban guest-18 address", r"^Remove guest-18 from standup and keep them out and everyone at their address\?",
               r"^It would also hit: .*bob")
    carol.say("yesterday")  # no answer, so: no
    carol.does("/remove guest-18 wrong room", r"^Remove guest-18 from standup\?")
    carol.does("y", r"^You removed guest-18: wrong room\. 20 here\.")
    crowd.wait("guest-18 removed", lambda: crowd.guests["guest-18"].bye == "removed")


def chat(m):
    carol, bob, crowd = m.carol, m.bob, m.crowd
    bob.does("a tpyo", r"^You: a tpyo")
    carol.hear(r"^bob: a tpyo")
    message = bob.does("/search tpyo", r"^(\d+)  .*bob: a tpyo|^(\d+)  .*You: a tpyo")
    message = message[1] or message[2]
    bob.does("/chat-edit %s a typo" % message, r"^You changed a message: a typo\.")
    carol.hear(r"^bob changed a message: a typo\.")
    carol.does("/go-chat", r"^bob \(changed\): a typo \(message %s, \d\d:\d\d\)$" % message, r"^/page-up says older ones\.$")
    carol.does("/pin " + message, r"^You pinned a message( of bob|: a typo)\.")
    carol.does("/unpin", r"^You took the pinned message down\.")
    carol.does("/msg bob just between us", r"^You to bob \(private\): just between us")
    bob.hear(r"^carol to you \(private\): just between us")
    bob.does("/hosts may I speak?", r"^You to the hosts: may I speak\?")
    carol.hear(r"^bob to the hosts: may I speak\?")
    carol.does("/chat-mode off", r"^You changed the chat: off, except to the hosts\.")
    bob.does("hello?", r"^Not done: this kind of chat is switched off\.")
    carol.does("/chat-mode all", r"^You changed the chat: everything is open\.")
    carol.does("/slow 1h", r"^You set slow mode: one message every (60 min|1 h)\.")
    bob.does("one more", r"^Not done: slow mode")
    carol.does("/slow 0", r"^You ended slow mode\.")
    carol.does("/links off", r"^You switched links in the chat off\.")
    bob.does("see https://example.org/", r"^Not done: links are switched off in this chat\.")
    carol.does("/links on", r"^You allowed links in the chat\.")
    assert crowd.act("guest-05", "chat", text="buy cheap things") == "ok"
    carol.hear(r"^guest-05: buy cheap things")
    carol.does("/chat-purge guest-05", r"^Delete all messages of guest-05 in standup\?")
    carol.does("y", r"^You deleted all messages of guest-05\.")
    carol.does("/announce Break until half past.", r"^Announcement by you: Break until half past\.")
    bob.hear(r"^Announcement by carol: Break until half past\.")


def votes(m):
    carol, bob, crowd = m.carol, m.bob, m.crowd
    carol.does("/poll Ship on Friday? | yes | no", r"^You ask: Ship on Friday\? 1 yes, 2 no\. vote N answers\.")
    bob.hear(r"^carol asks: Ship on Friday\?")
    bob.say("/vote 1")
    bob.say("I have voted")
    m.ann.act("vote", n=1)
    assert crowd.act("guest-05", "vote", n=2) == "ok"
    carol.hear(r"^bob: I have voted")  # after his vote, on the same line
    m.ann.act("chat", text="so have I")
    carol.hear(r"^ann: so have I")
    assert crowd.act("guest-05", "chat", text="me too") == "ok"
    carol.hear(r"^guest-05: me too")
    carol.does("/card", r"^POLL: Ship on Friday\?.*1 yes \(2\).*2 no \(1\)")
    carol.does("/agenda intro; budget; any other business", r"^You set the agenda: intro; budget; any other business\.")
    carol.does("/agenda-next", r"^You went on in the agenda: budget\.")


def sides(m):
    carol, bob, crowd = m.carol, m.bob, m.crowd
    carol.does("/breakouts 3", r"^You opened 3 side rooms\.")
    carol.does("/distribute", r"^You moved .* to side room 1\.")
    crowd.wait("all in side rooms", lambda: all(g.side for g in crowd.guests.values() if g.state == "joined"))
    bob.hear(r"^You are in side room \d now: carol moved you\.|^carol moved .* to side room \d\.")


def back_from_sides(m):
    carol, bob, crowd = m.carol, m.bob, m.crowd
    carol.does("/recall 2s", r"^You call everyone back from the side rooms in 2 s\.")
    bob.hear(r"^carol calls everyone back from the side rooms in 2 s\.")
    crowd.wait("all back", lambda: not any(g.side for g in crowd.guests.values() if g.state == "joined"))
    carol.hear(r"^The side rooms are closed: everyone is back\.")


def result(m):
    m.carol.does("/poll-end", r"^You closed the poll\.", r"^Announcement by you: Poll closed: Ship on Friday\? - yes 2, no 1")
    m.bob.hear(r"^carol closed the poll\.", r"^Announcement by carol: Poll closed: .*yes 2, no 1")


def facts(m):
    """What a restart must not change."""
    room = m.room()
    kept = ("id", "role", "muted", "muted_by", "floor", "exempt", "priority", "side", "hand", "gain_db", "silenced")
    who = {p["name"]: {k: p.get(k) for k in kept} for p in room["members"]}
    keys = sorted(k for k in room if k not in ("members", "seq", "chat"))
    return who, {k: room[k] for k in keys}, [c.get("text") for c in room["chat"]]


def restarted(m):
    """Roles, mutes, sides, poll and timers are there again, and everybody is back in his seat (the crowd stays away)."""
    carol, bob = m.carol, m.bob
    carol.does("/role ann cohost", r"^You made ann a cohost\.")
    carol.does("/mute bob", r"^You muted bob\.")
    carol.does("/gain guest-08 6", r"^You set guest-08's volume")
    carol.does("/talk-time 5m", r"^You set the talk time to 5 min\.")
    carol.does("/end standup 30m", r"^You end the room in 30 min\.")
    before = facts(m)
    for polite in (True, False):
        m.server.stop() if polite else m.server.kill()
        carol.hear(r"^The server is gone\. Connecting again\.")
        m.server = e2e.Server(m.folder, m.server.port, m.server.media_port)
        carol.hear(r"^You are in standup\. ")
        bob.hear(r"^You are in standup\. ")
        m.ann.wait_state("reconnecting")
        m.ann.wait_state("joined")
        after = facts(m)
        for old, new in zip(before, after):
            assert old == new, "before: %s\nafter: %s" % (old, new)
    carol.does("/end-cancel", r"^You called off the end of the room\.")
    carol.does("/talk-time 0", r"^You lifted the limit of talk time\.")


def door(m):
    carol = m.carol
    carol.does("/lock back at ten", r"^You locked the room: back at ten\.")
    late = Talk(m.link, "late")
    late.hear(r"^It is over: .*locked: back at ten")
    code = late.end()
    assert code == 3, code
    carol.does("/unlock", r"^You unlocked the room\.")
    carol.does("/password open sesame", r"^You set a password for newcomers\.")
    late = Talk(m.link, "late")
    late.hear(r"^It is over: the room asks for a password")
    code = late.end()
    assert code == 3, code
    secret = os.path.join(m.folder, "password")
    with open(secret, "w") as f:
        f.write("open sesame\n")
    os.chmod(secret, 0o600)
    late = Talk(m.link, "late", "--password-file", secret)
    late.hear(r"^You are in the lobby, number 1 of 1\.")
    carol.hear(r"^late is waiting to come in\. 1 waiting\.")
    carol.does("/admit late", r"^You let late in\.")
    late.hear(r"^You are in standup\.")
    late.does("/leave", r"^You left\.")
    assert late.end() == 0
    carol.does("/password", r"^You removed the password\.")


def end(m):
    carol, bob = m.carol, m.bob
    code = carol.does("/claim-code", r"^([0-9A-Z]{8,})$")[1]
    bob.does("/claim " + code, r"^You are a host now\.")
    carol.hear(r"^bob is a host now\.")
    carol.does("/role bob speaker", r"^You made bob a speaker\.")
    csv = os.path.join(m.folder, "attendance.csv")
    carol.does("/attendance " + csv, r"^Saved as %s\.$" % re.escape(csv))
    assert stat.S_IMODE(os.stat(csv).st_mode) == 0o600
    with open(csv) as f:
        rows = f.read().splitlines()
    assert rows[0].startswith("name,id,role,") and any(r.startswith("bob,") for r in rows), rows
    carol.does("/end", r"^Type end standup \(\d+ here\)")
    carol.does("/end standup", r"^You end the room in 10 s\.")
    bob.hear(r"^carol ends the room in 10 s\.")
    carol.does("/undo", r"^You undid the last act\.", r"^You called off the end of the room\.")
    bob.hear(r"^carol called off the end of the room\.")
    carol.does("/end standup now", r"^(You left|It is over: .*ended)")
    bob.hear(r"^It is over: .*ended")
    assert bob.end() == 5 and carol.end() == 0 and m.ann.end() == 5


def test(folder):
    m = Meeting(folder)
    for step in (lobby, voice, hands, persons, chat, votes, sides, back_from_sides, sides, restarted, back_from_sides, result, door, end):
        step(m)
        print(step.__name__, flush=True)
    m.server.stop()


e2e.main(test)
