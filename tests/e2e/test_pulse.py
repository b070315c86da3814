"""A call through a real sound stack (run it under pulse.sh): what is played into A's microphone comes out of B's speaker, and not out of
A's own. PulseAudio's null sinks stand for the two headsets; PortAudio, the canceller, Opus and the server are the real ones."""
import os
import subprocess
import threading

import numpy

import gavel_e2e as e2e

RATE, FREQ = 48000, 900


class Listener:
    """parec on the monitor of a sink: the last seconds, and whether the tone is there now."""

    def __init__(self, sink):
        self.pcm, self.new, self.began = numpy.zeros(0), threading.Condition(), threading.Event()
        self.parec = e2e.start(["parec", "--device=%s.monitor" % sink, "--rate=%d" % RATE, "--channels=1", "--format=s16le", "--raw",
                                "--latency-msec=20"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        threading.Thread(target=self.run, daemon=True).start()
        if not self.began.wait(e2e.PATIENCE):
            raise e2e.Failure("parec hears nothing at all of " + sink)

    def run(self):
        while True:
            block = self.parec.stdout.read(RATE // 10 * 2)
            if not block:
                return
            with self.new:
                self.pcm = numpy.concatenate([self.pcm[-20 * RATE:], numpy.frombuffer(block[:len(block) // 2 * 2], "<i2") / 32768])
                self.new.notify_all()
            self.began.set()

    def clear(self):
        with self.new:
            self.pcm = numpy.zeros(0)

    def wait(self, what, want, patience=None):
        """Until want(samples since clear) is true."""
        with self.new:
            if not self.new.wait_for(lambda: want(self.pcm), patience or e2e.PATIENCE):
                raise e2e.Failure("%s: %.1f s heard, tone in %.0f %%, peak %.4f" % (what, len(self.pcm) / RATE,
                                  100 * e2e.heard_share(self.pcm, RATE, FREQ, least=0.02), max(abs(self.pcm), default=0)))
            return self.pcm


def bursts(path):
    """Half a second of tone, then 0.3 s of silence: a steady tone is what noise suppression takes away."""
    e2e.write_tone(path, FREQ, 60, amplitude=0.5)
    import wave
    with wave.open(path, "rb") as w:
        pcm = numpy.frombuffer(w.readframes(w.getnframes()), "<i2").copy()
    pcm[numpy.arange(len(pcm)) % int(0.8 * RATE) >= int(0.5 * RATE)] = 0
    with wave.open(path, "wb") as w:
        w.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
        w.writeframes(pcm.tobytes())


def headset(name):
    return dict(os.environ, PULSE_SINK=name + "_spk", PULSE_SOURCE=name + "_mic.monitor")


def share(pcm):
    return e2e.heard_share(pcm, RATE, FREQ, least=0.02)


def test(folder):
    server = e2e.Server(folder)
    host_link, guest_link = server.create("studio", "--no-lobby")
    people = {}
    for name, link in (("a", host_link), ("b", guest_link)):
        c = people[name] = e2e.Client.join(link, name, "--require-audio", "--open-mic", env=headset(name))
        c.id = c.wait_state("joined")["me"]
        c.wait("media path", lambda e: e.get("event") == "link" and e["connected"])
    at_b, at_a = Listener("b_spk"), Listener("a_spk")
    before = at_b.wait("a second of silence", lambda pcm: len(pcm) >= RATE)
    assert share(before) == 0, "nobody speaks yet"
    wav = os.path.join(folder, "voice.wav")
    bursts(wav)
    at_a.clear()
    voice = e2e.start(["paplay", "--device=a_mic", wav], stdin=subprocess.DEVNULL)
    people["b"].wait("level of a", lambda e: e.get("event") == "levels" and any(x["id"] == people["a"].id for x in e["levels"]))
    at_b.clear()
    heard = at_b.wait("no tone at b", lambda pcm: len(pcm) >= 3 * RATE and share(pcm[-3 * RATE:]) > 0.35)
    loudest = max(e2e.tone_amplitude(heard[i:i + RATE // 10], RATE, FREQ) for i in range(0, len(heard) - RATE // 10, RATE // 20))
    own = at_a.wait("a's own speaker", lambda pcm: len(pcm) >= RATE)
    assert share(own) == 0, "a does not hear himself"
    people["a"].act("mute")
    people["b"].wait("silence of a", lambda e: e.get("event") == "levels" and not e["levels"])
    at_b.clear()
    muted = at_b.wait("a second of silence", lambda pcm: len(pcm) >= 2 * RATE)
    assert share(muted[RATE:]) == 0, "a is muted"
    assert voice.poll() is None, "the tone was still being played"
    print("tone at b: amplitude %.3f in %.0f %% of the last 3 s" % (loudest, 100 * share(heard[-3 * RATE:])))
    for c in people.values():
        c.say(cmd="leave")
        assert c.end() == 0
    server.stop()


if __name__ == "__main__":
    e2e.main(test)
