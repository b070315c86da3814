"""Backups: gaveld makes one at start, as it will each hour; gavelctl makes, lists, verifies and restores them; a changed
byte is found out, and the database that is put back has the room as it was when it was saved."""
import glob
import os
import re
import sqlite3
import subprocess

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


def restored(folder, database, newest, verified):
    saved = next(v["events"] for v in verified if v["backup"] == newest)
    assert events(database) > saved
    refused(ctl(database, "restore", newest, "--to", database, ok=False), 3, "--aside")
    r = ctl(database, "restore", newest, "--to", database, "--aside")
    assert r["events"] == saved and r["rpo_s"] >= 0 and r["rto_s"] > 0, r
    assert events(database) == saved
    assert [p for p in glob.glob(database + ".2*") if not p.endswith(("-wal", "-shm"))], os.listdir(folder)
    elsewhere = os.path.join(folder, "state", "other.db")
    ctl(database, "restore", newest, "--to", elsewhere)
    assert events(elsewhere) == saved
    e2e_server = e2e.Server(folder)
    assert sorted(r["room"] for r in e2e_server.ctl("rooms")["rooms"]) == ["meeting", "plan"], "the rooms are there again"
    e2e_server.stop()


def test(folder):
    backups = os.path.join(folder, "backups")
    database = os.path.join(folder, "gavel.db")
    os.mkdir(backups, 0o700)
    newest, older, verified = live(folder, backups)
    corrupted_newest(database, backups, newest, os.path.basename(older))
    restored(folder, database, newest, verified)
    wrong = subprocess.run([e2e.program("gaveld"), "--config", os.path.join(folder, "gaveld.ini"), "--port", "0",
                            "--database", os.path.join(folder, "new.db"), "--socket", folder + "/s"], capture_output=True,
                           timeout=e2e.PATIENCE) if not os.rename(backups, backups + ".away") else None
    assert wrong.returncode != 0 and b"backups" in wrong.stderr, wrong  # a folder that is not there is told at once


e2e.main(test)
