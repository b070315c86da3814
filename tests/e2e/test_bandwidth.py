"""A thin line: who says how much his carries gets and sends no more, is understood through loss, sees it, and may take it back in the
call; who says nothing is stepped down where the line carries less than he sends. Sound goes through the impairment relay."""
import json
import os
import socket
import subprocess
import wave

import numpy

import gavel_e2e as e2e

RELAY = "127.0.0.2"
VOICES = {"ann": "speech_a.wav", "bob": "speech_b.wav"}


class Net:
    """A server whose sound goes through a bad network, for who comes second."""

    def __init__(self, folder, name, spec):
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.relay = e2e.start([e2e.program("tests/bench/relay"), RELAY, str(port), "127.0.0.1", str(port), "--seed", "7", "--up", spec,
                                "--down", spec, "--only", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert b"ready" in self.relay.stdout.readline()
        unlimited = os.path.join(self.folder, "unlimited.ini")
        with open(unlimited, "w") as f:
            f.write(e2e.UNLIMITED)
        self.server = e2e.Server(self.folder, media_port=port, extra=["--config", unlimited, "--public", RELAY])
        self.links = [link.replace(RELAY, "127.0.0.1", 1) for link in self.server.create("thin", "--no-lobby")]

    def order(self, word):
        self.relay.stdin.write(word.encode() + b"\n")
        self.relay.stdin.flush()

    def join(self, name, *more):
        wav = os.path.join(self.folder, name + ".wav")
        speech(VOICES[name], wav)
        c = e2e.Client.join(self.links[name != "ann"], name, "--play", wav, "--record", os.path.join(self.folder, name + "-heard.wav"), *more)
        c.wait_state("joined")
        c.wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))
        return c

    def both(self, *more):
        ann = self.join("ann")
        self.order("next")
        bob = self.join("bob", *more)
        self.order("go")
        return ann, bob

    def end(self, *people):
        for c in people:
            c.say(cmd="leave")
            assert c.end() == 0
        figures = json.loads(self.relay.communicate(timeout=5)[0])
        self.server.stop()
        return figures

    def heard(self, name, by):
        """How much of the time there is a voice, against the file that was spoken."""
        return loud_share(os.path.join(self.folder, by + "-heard.wav"), 3) / loud_share(os.path.join(self.folder, name + ".wav"))


def speech(name, path, seconds=120):
    """Real speech, again and again: Opus spends other rates on a sine."""
    pcm, rate = e2e.read_wav(os.path.join(e2e.SOURCE, "tests", "data", name))
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes((numpy.resize(pcm, seconds * rate) * 32767).astype("<i2").tobytes())


def loud_share(path, skip=0):
    pcm, rate = e2e.read_wav(path)
    pcm = pcm[skip * rate:]
    n = rate // 10
    rms = [float(numpy.sqrt(numpy.mean(pcm[i:i + n] ** 2))) for i in range(0, len(pcm) - n + 1, n)]
    return sum(r > 0.01 for r in rms) / max(len(rms), 1)


def link(client, what, want, patience=None):
    return client.wait("link: " + what, lambda e: e.get("event") == "link" and e.get("connected") and want(e), patience)


def command(client, line):
    client.process.stdin.write((line + "\n").encode())
    client.process.stdin.flush()


def wished(folder):
    net = Net(folder, "wished", "loss=0.08,rate=140000,delay=30")
    ann, bob = net.both("--bandwidth", "12k")
    link(bob, "min both ways", lambda e: (e["tier_down"], e["tier_up"], e["limit_kbps"]) == ("min", "min", 12))
    thin = [link(bob, "figures", lambda e: True) for _ in range(8)][3:]  # each covers the last 6 s
    for e in thin:
        assert e["kbps_down"] <= 13 and e["kbps_up"] <= 13, thin
    assert any(e["kbps_down"] >= 5 for e in thin) and any(e["kbps_up"] >= 5 for e in thin), "sound flows: %s" % thin
    command(bob, ":bandwidth")
    page = bob.wait("page", lambda e: e.get("event") == "page" and e["title"] == "Your line")["text"]
    assert "12 kb/s each way" in page and "min 120 ms" in page, page
    command(bob, ":bandwidth 5k")
    refused = bob.wait("refusal", lambda e: e.get("event") == "reply" and not e["ok"])
    assert "6k to 1000k" in refused["text"], refused
    command(bob, ":bandwidth auto")
    link(bob, "more again", lambda e: e["limit_kbps"] == 0 and e["tier_down"] in ("full", "packed") and e["tier_up"] in ("full", "packed"))
    for _ in range(3):
        link(bob, "figures", lambda e: True)
    net.end(bob, ann)
    assert net.heard("bob", "ann") > 0.8, "ann hears bob: %.2f" % net.heard("bob", "ann")
    assert net.heard("ann", "bob") > 0.8, "bob hears ann: %.2f" % net.heard("ann", "bob")


def bottleneck(folder):
    net = Net(folder, "bottleneck", "rate=30000,queue=300,delay=20")
    ann, bob = net.both()
    link(bob, "less is sent", lambda e: e["tier_up"] in ("low", "min"), 60)
    link(bob, "less is got", lambda e: e["tier_down"] in ("low", "min"), 60)
    assert not any(json.loads(line).get("tier_down") in ("low", "min") for line in ann.lines.seen if '"link"' in line)
    net.end(bob, ann)


def refused(folder):
    for bad in ("5k", "12kb", "fast", ""):
        r = subprocess.run([e2e.program("gavel"), "join", "https://localhost/j/x#i=x", "--bandwidth", bad], capture_output=True,
                           stdin=subprocess.DEVNULL, timeout=e2e.PATIENCE)
        assert r.returncode == 1 and b"6k to 1000k" in r.stderr, (r.returncode, r.stderr)


def test(folder):
    refused(folder)
    wished(folder)
    bottleneck(folder)


e2e.main(test)
