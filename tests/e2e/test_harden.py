"""What gaveld gives up once it runs: system calls, root, core dumps, files others may read; and what its programs are made of. The
unit file has a test of its own (test_unit_file.py)."""
import os
import pwd
import re
import resource
import signal
import ssl
import subprocess
import sys

import gavel_e2e as e2e

DEADLY = ("exec", "exec_there", "ptrace", "mount", "bpf", "unshare", "setuid")
REFUSED = ("fork", "netlink", "packet", "code", "code_later", "dumpable")
DONE = ("inet", "thread", "file")


def check(truth, what):
    if not truth:
        raise e2e.Failure(what)


def filter_of_calls():
    def probe(what):
        return subprocess.run([e2e.program("tests/e2e/sandbox_probe"), what], capture_output=True, text=True, timeout=e2e.PATIENCE)
    for what in DEADLY:
        r = probe(what)
        check(r.returncode == -signal.SIGSYS and r.stdout == "", "%s did not end the process: %s %s" % (what, r.returncode, r.stdout))
    for what in REFUSED:
        r = probe(what)
        check(r.returncode == 0 and r.stdout == "refused EPERM\n", "%s: %s %s" % (what, r.returncode, r.stdout))
    for what in DONE:
        r = probe(what)
        check(r.returncode == 0 and r.stdout == "done\n", "%s: %s %s" % (what, r.returncode, r.stdout + r.stderr))


def status(pid):
    """The lines of /proc/PID/task/*/status, a dict a thread."""
    tasks = "/proc/%d/task" % pid
    for task in os.listdir(tasks):
        with open("%s/%s/status" % (tasks, task)) as f:
            yield dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def config(folder, text):
    path = os.path.join(folder, "gaveld.ini")
    with open(path, "w") as f:
        f.write(text)
    return path


def process(folder):
    """Every thread is filtered, nobody can dump it, and a whole meeting with a backup works so."""
    where = os.path.join(folder, "plain")
    os.mkdir(where)
    backups = os.path.join(where, "backups")
    os.mkdir(backups, 0o700)
    server = e2e.Server(where, extra=["--config", config(where, "[backup]\nfolder = %s\n" % backups)])
    threads = list(status(server.process.pid))
    check(len(threads) >= 3, "threads: %d" % len(threads))
    for t in threads:
        check(t["Seccomp"] == "2" and t["NoNewPrivs"] == "1", "a thread without the filter: %s" % t)
    limits = open("/proc/%d/limits" % server.process.pid).read()
    check(re.search(r"Max core file size +0 +0 ", limits), "core dumps: " + limits)
    check(os.stat("/proc/%d/environ" % server.process.pid).st_uid == 0, "dumpable")
    host_link, guest_link = server.create("den", "--no-lobby")
    host, guest = e2e.Client.join(host_link, "host"), e2e.Client.join(guest_link, "guest")
    host.wait_state("joined")
    guest.wait_state("joined")
    guest.act("chat", text="under the filter")
    host.wait_event("chat.sent")
    server.log.wait(lambda l: "backup made and verified" in l, "backup")
    check(os.listdir(backups), "no backup")
    server.stop()
    rest = [l for l in server.log.seen + list(server.log.queue.queue) if l and "level=error" in l]
    check(not rest, "errors: %s" % rest)


def another_user(folder):
    """[server] user: root is gone for good, in every thread; the files are the user's."""
    if os.geteuid() != 0:
        print("skipped: becoming another user needs root")
        return
    nobody = pwd.getpwnam("nobody")
    os.chmod(folder, 0o711)
    where = os.path.join(folder, "user")
    os.mkdir(where, 0o700)
    os.chown(where, nobody.pw_uid, nobody.pw_gid)
    backups = os.path.join(where, "backups")
    os.mkdir(backups, 0o700)
    server = e2e.Server(where, extra=["--config", config(folder, "[server]\nuser = nobody\n[backup]\nfolder = %s\n" % backups)])
    server.log.wait(lambda l: "backup made and verified" in l, "backup as another user")
    for t in status(server.process.pid):
        check(t["Uid"].split() == [str(nobody.pw_uid)] * 4 and t["Gid"].split() == [str(nobody.pw_gid)] * 4, "ids: %s %s" % (t["Uid"], t["Gid"]))
        check(t["Groups"].strip() == "" and int(t["CapEff"], 16) == 0 and int(t["CapPrm"], 16) == 0, "rights: %s" % t)
    host_link, _ = server.create("den")
    host = e2e.Client.join(host_link, "host")
    host.wait_state("joined")
    host.act("topic", text="as nobody")
    server.stop()
    for name in os.listdir(where) + ["backups/" + n for n in os.listdir(backups)]:
        check(os.stat(os.path.join(where, name)).st_uid == nobody.pw_uid, "%s is not the user's" % name)
    locked = os.path.join(folder, "locked")
    os.mkdir(locked, 0o700)
    for user, folder_of, says in (("root", where, "without root's rights"), ("no-such", where, "no user 'no-such'"),
                                  ("nobody", locked, "cannot write to the database's folder")):
        r = subprocess.run([e2e.program("gaveld"), "--config", config(folder, "[server]\nuser = %s\n" % user), "--listen", "127.0.0.1",
                            "--port", "0", "--media-port", "0", "--database", folder_of + "/x.db", "--socket", folder_of + "/x.sock"],
                           capture_output=True, text=True, timeout=e2e.PATIENCE)
        check(r.returncode == 2 and says in r.stderr, "%s: %d %s" % (user, r.returncode, r.stderr))


def binaries():
    for name in ("gaveld", "gavelctl", "gavel"):
        def readelf(flag):
            return subprocess.run(["readelf", flag, e2e.program(name)], capture_output=True, text=True, check=True).stdout
        dynamic, segments, header = readelf("-dW"), readelf("-lW"), readelf("-hW")
        check("BIND_NOW" in dynamic and "PIE" in dynamic and "DYN (" in header, name + ": not PIE with immediate binding")
        check("GNU_RELRO" in segments and re.search(r"GNU_STACK.* RW +0x", segments), name + ": relro, stack")
        check("RPATH" not in dynamic and "RUNPATH" not in dynamic, name + ": rpath")
        loads = [re.split(r"0x[0-9a-f]+ +0x[0-9a-f]+ +", l)[-1] for l in segments.splitlines() if l.strip().startswith("LOAD")]
        check(len(loads) >= 4 and not any("W" in l and "E" in l.split("0x")[0] for l in loads), "%s: segments %s" % (name, loads))
        if os.environ.get("GAVEL_HARDENED") == "1":  # a release build
            symbols = readelf("-sW")
            check("__stack_chk_fail" in symbols and "_chk@" in symbols, name + ": no stack protector or fortified calls")


def old_tls(folder):
    """TLS 1.3 only, unless told otherwise; nothing old or weak in any case; and no word of anything without TLS."""
    def s_client(port, *args):
        return subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % port, *args], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=e2e.PATIENCE)
    weak = (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"],
            ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0"])
    for name, text, also in (("modern", "", False), ("intermediate", "[server]\ntls12 = yes\n", True)):
        where = os.path.join(folder, name)
        os.mkdir(where)
        server = e2e.Server(where, extra=["--config", config(where, text)])
        for args in weak:
            check(s_client(server.port, *args).returncode != 0, "%s took %s" % (name, args))
        r = s_client(server.port, "-tls1_3", "-groups", "X25519")
        check(r.returncode == 0 and "Server Temp Key: X25519" in r.stdout, "%s: X25519: %s" % (name, r.stdout[-500:]))
        for suite in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"):
            check((s_client(server.port, "-tls1_2", "-cipher", suite).returncode == 0) == also, "%s: TLS 1.2 with %s" % (name, suite))
        import socket
        for words in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HELLO\n", b"\0" * 200):
            with socket.create_connection(("127.0.0.1", server.port), e2e.PATIENCE) as s:
                s.sendall(words)
                try:
                    got = s.recv(1000)
                except ConnectionResetError:
                    got = b""
            check(got[:1] in (b"", b"\x15"), "a plain answer: %r" % got)  # 0x15: an alert of TLS
        server.stop()


def key_files(folder):
    """The certificate's key must be nobody else's to read."""
    where = os.path.join(folder, "key")
    os.mkdir(where)
    key, cert = where + "/key.pem", where + "/cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"], check=True, capture_output=True)
    text = "[server]\ncertificate = %s\nkey = %s\n" % (cert, key)
    for mode, rc in ((0o644, 2), (0o640, 2), (0o604, 2)):
        os.chmod(key, mode)
        r = subprocess.run([e2e.program("gaveld"), "--config", config(where, text), "--listen", "127.0.0.1", "--port", "0", "--media-port", "0",
                            "--database", where + "/a.db", "--socket", where + "/a.sock"], capture_output=True, text=True, timeout=e2e.PATIENCE)
        check(r.returncode == rc and "chmod 600" in r.stderr and key in r.stderr, "%o: %d %s" % (mode, r.returncode, r.stderr))
    os.chmod(key, 0o600)
    server = e2e.Server(where, extra=["--config", config(where, text)])
    tls = ssl.create_default_context(cafile=cert)
    import socket
    with tls.wrap_socket(socket.create_connection(("127.0.0.1", server.port)), server_hostname="127.0.0.1") as s:
        check(s.version() == "TLSv1.3", s.version())
    client_refuses(folder, server, cert)
    server.stop()


def client_refuses(folder, server, cert):
    """A wrong authority, host or pin: the client ends before it has sent a byte of HTTP."""
    host_link, guest_link = server.create("den", "--no-lobby")
    good = dict(os.environ, SSL_CERT_FILE=cert)
    right = e2e.Client.join(guest_link, "right", env=good)
    right.wait_state("joined")
    before = server.ctl("info")["connections"]
    other_pin = "&p=" + "A" * 43
    for link, env, what in ((guest_link, dict(os.environ, SSL_CERT_FILE="/dev/null"), "authority"),
                            (guest_link.replace("127.0.0.1", "localhost"), good, "host"), (guest_link + other_pin, good, "pin")):
        c = e2e.Client.join(link, "wrong " + what, env=env)
        rc = c.end()
        said = " ".join(str(l) for l in c.lines.seen + list(c.lines.queue.queue) + list(c.errors.queue.queue))
        check(rc != 0 and "joined" not in said, "%s: %d %s" % (what, rc, said))
        check("ertificate" in said or "pin" in said, "%s: it does not say why: %s" % (what, said))
    check(server.ctl("info")["connections"] == before, "a refused server got a WebSocket")


def public_port_has_no_operator(folder):
    """No method of the admin socket over the public port, by no one."""
    import crowd
    where = os.path.join(folder, "public")
    os.mkdir(where)
    server = e2e.Server(where)
    host_link, _ = server.create("den", "--no-lobby")
    people = crowd.Crowd(host_link, ["owner"])
    people.wait_count(1, state="joined")
    for method in ("server.info", "server.metrics", "rooms.list", "room.show", "room.create", "key.list", "app.create", "audit.verify"):
        reply = people.ask_method("owner", method, {"room": "den"})
        check(reply.get("error", {}).get("data", {}).get("code") in ("not_allowed", "bad_method", "unknown_method"), "%s: %s" % (method, reply))
    people.close()
    mode = os.stat(server.socket).st_mode & 0o777
    check(mode == 0o600, "the admin socket is %o" % mode)
    server.stop()


def master_key(folder):
    """From systemd's credentials or a descriptor: then no key lies beside the database, and without it the database stays shut."""
    where = os.path.join(folder, "credential")
    os.mkdir(where)
    key = bytes(range(1, 33))
    with open(where + "/gavel.key", "wb") as f:
        f.write(key)
    os.environ["CREDENTIALS_DIRECTORY"] = where
    data = os.path.join(folder, "sealed")
    os.mkdir(data)
    server = e2e.Server(data)
    server.create("den")
    server.stop()
    del os.environ["CREDENTIALS_DIRECTORY"]
    check(not os.path.exists(data + "/gavel.db.key"), "a key lies beside the database")
    args = [e2e.program("gaveld"), "--listen", "127.0.0.1", "--port", "0", "--media-port", "0", "--database", data + "/gavel.db", "--socket",
            data + "/admin.sock"]
    r = subprocess.run(args, capture_output=True, text=True, timeout=e2e.PATIENCE)
    check(r.returncode == 3, "without the key: %d %s" % (r.returncode, r.stderr))
    for text, works in ((key.hex().encode() + b"\n", True), (b"\x02" * 32, False), (b"short", False)):
        read, write = os.pipe()
        os.write(write, text)
        os.close(write)
        os.environ["GAVEL_KEY_FD"] = str(read)
        process = e2e.start(args, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, pass_fds=[read])
        os.close(read)
        log = e2e.Lines(process.stderr)
        del os.environ["GAVEL_KEY_FD"]
        if works:
            log.wait(lambda l: "msg=listening" in l, "listening gaveld with a key from a descriptor")
            process.send_signal(signal.SIGTERM)
        check((process.wait(e2e.PATIENCE) == 0) == works, "%r" % text)


def test(folder):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # of the probes
    sys.stdout.reconfigure(line_buffering=True)
    binaries()
    filter_of_calls()
    process(folder)
    another_user(folder)
    old_tls(folder)
    key_files(folder)
    public_port_has_no_operator(folder)
    master_key(folder)


e2e.main(test)
