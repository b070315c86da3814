"""kill -9 of gaveld under load, at random instants: every act that was confirmed is there afterwards, and everybody is back in his seat
within 3 s of the server listening. The seed is printed; GAVEL_SEED repeats a run."""
import os
import random
import threading
import time

import gavel_e2e as e2e

ROUNDS, BACK_S = 5, 3.0 * e2e.PATIENCE / 30
NAMES = ("host", "ann", "bob", "carl", "dora")


class Facts:
    """What the room must show. What was asked for and not confirmed before the kill may or may not have happened."""

    def __init__(self):
        self.of, self.maybe = {"topic": "", "locked": False, "muted": False, "hand": False, "role": "speaker"}, {}
        self.chat, self.lock, self.acked = [], threading.Lock(), 0

    def wish(self, key, value):
        self.maybe[key] = value

    def confirm(self, key):
        self.of[key] = self.maybe.pop(key)
        self.acked += 1

    def check(self, room, ids):
        who = {m["name"]: m for m in room["members"]}
        assert {m["name"]: m["id"] for m in room["members"]} == ids, "the same people with the same ids: %s" % room["members"]
        seen = {"topic": room.get("topic", ""), "locked": room.get("locked", False), "muted": who["ann"].get("muted", False),
                "hand": bool(who["ann"].get("hand")), "role": who["bob"]["role"]}
        for key, value in seen.items():
            assert value == self.of[key] or (key in self.maybe and value == self.maybe[key]), \
                "%s is %r, confirmed was %r, asked for %r" % (key, value, self.of[key], self.maybe.get(key))
        self.of, self.maybe = seen, {}
        texts = [c.get("text") for c in room["chat"]]
        lost = [t for t in self.chat if t not in texts]
        assert not lost, "confirmed messages are lost: %s" % lost
        assert len(texts) == len(set(texts)), "a message is there twice"


def done(reply):
    """True: it happened. False: the server is gone. Else the test is wrong."""
    if not reply["ok"] and reply["code"] not in ("try_later", "not_joined"):
        raise e2e.Failure("refused: %s" % reply)
    return reply["ok"]


def chatter(client, name, facts, stop, fresh):
    n = 0
    while not stop.wait(0.21):  # the server takes 5 a second
        text = "%s %d %s" % (name, fresh, n)
        n += 1
        if not done(client.act("chat", ok=False, text=text)):
            return
        with facts.lock:
            facts.chat.append(text)


def acts(people, ids, facts, chance, stop, fresh):
    """The host and those he acts on, one act after the other."""
    host, ann, n = people["host"], people["ann"], 0
    while not stop.wait(chance.uniform(0, 0.06)):  # the server takes 20 requests a second from each
        n += 1
        key = chance.choice(sorted(facts.of))
        was = facts.of[key]
        if key == "topic":
            facts.wish(key, "topic %d %d" % (fresh, n))
            reply = host.act("topic", ok=False, text=facts.maybe[key])
        elif key == "role":
            facts.wish(key, "audience" if was == "speaker" else "speaker")
            reply = host.act("role", ok=False, who=ids["bob"], role=facts.maybe[key])
        else:
            facts.wish(key, not was)
            if key == "locked":
                reply = host.act("unlock" if was else "lock", ok=False)
            elif key == "muted":
                reply = ann.act("unmute", ok=False) if was else host.act("mute", ok=False, who=[ids["ann"]])
            else:
                reply = host.act("hand_lower", ok=False, who=[ids["ann"]]) if was else ann.act("hand", ok=False)
        if reply.get("code") == "rate_limited":  # ann is no host: 60 acts a minute that all see; it has not happened
            facts.maybe.pop(key, None)
            continue
        if not done(reply):
            return
        facts.confirm(key)


def load(people, ids, facts, chance, stop, fresh, errors):
    def guarded(work, *args):
        try:
            work(*args)
        except Exception as e:
            errors.append(e)
    jobs = [threading.Thread(target=guarded, args=(chatter, people[n], n, facts, stop, fresh)) for n in ("carl", "dora")]
    jobs.append(threading.Thread(target=guarded, args=(acts, people, ids, facts, chance, stop, fresh)))
    for j in jobs:
        j.start()
    return jobs


def room_of(server):
    return server.ctl("show", "fort")["room"]


def interrupt(folder, server, chance):
    """A restart that is killed while people come back: some have their seats, some were only confirmed them, some are underway."""
    server = e2e.Server(folder, server.port, server.media_port)
    deadline, want = time.monotonic() + BACK_S, chance.randint(1, len(NAMES))
    while sum("presence" not in m for m in room_of(server)["members"]) < want and time.monotonic() < deadline:
        pass
    server.kill()
    return server


def restart(folder, server, people):
    """The server again, on the same ports; how long until the last one was back, by what the server and they themselves say."""
    server = e2e.Server(folder, server.port, server.media_port)
    began = time.monotonic()
    while any("presence" in m for m in room_of(server)["members"]):
        if time.monotonic() - began > BACK_S:
            raise e2e.Failure("not all are back after %.1f s: %s" % (BACK_S, room_of(server)["members"]))
    back = time.monotonic() - began
    for client in people.values():
        client.wait_state("joined")
    return server, back


def test(folder):
    seed = int(os.environ.get("GAVEL_SEED") or random.SystemRandom().randrange(1 << 32))
    print("GAVEL_SEED=%d" % seed, flush=True)
    chance = random.Random(seed)
    server = e2e.Server(folder)
    host_link, guest_link = server.create("fort", "--no-lobby")
    people, ids, tones = {}, {}, {}
    for name in NAMES:
        sound = ["--no-audio"]
        if name in ("host", "bob"):  # these two also have media paths, made anew each time
            tones[name] = os.path.join(folder, name + ".wav")
            e2e.write_tone(tones[name], 600, 120)
            sound = ["--play", tones[name]]
        people[name] = e2e.Client.join(host_link if name == "host" else guest_link, name, *sound)
        ids[name] = people[name].wait_state("joined")["me"]
    facts, slowest = Facts(), 0
    for n in range(ROUNDS):
        stop, errors = threading.Event(), []
        jobs = load(people, ids, facts, chance, stop, n, errors)
        pause = chance.uniform(0.2, 2.0)
        threading.Event().wait(pause)  # the instant is the point
        server.kill()
        stop.set()
        for j in jobs:
            j.join()
        if errors:
            raise errors[0]
        if n % 2:
            server = interrupt(folder, server, chance)
        server, back = restart(folder, server, people)
        slowest = max(slowest, back)
        facts.check(room_of(server), ids)
        people["host"].wait("sound of bob" if facts.of["role"] == "speaker" else "own path", lambda e: (
            e.get("event") == "levels" and any(x["id"] == ids["bob"] for x in e["levels"]) if facts.of["role"] == "speaker" else
            e.get("event") == "link" and e["connected"]))
        print("round %d: killed after %.2f s, %d acts and %d messages confirmed so far, all back in %.2f s" %
              (n, pause, facts.acked, len(facts.chat), back), flush=True)
    assert facts.acked >= 4 * ROUNDS and len(facts.chat) >= ROUNDS, "too little happened to mean anything"
    server.stop()


e2e.main(test)
