"""Webhooks and alerts with the real gaveld: signatures as Standard Webhooks has them, order in each room, an endpoint that dies and comes back,
kill -9 of gaveld meanwhile: nothing is lost; no private address unless allowed, no redirect followed, the certificate checked; the command
hook with its time limit; a certificate that ends soon, a full disk, a node that is gone; the runner ends with gaveld."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading
import time

import gavel_e2e as e2e

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


class Endpoint:
    """What an operator has: an HTTP server that keeps what it was sent. `status` is what it answers."""

    def __init__(self, port=0, tls=None):
        self.got, self.status, self.came, self.headers = [], 204, threading.Condition(), {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.came:
                    if outer.status < 300:
                        outer.got.append((dict((k.lower(), v) for k, v in self.headers.items()), body))
                    else:
                        outer.refused = getattr(outer, "refused", 0) + 1
                    outer.came.notify_all()
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = daemon_threads = True

        self.server = Server(("127.0.0.1", port), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def wait(self, what, want, patience=None):
        deadline = time.monotonic() + (patience or e2e.PATIENCE)
        with self.came:
            while not want(self):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise e2e.Failure("no %s; got %s" % (what, [b[-300:] for _, b in self.got[-8:]]))
                self.came.wait(min(left, 0.5))

    def events(self):
        return [json.loads(body) for _, body in self.got]


def signed(headers, body):
    """Verified as standardwebhooks.com says."""
    text = b"%s.%s.%s" % (headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body)
    want = "v1," + base64.b64encode(hmac.new(KEY, text, hashlib.sha256).digest()).decode()
    assert hmac.compare_digest(headers["webhook-signature"], want), (headers, want)
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert headers["content-type"] == "application/json" and json.loads(body)["id"] == headers["webhook-id"]


def write(folder, name, text, mode=0o600):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def serve(folder, name, conf, port=0):
    place = os.path.join(folder, name)
    os.makedirs(place, exist_ok=True)
    return e2e.Server(place, port=port, extra=("--config", write(place, "gaveld.conf", e2e.UNLIMITED + conf)))


def children(pid):
    out = []
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, task)) as f:
            out += [int(p) for p in f.read().split()]
    return out


def gone(pids):
    deadline = time.monotonic() + e2e.PATIENCE
    while any(os.path.exists("/proc/%d" % p) for p in pids):
        with_state = [open("/proc/%d/stat" % p).read().split(") ")[1][0] for p in pids if os.path.exists("/proc/%d" % p)]
        if all(s == "Z" for s in with_state):
            return
        assert time.monotonic() < deadline, "it outlives gaveld"
        time.sleep(0.05)


def another(keeper, dead):
    deadline = time.monotonic() + e2e.PATIENCE
    while True:
        now = [p for p in children(keeper) if p != dead]
        if now:
            return now[0]
        assert time.monotonic() < deadline, "no other runner"
        time.sleep(0.05)


def talk(client, text):
    client.act("chat", text=text)


def orders(events):
    """Each room's seq, in the order in which they came, without what came twice."""
    by = {}
    for e in events:
        line = by.setdefault(e["room"], [])
        if e["id"] not in [i for i, _ in line]:
            line.append((e["id"], e["data"]["seq"]))
    return {room: [seq for _, seq in line] for room, line in by.items()}


def webhooks(folder):
    endpoint = Endpoint()
    secret = write(folder, "secret", SECRET + "\n")
    conf = "[webhook]\nurl = http://127.0.0.1:%d/hook\nsecret_file = %s\nallow_private = yes\nevents = member.* chat.sent room.created\n" % (
        endpoint.port, secret)
    server = serve(folder, "hooks", conf)
    port = server.port
    den, barn = server.create("den", "--no-lobby"), server.create("barn", "--no-lobby")
    ann, bob = e2e.Client.join(den[0], "Annabel", "--no-audio"), e2e.Client.join(barn[0], "Bobby", "--no-audio")
    ann.wait_state("joined"), bob.wait_state("joined")
    talk(ann, "a secret text")
    endpoint.wait("chat", lambda e: any(x["type"] == "chat.sent" for x in e.events()))
    for headers, body in endpoint.got:
        signed(headers, body)
        assert b"Annabel" not in body and b"secret text" not in body, body
    kinds = {e["type"] for e in endpoint.events()}
    assert kinds == {"room.created", "member.joined", "chat.sent"}, kinds

    runner = children(server.process.pid)
    assert len(runner) == 1, runner
    runner += children(runner[0])
    assert len(runner) == 2, runner
    for fd in os.listdir("/proc/%d/fd" % runner[1]):  # nothing of gaveld's but stderr
        place = os.readlink("/proc/%d/fd/%s" % (runner[1], fd))
        assert fd == "2" or place == "/dev/null" or place.startswith(("socket:", "anon_inode:", "pipe:")), (fd, place)
    os.kill(runner[1], 11)  # it has died: there is another
    runner[1] = another(runner[0], runner[1])
    talk(ann, "by the other one")
    endpoint.wait("chat by another runner", lambda e: sum(x["type"] == "chat.sent" for x in e.events()) >= 2)
    assert "runner" not in raised(server)
    endpoint.status = 500  # refused, then gone, while both rooms go on, then gaveld is killed as well
    for i in range(5):
        talk(ann, "one %d" % i), talk(bob, "two %d" % i)
    endpoint.wait("refusals", lambda e: getattr(e, "refused", 0) >= 2)
    endpoint.close()
    for i in range(5):
        talk(ann, "three %d" % i), talk(bob, "four %d" % i)
    listed = server.ctl("webhook", "list")
    assert listed["queued"] >= 20 and listed["failed_tries"] >= 2 and listed["webhooks"][0]["state"] in ("waiting", "sending"), listed
    server.kill()
    gone(runner)
    server = serve(folder, "hooks", conf, port)
    assert server.ctl("webhook", "list")["queued"] >= 20
    ann.wait_state("joined"), bob.wait_state("joined")
    before = endpoint.got
    endpoint = Endpoint(endpoint.port)
    server.ctl("webhook", "retry")
    endpoint.wait("all of them", lambda e: sum(x["type"] == "chat.sent" for x in e.events()) >= 20)
    endpoint.wait("an empty queue", lambda e: server.ctl("webhook", "list")["queued"] == 0)
    for headers, body in endpoint.got:
        signed(headers, body)
    for room, seqs in orders([json.loads(b) for _, b in before + endpoint.got]).items():
        assert seqs == sorted(seqs), (room, seqs)
    chats = {r: [e for e in endpoint.events() if e["room"] == r and e["type"] == "chat.sent"] for r in ("den", "barn")}
    assert len({e["id"] for e in chats["den"]}) == 10 and len({e["id"] for e in chats["barn"]}) == 10, chats

    other = Endpoint()  # a redirect is an answer like any other that is not 2xx
    endpoint.status, endpoint.headers = 302, {"Location": "http://127.0.0.1:%d/" % other.port}
    talk(ann, "five")
    endpoint.wait("redirects", lambda e: getattr(e, "refused", 0) >= 1)
    held = server.ctl("webhook", "list")["webhooks"]
    assert not other.got and held, held
    server.ctl("webhook", "drop", held[0]["id"])
    server.ctl("webhook", "drop", "--all", check=False)
    assert server.ctl("webhook", "drop", "--all", check=False).returncode == 3
    assert server.ctl("webhook", "list")["queued"] == 0
    server.stop()
    endpoint.close(), other.close()


def certificate(folder, name, days):
    cert, key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(days), "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    os.chmod(key, 0o600)
    return cert, key


def what_went_wrong(folder, name, conf):
    """Why the first event is not delivered."""
    server = serve(folder, name, conf)
    server.create("den")
    deadline = time.monotonic() + e2e.PATIENCE
    while True:
        held = server.ctl("webhook", "list")["webhooks"]
        if held and held[0]["said"]:
            server.stop()
            return held[0]["said"]
        assert time.monotonic() < deadline, held
        time.sleep(0.1)


def not_everywhere(folder):
    endpoint = Endpoint()
    said = what_went_wrong(folder, "private", "[webhook]\nurl = http://127.0.0.1:%d/\n" % endpoint.port)
    assert "private address" in said and not endpoint.got, said
    said = what_went_wrong(folder, "named", "[webhook]\nurl = http://localhost:%d/\n" % endpoint.port)  # nor by a name that leads there
    assert "private address" in said and not endpoint.got, said
    endpoint.close()
    cert, key = certificate(folder, "endpoint", 30)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    endpoint = Endpoint(tls=tls)
    conf = "[webhook]\nurl = https://127.0.0.1:%d/\nallow_private = yes\n" % endpoint.port
    said = what_went_wrong(folder, "unknown", conf)
    assert "certificate" in said.lower() and not endpoint.got, said
    server = serve(folder, "known", conf + "ca_file = %s\n" % cert)
    server.create("den")
    endpoint.wait("what is sent to a known certificate", lambda e: e.got)
    server.stop()
    endpoint.close()
    for wrong, why in (("url = ftp://example.org/\n", "[webhook] url"), ("url = https://me@example.org/\n", "[webhook] url"),
                       ("url = https://\n", "[webhook] url"), ("url = https://example.org/\nevents = memebr.*\n", "[webhook] events")):
        place = write(folder, "wrong.conf", "[webhook]\n" + wrong)
        r = subprocess.run([e2e.program("gaveld"), "--config", place, "--database", os.path.join(folder, "w.db"), "--socket",
                            os.path.join(folder, "w.sock")], capture_output=True, timeout=e2e.PATIENCE)
        assert r.returncode == 2 and why in r.stderr.decode(), r


def raised(server):
    return {a["alert"]: a["text"] for a in server.ctl("alerts")["alerts"]}


def alerts(folder):
    cert, key = certificate(folder, "short", 5)
    log = os.path.join(folder, "told")
    script = "#!/bin/sh\nsleep 100 & env | grep -v ^_= | grep -v ^PWD= >%s.env\ncat >>%s\necho >>%s\n" % (log, log, log)
    command = write(folder, "told.sh", script, 0o700)
    endpoint, peer = Endpoint(), Endpoint(free_port())
    conf = """[server]
certificate = %s
key = %s
[ops]
port = %d
disk_free_mb = 99999999
[alert]
command = %s
webhook = http://127.0.0.1:%d/alert
secret_file = %s
watch_urls = http://127.0.0.1:%d/healthz
allow_private = yes
""" % (cert, key, free_port(), command, endpoint.port, write(folder, "secret2", SECRET), peer.port)
    peer.status = 200
    server = serve(folder, "alerts", conf)
    runners = children(server.process.pid)
    assert len(runners) == 2, runners
    runners += [p for keeper in runners for p in children(keeper)]
    assert len(runners) == 4, runners
    endpoint.wait("certificate and disk", lambda e: {x["alert"] for x in e.events()} >= {"certificate", "disk"})
    assert set(raised(server)) == {"certificate", "disk"}, raised(server)
    table = subprocess.run([e2e.program("gavel"), "watch", server.socket, "--once"], capture_output=True, timeout=e2e.PATIENCE, text=True)
    assert table.returncode == 0 and "alert: certificate, disk" in table.stdout, table
    for headers, body in endpoint.got:
        signed(headers, body)
    assert all(e["state"] == "raised" and e["type"] == "alert" and e["text"] for e in endpoint.events()), endpoint.events()
    began = time.monotonic()
    peer.close()
    endpoint.wait("node", lambda e: any(x["alert"] == "node" for x in e.events()))
    assert time.monotonic() - began < 20 and "127.0.0.1:%d" % peer.port in raised(server)["node"]
    peer = Endpoint(peer.port)
    peer.status = 200
    endpoint.wait("node again", lambda e: any(x["alert"] == "node" and x["state"] == "cleared" for x in e.events()))
    assert "node" not in raised(server)
    deadline = time.monotonic() + e2e.PATIENCE
    while True:  # the command has heard the same
        with open(log) as f:
            told = [json.loads(line) for line in f if line.strip()]
        if {(t["alert"], t["state"]) for t in told} >= {("certificate", "raised"), ("disk", "raised"), ("node", "raised"), ("node", "cleared")}:
            break
        assert time.monotonic() < deadline, told
        time.sleep(0.1)
    with open(log + ".env") as f:
        assert f.read().split() == ["PATH=/usr/local/bin:/usr/bin:/bin"]  # nothing of our environment
    text = server.ctl("metrics")["text"]
    assert 'gavel_alert_raised{alert="disk"} 1' in text and 'gavel_alert_raised{alert="node"} 0' in text
    lines = subprocess.run([e2e.program("gavelctl"), "--socket", server.socket, "--json", "audit", "query", "--action=alert.*"],
                           capture_output=True, timeout=e2e.PATIENCE).stdout.splitlines()
    actions = [(json.loads(l)["action"], json.loads(l)["target"]) for l in lines]
    assert {("alert.raise", "disk"), ("alert.raise", "node"), ("alert.clear", "node")} <= set(actions), actions
    os.kill(runners[0], 9)
    deadline = time.monotonic() + e2e.PATIENCE
    while "runner" not in raised(server):
        assert time.monotonic() < deadline, raised(server)
        time.sleep(0.1)
    server.stop()
    gone(runners)
    sleepers = subprocess.run(["pgrep", "-f", "^sleep 100$"], capture_output=True).stdout.split()
    ours = [p for p in sleepers if open("/proc/%d/environ" % int(p)).read().startswith("PATH=/usr/local/bin:/usr/bin:/bin")]
    assert not ours, "what the command left behind runs on"


def command_ends(folder):
    """The command does not outlive gaveld, however that ends."""
    log = os.path.join(folder, "command.pid")
    command = write(folder, "slow.sh", "#!/bin/sh\necho $$ >%s.new && mv %s.new %s\nexec sleep 1000\n" % (log, log, log), 0o700)
    server = serve(folder, "slow", "[ops]\ndisk_free_mb = 99999999\n[alert]\ncommand = %s\n" % command)
    deadline = time.monotonic() + e2e.PATIENCE
    while not os.path.exists(log):
        assert time.monotonic() < deadline, "the command does not run"
        time.sleep(0.05)
    with open(log) as f:
        pid = int(f.read())
    server.kill()
    gone([pid])


def test(folder):
    webhooks(folder)
    command_ends(folder)
    not_everywhere(folder)
    alerts(folder)


e2e.main(test)
