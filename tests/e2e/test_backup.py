"""Backups: gaveld makes one at start, as it will each hour; gavelctl makes, lists, verifies and restores them; a changed
byte is found out, and the database that is put back has the room as it was when it was saved."""
import glob
import os
import re
import resource
import sqlite3
import subprocess
import time

import gavel_e2e as e2e

NAME = r"db-\d{8}T\d{2}(\d{4})?\.sqlite"


def ctl(database, *args, ok=True):
    """Without a gaveld."""
    r = subprocess.run([e2e.program("gavelctl"), "--json", "--database", database, "--socket", "/none", *args],
                       capture_output=True, timeout=e2e.PATIENCE)
    assert (r.returncode == 0) == ok, "gavelctl %s: %d %s%s" % (args, r.returncode, r.stdout.decode(), r.stderr.decode())
    return e2e.json.loads(r.stdout) if ok else r


def refused(r, code, text):
    assert r.returncode == code and text in r.stderr.decode(), "%d %s" % (r.returncode, r.stderr.decode())


def flip(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 1]))


def events(database):
    with sqlite3.connect("file:%s?mode=ro" % database, uri=True) as db:
        return db.execute("SELECT count(*) FROM event").fetchone()[0]


def start(folder, backups):
    config = os.path.join(folder, "gaveld.ini")
    with open(config, "w") as f:
        f.write("[backup]\nfolder = %s\n%s" % (backups, e2e.UNLIMITED))
    server = e2e.Server(folder, extra=["--config", config])
    return server


def live(folder, backups):
    server = start(folder, backups)
    made = server.log.wait(lambda l: re.search(NAME, l) if "backup made and verified" in l else None, "the first backup")[0]
    assert server.ctl("backup", "list")["backups"][0]["backup"] == made
    assert os.stat(os.path.join(backups, made)).st_mode & 0o777 == 0o600
    told, deadline = b"", time.monotonic() + e2e.PATIENCE
    while made.encode() not in told:  # the control thread writes it in its next turn
        assert time.monotonic() < deadline, told
        told = subprocess.run([e2e.program("gavelctl"), "--socket", server.socket, "audit", "query", "--action=backup.make"],
                              capture_output=True, timeout=e2e.PATIENCE).stdout
    metrics = server.ctl("metrics")["text"]
    assert "gavel_backups_total 1" in metrics and "gavel_backup_failures_total 0" in metrics
    server.create("meeting")
    host = e2e.Client.join(server.create("plan")[0], "host")
    host.wait_state("joined")
    for i in range(5):
        host.act("chat", text="words %d" % i)
    kept = {p: open(p, "rb").read() for p in glob.glob(os.path.join(backups, made + "*"))}
    now = server.ctl("backup", "now")["backup"]  # beside the live gaveld
    assert not any(map(os.path.exists, kept)), "only the newest of an hour stays"
    for path, data in kept.items():  # and put back, as if it were of the hour before
        with open(path, "wb") as f:
            f.write(data)
    assert re.fullmatch(NAME, now) and now != made, now
    host.act("chat", text="after the backup")
    verified = server.ctl("backup", "verify", "--all")["verified"]
    assert os.path.join(backups, now) in [v["backup"] for v in verified], verified
    drill = server.ctl("backup", "drill")
    assert drill["backup"].endswith(now) and 0 <= drill["rpo_s"] < 300 and 0 < drill["rto_s"] < 60, drill
    assert not glob.glob(backups + "/drill-*")
    to = os.path.join(folder, "gavel.db")
    refused(server.ctl("restore", os.path.join(backups, now), "--to", to, "--aside", check=False), 3, "in use")
    host.kill()
    server.kill()  # as a crash would
    return os.path.join(backups, now), os.path.join(backups, made), verified


def corrupted_newest(database, backups, newest, older):
    """37 of the catalogue: the newest one is damaged."""
    size = os.path.getsize(newest)
    for at in (20, size // 2, size - 1):
        flip(newest, at)
        refused(ctl(database, "backup", "verify", newest, ok=False), 3, "")
        flip(newest, at)
    ctl(database, "backup", "verify", newest)
    flip(newest, size // 2)
    r = ctl(database, "backup", "drill", "--folder", backups, ok=False)
    assert r.returncode == 3 and older in r.stdout.decode(), r  # told, and the one before can be put back
    refused(ctl(database, "restore", newest, "--to", database, "--aside", ok=False), 3, "")
    refused(ctl(database, "backup", "verify", "--all", "--folder", backups, ok=False), 3, os.path.basename(newest))
    flip(newest, size // 2)


def key_elsewhere(folder, database, newest):
    """The master key lies with systemd, or in a file of its own, in bytes or in hex."""
    key = os.path.join(folder, "gavel.key")
    os.rename(database + ".key", key)
    asked = [("audit", "verify"), ("backup", "verify", newest), ("audit", "query")]
    run = lambda verb, *more, **env: subprocess.run(
        [e2e.program("gavelctl"), "--database", database, "--socket", "/none", *more, *verb], capture_output=True,
        timeout=e2e.PATIENCE, env={**os.environ, **env})
    for verb in asked:
        r = run(verb)
        assert r.returncode != 0 and b"--master-key" in r.stderr, r
        assert run(verb, "--master-key", key).returncode == 0, verb
        assert run(verb, CREDENTIALS_DIRECTORY=folder).returncode == 0, verb
    with open(key, "rb") as f:
        text = f.read().hex()
    with open(key, "w") as f:
        f.write(text + "\n")
    assert run(asked[0], "--master-key", key).returncode == 0
    with open(key, "w") as f:
        f.write("no key")
    assert run(asked[0], "--master-key", key).returncode == 3
    assert run(asked[0], CREDENTIALS_DIRECTORY=folder).returncode == 3
    os.unlink(key)


def no_core(database):
    """gavelctl has keys in memory: neither a core file nor another process of its user gets them."""
    root, deadline = os.geteuid() == 0, time.monotonic() + e2e.PATIENCE
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    with open(e2e.program("gavelctl"), "rb") as f:
        sanitized = re.search(rb"__[at]san_", f.read())
    p = subprocess.Popen([e2e.program("gavelctl"), "account", "password", "x", "--password=-"], stdin=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, user=65534 if root else None,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)))

    def hidden():
        with open("/proc/%d/limits" % p.pid) as f:
            limit = next(l.split()[4:6] for l in f if l.startswith("Max core file size"))
        return limit == ["0", "0"] and (sanitized or not root or os.stat("/proc/%d/environ" % p.pid).st_uid == 0)
    while not hidden():
        assert p.poll() is None and time.monotonic() < deadline, "its memory can be had"
    p.stdin.close()
    p.wait(e2e.PATIENCE)


def restored(folder, database, newest, verified):
    saved = next(v["events"] for v in verified if v["backup"] == newest)
    assert events(database) > saved
    refused(ctl(database, "restore", newest, "--to", database, ok=False), 3, "--aside")
    r = ctl(database, "--operator=rita", "--ticket=CHG-7", "restore", newest, "--to", database, "--aside")
    assert r["events"] == saved and r["rpo_s"] >= 0 and r["rto_s"] > 0, r
    assert events(database) == saved + 1  # who put it back is the first entry
    out = subprocess.run([e2e.program("gavelctl"), "--database", database, "audit", "query", "--action=backup.restore"],
                         capture_output=True, timeout=e2e.PATIENCE).stdout.decode()
    assert os.path.basename(newest) in out and " ok " in out and "operator:rita" in out and "ticket=CHG-7" in out, out
    assert [p for p in glob.glob(database + ".2*") if not p.endswith(("-wal", "-shm"))], os.listdir(folder)
    elsewhere = os.path.join(folder, "state", "other.db")
    ctl(database, "restore", newest, "--to", elsewhere)
    assert events(elsewhere) == saved + 1 and not os.path.exists(elsewhere + ".key")
    ctl(database, "restore", newest, "--to", elsewhere, "--aside", "--write-key")
    assert os.stat(elsewhere + ".key").st_mode & 0o777 == 0o600
    key_elsewhere(folder, elsewhere, newest)
    e2e_server = e2e.Server(folder)
    assert sorted(r["room"] for r in e2e_server.ctl("rooms")["rooms"]) == ["meeting", "plan"], "the rooms are there again"
    e2e_server.stop()


def test(folder):
    backups = os.path.join(folder, "backups")
    database = os.path.join(folder, "gavel.db")
    os.mkdir(backups, 0o700)
    newest, older, verified = live(folder, backups)
    no_core(database)
    corrupted_newest(database, backups, newest, os.path.basename(older))
    restored(folder, database, newest, verified)
    wrong = subprocess.run([e2e.program("gaveld"), "--config", os.path.join(folder, "gaveld.ini"), "--port", "0",
                            "--database", os.path.join(folder, "new.db"), "--socket", folder + "/s"], capture_output=True,
                           timeout=e2e.PATIENCE) if not os.rename(backups, backups + ".away") else None
    assert wrong.returncode != 0 and b"backups" in wrong.stderr, wrong  # a folder that is not there is told at once


e2e.main(test)
