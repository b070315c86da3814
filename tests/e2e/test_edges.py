"""A room on two media threads: speakers and listeners on both, everybody hears, and both threads send."""
import json
import os
import re
import subprocess

import gavel_e2e as e2e

TOOL = os.path.join(e2e.BUILD, "tests", "bench", "gavel-load")
LISTENERS = 40


def check(what, said, condition):
    if not condition:
        raise e2e.Failure("%s: %s" % (what, said))


def thread_ms(server):
    """CPU milliseconds of each media thread."""
    found = {}
    tasks = "/proc/%d/task" % server.process.pid
    for task in os.listdir(tasks):
        with open(os.path.join(tasks, task, "comm")) as f:
            name = f.read().strip()
        if re.fullmatch(r"media\d+", name):
            with open(os.path.join(tasks, task, "schedstat")) as f:
                found[name] = int(f.read().split()[0]) / 1e6
    return found


def test(folder):
    config = os.path.join(folder, "edges.ini")
    with open(config, "w") as f:
        f.write(e2e.UNLIMITED + "[media]\nthreads = 2\nedge_from = 10\npacked_from = 30\n")
    server = e2e.Server(folder, extra=["--config", config])
    before = thread_ms(server)
    check("two media threads", before, len(before) == 2)
    # --talking: one or two of three at a time, so that all three ways of a packet are gone
    r = subprocess.run([TOOL, "--json", "--gavelctl", server.socket, "--listeners", str(LISTENERS), "--speakers", "3",
                        "--talking", "1,2", "--turn", "1", "--seconds", "8", "--decode", "2"],
                       capture_output=True, timeout=e2e.PATIENCE * 4)
    said = r.stdout.decode() + r.stderr.decode()
    check("exit code %d" % r.returncode, said, r.returncode == 0)
    load = json.loads(r.stdout)
    check("everybody heard", said, load["ok"] and load["deaf"] == 0 and load["failed"] == 0)
    check("the sines, whole", said, load["decoded"] == LISTENERS // 2 and load["decoded_wrong"] == 0 and load["lost"] == 0)
    after = thread_ms(server)
    worked = {name: after[name] - before[name] for name in after}
    check("both threads worked", worked, min(worked.values()) > 0.2 * max(worked.values()) > 0)
    server.stop()


e2e.main(test)
