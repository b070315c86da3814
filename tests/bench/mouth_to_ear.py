"""Mouth to ear through the real programs with file devices, and how long a join takes. Prints one table; see docs/figures.md.

Two people each play short bursts and record what they hear. Neither file says when its device was opened, but the offset between the two
devices enters one direction with plus and the other with minus: half the sum of both delays is the mean one-way delay, exactly.
With two more people speaking all the time the same bursts go through the mixer instead of being forwarded."""
import os
import statistics
import sys
import time

import numpy

sys.path.insert(0, os.path.join(os.environ["GAVEL_SOURCE"], "tests", "e2e"))
import gavel_e2e as e2e  # noqa: E402

RATE = 48000
BURST = 0.06
SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 25


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
    """One burst a second from `first` s on; the times are returned too."""
    pcm = numpy.zeros(SECONDS * RATE)
    times = numpy.arange(first, SECONDS - 1, 1.0)
    b = burst(freq)
    for t in times:
        pcm[int(t * RATE):int(t * RATE) + len(b)] += b
    return pcm, times


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
    """found - sent for each burst, matched by the whole-second grid (delays and offsets are within it)."""
    d = [f - sent[0] for f in found]
    base = round(statistics.median([x % 1.0 for x in d]), 4)
    return [((x - base + 0.5) % 1.0) - 0.5 + base for x in d]


def one_way(folder, crowd):
    server = e2e.Server(folder)
    host, guest = server.create("bench", "--no-lobby")
    people = []
    plans = {"a": (1900, 2.0), "b": (2600, 2.5)}
    for name, (freq, first) in plans.items():
        pcm, _ = bursts(freq, first)
        write(os.path.join(folder, name + ".wav"), pcm)
    for i, freq in enumerate((500, 800)[:crowd]):
        t = numpy.arange(SECONDS * RATE) / RATE
        write(os.path.join(folder, "crowd%d.wav" % i), 0.15 * numpy.sin(2 * numpy.pi * freq * t))
        people.append(e2e.Client.join(guest, "crowd%d" % i, "--play", os.path.join(folder, "crowd%d.wav" % i), "--output", "null"))
    for name in plans:
        c = e2e.Client.join(guest, name, "--play", os.path.join(folder, name + ".wav"), "--record", os.path.join(folder, name + "-heard.wav"))
        c.wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))
        people.append(c)
    until = time.monotonic() + SECONDS - 1
    while time.monotonic() < until:  # the engine's own reports pace the wait
        people[-1].wait("link report", lambda e: e.get("event") == "link")
    for c in people:
        c.say(cmd="leave")
        c.end()
    server.stop()
    heard_by_b = find(e2e.read_wav(os.path.join(folder, "b-heard.wav"))[0], plans["a"][0])
    heard_by_a = find(e2e.read_wav(os.path.join(folder, "a-heard.wav"))[0], plans["b"][0])
    ab = offsets(heard_by_b, [plans["a"][1]])
    ba = offsets(heard_by_a, [plans["b"][1]])
    n = min(len(ab), len(ba))
    total = sorted(((x + y) % 1.0) * 1000 / 2 for x, y in zip(ab[2:n], ba[2:n]))
    return total


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


with e2e.Folder() as top:
    print("%-34s %8s %8s %8s   ms" % ("", "p50", "p95", "max"))
    for name, crowd in (("mouth to ear, forwarded", 0), ("mouth to ear, mixed (4 talk)", 2)):
        d = os.path.join(top, "m%d" % crowd)
        os.mkdir(d)
        row(name, one_way(d, crowd))
    d = os.path.join(top, "j")
    os.mkdir(d)
    row("join to first sound", join_times(d))
