"""Calls through walls and translators, in network namespaces, with Debian's coturn and the configuration we ship: which way was
taken is what the client says, and that it carries sound is heard at both ends. Needs root."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import gavel_e2e as e2e
import netns
import turn_kit
from netns import CLIENT, MEDIA_IP, MEDIA_IP6, OTHER_IP, PUBLIC, RELAY_IP

HOST_TONE, PORT = 440, 443
PATIENT_S = 9  # from the answer until a relay carries the sound
URIS = "turn:relay.test?transport=udp, turn:relay.test?transport=tcp, turns:relay.test:443"
SIGNALLING = "ip daddr %s tcp dport %d" % (MEDIA_IP, PORT)


class Stage:
    """A server on the public side and a host who talks there; guests come from behind the router."""

    def __init__(self, folder, name, address, uris):
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder, 0o700)
        self.secret, config = os.path.join(self.folder, "secret"), os.path.join(self.folder, "gaveld.ini")
        self.share(turn_kit.SECRET)
        with open(config, "w") as f:
            f.write(e2e.UNLIMITED + "[turn]\nuris = %s\nsecret_file = %s\nttl_seconds = 300\n" % (uris, self.secret))
        self.server = e2e.Server(self.folder, port=PORT, media_port=turn_kit.MEDIA_PORT, wrap=netns.inside(PUBLIC),
                                 extra=["--config", config, "--listen", address])
        link, self.link = self.server.create("hall", "--no-lobby")
        tone = os.path.join(self.folder, "host.wav")
        e2e.write_tone(tone, HOST_TONE, 400)
        self.heard = os.path.join(self.folder, "host-heard.wav")
        self.host = e2e.Client.join(link, "host", "--play", tone, "--record", self.heard, wrap=netns.inside(PUBLIC))
        self.host.wait_state("joined")
        self.tones = []

    def share(self, secret):
        with open(self.secret, "w") as f:
            f.write(secret + "\nthe-one-before-this-one\n")

    def guest(self, name, via):
        """One from behind the router comes, is heard, hears, and goes; by that way and no other."""
        freq = 600 + 70 * len(self.tones)
        self.tones.append((name, freq))
        wav, heard = os.path.join(self.folder, name + ".wav"), os.path.join(self.folder, name + "-heard.wav")
        e2e.write_tone(wav, freq, 60)
        guest = e2e.Client.join(self.link, name, "--play", wav, "--record", heard, wrap=netns.inside(CLIENT))
        me = guest.wait_state("joined")["me"]
        began = time.monotonic()
        link = guest.wait("a way", lambda e: e.get("event") == "link" and e.get("connected") and e.get("via"))
        took = time.monotonic() - began
        if link["via"] != via or took > PATIENT_S:
            raise e2e.Failure("%s: by %s, not by %s, after %.1f s" % (name, link["via"], via, took))
        self.host.wait("%s is heard" % name, lambda e: e.get("event") == "levels" and any(x["id"] == me for x in e["levels"]))
        link = guest.wait("figures", lambda e: e.get("event") == "link" and e["connected"])
        assert link["via"] == via and "AES" in link["profile"], link
        guest.say(cmd="leave")
        assert guest.end() == 0
        pcm, rate = e2e.read_wav(heard)
        share = e2e.heard_share(pcm[-rate:], rate, HOST_TONE)
        assert share > 0.7, "%s hears the host only %.2f of the time" % (name, share)
        said = [line for line in guest.errors.seen + list(guest.errors.queue.queue) if line and ("CRITICAL" in line or "WARNING" in line)]
        assert not said, said
        print("  %-14s by %-8s after %.1f s, is heard and hears (%.2f)" % (name, via, took, share))

    def end(self):
        """Everyone was recognised by his tone."""
        self.host.say(cmd="leave")
        assert self.host.end() == 0
        pcm, rate = e2e.read_wav(self.heard)
        for name, freq in self.tones:
            seconds = e2e.heard_share(pcm, rate, freq) * len(pcm) / rate
            assert seconds > 1, "%s was heard for %.1f s only" % (name, seconds)
        self.server.stop()


def walls(net, stage):
    net.open()
    stage.guest("open", "udp")
    net.wall(SIGNALLING, "ip daddr %s udp dport 3478" % RELAY_IP)
    stage.guest("udp-relay", "turn-udp")
    net.wall(SIGNALLING, "ip daddr %s meta l4proto { tcp, udp } th dport { 443, 3478 }" % RELAY_IP)
    stage.guest("every-relay", "turn-udp")
    net.wall(SIGNALLING, "ip daddr %s tcp dport 3478" % RELAY_IP)
    stage.guest("tcp-relay", "turn-tcp")
    net.wall("tcp dport 443")
    stage.guest("tls-relay", "turn-tls")


def certificates(net, stage):
    """A relay whose certificate nobody vouches for gets nothing: neither names nor sound."""
    net.wall("tcp dport 443")
    trusted = os.environ.pop("SSL_CERT_FILE")
    before = open(stage.relay.log).read()
    assert before.count("ALLOCATE processed, success") >= 4, before[-2000:]
    guest = e2e.Client.join(stage.link, "wary", wrap=netns.inside(CLIENT))
    guest.wait_state("joined")
    link = guest.wait("another way", lambda e: e.get("event") == "link" and e.get("connected") and e.get("via"))
    assert link["via"] == "tunnel", link
    guest.kill()
    assert "incoming packet" not in open(stage.relay.log).read()[len(before):], "something was said to the relay"
    os.environ["SSL_CERT_FILE"] = trusted


def translators(net, stage):
    for kind in ("full", "restricted", "port", "symmetric"):
        net.nat(kind)
        stage.guest("nat-" + kind, "udp")


def narrow_path(net, stage):
    net.open()
    net.narrow(1280)
    big = subprocess.run([*netns.inside(CLIENT), "ping", "-c", "1", "-W", "1", "-s", "1300", "-M", "dont", MEDIA_IP], capture_output=True)
    assert big.returncode != 0, "fragments come through"
    stage.guest("narrow", "udp")
    net.wide()


def ipv6(net, folder, relay):
    """Only IPv6, directly and with everything but 443 closed."""
    net.client(v4=False, v6=True)
    net.open()
    stage = Stage(folder, "six", MEDIA_IP6, URIS.replace("relay.test", "relay6.test"))
    stage.guest("six", "udp")
    net.wall("ip6 daddr %s tcp dport 443" % MEDIA_IP6, "ip6 daddr %s udp dport 3478" % netns.RELAY_IP6)
    stage.guest("six-udp-relay", "turn-udp")
    net.wall("tcp dport 443")
    stage.guest("six-tls-relay", "turn-tls")
    stage.end()
    net.client(v4=True, v6=False)


def broken_six(net, folder):
    """The client has IPv6, but nothing answers it: a relay with both is reached all the same."""
    net.client(v4=True, v6=True)
    stage = Stage(folder, "both", MEDIA_IP, "turns:relay46.test:443")
    net.wall("ip daddr { %s, %s } tcp dport 443" % (MEDIA_IP, RELAY_IP))
    stage.guest("both-tls-relay", "turn-tls")
    stage.end()
    net.client(v4=True, v6=False)


def rotated(net, stage):
    """The secret changes without a restart: the server uses the new one, the relay knows both."""
    stage.share(turn_kit.NEXT_SECRET)
    stage.server.process.send_signal(signal.SIGHUP)
    stage.server.log.wait(lambda l: "read again" in l, "word that the configuration was read again")
    net.wall(SIGNALLING, "ip daddr %s udp dport 3478" % RELAY_IP)
    stage.guest("rotated", "turn-udp")
    stage.share("a-secret-that-no-relay-knows")
    stage.server.process.send_signal(signal.SIGHUP)
    stage.server.log.wait(lambda l: "read again" in l, "word that the configuration was read again")
    stage.guest("unknown-secret", "tunnel")


def walled_in():
    """As the relay's user: where the kernel lets it send. Prints whether each send was refused."""
    seen = {}
    for name, port in ((MEDIA_IP, turn_kit.MEDIA_PORT), (MEDIA_IP6, turn_kit.MEDIA_PORT), (MEDIA_IP, 443), (OTHER_IP, turn_kit.MEDIA_PORT),
                       ("127.0.0.1", turn_kit.MEDIA_PORT), ("::1", 53), (netns.CLIENT_IP, 9)):
        with socket.socket(socket.AF_INET6 if ":" in name else socket.AF_INET, socket.SOCK_DGRAM) as s:
            try:
                s.sendto(b"x", (name, port))
                seen["%s %d" % (name, port)] = "sent"
            except PermissionError:
                seen["%s %d" % (name, port)] = "refused"
    print(json.dumps(seen))


def refusals():
    """Inside the client's network: what the relay does not do. Prints what came of each."""
    good = turn_kit.credentials("seat", 60)
    seen = {"forged": turn_kit.Turn(good[0], "AAAA" + good[1][4:]).allocate(),
            "other secret": turn_kit.Turn(*turn_kit.credentials("seat", 60, "not-what-the-relay-knows")).allocate(),
            "expired": turn_kit.Turn(*turn_kit.credentials("seat", -5)).allocate(),
            "longer by hand": turn_kit.Turn("9" + good[0], good[1]).allocate(),
            "tcp": turn_kit.Turn(*good).allocate_tcp()}
    turn = turn_kit.Turn(*good)
    seen["good"] = turn.allocate()
    seen["media"] = turn.permit(MEDIA_IP)
    six = turn_kit.Turn(*turn_kit.credentials("six", 60))
    seen["good six"] = six.allocate(2)
    seen["media six"] = six.permit(MEDIA_IP6)
    for name in (OTHER_IP, RELAY_IP, "127.0.0.1", "10.77.1.2", "8.8.8.8", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255"):
        seen["peer " + name] = turn.permit(name)
        seen["channel " + name] = turn.bind(name)
    for name in ("::1", "::", "::ffff:127.0.0.1", "::ffff:" + MEDIA_IP, "::ffff:" + OTHER_IP, "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1",
                 "2001:db8:2::30", "ff02::1"):
        seen["peer " + name] = six.permit(name)
        seen["channel " + name] = six.bind(name)
    short = turn_kit.credentials("short", 2)  # good for allocating; who has done that goes on
    turn = turn_kit.Turn(*short)
    seen["good for 2 s"] = turn.allocate()
    while time.time() < int(short[0].split(":")[0]) + 2:
        time.sleep(0.1)
    seen["again"] = turn_kit.Turn(*short).allocate()
    seen["refreshed"], seen["media late"] = turn.refresh(), turn.permit(MEDIA_IP)
    print(json.dumps(seen))


def refused(net):
    net.open()
    out = netns.run(*netns.inside(CLIENT), sys.executable, __file__, "refusals")
    seen = json.loads(out)
    for name in ("good", "media", "good six", "media six", "good for 2 s", "refreshed", "media late"):
        assert seen.pop(name) == 0, (name, out)
    for name in ("forged", "other secret", "expired", "longer by hand", "again"):
        assert seen.pop(name) == 401, (name, out)
    assert seen.pop("tcp") == 442, out
    for name, code in seen.items():
        assert code in (400, 403, 443), "%s: %d" % (name, code)
    print("  the relay refuses %d peers" % len(seen))
    as_relay = ["setpriv", "--reuid=turnserver", "--regid=turnserver", "--clear-groups"]
    out = netns.run(*netns.inside(PUBLIC), *as_relay, sys.executable, __file__, "walled_in")
    seen = list(json.loads(out).values())
    assert seen[:2] == ["sent", "sent"] and set(seen[2:]) == {"refused"}, out


def secrets(stage, relay):
    """Neither a secret nor a credential in the server's log; in the relay's, no names of people or rooms."""
    ours = "\n".join(stage.server.log.seen)
    theirs = open(relay.log).read()
    assert turn_kit.SECRET not in ours and "credential" not in ours
    kept, ended = theirs.count(": new, realm="), len(re.findall(r"refreshed, .*lifetime=0\b", theirs))
    assert kept == ended, "%d addresses were asked for, %d given back" % (kept, ended)
    assert "hall" not in theirs and "relay-udp" not in theirs and "udp-relay" not in theirs


def test(folder):
    net = netns.Net(folder)
    relay = turn_kit.Relay(folder)
    os.environ["SSL_CERT_FILE"] = relay.cert
    stage = Stage(folder, "four", MEDIA_IP, URIS)
    stage.relay = relay
    walls(net, stage)
    certificates(net, stage)
    translators(net, stage)
    narrow_path(net, stage)
    rotated(net, stage)
    stage.end()
    secrets(stage, relay)
    refused(net)
    broken_six(net, folder)
    ipv6(net, folder, relay)


if len(sys.argv) == 2:
    {"refusals": refusals, "walled_in": walled_in}[sys.argv[1]]()
    sys.exit(0)
missing = [p for p in ("turnserver", "nft") if not shutil.which(p)]
if missing:
    print("SKIPPED: not installed: %s" % " ".join(missing))
    sys.exit(1 if os.environ.get("CI") else 77)
netns.own_world()
sys.stdout.reconfigure(line_buffering=True)
e2e.main(test)
