"""The network changes in the middle of a call: a translator on the way forgets (another port), the machine gets another address, the
line is gone for a while. The sound comes back within seconds, nobody else is told of anyone's coming or going, and mute, hand and
seat are what they were."""
import json
import os
import time

import gavel_e2e as e2e
import netns

TONE = {"host": 440, "ann": 700}
FLAPPING = {"member.joined", "member.left", "member.knocked", "member.removed", "member.admitted"}


def heard(client, who, patience=None):
    """He is heard in something that was said after this call: what waits in the pipe is let through first."""
    while not client.lines.queue.empty():
        client.lines.seen.append(client.lines.queue.get())
    client.wait("level of %d" % who, lambda e: e.get("event") == "levels" and any(x["id"] == who for x in e["levels"]), patience)


def move(address):
    netns.ip(netns.CLIENT, "addr", "flush", "dev", "eth0")
    netns.address(netns.CLIENT, "eth0", address)
    netns.ip(netns.CLIENT, "route", "replace", "default", "via", "10.77.1.1")


def both(host, ann, what, within):
    began = time.monotonic()
    heard(host, 2, within)
    heard(ann, 1, within)
    print("%s: both heard after %.1f s" % (what, time.monotonic() - began))


def test(folder):
    net = netns.Net(folder)
    server = e2e.Server(folder, port=4430, media_port=4431, extra=["--listen", netns.MEDIA_IP], wrap=netns.inside(netns.PUBLIC))
    host_link, guest_link = server.create("den", "--no-lobby")
    net.nat("port")
    people = {}
    for name, where in (("host", netns.PUBLIC), ("ann", netns.CLIENT)):
        wav = os.path.join(folder, name + ".wav")
        e2e.write_tone(wav, TONE[name], 240)
        people[name] = e2e.Client.join(host_link if name == "host" else guest_link, name, "--play", wav, "--record",
                                       os.path.join(folder, name + "-heard.wav"), wrap=netns.inside(where))
        people[name].wait_state("joined")
    host, ann = people["host"], people["ann"]
    both(host, ann, "first", 20)
    ann.act("hand")

    netns.ip(netns.ROUTER, "addr", "del", "198.51.100.1/24", "dev", "outer")  # and all it had translated is forgotten
    netns.address(netns.ROUTER, "outer", "198.51.100.5/24")
    time.sleep(1)  # what was on its way
    both(host, ann, "the translator has another address", 10)

    move("10.77.1.44/24")
    time.sleep(1)
    both(host, ann, "another address", 6)

    netns.ip(netns.CLIENT, "link", "set", "eth0", "down")
    time.sleep(8)
    netns.ip(netns.CLIENT, "link", "set", "eth0", "up")
    netns.ip(netns.CLIENT, "route", "replace", "default", "via", "10.77.1.1")
    both(host, ann, "eight seconds without any network", 15)

    host.act("mute", who=[2])
    ann.wait("mute", lambda e: e.get("event") == "room_event" and e["data"]["kind"] == "member.muted")
    move("10.77.1.45/24")
    time.sleep(1)
    heard(ann, 1, 6)
    roster = server.ctl("show", "den")["room"]["members"]
    assert [m["id"] for m in roster] == [1, 2], roster
    assert roster[1]["muted"] and roster[1].get("hand") is not None, roster
    kinds = [json.loads(l)["data"]["kind"] for l in host.lines.seen if '"room_event"' in l]
    print("the host was told:", kinds)
    assert not [k for k in kinds[kinds.index("member.joined") + 1 if "member.joined" in kinds else 0:] if k in FLAPPING], kinds
    for c in (ann, host):
        c.say(cmd="leave")
        assert c.end() == 0
    server.stop()


netns.own_world()
e2e.main(test)
