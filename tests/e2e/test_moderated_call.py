"""What a host does, with two real clients that hear each other: password, hold and admit, side rooms, a ban from
speaking, a claim code, and the server killed in between. Who may not be heard is not heard, and is heard again after."""
import os
import subprocess

import gavel_e2e as e2e


def join(folder, link, name, freq, *args):
    wav = os.path.join(folder, name + ".wav")
    e2e.write_tone(wav, freq, 120)
    return e2e.Client.join(link, name, "--play", wav, "--record", os.path.join(folder, name + "-heard.wav"), *args)


def ended(client, code):
    client.wait("end with " + code,
                lambda e: e.get("event") == "state" and e.get("state") == "ended" and e.get("code") == code)
    client.end()


def media(client):
    client.wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))


def heard(client, who):
    client.wait("level of %d" % who,
                lambda e: e.get("event") == "levels" and any(x["id"] == who for x in e["levels"]))


def silent(client, who):
    client.wait("silence of %d" % who,
                lambda e: e.get("event") == "levels" and all(x["id"] != who for x in e["levels"]))


def test(folder):
    server = e2e.Server(folder)
    host_link, guest_link = server.create("den", "--no-lobby")
    ann = join(folder, host_link, "ann", 440)
    ann.wait_state("joined")
    media(ann)

    ann.act("password", text="open sesame")
    ended(join(folder, guest_link, "bob", 700), "password_needed")
    secret = os.path.join(folder, "password")
    with open(secret, "w") as f:
        f.write("open sesame\n")
    bob = join(folder, guest_link, "bob", 700, "--password-file", secret)
    bob.id = bob.wait_state("joined")["me"]
    media(bob)
    heard(ann, bob.id)
    heard(bob, 1)

    ann.act("hold", who=[bob.id], text="one moment")
    lobby = bob.wait_state("lobby")
    assert "one moment" in lobby["text"] and "ann" in lobby["text"], lobby
    silent(ann, bob.id)
    ann.act("admit", who=[bob.id])
    bob.wait_state("joined")
    heard(ann, bob.id)
    heard(bob, 1)

    ann.act("breakouts", n=2)
    ann.act("move", who=[bob.id], n=1)
    silent(ann, bob.id)
    server.kill()
    for c in (ann, bob):
        c.wait_state("reconnecting")
    server = e2e.Server(folder, server.port, server.media_port)
    for c in (ann, bob):
        c.wait_state("joined")
    assert [m.get("side", 0) for m in server.ctl("show", "den")["room"]["members"]] == [0, 1]
    ann.act("breakouts", n=0)
    heard(ann, bob.id)
    heard(bob, 1)

    ann.act("ban", who=[bob.id], what="speak", seconds=3, text="too loud")
    assert bob.wait_event("member.silenced").get("reason") == "too loud"
    silent(ann, bob.id)
    assert bob.act("hand", ok=False)["code"] == "silenced"
    ann.wait_event("room.unbanned")
    ann.act("floor_give", who=[bob.id])
    heard(ann, bob.id)

    code = ann.act("claim_code")["text"]
    assert bob.act("claim", ok=False, text="not it")["code"] == "bad_code"
    bob.act("claim", text=code.lower())
    bob.act("topic", text="bob is host now")
    csv = ann.act("attendance")["text"]
    assert csv.startswith("name,id,role,") and "bob,%d,host," % bob.id in csv, csv
    bob.act("end", seconds=1)
    ended(ann, "room_ended")
    ended(bob, "room_ended")
    server.stop()
    for name in os.listdir(folder):
        if name.startswith("gavel.db"):
            found = subprocess.run(["grep", "-c", "sesame", os.path.join(folder, name)], capture_output=True)
            assert found.stdout.strip() == b"0", "the password is in " + name


e2e.main(test)
