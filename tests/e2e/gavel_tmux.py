"""Windows of a tmux server of the test's own: what a person sees and types. Every wait is for output, with a deadline."""
import os
import re
import select
import shlex
import subprocess
import time

import gavel_e2e as e2e

SOCKET = "gavel-e2e-%d" % os.getpid()


def tmux(*args):
    r = subprocess.run(["tmux", "-u", "-L", SOCKET, "-f", "/dev/null", *args], capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=e2e.PATIENCE)
    if r.returncode != 0:
        raise e2e.Failure("tmux %s: %s" % (" ".join(args), r.stderr.decode()))
    return r.stdout.decode()


class Window:
    """A shell in a tmux window. The shell is sh: bash would repair the terminal by itself after a crash. What the window
    prints also goes into a fifo, so that waiting for a text is waiting for output, not for time."""

    def __init__(self, name, folder):
        self.name = name
        fifo = os.path.join(folder, name + ".out")
        os.mkfifo(fifo)
        self.output = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        tmux("new-session", "-d", "-s", name, "-x", "80", "-y", "24", "env PS1='sh> ' ENV= LC_ALL=C.UTF-8 sh")
        tmux("pipe-pane", "-t", name, "exec cat >" + shlex.quote(fifo))
        self.wait("sh>")

    def screen(self):
        return tmux("capture-pane", "-p", "-t", self.name)

    def wait(self, want, what=None):
        """The screen for which want (a text, or a function of the screen) is true."""
        deadline = time.monotonic() + e2e.PATIENCE
        while True:
            screen = self.screen()
            if want(screen) if callable(want) else want in screen:
                return screen
            left = deadline - time.monotonic()
            if left <= 0:
                raise e2e.Failure("%s does not show %s:\n%s" % (self.name, what or want, screen))
            if select.select([self.output], [], [], left)[0]:
                os.read(self.output, 65536)

    def wait_gone(self, text):
        return self.wait(lambda screen: text not in screen)

    def key(self, *names):
        tmux("send-keys", "-t", self.name, *names)

    def type(self, text):
        tmux("send-keys", "-t", self.name, "-l", text)

    def run(self, *command):
        """A command line in the shell; its exit code is shown as code=N."""
        self.type("clear; " + " ".join(shlex.quote(word) for word in command) + "; echo code=$?")
        self.key("Enter")

    def resize(self, w, h):
        tmux("resize-window", "-t", self.name, "-x", str(w), "-y", str(h))

    def asked(self, what):
        return tmux("display-message", "-p", "-t", self.name, what).strip()

    def child(self):
        shell = self.asked("#{pane_pid}")
        with open("/proc/%s/task/%s/children" % (shell, shell)) as f:
            return int(f.read().split()[0])

    def modes(self, path):
        """The terminal's modes, as stty prints them."""
        self.type("stty -g >%s && clear && echo modes''saved" % shlex.quote(path))
        self.key("Enter")
        self.wait("modessaved")
        with open(path) as f:
            return f.read()


def selected(name):
    """The cursor stands on this person."""
    return lambda screen: re.search(r"^> .*\b%s\b" % name, screen, re.M)


def end():
    subprocess.run(["tmux", "-L", SOCKET, "kill-server"], capture_output=True, timeout=e2e.PATIENCE)
