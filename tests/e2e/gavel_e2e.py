"""What the end-to-end tests share: programs started in a fresh folder, waited for by what they say, never by sleeping.

Every wait has a deadline and fails with what was seen until then."""
import base64
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

BUILD = os.environ["GAVEL_BUILD"]
SOURCE = os.environ["GAVEL_SOURCE"]
PATIENCE = float(os.environ.get("GAVEL_PATIENCE", "30"))


def program(name):
    return os.path.join(BUILD, name)


class Failure(AssertionError):
    pass


STARTED = []


def start(args, **how):
    process = subprocess.Popen(args, **how)
    STARTED.append(process)
    return process


class Lines:
    """The lines of a pipe, read by a thread into a queue."""

    def __init__(self, stream):
        self.queue = queue.Queue()
        self.seen = []
        threading.Thread(target=self._run, args=(stream,), daemon=True).start()

    def _run(self, stream):
        for line in stream:
            self.queue.put(line.decode("utf-8", "replace").rstrip("\n"))
        self.queue.put(None)

    def wait(self, want, what, patience=None):
        """The first line for which want(line) is true (its value is returned)."""
        deadline = time.monotonic() + (patience or PATIENCE)
        while True:
            left = deadline - time.monotonic()
            try:
                line = self.queue.get(timeout=max(left, 0.001)) if left > 0 else None
            except queue.Empty:
                line = None
            if line is None:
                raise Failure("no %s; seen: %s" % (what, "\n  ".join(self.seen[-25:])))
            self.seen.append(line)
            found = want(line)
            if found:
                return found


UNLIMITED = """[limits]
half_open_per_network = 0
joins_per_address = 0
joins_per_invite = 0
joins_per_room = 0
waiting_per_address = 0
chat_per_minute = 0
strikes = 0
"""


class Server:
    """gaveld in a folder of its own."""

    def __init__(self, folder, port=0, media_port=0, extra=(), wrap=(), pass_fds=()):
        self.folder = folder
        self.socket = os.path.join(folder, "admin.sock")
        if "--config" not in extra:  # everybody comes from one address here
            unlimited = os.path.join(folder, "unlimited.ini")
            with open(unlimited, "w") as f:
                f.write(UNLIMITED + ("[server]\nseccomp = no\n" if wrap else ""))  # valgrind knows no filters
            extra = ["--config", unlimited, *extra]
        args = list(wrap) + [program("gaveld"), "--listen", "127.0.0.1", "--port", str(port), "--media-port", str(media_port),
                             "--database", os.path.join(folder, "gavel.db"), "--socket", self.socket] + list(extra)
        self.process = start(args, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, pass_fds=pass_fds)
        self.log = Lines(self.process.stderr)
        line = self.log.wait(lambda l: l if "msg=listening" in l else None, "listening gaveld", PATIENCE * 2)
        self.port = int(re.search(r"tcp=(\d+)", line)[1])
        self.media_port = int(re.search(r"udp=(\d+)", line)[1])

    def ctl(self, *args, check=True):
        r = subprocess.run([program("gavelctl"), "--socket", self.socket, "--json", *args], capture_output=True, timeout=PATIENCE)
        if check and r.returncode != 0:
            raise Failure("gavelctl %s: %s%s" % (" ".join(args), r.stdout.decode(), r.stderr.decode()))
        return json.loads(r.stdout) if r.returncode == 0 else r

    def create(self, room, *flags):
        r = self.ctl("create", room, *flags)
        return r["host"], r["guest"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(PATIENCE) != 0:
            raise Failure("gaveld ended with %d" % self.process.returncode)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Client:
    """gavel in headless mode: JSON lines both ways."""

    def __init__(self, *args, env=None, wrap=()):
        self.process = start([*wrap, program("gavel"), *args, "--headless"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=env)
        self.errors = Lines(self.process.stderr)
        self.lines = Lines(self.process.stdout)

    @classmethod
    def join(cls, link, name, *args, env=None, wrap=()):
        c = cls("join", "-", "--name", name, *args, env=env, wrap=wrap)
        c.process.stdin.write((link + "\n").encode())
        c.process.stdin.flush()
        return c

    def say(self, **command):
        try:
            self.process.stdin.write((json.dumps(command) + "\n").encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            rest = self.lines.seen[-10:] + list(self.lines.queue.queue) + list(self.errors.queue.queue)
            raise Failure("the client has ended with %s: %s" % (self.process.wait(PATIENCE), "\n  ".join(map(str, rest))))

    def wait(self, what, want, patience=None):
        def match(line):
            try:
                event = json.loads(line)
            except ValueError:
                return None
            return event if want(event) else None
        return self.lines.wait(match, what, patience)

    def wait_state(self, state, patience=None):
        return self.wait("state " + state, lambda e: e.get("event") == "state" and e.get("state") == state, patience)

    def wait_event(self, kind, patience=None):
        """The next room event of that kind."""
        return self.wait("event " + kind, lambda e: e.get("event") == "room_event" and e["data"]["kind"] == kind, patience)["data"]

    def act(self, act, ok=True, **params):
        """Sends an act and waits for its reply."""
        self.say(act=act, **params)
        r = self.wait("reply to " + act, lambda e: e.get("event") == "reply")
        if ok and not r["ok"]:
            raise Failure("%s was refused: %s" % (act, r))
        return r

    def end(self, patience=None):
        try:
            return self.process.wait(patience or PATIENCE)
        finally:
            self.process.stdin.close()

    def kill(self):
        self.process.kill()
        self.process.wait()


class Folder:
    """A scratch folder with a home and a state folder for the clients."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="gavel-e2e-")
        for name in ("home", "state", "config", "run"):
            os.mkdir(os.path.join(self.path, name), 0o700)
        os.environ.update(HOME=os.path.join(self.path, "home"), XDG_STATE_HOME=os.path.join(self.path, "state"),
                          XDG_CONFIG_HOME=os.path.join(self.path, "config"))
        return self.path

    def __exit__(self, *error):
        os.environ.get("GAVEL_KEEP") or shutil.rmtree(self.path, ignore_errors=True)


def parse_link(link):
    m = re.fullmatch(r"https://([^/#]+?)(?::(\d+))?/j/([^#]+)#(.*)", link)
    parts = dict(p.split("=", 1) for p in m[4].split("&"))
    return {"host": m[1], "port": int(m[2] or 443), "room": m[3], "invite": parts["i"], "pin": parts.get("p")}


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def write_tone(path, freq, seconds, rate=48000, amplitude=0.3):
    """A WAV of a sine."""
    import wave
    import numpy
    t = numpy.arange(int(seconds * rate)) / rate
    pcm = (amplitude * 32767 * numpy.sin(2 * numpy.pi * freq * t)).astype("<i2")
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes(pcm.tobytes())


def read_wav(path):
    import wave
    import numpy
    with wave.open(path, "rb") as w:
        pcm = numpy.frombuffer(w.readframes(w.getnframes()), "<i2").astype(float) / 32768
        return pcm.reshape(-1, w.getnchannels())[:, 0], w.getframerate()


def tone_amplitude(pcm, rate, freq):
    """Amplitude of one frequency in the samples (Hann window)."""
    import numpy
    if len(pcm) == 0:
        return 0.0
    w = numpy.hanning(len(pcm))
    return float(2 * abs(numpy.sum(pcm * w * numpy.exp(-2j * numpy.pi * freq * numpy.arange(len(pcm)) / rate))) / numpy.sum(w))


def heard_share(pcm, rate, freq, window=0.1, least=0.05):
    """The share of windows in which the tone is clearly there."""
    n = int(window * rate)
    windows = [pcm[i:i + n] for i in range(0, len(pcm) - n + 1, n)]
    return sum(tone_amplitude(w, rate, freq) > least for w in windows) / max(len(windows), 1)


def main(test):
    began = time.monotonic()
    failed = None
    with Folder() as folder:
        try:
            test(folder)
        except Exception as e:  # whatever it was, the programs must go
            failed = traceback.format_exc() if not isinstance(e, Failure) else "%s\n%s" % (e, traceback.format_exc())
        for process in STARTED:  # a failed test leaves nothing behind
            if process.poll() is None:
                process.kill()
                process.wait()
    if failed:
        print("FAILED:", failed)
        sys.exit(1)
    print("passed in %.1f s" % (time.monotonic() - began))
