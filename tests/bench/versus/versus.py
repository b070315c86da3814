"""gavel beside the servers people would otherwise take: Janus AudioBridge, Janus VideoRoom and murmur, each in turn on the
same work, by the same load tool (tests/bench/load): 3 speakers of whom one or two talk, real speech, N listeners.

    GAVEL_BUILD=build/release GAVEL_SOURCE=. /usr/bin/python3 tests/bench/versus/versus.py --json versus.json

Needs root: it installs the peers (Debian's janus and mumble-server) unless they are there, and runs everything in a network
namespace of its own, from which nothing can leave; Janus needs an address that is not loopback's, so there is a veth pair in
it. The server has core 0, the load core 1, both at nice -19, so that what else runs is not measured. Each server three times:
talking (CPU, memory, delay of forwarded packets), a storm of joins in silence, and sines (from a speaker's first packet to the
first in which he can be heard, in a mix too). About a minute and a half a server and round."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["GAVEL_SOURCE"], "tests", "e2e"))
import gavel_e2e as e2e

ADDRESS = "10.99.0.1"
JOINERS = 50
PLUGINS = "/usr/lib/x86_64-linux-gnu/janus"
SENTENCES = (
    ("slt", """Good morning everyone. Before we begin, let us go through the points of last week. The report about the new building
is ready, and most of you have read it. I would like to hear what you think of the costs, and of the time it will take."""),
    ("rms", """Thank you. I have two questions about the second chapter. First, who is going to pay for the road, and second, when
will the people who live there be told. We promised them an answer in spring, and it is nearly summer now."""),
    ("awb", """The road will be paid by the county, as always. As for the neighbours, a letter was written, but it has not been sent
yet, because the map in it was wrong. I can bring the corrected map tomorrow, if somebody helps me to print it."""))


def install():
    if not (shutil.which("janus") and shutil.which("murmurd")):
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "janus", "mumble-server"], check=True,
                       env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}, stdout=sys.stderr)


def enter_namespace(program):
    if not os.environ.get("VERSUS_INSIDE"):
        os.environ["VERSUS_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--", sys.executable, os.path.abspath(program), *sys.argv[1:]])
    for command in ("link set lo up", "link add peer0 type veth peer name peer1", "addr add %s/24 dev peer0" % ADDRESS,
                    "link set peer0 up", "link set peer1 up"):
        subprocess.run(["ip", *command.split()], check=True)


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def speech(folder):
    files = []
    for voice, text in SENTENCES:
        files.append(os.path.join(folder, voice + ".wav"))
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", files[-1]], check=True)
    return files


class Gavel:
    name, listeners = "gavel", 1000

    def __init__(self, folder, rooms):
        self.server = e2e.Server(folder)
        self.process = self.server.process
        self.args = ["--gavelctl", self.server.socket]


class GavelPacked(Gavel):
    """Everybody asks for less, so that he gets 40 ms a packet."""
    name = "gavel, packed"

    def __init__(self, folder, rooms):
        super().__init__(folder, rooms)
        self.args += ["--bandwidth", "50"]


class Started:
    """A peer: waits until its port answers."""

    def start(self, folder, args, port):
        log = open(os.path.join(folder, self.name + ".log"), "wb")
        self.process = e2e.start(args, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.args = ["--peer", "%s/%s:%d" % (self.kind, ADDRESS, port)]
        for _ in range(100):
            if subprocess.run(["bash", "-c", "exec 3<>/dev/tcp/%s/%d" % (ADDRESS, port)], stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.1)
        raise e2e.Failure("%s does not listen: %s" % (self.name, log.name))


class Janus(Started):
    def __init__(self, folder, rooms):
        write(folder, "janus.jcfg", """general: {
  configs_folder = "%s"
  plugins_folder = "%s/plugins"
  transports_folder = "%s/transports"
  events_folder = "%s/events"
  loggers_folder = "%s/loggers"
  debug_level = 3
  session_timeout = 0
  %s
}
nat: { ice_enforce_list = "peer0" }
plugins: { disable = "libjanus_duktape.so,libjanus_echotest.so,libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,\
libjanus_sip.so,libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_voicemail.so" }
transports: { disable = "libjanus_http.so,libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,libjanus_rabbitmq.so" }
""" % (folder, PLUGINS, PLUGINS, PLUGINS, PLUGINS, "event_loops = %d" % self.loops if self.loops else ""))
        write(folder, "janus.transport.websockets.jcfg", 'general: {\n json = "compact"\n ws = true\n ws_port = 8188\n wss = false\n}\n')
        write(folder, "janus.plugin.audiobridge.jcfg", "general: {}\n" + "".join(
            'room-%d: {\n description = "r"\n sampling_rate = 48000\n}\n' % (i + 1) for i in range(rooms)))
        write(folder, "janus.plugin.videoroom.jcfg", "general: {}\n" + "".join(
            'room-%d: {\n description = "r"\n publishers = 16\n audiocodec = "opus"\n}\n' % (i + 1) for i in range(rooms)))
        self.start(folder, ["janus", "-F", folder, "-C", os.path.join(folder, "janus.jcfg"), "-o"], 8188)


class Bridge(Janus):
    name, kind, listeners, loops = "Janus AudioBridge", "bridge", 40, 0


class BridgeLoop(Janus):
    name, kind, listeners, loops = "Janus AudioBridge, event_loops=1", "bridge", 40, 1


class VideoRoom(Janus):
    name, kind, listeners, loops = "Janus VideoRoom, event_loops=1", "videoroom", 150, 1


class Murmur(Started):
    name, kind, listeners = "murmur", "murmur", 300

    def __init__(self, folder, rooms):
        ini = write(folder, "murmur.ini", """database=%s/murmur.sqlite
logfile=%s/murmur.out
host=%s
port=64738
users=5000
bandwidth=144000
autobanAttempts=0
bonjour=false
uname=root
""" % (folder, folder, ADDRESS))
        self.start(folder, [shutil.which("murmurd"), "-fg", "-ini", ini], 64738)


SERVERS = {"gavel": Gavel, "gavel-packed": GavelPacked, "bridge": Bridge, "bridge-loop": BridgeLoop, "videoroom": VideoRoom, "murmur": Murmur}


def run(kind, listeners, rooms, extra):
    """One run of one server: what gavel-load says of it."""
    with e2e.Folder() as folder:
        try:
            os.sched_setaffinity(0, {0})  # what is started inherits it
            server = kind(folder, rooms)
            os.sched_setaffinity(0, {1})
            args = [e2e.program("tests/bench/gavel-load"), "--json", *server.args, "--pid", str(server.process.pid),
                    "--listeners", str(listeners), "--rooms", str(rooms), *extra]
            r = subprocess.run(args, capture_output=True, timeout=180)
            sys.stderr.write(r.stderr.decode(errors="replace"))
            return json.loads(r.stdout) if r.stdout else {}
        finally:
            for process in e2e.STARTED:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            e2e.STARTED.clear()


def works(options, files):
    """Name, how many listeners (None: as many as the server carries), what else gavel-load is told."""
    said = [a for f in files for a in ("--speech", f)]
    yield "talking", options.listeners or None, ["--speakers", "3", "--talking", "1,1,2", *said, "--seconds", str(options.seconds), "--ramp", "50"]
    yield "joining", JOINERS, ["--speakers", "3", "--talking", "0", "--seconds", "1", "--ramp", "5000", "--decode", "0"]
    yield "sines", 20, ["--speakers", "3", "--talking", "1,1,2", "--turn", "1", "--seconds", str(options.seconds), "--decode", "1"]


# Row: where from, which key, how it is written; the last: whether the ratio to gavel is told.
ROWS = (("listeners", "talking", "listeners", "%d", False), ("failed or deaf", "talking", "bad", "%d", False),
        ("server CPU us per listener-second", "talking", "server_us_per_listener_second", "%.0f", True),
        ("packets per listener-second", "talking", "packets_per_listener_second", "%.1f", False),
        ("server cores used", "talking", "server_cores", "%.2f", False), ("load cores used", "talking", "load_cores", "%.2f", False),
        ("memory per participant KiB", "talking", "server_kib_per_participant", "%.0f", True),
        ("delay forwarded p50 ms", "talking", "delay_p50", "%.2f", True), ("delay forwarded p99 ms", "talking", "delay_p99", "%.2f", True),
        ("onset heard p50 ms (20 listeners)", "sines", "onset_p50", "%.1f", True),
        ("onset heard p99 ms (20 listeners)", "sines", "onset_p99", "%.1f", True),
        ("joins per second, storm of %d" % JOINERS, "joining", "joins_per_second", "%.0f", True),
        ("server CPU ms per join, storm", "joining", "server_ms_per_join", "%.2f", True),
        ("joins per second of server CPU", "joining", "server_joins_per_core_second", "%.0f", True),
        ("the same, of bare DTLS handshakes %", "joining", "joins_of_handshakes_percent", "%.0f", False))


def median(runs, key):
    values = [r["failed"] + r["deaf"] + r["decoded_wrong"] if key == "bad" else r[key] for r in runs if key == "bad" and r or key in r]
    return statistics.median(values) if values else None


def show(done):
    names = list(done)
    print("| | " + " | ".join(SERVERS[n].name for n in names) + " |\n|" + "---|" * (len(names) + 1))
    for title, work, key, form, compared in ROWS:
        values = [median(done[n].get(work, []), key) for n in names]
        base = values[0] if names[0] == "gavel" else None
        fields = []
        for i, v in enumerate(values):
            unknown = v is None or ("delay" in key and v == 0)
            ratio = " (x%.2g)" % (v / base) if compared and i and base and not unknown else ""
            fields.append("-" if unknown else form % v + ratio)
        print("| " + " | ".join([title, *fields]) + " |")


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--servers", default="gavel,gavel-packed,bridge,videoroom,murmur", help="of " + ", ".join(SERVERS))
    a.add_argument("--listeners", type=int, help="for all of them, instead of what each carries")
    a.add_argument("--rounds", type=int, default=1, help="each server once a round; the medians are told")
    a.add_argument("--seconds", type=int, default=18)
    a.add_argument("--works", default="talking,joining,sines")
    a.add_argument("--rooms-of-5", type=int, metavar="ROOMS", help="rooms of 2 speakers, who converse, and 3 listeners instead")
    a.add_argument("--json")
    options = a.parse_args()
    install()
    enter_namespace(__file__)
    os.setpriority(os.PRIO_PROCESS, 0, -19)
    done = {name: {} for name in options.servers.split(",")}
    with e2e.Folder() as folder:
        files = speech(folder)
        for _ in range(options.rounds):
            for name in done:
                kind = SERVERS[name]
                if options.rooms_of_5:
                    said = [a for f in files for a in ("--speech", f)]
                    extra = ["--speakers", "2", "--talking", "conversation", *said, "--seconds", str(options.seconds)]
                    extra += ["--ramp", "50", "--decode", "0"]
                    done[name].setdefault("talking", []).append(run(kind, 3, options.rooms_of_5, extra))
                    continue
                for work, n, extra in works(options, files):
                    if work in options.works.split(","):
                        n = n or kind.listeners
                        print(kind.name, work, n, file=sys.stderr, flush=True)
                        done[name].setdefault(work, []).append(run(kind, n, 1, extra))
    show(done)
    if options.json:
        with open(options.json, "w") as f:
            json.dump(done, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
