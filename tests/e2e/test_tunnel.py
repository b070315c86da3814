"""A network that lets nothing through but the server's TLS port: sound goes inside the signalling connection, encrypted and moderated
as ever. Both hear each other, the host sees by which way, a muted guest is inaudible at once; when UDP comes back, so does the path.
Then what does not belong there: datagrams without media.tunnel, too long, too many, for another's path, halves of frames."""
import os
import socket
import time

import gavel_e2e as e2e
import netns

RATE = "24kbit"
TONE = {"host": 440, "ann": 700}


def heard(client, who, patience=None):
    client.wait("level of %d" % who, lambda e: e.get("event") == "levels" and any(x["id"] == who for x in e["levels"]), patience)


def silent(client, who):
    client.wait("silence of %d" % who, lambda e: e.get("event") == "levels" and all(x["id"] != who for x in e["levels"]))


def link(client, want, what, patience=None):
    return client.wait(what, lambda e: e.get("event") == "link" and e.get("connected") and want(e), patience)


def via(server, room, member):
    """As the operator sees it, once the next report is in."""
    deadline = time.monotonic() + e2e.PATIENCE
    while time.monotonic() < deadline:
        for line in server.ctl("quality", room)["lines"]:
            if line["member"] == member and line["via"]:
                return line["via"]
        time.sleep(0.2)
    raise e2e.Failure("no report of %d" % member)


def drain(client):
    while not client.lines.queue.empty():
        client.lines.seen.append(client.lines.queue.get())


def narrow(host, ann):
    """A line that carries less than the sound takes: sound is lost, never queued, and what is written goes first."""
    for name, device in ((netns.CLIENT, "eth0"), (netns.ROUTER, "inner")):
        netns.run(*netns.inside(name), "tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", RATE, "burst", "4kb", "latency", "300ms")
    time.sleep(14)  # a queue would be as long by now
    for writer, reader, text in ((host, ann, "still there?"), (ann, host, "yes, I am")):
        began = time.monotonic()
        writer.act("chat", text=text)
        reader.wait("the message", lambda e: e.get("event") == "room_event" and e["data"].get("text") == text)
        took = time.monotonic() - began
        print("a message through a line of %s after %.2f s" % (RATE, took))
        assert took < 8, "sound is in its way"  # what TCP lost on such a line it sends again after a second or two
    for name, device in ((netns.CLIENT, "eth0"), (netns.ROUTER, "inner")):
        netns.run(*netns.inside(name), "tc", "qdisc", "del", "dev", device, "root")
    drain(ann)
    drain(host)
    heard(host, 2)
    heard(ann, 1)


def test(folder):
    net = netns.Net(folder)
    server = e2e.Server(folder, port=4430, media_port=4431, extra=["--listen", netns.MEDIA_IP], wrap=netns.inside(netns.PUBLIC))
    host_link, guest_link = server.create("den", "--no-lobby")
    net.wall("tcp dport %d" % server.port)
    people = {}
    for name, where in (("host", netns.PUBLIC), ("ann", netns.CLIENT)):
        wav = os.path.join(folder, name + ".wav")
        e2e.write_tone(wav, TONE[name], 240)
        people[name] = e2e.Client.join(host_link if name == "host" else guest_link, name, "--play", wav, "--record",
                                       os.path.join(folder, name + "-heard.wav"), wrap=netns.inside(where))
        people[name].wait_state("joined")
    host, ann = people["host"], people["ann"]
    began = time.monotonic()
    link(host, lambda e: e["via"] == "udp", "the host's path by UDP")
    link(ann, lambda e: e["via"] == "tunnel", "ann's path inside the connection")
    print("a tunnel after %.1f s" % (time.monotonic() - began))
    heard(host, 2)
    heard(ann, 1)
    assert via(server, "den", 2) == "tunnel"
    assert via(server, "den", 1) == "udp"
    for _ in range(3):  # some seconds of it
        link(ann, lambda e: e["via"] == "tunnel", "a report of the tunnel")
    host.act("mute", who=[2])
    muted = time.monotonic()
    silent(host, 2)
    took = time.monotonic() - muted
    print("told of silence after %.1f s" % took)
    assert took < 1.5, "a client says so 0.7 s after the last sound"
    ann.act("unmute")
    heard(host, 2)
    narrow(host, ann)
    netns.ip(netns.CLIENT, "addr", "flush", "dev", "eth0")  # another network behind the same wall
    netns.address(netns.CLIENT, "eth0", "10.77.1.44/24")
    netns.ip(netns.CLIENT, "route", "replace", "default", "via", "10.77.1.1")
    moved = time.monotonic()
    drain(ann)
    drain(host)
    ann.wait("a new connection", lambda e: e.get("event") == "state" and e.get("state") == "joined")
    link(ann, lambda e: e["via"] == "tunnel", "a tunnel on the new connection")
    heard(host, 2)
    heard(ann, 1)
    print("with another address again after %.1f s" % (time.monotonic() - moved))
    net.open()
    again = time.monotonic()  # by itself it looks once a minute; when the machine's addresses change, at once
    netns.address(netns.CLIENT, "eth0", "10.77.1.3/24")
    drain(ann)
    link(ann, lambda e: e["via"] == "udp", "ann's path by UDP again")
    print("by UDP again after %.1f s" % (time.monotonic() - again))
    heard(host, 2)
    heard(ann, 1)
    for c in (ann, host):
        c.say(cmd="leave")
        assert c.end() == 0
    for name, other in (("host", "ann"), ("ann", "host")):
        pcm, rate = e2e.read_wav(os.path.join(folder, name + "-heard.wav"))
        share = e2e.heard_share(pcm, rate, TONE[other])
        print("%s heard %s in %.0f %% of the time" % (name, other, 100 * share))
        assert share > 0.3, "%s hears %s" % (name, other)
    server.stop()


netns.own_world()
e2e.main(test)
