"""What came out at the listener: words understood by an offline recogniser, delay, and speech that is simply not there."""
import random
import re

import numpy
import pocketsphinx

import words

MODEL = "/usr/share/pocketsphinx/model/en-us/"
ENV = 0.005  # seconds of an envelope step
WINDOW, HOP = 0.6, 0.3
SEARCH = (-0.1, 1.0)  # seconds a piece of speech may come early or late
LIKE = 0.8  # correlation from which on a piece counts as found


def distractors(n):
    """So many other words of the dictionary, always the same."""
    with open(MODEL + "cmudict-en-us.dict") as f:
        known = [w for w in (line.split()[0] for line in f) if re.fullmatch("[a-z]{4,9}", w) and w not in words.VOCABULARY]
    return random.Random(1).sample(known, n)


class Recogniser:
    """PocketSphinx with its US English model and a grammar: any of the vocabulary's words, any number of times; `more` words
    that nobody says can be taken for them, which makes it as hard as one likes."""

    def __init__(self, more=0):
        c = pocketsphinx.Decoder.default_config()
        c.set_string("-hmm", MODEL + "en-us")
        c.set_string("-dict", MODEL + "cmudict-en-us.dict")
        c.set_string("-logfn", "/dev/null")
        self.decoder = pocketsphinx.Decoder(c)
        self.decoder.set_jsgf_string("words", "#JSGF V1.0; grammar words; public <s> = ( %s )+ ;" % " | ".join(words.VOCABULARY + distractors(more)))
        self.decoder.set_search("words")

    def hear(self, pcm):
        """Words in 16 kHz samples. The whole utterance at once: its means are then its own, whatever was heard before."""
        self.decoder.start_utt()
        self.decoder.process_raw((numpy.clip(pcm, -1, 1) * 32767).astype("<i2").tobytes(), False, True)
        self.decoder.end_utt()
        h = self.decoder.hyp()
        return h.hypstr.split() if h else []


def wrong_at(said, heard):
    """Where in `said` the substitutions, deletions and insertions are (Levenshtein over words), one place each."""
    rows = [list(range(len(heard) + 1))]
    for i, x in enumerate(said):
        before, row = rows[-1], [i + 1]
        for j, y in enumerate(heard):
            row.append(min(before[j] + (x != y), before[j + 1] + 1, row[j] + 1))
        rows.append(row)
    i, j, places = len(said), len(heard), []
    while i or j:
        if i and j and rows[i][j] == rows[i - 1][j - 1] + (said[i - 1] != heard[j - 1]):
            if said[i - 1] != heard[j - 1]:
                places.append(i - 1)
            i, j = i - 1, j - 1
        else:
            deleted = i and rows[i][j] == rows[i - 1][j] + 1
            places.append(max(i - 1, 0))
            i, j = (i - 1, j) if deleted else (i, j - 1)
    return places[::-1]


def errors(said, heard):
    return len(wrong_at(said, heard))


def down3(pcm):
    """48 kHz to 16 kHz: a windowed sinc of 7.2 kHz, every third sample."""
    t = numpy.arange(-48, 49)
    h = numpy.sinc(t * 0.3) * 0.3 * numpy.hamming(len(t))
    return numpy.convolve(pcm, h, "same")[::3]


def envelope(pcm):
    n = int(ENV * words.RATE)
    frames = pcm[:len(pcm) // n * n].reshape(-1, n)
    return numpy.log10(numpy.sqrt((frames ** 2).mean(axis=1)) + 1e-3) + 3  # 0: silence


def steps(seconds):
    return int(round(seconds / ENV))


def match(piece, where):
    """The best place of `piece` in `where` and its correlation (of envelopes, mean removed)."""
    n = len(piece)
    if len(where) < n or piece.std() == 0:
        return 0, 0.0
    all_ = numpy.lib.stride_tricks.sliding_window_view(where, n)
    p = piece - piece.mean()
    spread = numpy.sqrt(((all_ - all_.mean(axis=1, keepdims=True)) ** 2).sum(axis=1))
    like = (all_ @ p) / (numpy.linalg.norm(p) * numpy.maximum(spread, 1e-9))
    best = int(like.argmax())
    return best, float(like[best])


class Heard:
    """A recording of the listener beside what was spoken (both 16 kHz)."""

    def __init__(self, spoken, recorded):
        self.ref, self.rec, self.pcm = envelope(spoken), envelope(recorded), recorded
        self.words_end = words.length(spoken) - words.TAIL
        first = steps(words.LEADER_AT)
        at, self.leader_like = match(self.ref[first:steps(words.GO_AT)], self.rec)
        self.offset = at - first  # of the recording against the speaker's file, with the clean path's delay

    def words_part(self):
        """From just before the first word that counts; with what may come late."""
        begin = (self.offset + steps(words.WORDS_AT - 0.2)) * ENV
        return self.pcm[max(int(begin * words.RATE), 0):]

    def delays(self):
        """(place, delay beyond the leader's, in envelope steps) of each piece of speech that is found."""
        found = []
        for at in range(steps(words.WORDS_AT), steps(self.words_end - WINDOW), steps(HOP)):
            piece = self.ref[at:at + steps(WINDOW)]
            first = max(at + self.offset + steps(SEARCH[0]), 0)
            best, like = match(piece, self.rec[first:at + self.offset + steps(SEARCH[1] + WINDOW)])
            if like >= LIKE:
                found.append((at, first + best - at - self.offset))
        return found

    def missing(self, found):
        """The share of the spoken steps where the listener had 25 dB less or silence, each at the delay of its piece."""
        places = numpy.arange(steps(words.WORDS_AT), steps(self.words_end))
        spoken = places[self.ref[places] > self.ref.max() - 1.5]
        late = numpy.interp(spoken, *zip(*found)).round().astype(int) if found else 0
        at = spoken + late + self.offset
        heard = numpy.where(at < len(self.rec), self.rec[numpy.clip(at, 0, len(self.rec) - 1)], 0)
        return float((heard < self.ref[spoken] - 1.25).mean())
