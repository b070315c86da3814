"""Mouth to ear through the real programs, and how long a join takes: mouth_to_ear.py [SECONDS] [file|pulse|jack]. Prints one table, and
where the milliseconds go; see docs/figures.md. pulse and jack: real sound servers (mouth_devices.py); pulse runs under tests/e2e/pulse.sh.

With files: two people each play short bursts and record what they hear. Neither file says when its device was opened, but the offset between the two
devices enters one direction with plus and the other with minus: half the sum of both delays is the mean one-way delay, exactly.
With two more people speaking all the time the same bursts go through the mixer instead of being forwarded."""
import os
import statistics
import sys
import time

import numpy

sys.path.insert(0, os.path.join(os.environ["GAVEL_SOURCE"], "tests", "e2e"))
import gavel_e2e as e2e  # noqa: E402
import mouth_devices  # noqa: E402

RATE = 48000
BURST = 0.06
PERIOD = 2.0  # with files both speak in turn, and nobody shall be mixed because the other has just ceased
SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 25
WORLD = sys.argv[2] if len(sys.argv) > 2 else "file"
FRAME, LOOK_AHEAD, BLOCK = 20.0, 6.5, 5.0


def burst(freq):
    t = numpy.arange(int(BURST * RATE)) / RATE
    return 0.5 * numpy.sin(2 * numpy.pi * freq * t) * numpy.hanning(len(t))


def write(path, pcm):
    import wave
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes((pcm * 32767).astype("<i2").tobytes())


def bursts(freq, first):
    """A burst every PERIOD from `first` s on."""
    pcm = numpy.zeros(SECONDS * RATE)
    b = burst(freq)
    for t in numpy.arange(first, SECONDS - 1, PERIOD):
        pcm[int(t * RATE):int(t * RATE) + len(b)] += b
    return pcm


def find(pcm, freq):
    """When the bursts of that frequency begin, by the envelope of a matched filter."""
    b = burst(freq)
    t = numpy.arange(len(b)) / RATE
    probe = numpy.hanning(len(b)) * numpy.exp(-2j * numpy.pi * freq * t)
    n = 1 << (len(pcm) + len(b)).bit_length()
    env = abs(numpy.fft.ifft(numpy.fft.fft(pcm, n) * numpy.fft.fft(numpy.conj(probe[::-1]).conj(), n)))[len(b) - 1:len(pcm)]
    found, i = [], 0
    least = env.max() / 3
    while i < len(env):
        if env[i] > least:
            j = i + int(env[i:i + RATE // 2].argmax())
            found.append(j / RATE)
            i = j + RATE // 2
        else:
            i += 24
    return numpy.array(found)


def offsets(found, sent):
    """found - sent for each burst, matched by the grid of PERIOD (delays and offsets are within it)."""
    d = [f - sent[0] for f in found]
    base = round(statistics.median([x % PERIOD for x in d]), 4)
    return [((x - base + PERIOD / 2) % PERIOD) - PERIOD / 2 + base for x in d]


def one_way(folder, crowd):
    server = e2e.Server(folder)
    host, guest = server.create("bench", "--no-lobby")
    people = []
    plans = {"a": (1900, 2.0), "b": (2600, 2.0 + PERIOD / 2)}
    for name, (freq, first) in plans.items():
        write(os.path.join(folder, name + ".wav"), bursts(freq, first))
    for i, freq in enumerate((500, 800)[:crowd]):
        t = numpy.arange(SECONDS * RATE) / RATE
        write(os.path.join(folder, "crowd%d.wav" % i), 0.15 * numpy.sin(2 * numpy.pi * freq * t))
        people.append(e2e.Client.join(guest, "crowd%d" % i, "--play", os.path.join(folder, "crowd%d.wav" % i), "--output", "null"))
    for name in plans:
        c = e2e.Client.join(guest, name, "--play", os.path.join(folder, name + ".wav"), "--record", os.path.join(folder, name + "-heard.wav"))
        c.wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))
        people.append(c)
    links = listen(people[-1], SECONDS - 1)
    for c in people:
        c.say(cmd="leave")
        c.end()
    server.stop()
    heard_by_b = find(e2e.read_wav(os.path.join(folder, "b-heard.wav"))[0], plans["a"][0])
    heard_by_a = find(e2e.read_wav(os.path.join(folder, "a-heard.wav"))[0], plans["b"][0])
    ab = offsets(heard_by_b, [plans["a"][1]])
    ba = offsets(heard_by_a, [plans["b"][1]])
    n = min(len(ab), len(ba))
    return sorted(((x + y) % PERIOD) * 1000 / 2 for x, y in zip(ab[2:n], ba[2:n])), links


def listen(person, seconds):
    """His link reports of that time; they pace the wait."""
    links, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        links.append(person.wait("link report", lambda e: e.get("event") == "link"))
    return links


def between(a, b, apart):
    """For each burst in a, how much later it is in b (s)."""
    first, second = find(a, 1900), find(b, 1900) + apart
    return [min((y - x for y in second if y > x), default=9) for x in first]


def sound_server(folder):
    """A speaks into a sound server's microphone, B listens at a loudspeaker of it."""
    world = mouth_devices.WORLDS[WORLD](folder)
    server = e2e.Server(folder)
    host, guest = server.create("bench", "--no-lobby")
    people = []
    for name, link in (("a", host), ("b", guest)):
        c = e2e.Client.join(link, name, "--require-audio", "--open-mic", "--no-aec", "--no-ns", "--no-agc", *world.devices, env=world.env(name))
        c.wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))
        people.append(c)
        if hasattr(world, "joined"):
            world.joined(name)
    wav = os.path.join(folder, "bursts.wav")
    write(wav, bursts(1900, 1.0))
    links = []
    a, b, apart = world.measure(wav, SECONDS, lambda s: links.extend(listen(people[1], s)))
    for c in people:
        c.say(cmd="leave")
        c.end()
    server.stop()
    v = sorted(x * 1000 for x in between(a, b, apart)[2:] if x < 0.5)
    trip = world.round_trip()
    world.stop()
    return world.name, v, links, trip


def quantiles(v):
    v = sorted(v)
    return statistics.median(v), v[int(len(v) * 0.95)]


def where(total, links, devices):
    """What is known of the milliseconds; the rest are the threads, the server and what is not known of the sound server."""
    links = links[2:]
    rows = [("Opus frame", FRAME, FRAME), ("Opus look-ahead", LOOK_AHEAD, LOOK_AHEAD),
            ("jitter buffer",) + quantiles([x["buffer_ms"] for x in links]),
            ("ready for the loudspeaker",) + quantiles([x["playout_ms"] for x in links])]
    if WORLD == "file":
        rows.append(("a file takes its block early", -BLOCK, -BLOCK))
    if devices is not None:
        rows.append(("sound server, both ends", devices, devices))
    p50, p95 = quantiles(total)
    rows.append(("waits, encryption, the server", p50 - sum(r[1] for r in rows), p95 - sum(r[2] for r in rows)))
    for r in rows:
        print("  %-32s %8.1f %8.1f" % r)
    print("  underruns of the loudspeaker: %d" % links[-1]["underruns"])


def join_times(folder, runs=9):
    server = e2e.Server(folder)
    host, guest = server.create("joins", "--no-lobby")
    e2e.write_tone(os.path.join(folder, "tone.wav"), 440, 60)
    speaker = e2e.Client.join(host, "speaker", "--play", os.path.join(folder, "tone.wav"), "--output", "null")
    speaker.wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))
    took = []
    for i in range(runs):
        c = e2e.Client.join(guest, "guest%d" % i, "--input", "null", "--output", "null")
        c.wait_state("connecting")
        began = time.monotonic()
        c.wait("first sound", lambda e: e.get("event") == "levels" and e["levels"])
        took.append((time.monotonic() - began) * 1000)
        c.say(cmd="leave")
        c.end()
    speaker.kill()
    server.stop()
    return sorted(took)


def row(name, v):
    print("%-34s %8.1f %8.1f %8.1f   (n=%d)" % (name, statistics.median(v), v[int(len(v) * 0.95)] if len(v) > 1 else v[0], v[-1], len(v)))


def main(top):
    print("%-34s %8s %8s %8s   ms" % ("", "p50", "p95", "max"))
    if WORLD != "file":
        name, total, links, devices = sound_server(top)
        row(name, total)
        where(total, links, devices)
        return
    for name, crowd in (("mouth to ear, forwarded", 0), ("mouth to ear, mixed (4 talk)", 2)):
        d = os.path.join(top, "m%d" % crowd)
        os.mkdir(d)
        total, links = one_way(d, crowd)
        row(name, total)
        where(total, links, None)
    d = os.path.join(top, "j")
    os.mkdir(d)
    row("join to first sound", join_times(d))


with e2e.Folder() as scratch:
    try:
        main(scratch)
    finally:
        for p in e2e.STARTED:
            if p.poll() is None:
                p.kill()
