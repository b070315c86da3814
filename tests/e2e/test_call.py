"""The thin whole: a host and two guests, headless, over real TLS, ICE, DTLS, SRTP and Opus on loopback. They hear each other's files; a
muted, then a removed guest is heard no more; the SRTP profile is AES-256-GCM; the server ends cleanly."""
import os

import gavel_e2e as e2e

TONES = {"host": 440, "ann": 700, "bob": 1000}


def everyone_in(server, folder):
    host_link, guest_link = server.create("standup")
    people = {}
    for name, freq in TONES.items():
        wav = os.path.join(folder, name + ".wav")
        e2e.write_tone(wav, freq, 60)
        people[name] = e2e.Client.join(host_link if name == "host" else guest_link, name, "--play", wav, "--record",
                                       os.path.join(folder, name + "-heard.wav"))
        if name == "host":
            people[name].wait_state("joined")
        else:
            lobby = people[name].wait_state("lobby")
            assert lobby["place"] == 1, lobby
            who = people["host"].wait_event("member.knocked")["member"]["id"]
            people["host"].act("admit", who=[who])
            people[name].wait_state("joined")
            people[name].id = who
        people[name].wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))
    return people


def heard(client, who):
    """Waits until the client is told that `who` is heard."""
    client.wait("level of %d" % who, lambda e: e.get("event") == "levels" and any(x["id"] == who for x in e["levels"]))


def silent(client, who):
    client.wait("silence of %d" % who, lambda e: e.get("event") == "levels" and all(x["id"] != who for x in e["levels"]))


def test(folder):
    server = e2e.Server(folder)
    people = everyone_in(server, folder)
    host, ann, bob = people["host"], people["ann"], people["bob"]
    heard(host, ann.id)
    heard(host, bob.id)
    heard(ann, bob.id)
    host.act("mute", who=[ann.id])
    silent(host, ann.id)
    silent(bob, ann.id)
    heard(bob, 1)
    for _ in range(2):  # two of the engine's own reports: at least 2 s of listening without ann
        bob.wait("link report", lambda e: e.get("event") == "link")
    refused = bob.act("mute", ok=False, who=[ann.id])
    assert refused["code"] == "rank" or refused["code"] == "not_allowed", refused
    host.act("remove", who=[bob.id])
    assert bob.end() == 4, "a removed guest exits with 4"
    silent(ann, bob.id)
    roster = server.ctl("show", "standup")
    assert [m["name"] for m in roster["room"]["members"]] == ["host", "ann"], roster
    host.say(cmd="leave")
    assert host.end() == 0
    ann.say(cmd="leave")
    assert ann.end() == 0
    pcm, rate = e2e.read_wav(os.path.join(folder, "bob-heard.wav"))
    assert e2e.heard_share(pcm, rate, TONES["ann"]) > 0.02, "bob heard ann while she spoke"
    assert e2e.heard_share(pcm[-rate:], rate, TONES["ann"], least=0.01) == 0, "ann was muted"
    assert e2e.heard_share(pcm, rate, TONES["host"]) > 0.2, "bob hears the host"
    assert e2e.heard_share(pcm, rate, TONES["bob"], least=0.02) == 0, "nobody hears himself"
    pcm, rate = e2e.read_wav(os.path.join(folder, "host-heard.wav"))
    assert e2e.heard_share(pcm, rate, TONES["bob"]) > 0.1, "the host hears bob"
    server.stop()


e2e.main(test)
