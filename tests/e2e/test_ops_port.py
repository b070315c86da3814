"""The operator's port: who may come, metrics as promtool and a real Prometheus read them, readiness, and that the public port has none of
it. Also the files of docs/ops: every expression names metrics that there are."""
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import time

import gavel_e2e as e2e

TOKEN = "a-token-for-the-scraper-0123456789"
OPS = os.path.join(e2e.SOURCE, "docs", "ops")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(port, path, headers=None, source=None):
    """(status, headers, text); OSError when nobody listens or lets us in."""
    tls = ssl._create_unverified_context()
    c = http.client.HTTPSConnection("127.0.0.1", port, timeout=e2e.PATIENCE, context=tls, source_address=(source, 0) if source else None)
    try:
        c.request("GET", path, headers=headers or {})
        r = c.getresponse()
        return r.status, dict(r.getheaders()), r.read().decode()
    finally:
        c.close()


def refused(port, source):
    try:
        get(port, "/healthz", source=source)
    except (OSError, http.client.HTTPException):
        return True
    return False


def serve(folder, name, ops, extra=""):
    """gaveld with an operator's port."""
    place = os.path.join(folder, name)
    os.mkdir(place)
    port = free_port()
    conf = os.path.join(place, "gaveld.conf")
    with open(conf, "w") as f:
        f.write(e2e.UNLIMITED + extra + "[ops]\nport = %d\n" % port + ops)
    return e2e.Server(place, extra=("--config", conf)), port


def refusal(folder, ops):
    conf = os.path.join(folder, "wrong.conf")
    with open(conf, "w") as f:
        f.write("[ops]\nport = %d\n" % free_port() + ops)
    r = subprocess.run([e2e.program("gaveld"), "--config", conf, "--listen", "127.0.0.1", "--port", "0", "--database",
                        os.path.join(folder, "wrong.db"), "--socket", os.path.join(folder, "wrong.sock")],
                       capture_output=True, timeout=e2e.PATIENCE)
    assert r.returncode == 2, r
    return r.stderr.decode()


def configuration(folder):
    assert "[ops] allow is missing" in refusal(folder, "listen = 0.0.0.0\n")
    assert "[ops] allow:" in refusal(folder, "allow = 0.0.0.0/0\n")
    assert "[ops] allow:" in refusal(folder, "allow = nonsense\n")
    loose = os.path.join(folder, "loose")
    with open(loose, "w") as f:
        f.write(TOKEN + "\n")
    os.chmod(loose, 0o644)
    assert "[ops] token_file" in refusal(folder, "token_file = %s\n" % loose)
    with open(loose, "w") as f:
        f.write("short\n")
    os.chmod(loose, 0o600)
    assert "[ops] token_file" in refusal(folder, "token_file = %s\n" % loose)


def allow_list(folder):
    server, port = serve(folder, "allowed", "allow = 127.0.0.2, 10.0.0.0/8\n")
    assert refused(port, "127.0.0.1") and refused(port, "127.0.0.3")
    assert get(port, "/healthz", source="127.0.0.2")[0] == 200
    assert get(server.port, "/healthz", source="127.0.0.1")[0] == 200  # the public port is for all
    server.stop()


def public_port_has_none(server):
    assert get(server.port, "/healthz")[2] == "ok\n"
    for path in ("/metrics", "/readyz"):
        for headers in ({}, {"Authorization": "Bearer " + TOKEN}):
            assert get(server.port, path, headers)[0] == 404, path


def names_of(text):
    return set(re.findall(r"^# TYPE (\S+)", text, re.M)) | set(re.findall(r"^([a-z_]+)[ {]", text, re.M))


def metrics(server, port):
    assert get(port, "/metrics")[0] == 401
    assert get(port, "/metrics", {"Authorization": "Bearer wrong" + TOKEN})[0] == 401
    status, headers, text = get(port, "/metrics", {"Authorization": "Bearer " + TOKEN})
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4"), headers
    r = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=e2e.PATIENCE)
    assert r.returncode == 0 and not r.stdout and not r.stderr, r
    value = {m[1]: float(m[2]) for m in re.finditer(r"^(\S+) (\S+)$", text, re.M)}
    assert value["gavel_rooms"] == 1 and value["process_open_fds"] > 5 and value["process_resident_memory_bytes"] > 1e6, value
    real = len(os.listdir("/proc/%d/fd" % server.process.pid))
    assert abs(value["process_open_fds"] - real) <= 3, (value["process_open_fds"], real)
    assert abs(value["process_start_time_seconds"] - time.time()) < 120 and value["process_cpu_seconds_total"] > 0
    assert value["gavel_certificate_expiry_timestamp_seconds"] > time.time() + 86400
    assert value["gavel_disk_free_bytes"] > 0 and value["gavel_database_size_bytes"] > 0
    names = names_of(server.ctl("metrics")["text"])
    assert names == names_of(text)  # gavelctl shows the same
    for secret in ("nursery", "127.0.0.1", "Ann"):
        assert secret not in text, secret
    return text


def scraped(folder, port):
    """A real Prometheus comes with the token and finds what we say."""
    web = free_port()
    token, conf = os.path.join(folder, "scrape-token"), os.path.join(folder, "prometheus.yml")
    with open(token, "w") as f:
        f.write(TOKEN)
    with open(conf, "w") as f:
        f.write("""global: {scrape_interval: 1s}
rule_files: [%s/alerts.yml]
scrape_configs:
  - job_name: gavel
    scheme: https
    tls_config: {insecure_skip_verify: true}
    authorization: {credentials_file: %s}
    static_configs: [{targets: ["127.0.0.1:%d"]}]
""" % (OPS, token, port))
    with open(os.path.join(folder, "prometheus.log"), "w") as log:
        p = e2e.start(["prometheus", "--config.file", conf, "--storage.tsdb.path", os.path.join(folder, "tsdb"), "--web.listen-address",
                       "127.0.0.1:%d" % web], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    names = ("up", "gavel_rooms", "process_cpu_seconds_total")
    found, deadline = {}, time.monotonic() + e2e.PATIENCE * 2
    while time.monotonic() < deadline and not all(found.get(name) for name in names):
        for name in names:
            try:
                c = http.client.HTTPConnection("127.0.0.1", web, timeout=5)
                c.request("GET", "/api/v1/query?query=" + name)
                result = json.loads(c.getresponse().read())["data"]["result"]
                found[name] = result and float(result[0]["value"][1])
                c.close()
            except (OSError, ValueError, KeyError):
                pass
        time.sleep(0.2)  # Prometheus comes once a second
    c = http.client.HTTPConnection("127.0.0.1", web, timeout=5)
    c.request("GET", "/api/v1/rules")
    rules = [r for g in json.loads(c.getresponse().read())["data"]["groups"] for r in g["rules"]]
    c.close()
    p.terminate()
    p.wait(e2e.PATIENCE)
    assert found.get("up") == 1 and found["gavel_rooms"] == 1 and found["process_cpu_seconds_total"] > 0, found
    assert len(rules) >= 8 and all(not r.get("lastError") for r in rules), rules


def promtool(*args):
    r = subprocess.run(["promtool", *args], capture_output=True, timeout=e2e.PATIENCE * 2, cwd=OPS)
    assert r.returncode == 0, (args, r.stdout.decode(), r.stderr.decode())


def named_in(expression):
    """The metrics a PromQL expression names: what is left without labels, strings, ranges and PromQL's own words."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", bare)
    words = set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.sub(r"\b\d+(?:\.\d+)?(?:e\d+)?[smhdwy]?\b", " ", bare)))
    functions = set(re.findall(r"\b([a-z_]+)\s*\(", bare))
    return words - functions - {"and", "or", "unless", "bool", "offset", "by"}


def files(text):
    promtool("check", "rules", "alerts.yml")
    promtool("test", "rules", "alerts_test.yml")
    promtool("check", "config", "--syntax-only", "prometheus.yml")
    known = names_of(text) | {"up"}
    with open(os.path.join(OPS, "grafana-dashboard.json")) as f:
        board = json.load(f)
    panels = [p for p in board["panels"] if p["type"] != "row"]
    expressions = [t["expr"] for p in panels for t in p["targets"]]
    assert len(panels) >= 12 and len({p["id"] for p in board["panels"]}) == len(board["panels"])
    assert all(p["title"] and p["fieldConfig"]["defaults"]["unit"] for p in panels)
    with open(os.path.join(OPS, "alerts.yml")) as f:
        expressions += re.findall(r"^\s*expr: (.*)$", f.read(), re.M)
    assert len(expressions) > 25
    for e in expressions:
        names = named_in(e)
        assert names and not names - known, ("no such metric", names - known, e)
    assert named_in('sum by (x) (rate(gavel_nothing_total{a="b"}[5m])) > 3') == {"gavel_nothing_total"}


def readiness(folder):
    server, port = serve(folder, "ready", "disk_free_mb = 99999999\n")
    status, headers, text = get(port, "/readyz")
    assert status == 503 and json.loads(text) == {"ready": False, "not": ["disk"]}, text
    assert "retry-after" in headers and get(port, "/healthz")[0] == 200
    server.stop()


def full_disk(folder):
    """What the database's disk takes no more makes it unready, and it is ready again once there is room."""
    if os.geteuid() != 0:
        print("not root: no small disk can be made")
        return
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
    try:
        server, port = serve(disk, "full", "disk_free_mb = 0\n")
        with open(os.path.join(disk, "fill"), "wb", buffering=0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass
        assert server.ctl("create", "den", check=False).returncode == 3
        assert json.loads(get(port, "/readyz")[2]) == {"ready": False, "not": ["database"]}
        os.unlink(os.path.join(disk, "fill"))
        deadline = time.monotonic() + e2e.PATIENCE
        while get(port, "/readyz")[0] != 200:
            assert time.monotonic() < deadline, get(port, "/readyz")
            time.sleep(0.1)
        server.stop()
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test(folder):
    configuration(folder)
    allow_list(folder)
    readiness(folder)
    full_disk(folder)
    token = os.path.join(folder, "token")
    with open(token, "w") as f:
        f.write(TOKEN + "\n")
    os.chmod(token, 0o600)
    server, port = serve(folder, "whole", "token_file = %s\n" % token)
    server.create("nursery")
    public_port_has_none(server)
    status, _, text = get(port, "/readyz")
    assert status == 200 and json.loads(text) == {"ready": True, "not": []}, text
    text = metrics(server, port)
    files(text)
    scraped(folder, port)
    server.stop()


e2e.main(test)
