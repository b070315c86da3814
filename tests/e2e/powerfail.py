#!/usr/bin/env python3
"""Nothing confirmed is lost: cut the power (see powerfail_shim.c) or kill -9, then look at what is left.

usage: powerfail.py WRITER [SEED]

200 cuts: 40 rounds start without a database and are cut while it is made or soon after; then 130 power cuts and 30
kills, each going on with what the round before left, in 8 lives of a database. What was confirmed is read from the writer's output; what is left is
checked by the writer's --verify in a fresh folder. The seed gives the instants, counted in writes and syncs,
so a run repeats."""
import os
import random
import shutil
import subprocess
import sys
import tempfile

FRESH, CUTS, KILLS, LIVES, FAR = 40, 130, 30, 8, 1500


def run_until_cut(writer, live, shadow, at):
    """Let the writer kill itself at its sync or write number `at`; what it had confirmed, per stream."""
    env = dict(os.environ, GAVEL_CUT_AT=str(at), **({"GAVEL_SHADOW": shadow} if shadow else {}))
    p = subprocess.run([writer, live + "/a.db"], stdout=subprocess.PIPE, env=env)
    if p.returncode != -9:
        sys.exit("the writer ended by itself: %d" % p.returncode)
    whole = [line for line in p.stdout.splitlines(keepends=True) if line.endswith(b"\n")]
    return whole[-1].decode().split() if whole else None


def copy_files(source, target):
    for name in os.listdir(source):
        if not name.endswith((".aside", ".lock", "-shm")):
            shutil.copy2(os.path.join(source, name), target)


def one(writer, folder, kept, before, at, power):
    """One round: the folder with what is left and what was confirmed; None when something is lost."""
    live, left = tempfile.mkdtemp(dir=folder), tempfile.mkdtemp(dir=folder)
    shadow = tempfile.mkdtemp(dir=folder) if power else None
    for target in filter(None, (live, shadow)):
        if kept:
            copy_files(kept, target)
    confirmed = run_until_cut(writer, live, shadow, at) or before
    copy_files(shadow or live, left)
    sizes = ["%s %d" % (name, os.path.getsize(os.path.join(left, name))) for name in sorted(os.listdir(left))]
    print("%s at %4d, confirmed %s, left: %s" % ("power cut" if power else "kill -9", at, " ".join(confirmed),
          ", ".join(sizes) or "nothing"), flush=True)
    ok = subprocess.run([writer, "--verify", left + "/a.db", *confirmed]).returncode == 0
    for old in filter(None, (live, shadow)):
        shutil.rmtree(old)
    return (left, confirmed) if ok else None


def main():
    writer, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print("seed %d" % seed)
    chance = random.Random(seed)
    rounds = [(chance.randint(1, 30), i % 2 == 0, True) for i in range(FRESH)]
    later = [True] * CUTS + [False] * KILLS
    chance.shuffle(later)
    rounds += [(chance.randint(1, FAR), power, i % (len(later) // LIVES) == 0) for i, power in enumerate(later)]
    with tempfile.TemporaryDirectory(prefix="gavel-powerfail-") as folder:
        kept, before, bad = None, ["0", "0", "0"], 0
        for at, power, fresh in rounds:
            result = one(writer, folder, None if fresh else kept, ["0", "0", "0"] if fresh else before, at, power)
            bad += result is None
            if result:
                kept, before = result
        print("%d rounds, %d with a loss" % (len(rounds), bad))
        return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
