"""What is secret stays so: passwords, invites, tokens, keys and what people say, each with a mark, are looked for in logs, in the database
and all that lies beside it, on command lines, and in the memory of a server that has used them."""
import asyncio
import json
import os
import re
import ssl
import subprocess
import sys

import websockets

import gavel_e2e as e2e

PASSWORD = "MARK-password-7f3a91c2"
CHAT = "MARK-chat-what-was-said-55d0"
NAME = "MARKname Rosalind"
APP_KEY = "MARK-application-key-0123456789abcdef-0123456789"  # of another system, as it is handed out


def check(truth, what):
    if not truth:
        raise e2e.Failure(what)


def hits(blob, marks):
    return [what for what, mark in marks.items() if mark in blob]


def command_lines():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        for name in ("cmdline", "environ"):
            try:
                with open("/proc/%s/%s" % (pid, name), "rb") as f:
                    yield f.read()
            except OSError:
                pass


def memory(pid):
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if m and "[vvar]" not in line:
                begin, end = int(m[1], 16), int(m[2], 16)
                try:
                    mem.seek(begin)
                    yield mem.read(end - begin)
                except OSError:
                    pass


def files(folder):
    for where, _, names in os.walk(folder):
        for name in names:
            if name.endswith((".log", ".db", "-wal", "-shm", ".dump")) or ".db" in name:
                path = os.path.join(where, name)
                with open(path, "rb") as f:
                    yield path, f.read()


async def come_in(server, link):
    """With the room's password, which the client has asked for."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    async with websockets.connect("wss://127.0.0.1:%d/v1/ws" % server.port, ssl=tls, subprotocols=["gavel.1"], compression=None) as ws:
        await ws.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "room.join", "params": {
            "room": link["room"], "name": NAME, "invite": link["invite"], "password": PASSWORD}}))
        while "id" not in (answer := json.loads(await asyncio.wait_for(ws.recv(), e2e.PATIENCE))):
            pass
        return answer["result"]["state"] if "result" in answer else answer["error"]["data"]["code"]


def meeting(server, folder):
    """Everything that is secret is used once. Returns what must not be found, by name."""
    host_link, guest_link = server.create("den", "--no-lobby")
    host = e2e.Client.join(host_link, "host")
    host.wait_state("joined")
    host.act("password", text=PASSWORD)
    check(asyncio.run(come_in(server, e2e.parse_link(guest_link))) == "joined", "the guest is not in")
    marks = {"password": PASSWORD.encode()}
    for what, link in (("host's invite", host_link), ("guest's invite", guest_link)):
        secret = e2e.parse_link(link)["invite"]
        marks[what] = secret.encode()
        marks[what + ", raw"] = e2e.unb64(secret)
    host.act("chat", text=CHAT)
    key = os.path.join(folder, "key.secret")
    with open(key, "w") as f:
        f.write(APP_KEY)
    server.ctl("app", "create", "shop")
    server.ctl("key", "add", "shop", "--format=vidyo", "--issuer=ApplicationID", "--secret=" + key)
    os.unlink(key)
    return host, marks


def test(folder):
    master = bytes(range(101, 133))
    read, write = os.pipe()
    os.write(write, master)
    os.close(write)
    os.environ["GAVEL_KEY_FD"] = str(read)
    where = os.path.join(folder, "server")
    os.mkdir(where)
    server = e2e.Server(where, extra=["--log", "debug"], pass_fds=[read])
    os.close(read)
    del os.environ["GAVEL_KEY_FD"]
    host, marks = meeting(server, folder)
    stored = dict(marks, chat=CHAT.encode(), master=master, key=APP_KEY.encode(), name=NAME.encode())
    for line in command_lines():
        check(not hits(line, stored), "on a command line or in an environment: %s" % hits(line, stored))
    if os.geteuid() == 0:  # in memory: what is needed no more
        seen = set()
        for block in memory(server.process.pid):
            seen.update(hits(block, {"application's key": APP_KEY.encode(), "room's password": PASSWORD.encode()}))
        check(not seen, "in the server's memory: %s" % sorted(seen))
        check(any(b"gavel_" in block or b"den" in block for block in memory(server.process.pid)), "the memory was not read at all")
    host.kill()
    server.stop()
    log = "\n".join(l for l in server.log.seen + list(server.log.queue.queue) if l).encode()
    check(b"listening" in log, "no log")
    check(not hits(log, stored), "in the log: %s" % hits(log, stored))
    database = os.path.join(where, "gavel.db")
    dump = subprocess.run(["sqlite3", database, ".dump"], capture_output=True, check=True).stdout
    hexed = {what: mark.hex().encode() for what, mark in stored.items()}
    check(len(dump) > 1000, "an empty database")
    check(not hits(dump, stored) and not hits(dump.lower(), hexed), "in the dump: %s %s" % (hits(dump, stored), hits(dump.lower(), hexed)))
    found = [(path, hits(blob, stored)) for path, blob in files(where) if hits(blob, stored)]
    check(not found, "in files: %s" % found)


sys.stdout.reconfigure(line_buffering=True)
e2e.main(test)
