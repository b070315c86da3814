"""The scoring against recordings made by hand: what is late or lacks by so much must be found so."""
import shutil
import sys
import unittest

sys.dont_write_bytecode = True
try:
    import numpy
    import score
    import words
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)
if not shutil.which("flite"):
    print("skipped: no flite")
    sys.exit(77)


def samples(seconds):
    return int(round(seconds * words.RATE))


class Errors(unittest.TestCase):
    def test_each_kind_counts_one(self):
        said = "one two three four".split()
        for heard, n in (("one two three four", 0), ("one two four", 1), ("one two two three four", 1), ("one ten three four", 1),
                         ("", 4), ("two one three four", 2), ("four three two one", 4)):
            self.assertEqual(score.errors(said, heard.split()), n, heard)


    def test_their_places(self):
        said = "one two three four".split()
        for heard, places in (("one two three four", []), ("one two four", [2]), ("one ten three", [1, 3]), ("", [0, 1, 2, 3]),
                              ("one two three four five", [3])):
            self.assertEqual(score.wrong_at(said, heard.split()), places, heard)


class Recordings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.spoken, cls.said = words.make(3)
        cls.words_end = words.WORDS_AT + words.SECONDS
        cls.noise = numpy.random.default_rng(1).normal(0, 1e-4, samples(16))

    def recorded(self, begins, late, gap=(0.0, 0.0)):
        """Begins `begins` s before the file; the words `late` s later than the leader; nothing in `gap`."""
        pcm = self.noise.copy()
        split = samples(words.WORDS_AT - 0.2)
        sound = self.spoken.copy()
        sound[samples(gap[0]):samples(gap[1])] = 0
        pcm[samples(begins):samples(begins) + split] += sound[:split]
        at = samples(begins + late) + split
        pcm[at:at + len(sound) - split] += sound[split:]
        return score.Heard(self.spoken, pcm)

    def test_delay(self):
        for begins, late in ((0.4, 0.0), (1.235, 0.1), (0.8, 0.62)):
            h = self.recorded(begins, late)
            found = [d * score.ENV for _, d in h.delays()]
            self.assertGreater(len(found), 15)
            self.assertAlmostEqual(float(numpy.median(found)), late, delta=0.006)
            self.assertAlmostEqual(h.offset * score.ENV, begins, delta=0.006)
            self.assertLess(h.missing(h.delays()), 0.01)

    def test_missing(self):
        loud = numpy.flatnonzero(abs(self.spoken[samples(words.WORDS_AT):]) > 0.01) / words.RATE + words.WORDS_AT
        for cut in (5.0, 7.4, 9.0):
            h = self.recorded(0.5, 0.2, (cut, self.words_end))
            self.assertAlmostEqual(h.missing(h.delays()), (loud > cut).mean(), delta=0.05)

    def test_nothing_heard(self):
        h = score.Heard(self.spoken, self.noise)
        self.assertLess(h.leader_like, score.LIKE)
        self.assertGreater(h.missing(h.delays()), 0.9)

    def test_words(self):
        """Understood as spoken, and not where they are cut out."""
        r = score.Recogniser()
        whole = score.errors(self.said, r.hear(self.recorded(0.5, 0.0).words_part()))
        half = score.errors(self.said, r.hear(self.recorded(0.5, 0.0, (words.WORDS_AT, 7.4)).words_part()))
        self.assertLessEqual(whole / len(self.said), 0.15)
        self.assertGreaterEqual(half / len(self.said), 0.35)

    def test_resampling(self):
        t = numpy.arange(48000) / 48000
        tone = score.down3(numpy.sin(2 * numpy.pi * 1000 * t))[1000:-1000]
        above = score.down3(numpy.sin(2 * numpy.pi * 12000 * t))[1000:-1000]
        self.assertAlmostEqual(float(abs(tone).max()), 1.0, delta=0.02)
        self.assertLess(float(abs(above).max()), 0.01)


if __name__ == "__main__":
    unittest.main()
