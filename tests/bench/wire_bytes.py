"""What a member costs on the wire, with IP, UDP, TCP and TLS: signalling and sound, each way, by tier. Prints one table; see
docs/figures.md. Needs root: it reads the packets of the loopback interface.

bob is measured. First nobody speaks and no microphone is open; then bob speaks; then all microphones are open and there is only the
noise of quiet rooms; then ann and carol speak at the same time."""
import os
import socket
import struct
import sys
import threading
import time
import wave

import numpy

sys.path.insert(0, os.path.join(os.environ["GAVEL_SOURCE"], "tests", "e2e"))
import gavel_e2e as e2e  # noqa: E402

RATE = 48000
IDLE, SPEAK, QUIET, CROWD = (int(s) for s in (sys.argv[1] if len(sys.argv) > 1 else "75,20,40,20").split(","))
SETTLE = 4  # seconds after a change that are not counted


class Sniffer(threading.Thread):
    """Bytes of IP packets by the client's (protocol, port), up and down."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.ports = {6: server.port, 17: server.media_port}
        self.bytes = {}
        self.seen = []  # (protocol, port) in the order of appearance
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind(("lo", 0x0800))
        self.start()

    def run(self):
        while True:
            p, (_, _, kind, _, _) = self.socket.recvfrom(65536)
            if kind == socket.PACKET_OUTGOING or p[9] not in self.ports:
                continue  # on lo each packet passes twice
            ihl = (p[0] & 15) * 4
            length, = struct.unpack("!H", p[2:4])
            source, to = struct.unpack("!HH", p[ihl:ihl + 4])
            own = self.ports[p[9]]
            if own not in (source, to):
                continue
            way = 0 if to == own else 1
            key = (p[9], source if way == 0 else to)
            if key not in self.bytes:
                self.seen.append(key)
                self.bytes[key] = [0, 0]
            self.bytes[key][way] += length

    def forget(self):
        """A port may come again in another room."""
        self.bytes, self.seen = {}, []

    def of(self, keys):
        return {k: list(self.bytes[k]) for k in keys}


def write(path, pcm):
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes((numpy.clip(pcm, -1, 1) * 32767).astype("<i2").tobytes())


def speech(name, seconds):
    with wave.open(os.path.join(os.environ["GAVEL_SOURCE"], "tests", "data", name)) as w:
        pcm = numpy.frombuffer(w.readframes(w.getnframes()), "<i2").astype(float) / 32768
        rate = w.getframerate()
    x = numpy.arange(int(len(pcm) * RATE / rate)) * rate / RATE
    pcm = numpy.interp(x, numpy.arange(len(pcm)), pcm)
    return numpy.resize(pcm, seconds * RATE)


def noise(seconds, dbov=-62):
    return numpy.random.default_rng(1).normal(0, 10 ** (dbov / 20), seconds * RATE)


class Meter:
    """Rates in bit/s of the flows of one member between two moments."""

    def __init__(self, sniffer, keys):
        self.sniffer, self.keys = sniffer, keys

    def over(self, seconds, settle=SETTLE):
        time.sleep(settle)
        before, at = self.sniffer.of(self.keys), time.monotonic()
        time.sleep(seconds)
        after, took = self.sniffer.of(self.keys), time.monotonic() - at
        rate = {6: [0, 0], 17: [0, 0]}
        for k in self.keys:
            for way in (0, 1):
                rate[k[0]][way] += (after[k][way] - before[k][way]) / took
        return rate


def joined(link, name, folder, pcm, *more):
    path = os.path.join(folder, name + ".wav")
    write(path, pcm)
    c = e2e.Client.join(link, name, "--input", "file:" + path, "--output", "null", *more)
    c.wait_state("joined")
    c.wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))
    return c


def measure(folder, server, sniffer, tier, room):
    host, guest = server.create(room, "--no-lobby")
    sniffer.forget()
    # file devices play from the moment of joining: what a closed microphone hears is not sent
    lead = IDLE + SETTLE + 2
    still = lead + SPEAK + QUIET + 2 * SETTLE + 1
    ann = joined(host, "ann", folder, numpy.concatenate([noise(still), speech("speech_a.wav", CROWD + 60)]))
    carol = joined(guest, "carol", folder, numpy.concatenate([noise(still), speech("speech_b.wav", CROWD + 60)]))
    before = set(sniffer.seen)
    bob = joined(guest, "bob", folder,
                 numpy.concatenate([speech("speech_a.wav", lead + SPEAK + SETTLE), noise(QUIET + CROWD + 60)]),
                 "--bandwidth", tier)
    meter = Meter(sniffer, [k for k in sniffer.seen if k not in before])
    assert {k[0] for k in meter.keys} == {6, 17}, meter.keys
    result = {"idle": meter.over(IDLE)}
    bob.say(cmd="mic", on=True)
    result["speaking"] = meter.over(SPEAK - 3, settle=3)
    for c in (ann, carol):
        c.say(cmd="mic", on=True)
    result["quiet"] = meter.over(QUIET - 2 * SETTLE - 2, settle=3 * SETTLE)
    result["listening"] = meter.over(CROWD, settle=SETTLE + 2)
    for c in (bob, carol, ann):
        c.say(cmd="leave")
        c.end()
    return result


def show(tier, what, rate):
    tcp, udp = rate[6], rate[17]
    print("| %-4s | %-9s | %6.1f | %6.1f | %6.1f | %6.1f | %6.2f | %6.2f |" % (
        tier, what, tcp[0], tcp[1], udp[0], udp[1], (tcp[0] + udp[0]) * 8 / 1000, (tcp[1] + udp[1]) * 8 / 1000), flush=True)


def bench(folder):
    server = e2e.Server(folder)
    sniffer = Sniffer(server)
    print("| wish | phase     | TCP up | down   | UDP up | down   | kb/s up| down   |   (TCP and UDP: bytes a second)")
    for tier in sys.argv[2].split(",") if len(sys.argv) > 2 else ("auto", "20k", "12k"):
        for what, rate in measure(folder, server, sniffer, tier, "room-" + tier).items():
            show(tier, what, rate)
    server.stop()


e2e.main(bench)
