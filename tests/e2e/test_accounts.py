"""Accounts from an operator's shell: made, given a second factor, signed in at a browser's page or by the operator, guessed at,
and still there after a kill. No password and no token stands in the database, the log or the process list."""
import base64
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import os
import re
import ssl
import struct
import subprocess
import time
import urllib.parse

import gavel_e2e as e2e

PASSWORD = "Marker owls do not vote"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def check(truth, what):
    if not truth:
        raise e2e.Failure(what)


def post(server, path, **form):
    """Status and body of a form that was sent."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    c = http.client.HTTPSConnection("127.0.0.1", server.port, context=tls, timeout=e2e.PATIENCE)
    c.request("POST", path, urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
    r = c.getresponse()
    body = r.read().decode()
    c.close()
    return r.status, body


def start_device(server, scope=""):
    status, body = post(server, "/oauth/device_authorization", client_id="gavel", scope=scope)
    check(status == 200, "device_authorization: %d %s" % (status, body))
    return json.loads(body)


def redeem(server, device):
    status, body = post(server, "/oauth/token", grant_type=GRANT, device_code=device["device_code"])
    return status, json.loads(body)


def sign_in(server, device, password=PASSWORD, code=""):
    """The page's answer to account, password and code."""
    return post(server, "/device", user_code=device["user_code"], account="anna", password=password, code=code, decision="approve")[0]


def totp(secret, step=0):
    counter = struct.pack(">Q", int(time.time()) // 30 + step)
    mac = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    return "%06d" % ((struct.unpack(">I", mac[mac[-1] & 15:][:4])[0] & 0x7FFFFFFF) % 1000000)


def ctl_password(server, password, *args):
    r = subprocess.run([e2e.program("gavelctl"), "--socket", server.socket, "--json", *args, "--password=-"],
                       input=(password + "\n").encode(), capture_output=True, timeout=e2e.PATIENCE)
    return r.returncode, r.stderr.decode()


def made(server):
    check(ctl_password(server, "password1234", "account", "create", "anna")[0] == 1, "a common password was taken")
    rc, said = ctl_password(server, "short", "account", "create", "anna")
    check(rc == 1 and "12 characters" in said, "a short password: %d %s" % (rc, said))
    check(ctl_password(server, PASSWORD, "account", "create", "anna", "--scopes=room:join room:moderate")[0] == 0, "no account")
    check(ctl_password(server, PASSWORD, "account", "create", "anna")[0] == 3, "the account was made twice")
    account = server.ctl("account", "list")["accounts"][0]
    check(account["name"] == "anna" and account["scopes"] == "room:join room:moderate" and not account["totp"], account)


def one_factor(server):
    device = start_device(server, "room:join")
    check(redeem(server, device)[1]["error"] == "authorization_pending", "redeemed before it was approved")
    check(sign_in(server, device, "not the password") == 401, "a wrong password")
    check(sign_in(server, device) == 200, "the right password")


def two_factors(server):
    drawn = subprocess.run([e2e.program("gavelctl"), "--socket", server.socket, "account", "totp", "anna"], capture_output=True,
                           timeout=e2e.PATIENCE).stdout.decode()
    check(drawn.count("\u2588") > 100, "no QR code is drawn: " + drawn)
    enrolled = server.ctl("account", "totp", "anna")
    check(enrolled["secret"] in enrolled["uri"] and len(enrolled["recovery"]) == 10, enrolled)
    secret, device = enrolled["secret"], start_device(server)
    check(sign_in(server, device) == 401, "signed in without the second factor")
    check(sign_in(server, device, code=totp(secret, 5)) == 401, "signed in by a code of later")
    code = totp(secret)
    check(sign_in(server, device, code=code) == 200, "the right code")
    status, tokens = redeem(server, device)
    check(status == 200 and tokens["access_token"].startswith("cs1_"), tokens)
    check(redeem(server, device)[1]["error"] == "invalid_grant", "redeemed twice")
    device = start_device(server)
    check(sign_in(server, device, code=code) == 401, "the same code twice")
    check(sign_in(server, device, code=enrolled["recovery"][0]) == 200, "a recovery code")
    sessions = server.ctl("session", "list", "anna")["sessions"]
    check(len(sessions) == 1 and sessions[0]["mfa"], sessions)
    return tokens, [secret, enrolled["recovery"][1]]


def operator(server, folder, code):
    """Without a browser at hand."""
    device = start_device(server)
    r = server.ctl("device", "approve", "BBBB-BBBB", "--account=anna", check=False)
    check(r.returncode == 3, "a wrong code was approved")
    server.ctl("device", "approve", device["user_code"].lower(), "--account=anna")
    status, tokens = redeem(server, device)
    check(status == 200, tokens)
    newest = max(server.ctl("session", "list", "anna")["sessions"], key=lambda s: s["made_ms"])
    check(not newest["mfa"], "an operator's word passed for a second factor")
    server.ctl("session", "revoke", newest["id"])
    file = os.path.join(folder, "code")  # a code among the words would stand in the list of processes
    with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        f.write(code + "\n")
    other = start_device(server)
    server.ctl("device", "approve", other["user_code"], "--account=anna", "--totp=" + file)
    check(redeem(server, other)[0] == 200, "approved with a code")
    os.unlink(file)
    with_code = max(server.ctl("session", "list", "anna")["sessions"], key=lambda s: s["made_ms"])
    check(with_code["mfa"], "a code from a file is no second factor")
    server.ctl("session", "revoke", with_code["id"])
    check(post(server, "/oauth/token", grant_type="refresh_token", refresh_token=tokens["refresh_token"])[0] == 400, "revoked, but refreshed")


def memory_kib(server):
    with open("/proc/%d/status" % server.process.pid) as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])


def flood(server):
    """Guesses all at once: five are looked at, the rest is turned away before a hash is made; memory holds."""
    server.ctl("account", "totp-off", "anna")
    device, before = start_device(server), memory_kib(server)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        seen = list(pool.map(lambda i: sign_in(server, device, "guess number %d" % i), range(60)))
    check(set(seen) == {401, 429} and 0 < seen.count(401) <= 5, "answers to guesses: %s" % seen)
    check(memory_kib(server) - before < 200 * 1024, "memory grew from %d to %d KiB" % (before, memory_kib(server)))


def nothing_in_the_clear(folder, server, secrets):
    seen = "\n".join(server.log.seen + [l for l in list(server.log.queue.queue) if l]).encode()
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, "rb") as f:
                seen += f.read()
    for secret in secrets:
        check(secret.encode() not in seen, "a secret stands in the clear: %s..." % secret[:8])


def test(folder):
    server = e2e.Server(folder)
    made(server)
    one_factor(server)
    tokens, secrets = two_factors(server)
    operator(server, folder, secrets[1])
    server.kill()
    server = e2e.Server(folder)
    status, body = post(server, "/oauth/token", grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    check(status == 200, "the session is gone after a kill: " + body)
    fresh = json.loads(body)
    status, body = post(server, "/oauth/token", grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    check(status == 400 and not server.ctl("session", "list", "anna")["sessions"], "an old refresh token did not end the session")
    flood(server)
    server.ctl("audit", "checkpoint")
    nothing_in_the_clear(folder, server, [PASSWORD, *secrets, tokens["access_token"], fresh["access_token"], fresh["refresh_token"]])
    server.stop()


e2e.main(test)
