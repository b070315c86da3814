"""Speech of known words: sentences drawn from a small vocabulary with a seed, spoken by flite.

Layout of a recording (16 kHz): silence, a leader that is heard before the impairment begins (all times are
measured against it), then the words that count, then silence. PocketSphinx takes fewer than 1 % of them for others."""
import functools
import os
import random
import subprocess
import tempfile
import wave

import numpy

RATE = 16000
LEADER_AT, GO_AT, WORDS_AT, TAIL = 1.0, 2.9, 3.3, 1.0  # seconds
SECONDS = 8.1  # of words, unless more are asked for
VOICES = ("slt", "rms", "awb")
VOCABULARY = """zero one three four five six seven nine eleven north south east west red green blue yellow white orange purple
black silver close open start stop begin finish monday tuesday wednesday friday saturday sunday london paris berlin madrid window
table engine signal channel volume silence answer question computer elephant banana umbrella hospital december october chocolate
telephone mountain butterfly river garden kitchen president university library mexico canada africa""".split()
PAUSE = 0.25


def read(path):
    """The first channel, -1..1, and the rate."""
    with wave.open(path, "rb") as w:
        pcm = numpy.frombuffer(w.readframes(w.getnframes()), "<i2").astype(float) / 32768
        return pcm.reshape(-1, w.getnchannels())[:, 0], w.getframerate()


def write(path, pcm):
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes((numpy.clip(pcm, -1, 1) * 32767).astype("<i2").tobytes())


def say(words, voice):
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "said.wav")
        subprocess.run(["flite", "-voice", voice, "-t", " ".join(words) + ".", "-o", path], check=True)
        pcm, rate = read(path)
    if rate != RATE:
        raise ValueError("the voice %s speaks at %d Hz" % (voice, rate))
    loud = numpy.flatnonzero(abs(pcm) > 0.01)
    return pcm[loud[0]:loud[-1]] * (0.5 / abs(pcm).max())


def put(pcm, at, piece):
    n = int(at * RATE)
    pcm[n:n + len(piece)] += piece[:len(pcm) - n]
    return at + len(piece) / RATE


@functools.lru_cache(maxsize=None)
def make(seed, seconds=SECONDS):
    """One recording: samples, and the words that count, which end `seconds` after the first or a little before."""
    rng = random.Random(seed)
    voice = VOICES[seed % len(VOICES)]
    end = WORDS_AT + seconds
    pcm, said, at = numpy.zeros(int((end + TAIL) * RATE)), [], WORDS_AT
    if put(pcm, LEADER_AT, say(["signal", "seven", "open"], voice)) > GO_AT:
        raise ValueError("the leader of %s is too long" % voice)
    while True:
        words = [rng.choice(VOCABULARY) for _ in range(4)]
        piece = say(words, voice)
        if at + len(piece) / RATE > end:
            return pcm, said
        at = put(pcm, at, piece) + PAUSE
        said += words


def length(pcm):
    return len(pcm) / RATE
