"""New SRTP keys every two seconds, by a new DTLS association over the same addresses (checklist VY-38): the log counts at least
five changes in each direction's life, and the one who listens has no gap in what he hears."""
import os

import gavel_e2e as e2e

TONE = 700
WINDOW = 0.04  # s; two packets


def longest_gap(pcm, rate):
    """Seconds of the longest stretch without the tone, from its first to its last window."""
    import numpy
    n = int(rate * WINDOW)
    t = numpy.arange(n) / rate
    wave = numpy.exp(-2j * numpy.pi * TONE * t)
    there = [abs(numpy.dot(pcm[i:i + n], wave)) * 2 / n > 0.05 for i in range(0, len(pcm) - n, n)]
    first, last = there.index(True), len(there) - there[::-1].index(True)
    longest = run = 0
    for here in there[first:last]:
        run = 0 if here else run + 1
        longest = max(longest, run)
    return longest * WINDOW, (last - first) * WINDOW


def test(folder):
    config = os.path.join(folder, "gaveld.ini")
    with open(config, "w") as f:
        f.write("[media]\nrekey_seconds = 2\n")
    server = e2e.Server(folder, extra=["--config", config, "--log", "debug"])
    host_link, _ = server.create("den", "--no-lobby")
    tone = os.path.join(folder, "tone.wav")
    e2e.write_tone(tone, TONE, 60)
    ada = e2e.Client.join(host_link, "ada", "--play", tone)
    ada.wait_state("joined")
    bob = e2e.Client.join(host_link, "bob", "--record", os.path.join(folder, "heard.wav"))
    bob.wait_state("joined")
    changes = {}

    def count(line):
        if "msg=srtp.rekey" in line:
            member = [w for w in line.split() if w.startswith("member=")][0]
            changes[member] = changes.get(member, 0) + 1
        return len(changes) == 2 and min(changes.values()) >= 5

    server.log.wait(count, "five changes of keys for both")
    for client in (bob, ada):
        client.say(cmd="leave")
        assert client.end() == 0
    pcm, rate = e2e.read_wav(os.path.join(folder, "heard.wav"))
    gap, length = longest_gap(pcm, rate)
    assert length > 8, "the tone was heard for %.1f s" % length
    assert gap <= WINDOW, "a gap of %.2f s" % gap
    server.stop()


e2e.main(test)
