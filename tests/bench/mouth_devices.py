"""Mouth to ear through real sound servers: bursts into A's microphone, and both that microphone and B's loudspeaker recorded on one
clock. Two worlds: PulseAudio with null sinks (run under tests/e2e/pulse.sh) and jackd with its dummy driver (Debian: jackd2)."""
import os
import shutil
import signal
import subprocess
import threading
import time

import numpy

import gavel_e2e as e2e

RATE = 48000


class Recorder:
    """parec; the time of the first sample is that of the promptest chunk."""

    def __init__(self, sink):
        self.chunks, self.samples, self.zero = [], 0, None
        self.process = e2e.start(["parec", "--device=%s.monitor" % sink, "--rate=%d" % RATE, "--channels=1", "--format=s16le", "--raw",
                                  "--latency-msec=5"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        left = b""
        while True:
            got = os.read(self.process.stdout.fileno(), 65536)
            if not got:
                return
            now = time.monotonic()
            got = left + got
            left = got[len(got) // 2 * 2:]
            self.chunks.append(numpy.frombuffer(got[:len(got) // 2 * 2], "<i2") / 32768)
            self.samples += len(self.chunks[-1])
            zero = now - self.samples / RATE
            self.zero = zero if self.zero is None else min(self.zero, zero)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        return numpy.concatenate(self.chunks), self.zero


class Pulse:
    name = "PulseAudio, null sinks"
    devices = ()

    def __init__(self, folder):
        if "PULSE_DAEMON_PID" not in os.environ:
            raise e2e.Failure("run this under tests/e2e/pulse.sh")

    def env(self, who):
        return dict(os.environ, PULSE_SINK=who + "_spk", PULSE_SOURCE=who + "_mic.monitor")

    def measure(self, wav, seconds, wait):
        mouth, ear = Recorder("a_mic"), Recorder("b_spk")
        voice = e2e.start(["paplay", "--device=a_mic", wav], stdin=subprocess.DEVNULL)
        wait(seconds)
        voice.kill()
        voice.wait()
        (a, a_zero), (b, b_zero) = mouth.stop(), ear.stop()
        return a, b, b_zero - a_zero

    def round_trip(self):
        """The devices alone: from a ring of ours to a loudspeaker, its monitor, and a ring of ours; without what the ring holds."""
        out = subprocess.run([e2e.program("tests/e2e/device_loop")], env=dict(os.environ, PULSE_SINK="a_spk", PULSE_SOURCE="a_spk.monitor"),
                             capture_output=True, text=True, timeout=60).stdout
        words = out.split("round trip ")[1].split()
        return float(words[0]) - float(words[words.index("holds") + 1])

    def stop(self):
        pass


class Jack:
    name = "jackd, dummy driver, 5 ms"
    devices = ("--input", "system", "--output", "system")

    def __init__(self, folder):
        if not shutil.which("jackd"):
            raise e2e.Failure("jackd is not here: apt-get install jackd2")
        self.folder, self.ports, self.tools = folder, {}, []
        self.server = "gavel-bench-%d" % os.getpid()
        os.environ.update(JACK_NO_AUDIO_RESERVATION="1", JACK_DEFAULT_SERVER=self.server, JACK_NO_START_SERVER="1")
        self.jackd = e2e.start(["jackd", "-n", self.server, "-r", "-p", "64", "-d", "dummy", "-r", str(RATE), "-p", "240", "-C", "2", "-P", "2"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        until = time.monotonic() + e2e.PATIENCE
        while not self.lsp():
            if time.monotonic() > until:
                raise e2e.Failure("jackd does not start")
            time.sleep(0.1)

    def lsp(self):
        p = subprocess.run(["jack_lsp"], capture_output=True, text=True, timeout=10)
        return p.stdout.split("\n")[:-1] if p.returncode == 0 else []

    def env(self, who):
        self.before = set(self.lsp())
        return dict(os.environ)

    def joined(self, who):
        """His ports are the new ones; nothing but what we say is connected."""
        until = time.monotonic() + e2e.PATIENCE
        mine = []
        while not (any(":in_" in p for p in mine) and any(":out_" in p for p in mine)):
            if time.monotonic() > until:
                raise e2e.Failure("no JACK ports of %s, but %s" % (who, self.lsp()))
            mine = sorted(set(self.lsp()) - self.before)
            time.sleep(0.1)
        self.ports[who] = {"in": next(p for p in mine if ":in_" in p), "out": next(p for p in mine if ":out_" in p)}
        for i in (1, 2):
            for src, dst in (("system:capture_%d" % i, self.ports[who]["in"]), (self.ports[who]["out"], "system:playback_%d" % i)):
                subprocess.run(["jack_disconnect", src, dst], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=10)

    def measure(self, wav, seconds, wait):
        metro = e2e.start(["jack_metro", "--frequency", "1900", "--amplitude", "0.5", "--duration", "60", "--attack", "40", "--decay", "40",
                           "--bpm", "60", "--name", "mouth"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        until = time.monotonic() + e2e.PATIENCE
        while not any(p.startswith("mouth:") for p in self.lsp()):
            if time.monotonic() > until:
                raise e2e.Failure("jack_metro does not start")
            time.sleep(0.1)
        mouth = next(p for p in self.lsp() if p.startswith("mouth:"))
        subprocess.run(["jack_connect", mouth, self.ports["a"]["in"]], check=True, timeout=10)
        heard = os.path.join(self.folder, "both.wav")
        rec = e2e.start(["jack_rec", "-f", heard, "-d", str(seconds), "-b", "16", mouth, self.ports["b"]["out"]],
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        wait(seconds + 1)
        rec.send_signal(signal.SIGINT) if rec.poll() is None else None
        rec.wait(e2e.PATIENCE)
        metro.kill()
        metro.wait()
        import wave
        with wave.open(heard, "rb") as w:
            pcm = numpy.frombuffer(w.readframes(w.getnframes()), "<i2").reshape(-1, 2) / 32768
        return pcm[:, 0], pcm[:, 1], 0.0

    def round_trip(self):
        return None

    def stop(self):
        self.jackd.terminate()
        self.jackd.wait()


WORLDS = {"pulse": Pulse, "jack": Jack}
