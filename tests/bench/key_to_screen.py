"""From a key to the bytes on the terminal: gavel on a pseudo-terminal (120x40) in a room with many people, on loopback.
Usage: key_to_screen.py [PEOPLE] [KEYS]; GAVEL_BUILD and GAVEL_SOURCE as for the end-to-end tests."""
import fcntl
import os
import select
import struct
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.environ["GAVEL_SOURCE"], "tests", "e2e"))
import crowd as people  # noqa: E402
import gavel_e2e as e2e  # noqa: E402

PEOPLE = int(sys.argv[1]) if len(sys.argv) > 1 else 500
KEYS = int(sys.argv[2]) if len(sys.argv) > 2 else 300
QUIET_S = 0.06


def terminal(link):
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = e2e.start([e2e.program("gavel"), "join", link, "--name", "Host", "--no-audio"], stdin=slave, stdout=slave, stderr=slave,
                        env=dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8"), start_new_session=True)
    os.close(slave)
    return process, master


def drain(master, quiet_s=QUIET_S):
    """What comes until nothing has come for that long."""
    seen = b""
    while select.select([master], [], [], quiet_s)[0]:
        seen += os.read(master, 65536)
    return seen


def measure(master, keys):
    """ms from writing the key to the first bytes that answer it."""
    out = []
    for key in keys:
        drain(master)
        begin = time.monotonic()
        os.write(master, key)
        if not select.select([master], [], [], 2)[0]:
            raise e2e.Failure("no answer to key %d, %r" % (len(out), key))
        os.read(master, 65536)
        out.append(1000 * (time.monotonic() - begin))
    return sorted(out)


def report(what, ms):
    print("%-40s p50 %5.1f ms  p99 %5.1f ms  max %5.1f ms" % (what, ms[len(ms) // 2], ms[len(ms) * 99 // 100], ms[-1]))


def test(folder):
    """The host comes last, so the cursor begins at the end of the list: 30 up, 30 down."""
    server = e2e.Server(folder)
    host, guest = server.create("big", "--no-lobby")
    crowd = people.Crowd()
    for n in range(PEOPLE - 1):
        crowd.join("Number %d" % n, guest)
        if n % 50 == 49:
            crowd.wait_count(n + 1, state="joined")
    crowd.wait_count(PEOPLE - 1, state="joined")
    process, master = terminal(host)
    drain(master, 2)
    report("an arrow key, %d people" % PEOPLE, measure(master, [b"\x1b[A" if n // 30 % 2 == 0 else b"\x1b[B" for n in range(KEYS)]))
    os.write(master, b"s")
    report("a key in the filter, %d people" % PEOPLE, measure(master, [b"1" if n % 2 == 0 else b"\x7f" for n in range(KEYS)]))
    process.terminate()
    process.wait(e2e.PATIENCE)
    crowd.close()
    server.stop()


e2e.main(test)
