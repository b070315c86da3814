"""A real terminal: host and guest, each in a tmux window of its own. What a person sees and types is what is tested: lobby,
admit, mute, undo, chat, a storm of resizes, a removal that asks first; then a crash, after which the terminal must be as it
was before."""
import os
import random
import re
import signal

import gavel_e2e as e2e
import gavel_tmux
from gavel_tmux import Window, selected

SEED = int(os.environ.get("GAVEL_SEED", "20"))


def steady(screen):
    """The screen without what moves by itself: meters, talk marks, round trip time."""
    for moving, still in ((r"[\u2588-\u258f\u00b7]+", ""), (r"(?m)^(..)\*", r"\1"), (r"\d+ ms", "ms"), (" +", " ")):
        screen = re.sub(moving, still, screen)
    return [line.strip() for line in screen.splitlines()]


def join(host, guest, link):
    guest.run(e2e.program("gavel"), "join", link, "--name", "bob", "--play", os.path.join(e2e.SOURCE, "tests/data/alice.opus"),
              "--output", "null")
    guest.wait("You are in the lobby of standup.")
    guest.wait("MIC TEST, nobody hears you yet")
    host.wait("1 waits: bob")
    host.key("a")
    host.wait("You let bob in.")
    guest.wait("People (2)")


def moderate(host, guest):
    host.key("Down")
    host.wait(selected("bob"))
    host.key("m")
    guest.wait("MUTED BY HOST")
    host.wait("You muted bob - u undoes")
    host.key("u")
    guest.wait("ON AIR")
    host.key("Enter")
    host.wait("say>")
    host.type("who takes the minutes? q x a")  # letters are text while typing
    host.key("Enter", "Escape")
    guest.wait("carol: who takes the minutes? q x a")
    host.wait_gone("say>")


def storm(*windows):
    dice = random.Random(SEED)
    before = []
    for w in windows:
        w.key("Escape")  # takes the notice away, which would run out by itself
        before.append(steady(w.wait(lambda s: steady(s)[-2] in ("NO MICROPHONE", "MIC OFF", "ON AIR"))))
    for _ in range(20):
        size = dice.randint(20, 200), dice.randint(5, 60)
        for w in windows:
            w.resize(*size)
        for w in windows:  # header on top, microphone at the bottom, and the whole height used
            screen = w.wait(lambda s: s.startswith(" standup") and re.search(r"MIC|ON AIR", "".join(s.splitlines()[-2:])))
            assert len(screen.splitlines()) == size[1], (size, screen)
    for w, want in zip(windows, before):
        w.resize(80, 24)
        w.wait(lambda s: steady(s) == want, what="the screen of before the storm:\n" + "\n".join(want))


def remove(host, guest):
    host.wait(selected("bob"))
    host.key("x")
    assert "[N] no" in host.wait("Remove bob from standup?")
    host.key("Enter")  # the default is No
    host.wait_gone("Remove bob from standup?")
    assert "People (2)" in guest.screen()
    host.key("x")
    host.wait("Remove bob from standup?")
    host.key("y")
    guest.wait("You were removed from the room by carol.")
    host.wait("People (1)")
    guest.key("q")
    assert "gavel: you were removed from the room by carol" in guest.wait("code=4")


def crash(guest, before, folder):
    pid = guest.child()
    assert os.readlink("/proc/%d/fd/2" % pid).endswith("/gavel/gavel.log"), "standard error must not reach the screen"
    assert guest.asked("#{alternate_on}") == "1"
    os.kill(pid, signal.SIGSEGV)
    guest.wait("code=139")
    assert guest.asked("#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{keypad_flag}") == "0 1 0 0"
    after = guest.modes(os.path.join(folder, "after"))
    assert after == before, (before, after)
    guest.type("echo hel''lo")
    guest.key("Enter")
    guest.wait("\nhello\n")


def both(folder):
    host, guest = Window("host", folder), Window("guest", folder)
    before = guest.modes(os.path.join(folder, "before"))
    bare = not os.path.isdir("/dev/snd")
    host.run("env", "PULSE_SERVER=none", e2e.program("gavel"), "host", "standup", "--listen", "127.0.0.1", "--name", "carol",
             "--output", "null", "--input", "" if bare else "null")
    host.wait("1 here")
    if bare:  # no sound card: said in one sentence, and on it goes
        host.wait("No microphone: the others cannot hear you.")
    with open(os.path.join(os.environ["XDG_STATE_HOME"], "gavel", "standup.links")) as f:
        link = f.read().split()[1]
    join(host, guest, link)
    moderate(host, guest)
    storm(host, guest)
    remove(host, guest)
    join(host, guest, link)
    crash(guest, before, folder)
    host.wait("1 away")
    host.key("C-c")
    host.wait("Leave standup?")
    host.key("C-c")
    host.wait("code=0")


def test(folder):
    try:
        both(folder)
    finally:
        gavel_tmux.end()


if __name__ == "__main__":
    e2e.main(test)
