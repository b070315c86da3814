"""Speech through bad networks: speaker -> relay -> gaveld -> relay -> listener, real programs, one table.

Each cell is a link (see CELLS) put on the speaker's side (up), the listener's (down) or both; a link is impaired in both
directions. Several pairs talk at the same time in rooms of their own. The first words of each pass a clean path, delay
is measured against them. Needs flite, python3-pocketsphinx, pocketsphinx-en-us. docs/figures.md shows how to run it and
what came out.

--server bridge: the same words over the same links through Janus AudioBridge (with its defaults), in a network namespace and
as root, as tests/bench/versus does. A client of ours cannot speak to it, so both ends are gavel-load's: our codec (32 kb/s,
20 ms, LBRR for 10 % loss, DTX) at the mouth, our jitter buffer and decoder at the ear, no relay but the same model inside."""
import argparse
import concurrent.futures
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "versus"), os.path.join(os.environ["GAVEL_SOURCE"], "tests", "e2e")]
SKIP = 77
try:
    import numpy
    import gavel_e2e as e2e
    import score
    import versus
    import words
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(SKIP)
if not shutil.which("flite"):
    print("skipped: no flite")
    sys.exit(SKIP)

RELAY_ADDRESS = "127.0.0.2"  # the server has 127.0.0.1 and the same port
LISTENERS, SPEAKERS = 0, 1  # groups of the relay, in the order of joining
MEAN_BURST_MS = 80


def bursty(share):
    """Gilbert-Elliott: everything is lost in the bad state, which lasts MEAN_BURST_MS on average, whatever is sent."""
    return "bad=%d/%.1f/1" % (MEAN_BURST_MS, MEAN_BURST_MS * (1 - share) / share)


def cells():
    """Name, link, and what both clients are told of it."""
    yield "clean", "", ""
    for percent in (5, 10, 20, 30, 40, 50):
        yield "loss %d %% random" % percent, "loss=%.2f" % (percent / 100), ""
    for percent in (5, 10, 20, 30, 40, 50):
        yield "loss %d %% bursty" % percent, bursty(percent / 100), ""
    for ms in (60, 200):
        yield "jitter %d ms" % ms, "jitter=%d,shape=tail" % ms, ""
    for ms in (60, 200):
        yield "jitter %d ms, reordered" % ms, "jitter=%d,reorder=yes" % ms, ""
    for kbps in (300, 100, 50, 25, 12):
        yield "rate %d kb/s" % kbps, "rate=%d,queue=300" % (kbps * 1000), ""
    for kbps in (50, 25, 12):
        yield "rate %d kb/s, and told so" % kbps, "rate=%d,queue=300" % (kbps * 1000), "--bandwidth %dk" % kbps
    yield "loss 30 % bursty, low", bursty(0.3), "--bandwidth 20k"


CELLS = {name: link for name, link, _ in cells()}
TOLD = {name: told for name, _, told in cells()}
HOPS = {"up": SPEAKERS, "down": LISTENERS, "both": None}


class Relay:
    def __init__(self, port, seed, spec, hop, trace):
        args = [e2e.program("tests/bench/relay"), RELAY_ADDRESS, str(port), "127.0.0.1", str(port), "--seed", str(seed)]
        args += ["--up", spec, "--down", spec]
        if HOPS[hop] is not None:
            args += ["--only", str(HOPS[hop])]
        if trace:
            args += ["--trace", trace]
        self.process = e2e.start(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if b"ready" not in self.process.stdout.readline():
            raise e2e.Failure("the relay did not start")

    def order(self, word):
        self.process.stdin.write(word.encode() + b"\n")
        self.process.stdin.flush()

    def end(self):
        out, _ = self.process.communicate(timeout=5)
        return json.loads(out)


class Pair:
    """A room with one who speaks and one who listens."""

    def __init__(self, folder, index, seed, seconds):
        self.index = index
        self.recording = os.path.join(folder, "heard%d.wav" % index)
        self.file = os.path.join(folder, "spoken%d.wav" % index)
        self.spoken, self.said = words.make(seed, seconds)
        words.write(self.file, self.spoken)
        self.listener = self.speaker = None

    def make_room(self, server):
        links = server.create("room%d" % self.index, "--no-lobby")
        self.links = [link.replace(RELAY_ADDRESS, "127.0.0.1", 1) for link in links]  # only sound goes through the relay

    def join(self, group, extra):
        if group == LISTENERS:
            self.listener = e2e.Client.join(self.links[0], "listener", "--input", "null", "--record", self.recording, *extra)
        else:
            self.speaker = e2e.Client.join(self.links[1], "speaker", "--play", self.file, "--output", "null", *extra)

    def connected(self, group):
        client = self.listener if group == LISTENERS else self.speaker
        client.wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))

    def leave(self):
        for client in (self.speaker, self.listener):
            client.say(cmd="leave")
        for client in (self.speaker, self.listener):
            client.end()

    def events(self, client, kind):
        if not client:
            return []
        lines = client.lines.seen + [text for text in list(client.lines.queue.queue) if text]
        return [e for e in map(json.loads, lines) if e.get("event") == kind]

    def result(self, recogniser, hard):
        pcm, rate = words.read(self.recording)
        h = score.Heard(self.spoken, score.down3(pcm) if rate == 48000 else pcm)
        found = h.delays()
        late = [d * score.ENV * 1000 for _, d in found]
        words_only = self.spoken[int((words.WORDS_AT - 0.2) * words.RATE):]
        clean = recogniser.hear(words_only)
        heard = recogniser.hear(h.words_part())
        wrong = score.wrong_at(self.said, heard)
        half = len(self.said) // 2
        links = [e for e in self.events(self.listener, "link") if e["connected"]][1:]
        ups = [e for e in self.events(self.speaker, "link") if e["connected"]][1:]
        return {"words": len(self.said), "missing": h.missing(found), "late_ms": late, "leader": h.leader_like,
                "errors": len(wrong), "clean_errors": score.errors(self.said, clean),
                "later_words": len(self.said) - half, "later_errors": sum(at >= half for at in wrong),
                "tier_down": [e.get("tier_down", "") for e in links[len(links) // 2:]],
                "tier_up": [e.get("tier_up", "") for e in ups[len(ups) // 2:]],
                "copies": [e.get("copies_down", 0) for e in links[len(links) // 2:]],
                "hard_errors": hard and score.errors(self.said, hard.hear(h.words_part())),
                "hard_clean_errors": hard and score.errors(self.said, hard.hear(words_only)),
                "mos": [e["mos_down"] / 10 for e in links if e.get("mos_down")],
                "notices": [e["text"] for c in (self.listener, self.speaker) for e in self.events(c, "notice")],
                "buffer_ms": [e["buffer_ms"] for e in links],
                "concealed": [e["concealed_pct"] for e in links if "concealed_pct" in e]}


def run_pairs(relay, pairs, extra):
    for group in (LISTENERS, SPEAKERS):
        for p in pairs:
            p.join(group, extra)
        for p in pairs:
            p.connected(group)
        relay.order("next")
    began = time.monotonic()  # the speakers' files have been running for a moment
    time.sleep(words.GO_AT - 0.3)
    relay.order("go")
    time.sleep(words.length(pairs[0].spoken) - 0.3 - (time.monotonic() - began))


def wire(figures, pairs, group, way, key):
    """kb/s of one client of that group, with IP and UDP headers, on average."""
    if not figures["clients"]:
        return None
    return sum(c[way][key] for c in figures["clients"] if c["group"] == group) * 8 / 1000 / figures["seconds"] / pairs


def percentile(values, share):
    return float(numpy.percentile(values, share)) if values else None


def joined(results, key):
    return [x for r in results for x in r[key]]


def common(values):
    """What was said most often."""
    known = [v for v in values if v]
    return statistics.mode(known) if known else None


def mean(values):
    return statistics.mean(values) if values else None


def summary(name, hop, results, figures):
    late = joined(results, "late_ms")
    n, wrong, clean = (sum(r[k] for r in results) for k in ("words", "errors", "clean_errors"))
    later, later_wrong = (sum(r[k] for r in results) for k in ("later_words", "later_errors"))
    hard, hard_clean = (sum(r[k] or 0 for r in results) for k in ("hard_errors", "hard_clean_errors"))
    s = {"cell": name, "hop": hop, "hard_wer": hard / n if hard_clean else None, "hard_ratio": hard / hard_clean if hard_clean else None,
         "later_wer": later_wrong / later, "tier_down": common(joined(results, "tier_down")),
         "tier_up": common(joined(results, "tier_up")), "copies": mean(joined(results, "copies")), "mos": mean(joined(results, "mos")),
         "words": n, "errors": wrong, "clean_errors": clean, "wer": wrong / n,
         "clean_wer": clean / n, "ratio": wrong / clean if clean else None, "missing": mean([r["missing"] for r in results]),
         "late_p50_ms": percentile(late, 50), "late_p95_ms": percentile(late, 95), "pieces_found": len(late),
         "buffer_ms": mean(joined(results, "buffer_ms")), "concealed_pct": mean(joined(results, "concealed")),
         "leader": min(r["leader"] for r in results), "notices": joined(results, "notices"),
         "new_paths": len(figures["clients"]) - 2 * len(results) if figures["clients"] else None}
    ways = (("up", SPEAKERS, "up"), ("up_back", SPEAKERS, "down"), ("down", LISTENERS, "down"), ("down_back", LISTENERS, "up"))
    for key, group, way in ways:
        s[key + "_kbps"] = wire(figures, len(results), group, way, "bytes")
        s[key + "_out_kbps"] = wire(figures, len(results), group, way, "out_bytes")
    return s


def real_time(on):
    """This process and what it starts goes before all others, so that a busy machine is not measured instead of the link."""
    os.sched_setscheduler(0, os.SCHED_RR if on else os.SCHED_OTHER, os.sched_param(1 if on else 0))


def run_gavel(name, hop, options, run, folder, pairs):
    server = e2e.Server(folder, extra=("--public", RELAY_ADDRESS))
    for p in pairs:
        p.make_room(server)
    trace = options.trace and os.path.join(options.trace, re.sub(r"\W+", "_", "%s %s %d" % (name, hop, run)))
    relay = Relay(server.media_port, seed_of(options, run), CELLS[name], hop, trace)
    run_pairs(relay, pairs, options.client.split() + TOLD[name].split())
    figures = relay.end()
    for p in pairs:
        p.leave()
    server.kill()
    return figures


def run_bridge(name, hop, options, run, folder, pairs):
    server = versus.Bridge(folder, len(pairs))
    args = [e2e.program("tests/bench/gavel-load"), "--json", *server.args, "--rooms", str(len(pairs)), "--speakers", "1",
            "--listeners", "1", "--decode", "1", "--once", "--record", folder, "--seed", str(seed_of(options, run)),
            "--seconds", str(int(words.length(pairs[0].spoken)) + 1)]
    args += [x for p in pairs for x in ("--speech", p.file)]
    if CELLS[name]:
        args += ["--impair", CELLS[name], "--impair-after", str(int(words.GO_AT * 1000))]
        args += ["--impair-speakers"] if hop == "both" else []
    r = subprocess.run(args, capture_output=True, timeout=words.length(pairs[0].spoken) + 90)
    if not r.stdout:
        raise e2e.Failure("gavel-load: " + r.stderr.decode())
    said = json.loads(r.stdout)
    for p in pairs:
        p.recording = os.path.join(folder, "%d-0.wav" % p.index)
    server.process.kill()
    return {"seconds": said["seconds"], "clients": [], "concealed": said["concealed_percent"]}


def seed_of(options, run):
    return options.seed + run * options.pairs


def run_cell(name, hop, options, run):
    began = time.monotonic()
    if options.real_time:
        real_time(True)
    seed = seed_of(options, run)
    try:
        with e2e.Folder() as folder:
            pairs = [Pair(folder, i, seed + i, options.seconds) for i in range(options.pairs)]
            figures = (run_bridge if options.server == "bridge" else run_gavel)(name, hop, options, run, folder, pairs)
            took = time.monotonic() - began
            if options.real_time:
                real_time(False)
            recogniser = score.Recogniser()
            hard = score.Recogniser(options.hard) if options.hard else None
            results = [p.result(recogniser, hard) for p in pairs]
            for r in results if "concealed" in figures else ():
                r["concealed"] = [figures["concealed"]]
            return results, figures, took
    finally:
        for process in e2e.STARTED:
            if process.poll() is None:
                process.kill()
                process.wait()
        e2e.STARTED.clear()


# What each column says of one cell; a row has it for each hop.
COLUMNS = (("words wrong %", "wer", 100, "%.1f"), ("x clean", "ratio", 1, "%.1f"), ("in the later half %", "later_wer", 100, "%.1f"),
           ("hard: wrong %", "hard_wer", 100, "%.1f"), ("hard: x clean", "hard_ratio", 1, "%.2f"), ("missing %", "missing", 100, "%.0f"),
           ("concealed %", "concealed_pct", 1, "%.0f"), ("MOS", "mos", 1, "%.1f"), ("tier up", "tier_up", None, "%s"),
           ("tier down", "tier_down", None, "%s"), ("copies", "copies", 1, "%.1f"), ("late p50 ms", "late_p50_ms", 1, "%.0f"),
           ("late p95 ms", "late_p95_ms", 1, "%.0f"), ("buffer ms", "buffer_ms", 1, "%.0f"),
           ("speaker sends kb/s", "up_kbps", 1, "%.0f"), ("listener gets kb/s", "down_out_kbps", 1, "%.0f"),
           ("new paths", "new_paths", 1, "%d"))


def line(fields):
    print("| " + " | ".join(fields) + " |", flush=True)


def show_head(hops):
    print("Each field: the link on %s.\n" % " / ".join(hops))
    line(["link"] + [c[0] for c in COLUMNS])
    line(["---"] * (1 + len(COLUMNS)))


def show_row(name, parts):
    fields = [[form % (s[key] * scale if scale else s[key]) if s.get(key) is not None else "-" for s in parts]
              for _, key, scale, form in COLUMNS]
    line([name] + ["-" if set(f) == {"-"} else " / ".join(f) for f in fields])


def merged(name, hop, parts):
    """The runs of one cell as one."""
    figures = {"seconds": statistics.mean(p[1]["seconds"] for p in parts), "clients": [c for p in parts for c in p[1]["clients"]]}
    s = summary(name, hop, [r for p in parts for r in p[0]], figures)
    s["seconds"] = max(p[2] for p in parts)
    return s


def hops_of(name, options):
    return options.hops.split(",") if CELLS[name] else ["both"]


def table(options):
    """Prints the rows as they come; all figures, and whether every cell could be run."""
    names = [name for name in CELLS if re.search(options.cells, name)]
    for seed in range(options.seed, options.seed + options.runs * options.pairs):
        words.make(seed, options.seconds)  # the pool's processes inherit what is made here
    show_head(options.hops.split(","))
    done, complete = [], True
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        waiting = [(name, [(hop, [pool.submit(run_cell, name, hop, options, run) for run in range(options.runs)])
                           for hop in hops_of(name, options)]) for name in names]
        for name, row in waiting:
            try:
                parts = [merged(name, hop, [f.result() for f in futures]) for hop, futures in row]
                show_row(name, parts)
                done += parts
            except e2e.Failure as e:
                print("%s: %s" % (name, e), file=sys.stderr)
                complete = False
    return done, complete


def show(paths):
    """The table of saved figures; of a cell that is in several files the last counts."""
    cells_of = {}
    for path in paths:
        with open(path) as f:
            for s in json.load(f):
                cells_of.setdefault(s["cell"], {})[s["hop"]] = s
    show_head([hop for hop in HOPS if any(hop in row for row in cells_of.values())])
    for name in CELLS:
        if name in cells_of:
            show_row(name, [cells_of[name][hop] for hop in HOPS if hop in cells_of[name]])


def smoke(options):
    """One small cell that shows that the parts work together: spoken, impaired as asked, heard, understood."""
    name = "loss 10 % random"
    results, figures, took = run_cell(name, "down", options, 0)
    s = summary(name, "down", results, figures)
    down = [c["down"] for c in figures["clients"] if c["group"] == LISTENERS]
    lost, packets = sum(d["lost"] for d in down), sum(d["packets"] for d in down)
    print(json.dumps(s), "lost %d of %d, %.1f s" % (lost, packets, took))
    for good, what in ((s["clean_wer"] <= 0.2, "the clean recording is not understood"),
                       (s["leader"] > 0.6, "no leader was heard"), (s["wer"] <= 0.6, "most words were not understood"),
                       (packets > 200 and 0.04 < lost / packets < 0.17, "the loss is not 10 %"),
                       (s["up_out_kbps"] == s["up_kbps"], "the wrong hop lost packets")):
        if not good:
            print("FAILED:", what)
            return 1
    return 0


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--cells", default="", help="a regular expression: which of the grid's links")
    a.add_argument("--hops", default="up,down,both")
    a.add_argument("--pairs", type=int, default=4, help="rooms at the same time in a cell")
    a.add_argument("--runs", type=int, default=1, help="each with other words and another seed")
    a.add_argument("--seconds", type=float, default=words.SECONDS, help="of words in each room of a run")
    a.add_argument("--hard", type=int, default=0, metavar="WORDS", help="also with so many words more that nobody says to choose from")
    a.add_argument("--server", choices=("gavel", "bridge"), default="gavel")
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--jobs", type=int, default=2)
    a.add_argument("--client", default="", help="more options for every client")
    a.add_argument("--json", help="file for all figures")
    a.add_argument("--trace", help="folder for the relay's traces")
    a.add_argument("--real-time", action="store_true", help="before everything else on the machine; needs root")
    a.add_argument("--smoke", action="store_true")
    a.add_argument("--show", nargs="+", metavar="FILE", help="only print the table of figures saved before")
    options = a.parse_args()
    if options.show:
        show(options.show)
        return 0
    if options.smoke:
        return smoke(options)
    if options.server == "bridge":
        if options.jobs > 1 or "up" in options.hops:
            a.error("--server bridge: one job, and hops down or both")
        versus.install()
        versus.enter_namespace(__file__)
    done, complete = table(options)
    if options.json:
        with open(options.json, "w") as f:
            json.dump(done, f, indent=1)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
