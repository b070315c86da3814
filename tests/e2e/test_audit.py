"""The audit log from outside: what operators and strangers do stands in it, it is queried, exported, reported and checked; and each way
to tamper with a copy of the database is found and named."""
import csv
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time

import gavel_e2e as e2e

EDITED, DELETED, SWAPPED, INSERTED, TRUNCATED, RECHAINED, SIGNATURE = range(10, 17)


def ctl(*args, code=0):
    """gavelctl beside the server; its output."""
    r = subprocess.run([e2e.program("gavelctl"), *args], capture_output=True, timeout=e2e.PATIENCE)
    assert r.returncode == code, "gavelctl %s: %d, not %d: %s%s" % (" ".join(args), r.returncode, code, r.stdout, r.stderr)
    return r.stdout.decode() + r.stderr.decode()


class Audit:
    def __init__(self, server):
        self.server = server

    def ask(self, *args, code=0):
        return ctl("--socket", self.server.socket, *args, code=code)

    def query(self, *filters):
        out = self.ask("--json", "audit", "query", *filters)
        return [json.loads(line) for line in out.splitlines()]

    def one(self, *filters):
        found = self.query(*filters)
        assert len(found) == 1, "%s: %s" % (filters, found)
        return found[0]


def operators(a):
    """Who did it, by which ticket; refusals too; a name is only a name."""
    a.ask("--operator", "ann", "--ticket", "CHG-1", "create", "den")
    a.ask("--operator", "ann", "--ticket", "CHG-1", "lock", "den")
    a.ask("--operator", "bob", "unlock", "den")
    a.ask("--operator", "bob", "unlock", "den", code=3)
    e = a.one("--action", "room.lock")
    assert (e["actor"], e["ticket"], e["room"], e["outcome"]) == ("operator:ann", "CHG-1", "den", "ok"), e
    assert [e["outcome"] for e in a.query("--actor=operator:bob", "--action=room.unlock")] == ["ok", "no_change"]
    assert a.one("--outcome", "no_change")["actor"] == "operator:bob"
    a.ask("--operator", "eve\n9 system ok", "lock", "den")
    lines = [l for l in a.ask("audit", "query").splitlines() if "eve" in l]
    assert len(lines) == 1 and re.match(r" *\d+ \S+ operator:eve_9_system_ok +room.lock +- +den +ok", lines[0]), lines
    assert a.query("--since=1d") == a.query() and a.query("--until=1d") == [] and a.query("--room=nowhere") == []
    assert {e["action"] for e in a.query("--action=room.*")} >= {"room.lock", "room.create"}
    assert a.query()[0]["action"] == "server.start" and re.fullmatch("[0-9a-f]{64}", a.query()[0]["meta"]["config"])


def people(a, guest_link, host_link):
    """Pseudonyms, never names, texts or addresses."""
    host = e2e.Client.join(host_link, "Hanna Canary")
    host.wait_state("joined")
    host.act("chat", text="words nobody keeps canary")
    host.act("lock")
    host.act("unlock")
    eve = e2e.Client.join(re.sub(r"i=....", "i=AAAA", guest_link), "Eve\nCanary")
    eve.wait("refusal", lambda e: "bad_invite" in json.dumps(e))
    eve.kill()
    chat = a.one("--action", "room.chat")
    assert re.fullmatch("p-[0-9a-f]{16}", chat["actor"]) and chat["net"] == "127.0.0.0/24", chat
    refused = a.one("--action=room.join", "--outcome=bad_invite")
    assert refused["actor"] == "stranger" and refused["net"] == "127.0.0.0/24", refused
    whole = a.ask("audit", "query") + json.dumps(a.query())
    assert "anary" not in whole and "127.0.0.1" not in whole
    pid = chat["actor"]
    mine = a.query("--user", pid)
    assert {e["action"] for e in mine} >= {"room.join", "room.chat", "room.lock"} and all(e["actor"] == pid for e in mine), mine
    host.kill()
    a.ask("audit", "query", "--user", "nobody@nowhere", code=3)


def names(a, folder):
    """A name only where it is asked for; one can look for it."""
    secret = os.path.join(folder, "password")
    with open(secret, "w") as f:
        f.write("a long enough pass phrase\n")
    a.ask("account", "create", "canary", "--password", secret)
    made = a.one("--action", "account.create")
    assert re.fullmatch("p-[0-9a-f]{16}", made["target"]) and "canary" not in json.dumps(made), made
    assert a.one("--user", "canary") == made
    assert "canary" in a.ask("audit", "query", "--names", "--user", "canary")
    assert "canary" not in a.ask("audit", "query") and "pass phrase" not in a.ask("audit", "query")


def reload(a, folder):
    ini = os.path.join(folder, "gaveld.ini")
    with open(ini, "a") as f:
        f.write("[server]\nlog = debug\nname = other\nkey = /secret/path.pem\n[privacy]\nchat_days = 7\n")
    a.server.process.send_signal(signal.SIGHUP)
    a.server.log.wait(lambda l: "setting=server.name" in l, "warning of a setting that waits for a restart")
    changes = a.one("--action", "config.change")["meta"]["changes"]
    assert changes["privacy.chat_days"] == {"from": "0", "to": "7", "now": True}, changes
    assert changes["server.name"]["now"] is False and "secret" not in json.dumps(changes), changes
    with open(ini, "a") as f:
        f.write("nonsense = 1\n")
    a.server.process.send_signal(signal.SIGHUP)
    a.server.log.wait(lambda l: "stays as it is" in l, "refusal of a broken file")
    assert a.query("--action", "config.change")[-1]["outcome"] == "bad_config"


def report(a, folder):
    tickets = os.path.join(folder, "tickets.csv")
    day = time.strftime("%Y-%m-%d", time.gmtime())
    with open(tickets, "w") as f:
        csv.writer(f).writerows([["ticket", "actor", "from", "to"], ["CHG-1", "ann", day, "2099-01-01"], ["CHG-9", "system", day, "2099-01-01"]])
    out = a.ask("audit", "report", "--tickets", tickets, "--day", day, code=3)
    listed = out.split("UNMATCHED\n")[1].splitlines()[:-2]  # a sum and a word at the end
    assert listed and not any("operator:ann" in l or " system " in l for l in listed) and any("operator:bob" in l for l in listed), out
    out = a.ask("audit", "report", "--tickets", tickets, "--day", "2020-01-01")
    assert "UNMATCHED" not in out, out
    a.ask("--operator", "rita", "audit", "sign-off", day)
    assert a.one("--action", "audit.sign_off")["actor"] == "operator:rita"
    a.ask("audit", "sign-off", "someday", code=3)
    a.ask("audit", "prune", "--days=30", code=3)


def export(a, folder):
    path = os.path.join(folder, "audit.jsonl")
    key = json.loads(a.ask("--json", "audit", "key"))["key"]
    a.ask("audit", "export", path)
    with open(path) as f:
        lines = f.read().splitlines()
    prev = "0" * 64
    for line in lines[:-1]:  # as anybody can: sha256 of the hash before, a line break, the object without prev and hash
        o = json.loads(line)
        assert o.pop("prev") == prev
        prev, own = hashlib.sha256((prev + "\n" + json.dumps({k: v for k, v in o.items() if k != "hash"}, sort_keys=True,
                                   separators=(",", ":"), ensure_ascii=False)).encode()).hexdigest(), o["hash"]
        assert prev == own
    assert set(json.loads(lines[-1])) == {"checkpoint"}
    check = lambda text, code: (open(path, "w").write("\n".join(text) + "\n"), ctl("audit", "verify", "--file", path, "--key", key, code=code))
    check(lines, 0)
    check([lines[0].replace("system", "nobody")] + lines[1:], EDITED)
    check(lines[:2] + lines[3:], DELETED)
    check(lines[:2] + [lines[3], lines[2]] + lines[4:], SWAPPED)
    check(lines[:3] + [lines[2]] + lines[3:], INSERTED)
    check(lines[:-3] + lines[-1:], TRUNCATED)
    check(lines[:-3], TRUNCATED)  # the checkpoint with it
    check(lines[:-1] + [lines[-1].replace("gavel-audit", "gavel-other")], SIGNATURE)
    assert a.one("--action", "audit.export")["meta"]["n"] == len(lines) - 1
    return key


# ---- a copy of the database, and someone with sqlite3 ----

class Copy:
    def __init__(self, folder, name, source):
        self.path = os.path.join(folder, name + ".db")
        shutil.copy(source, self.path)
        shutil.copy(source + ".key", self.path + ".key")

    def tamper(self, *statements):
        db = sqlite3.connect(self.path)
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute("DROP TRIGGER " + name)
        db.execute("PRAGMA foreign_keys = OFF")
        for s in statements:
            s(db) if callable(s) else db.execute(s)
        db.commit()
        db.close()
        return self

    def verify(self, code, *args):
        return ctl("--database", self.path, "audit", "verify", *args, code=code)


def chain_hash(prev, row):
    """The store's own hash (core/store/chain.h), so that a forger's chain is a good one."""
    stream, seq, ts, actor, kind, target, data, digest = row
    field = lambda b: len(b).to_bytes(8, "big") + b
    return hashlib.sha256(prev + field(stream.encode()) + seq.to_bytes(8, "big") + ts.to_bytes(8, "big") +
                          b"".join(field(t.encode()) for t in (actor, kind, target, data)) + field(digest or b"")).digest()


def rechain(change):
    """Changes a row and computes all hashes behind it anew."""
    def run(db):
        change(db)
        prev = bytes(32)
        for row in db.execute("SELECT stream, seq, ts_ms, actor, kind, target, data, payload_digest FROM event WHERE stream = 'audit'"
                              " ORDER BY seq").fetchall():
            now = chain_hash(prev, row)
            db.execute("UPDATE event SET prev_hash = ?, hash = ? WHERE stream = 'audit' AND seq = ?", (prev, now, row[1]))
            prev = now
        db.execute("UPDATE head SET hash = ? WHERE stream = 'audit'", (prev,))
    return run


WHERE = " WHERE stream = 'audit' AND seq = %d"


def edit(db):
    db.execute("UPDATE event SET actor = 'nobody'" + WHERE % 3)


def delete_closing_up(db):
    db.execute("DELETE FROM event" + WHERE % 4)
    for (seq,) in db.execute("SELECT seq FROM event WHERE stream = 'audit' AND seq > 4 ORDER BY seq").fetchall():
        db.execute("UPDATE event SET seq = %d" % (seq - 1) + WHERE % seq)


def swap(db):
    db.execute("UPDATE event SET seq = 1000000" + WHERE % 4)
    db.execute("UPDATE event SET seq = 4" + WHERE % 5)
    db.execute("UPDATE event SET seq = 5" + WHERE % 1000000)


def insert(db):
    for (seq,) in db.execute("SELECT seq FROM event WHERE stream = 'audit' AND seq >= 4 ORDER BY seq DESC").fetchall():
        db.execute("UPDATE event SET seq = %d" % (seq + 1) + WHERE % seq)
    db.execute("INSERT INTO event SELECT stream, 4, ts_ms, 'nobody', kind, target, data, payload_digest, prev_hash, hash FROM event" +
               WHERE % 5)


def truncate(db):
    last = db.execute("SELECT max(seq) FROM event WHERE stream = 'audit'").fetchone()[0]
    db.execute("DELETE FROM event WHERE stream = 'audit' AND seq > %d" % (last - 2))


def replace_checkpoint(db):
    """The newest checkpoint names another entry."""
    seq, data = db.execute("SELECT seq, data FROM event WHERE stream = 'audit' AND kind = 'audit.checkpoint' ORDER BY seq DESC").fetchone()
    data = json.loads(data)
    words = data["meta"]["checkpoint"].split(" ")
    words[1] = str(int(words[1]) - 1)
    data["meta"]["checkpoint"] = " ".join(words)
    db.execute("UPDATE event SET data = ?" + WHERE % seq, (json.dumps(data, sort_keys=True, separators=(",", ":")),))


def forge_base(db):
    """The beginning is gone, as if it had been pruned."""
    db.execute("DELETE FROM event WHERE stream = 'audit' AND seq <= 3")
    columns = [r[1] for r in db.execute("PRAGMA table_info(base)").fetchall()]
    if columns:
        row = db.execute("SELECT prev_hash FROM event" + WHERE % 4).fetchone()
        values = {"stream": "audit", "seq": 3, "hash": row[0], "mac": bytes(32)}
        db.execute("INSERT INTO base(%s) VALUES(%s)" % (",".join(columns), ",".join("?" * len(columns))), [values[c] for c in columns])


def tampering(folder, source, anchors, key):
    copy = lambda name: Copy(folder, name, source)
    good = copy("good")
    assert "whole" in good.verify(0) and "whole" in good.verify(0, "--anchor", anchors, "--key", key)
    copy("edited").tamper(edit).verify(EDITED)
    copy("deleted").tamper("DELETE FROM event" + WHERE % 4).verify(DELETED)
    copy("closed").tamper(delete_closing_up).verify(DELETED)
    copy("swapped").tamper(swap).verify(SWAPPED)
    copy("inserted").tamper(insert).verify(INSERTED)
    copy("truncated").tamper(truncate).verify(TRUNCATED)
    gone = copy("gone").tamper(*["DELETE FROM %s WHERE stream = 'audit'" % t for t in ("payload", "event", "head", "base")])
    gone.verify(TRUNCATED)
    gone.tamper("DELETE FROM secret WHERE name = 'audit.key'").verify(TRUNCATED, "--key", key)
    copy("rechained").tamper(rechain(edit)).verify(RECHAINED)
    copy("anchored").tamper(rechain(edit)).verify(RECHAINED, "--anchor", anchors)
    copy("checkpoint").tamper(replace_checkpoint).verify(EDITED)
    copy("rechained_checkpoint").tamper(rechain(replace_checkpoint)).verify(RECHAINED)
    r = subprocess.run([e2e.program("gavelctl"), "--database", copy("base").tamper(forge_base).path, "audit", "verify"], capture_output=True)
    assert r.returncode not in (0, 1), "a forged base: %d %s" % (r.returncode, r.stdout)
    forged = os.path.join(folder, "forged-anchors")
    with open(anchors) as f, open(forged, "w") as g:
        words = f.readline().split(" ")
        words[1] = str(int(words[1]) + 1)
        g.write(" ".join(words))
    good.verify(SIGNATURE, "--anchor", forged)
    other = key[:-3] + ("A" if key[-3] != "A" else "B") + key[-2:]
    good.verify(1, "--key", other)


def torn(folder, source, anchors):
    """A full disk tore a line of the anchor file: that is told, and no forgery."""
    path = os.path.join(folder, "torn-anchors")
    with open(anchors) as f, open(path, "w") as g:
        g.write(f.readline() + "gavel-audit/gavel 12 to\n")
    out = Copy(folder, "torn", source).verify(0, "--anchor", path)
    assert "1 lines" in out and "whole" in out, out


def put_back(folder, start, source):
    """The whole file of yesterday, with its signed head: only the anchor file knows, and is asked without being named."""
    server = start()
    server.stop()
    old = Copy(folder, "yesterday", source)
    server = start()
    server.create("later")
    server.stop()
    shutil.copy(old.path, source)
    old.verify(0)
    server = start()
    assert any("the audit log is not what was written" in l and "audit_truncated" in l for l in server.log.seen), server.log.seen
    a = Audit(server)
    assert a.one("--action", "audit.verify")["outcome"] == "audit_truncated"
    a.ask("audit", "verify", code=TRUNCATED)
    server.create("again")  # it goes on
    server.stop()


def run(folder):
    anchors, ini = os.path.join(folder, "anchors"), os.path.join(folder, "gaveld.ini")
    with open(ini, "w") as f:
        f.write("[audit]\nanchor = %s\n" % anchors)
    start = lambda: e2e.Server(folder, extra=("--config", ini))
    server = start()
    a = Audit(server)
    operators(a)
    people(a, *reversed(server.create("hall", "--no-lobby")))
    names(a, folder)
    a.ask("audit", "checkpoint")
    reload(a, folder)
    report(a, folder)
    key = export(a, folder)
    assert "whole" in a.ask("audit", "verify", "--anchor", anchors)
    server.stop()
    with open(anchors) as f:
        assert len(f.readlines()) >= 2  # the one asked for, and the last
    source = os.path.join(folder, "gavel.db")
    out = ctl("--database", source, "audit", "query")
    assert "server.stop" in out.splitlines()[-2] and "audit.checkpoint" in out.splitlines()[-1], out
    tampering(folder, source, anchors, key)
    torn(folder, source, anchors)
    with open(ini, "w") as f:
        f.write("[audit]\nanchor = %s\n" % anchors)
    put_back(folder, start, source)


e2e.main(run)
