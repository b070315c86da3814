"""gavelctl token mint, inspect, verify and selftest jwt, as an integrator uses them: no server, keys from files and pipes; what is
minted is checked by Python's own hmac, and a vidyo token by the bytes its vendor published."""
import hashlib
import hmac
import json
import os
import subprocess
import time

import gavel_e2e as e2e

SECRET = "0123456789abcdef0123456789abcdef"
VIDYO = "rUlaMASgt1Byi4Kp3sKYDeQzo"
V3 = "cHJvdmlzaW9uAHVzZXIxQEFwcGxpY2F0aW9uSUQANjYyNjk2NjQwMDAAADFhMjU4MDZjMjViNmQwOTBhOGEwMzEyYzA4MTQyMjIxZTY1Mzk4OGU1YjcwZj" \
     "YyNTQyNTc5MjBkNTE4Y2JhYTI5MDQ2Mzg1MDI1NDI5ZmE0ZTZhMTBhNDA3MWFiZjRiMA=="
AGORA_APP = "970CA35de60c44645bbae8a215061b33"


def ctl(*args, code=0, stdin=""):
    r = subprocess.run([e2e.program("gavelctl"), *args], input=stdin.encode(), capture_output=True, timeout=e2e.PATIENCE)
    assert r.returncode == code, "gavelctl %s: %d, not %d: %s%s" % (" ".join(args), r.returncode, code, r.stdout, r.stderr)
    return r.stdout.decode() if code == 0 else r.stderr.decode()


def own(key):
    mint = ("token", "mint", "--key", key, "--kid=k1", "--issuer=acme", "--audience=meet", "--user=ada", "--room=blue", "--name=Zoë")
    token = ctl(*mint, "--scopes=room:join room:moderate", "--expires-in=10m").strip()
    head, body, sig = token.split(".")
    assert e2e.unb64(sig) == hmac.new(SECRET.encode(), (head + "." + body).encode(), hashlib.sha256).digest()
    assert json.loads(e2e.unb64(head)) == {"alg": "HS256", "typ": "gavel+jwt", "kid": "k1"}
    claims = json.loads(e2e.unb64(body))
    assert claims["exp"] - claims["iat"] == 600 and abs(claims["iat"] - time.time()) < 60
    assert (claims["sub"], claims["room"], claims["scope"], claims["name"]) == ("ada", "blue", "room:join room:moderate", "Zoë")
    assert json.loads(e2e.unb64(ctl(*mint).split(".")[1]))["jti"] != claims["jti"]

    verify = ("--json", "token", "verify", "--key", key)
    seen = json.loads(ctl(*verify, "--audience=meet", "--scopes=room:join", stdin=token + "\n"))
    assert seen["verified"] is True and seen["user"] == "ada" and seen["scopes"] == "room:join", seen
    assert "audience" in ctl(*verify, "--audience=other", stdin=token, code=3)
    assert "ttl" in ctl(*verify, "--audience=meet", "--ttl=5m", stdin=token, code=3)
    assert "expired" in ctl(*verify, "--audience=meet", "--at=2100-01-01T00:00:00Z", stdin=token, code=3)
    assert "signature" in ctl(*verify, "--audience=meet", stdin=token[:-4] + "AAAA", code=3)
    assert "format" in ctl(*verify, "--format=vidyo", stdin=token, code=3)
    shown = ctl("token", "inspect", stdin=token)
    assert "not verified" in shown and "blue" in shown and "Zoë" in shown, shown
    assert "format" in ctl("token", "inspect", stdin="no token", code=3)
    for wrong in (("--audience=",), ("--user=",), ("--kid=../x",), ("--expires-in=25h",), ("--scopes=room:all",), ("--format=jwt-none",),
                  ("--expires-at=tomorrow",), ("--key=/nowhere",)):
        ctl(*mint, *wrong, code=1)
    assert "key" in ctl("token", "mint", code=1)


def ed25519(folder):
    private, public = os.path.join(folder, "ed.pem"), os.path.join(folder, "ed.pub")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    names = ("--kid=e", "--issuer=acme", "--audience=meet")
    token = ctl("token", "mint", "--format=jwt-eddsa", "--key", private, *names, "--user=bo")
    assert "yes" in ctl("token", "verify", "--format=jwt-eddsa", "--key", public, *names, stdin=token)
    assert "alg" in ctl("token", "verify", "--key", public, *names, stdin=token, code=3)


def others(folder, key):
    card = os.path.join(folder, "card")
    with open(card, "w") as f:
        f.write('<vCard xmlns="vcard-temp"><FN>User One</FN></vCard>')
    vidyo = ("token", "mint", "--format=vidyo", "--key=-", "--issuer=ApplicationID", "--user=user1", "--expires-at=2100-01-01T00:00:00Z")
    assert ctl(*vidyo, stdin=VIDYO + "\n").strip() == V3
    token = ctl(*vidyo, "--vcard", card, stdin=VIDYO)
    assert json.loads(ctl("--json", "token", "inspect", stdin=token))["name"] == "User One"
    for form, issuer, more in (("opentok", "123456", ()), ("opentok", "123456", ("--t1",)), ("agora", AGORA_APP, ()), ("samba", "team", ()),
                               ("connectycube", "8056", ("--kid=auth",))):
        args = ("--format=" + form, "--key", key, "--issuer", issuer)
        token = ctl("token", "mint", *args, "--user=ada", "--room=blue", *more)
        assert token.startswith("T1==") == bool(more and form == "opentok")
        seen = json.loads(ctl("--json", "token", "verify", *args, stdin=token))
        assert seen["format"] == form and "room:speak" in seen["scopes"], seen
        assert "issuer" in ctl("token", "verify", *args, "--issuer=7", stdin=token, code=3)


def selftest(folder):
    vectors = os.path.join(e2e.SOURCE, "tests", "vectors", "jwt")
    fresh = os.path.join(folder, "vectors")
    os.mkdir(fresh)
    subprocess.run(["python3", os.path.join(vectors, "make.py"), fresh], check=True, capture_output=True)
    kept = sorted(n for n in os.listdir(vectors) if n.endswith(".json"))
    assert kept == sorted(os.listdir(fresh))  # the files are the script's
    for name in kept:
        with open(os.path.join(vectors, name)) as a, open(os.path.join(fresh, name)) as b:
            assert a.read() == b.read(), name
    good, bad = (sum(n.startswith(p) for n in kept) for p in ("good", "bad"))
    assert good >= 6 and bad >= 40
    assert ctl("selftest", "jwt", vectors) == "%d good accepted, %d bad refused\n" % (good, bad)
    path = os.path.join(fresh, "bad-expired.json")
    with open(path) as f:
        case = json.load(f)
    case["now"] -= 60  # it lives still
    with open(path, "w") as f:
        json.dump(case, f)
    assert "bad-expired.json: accepted" in ctl("selftest", "jwt", fresh, code=3)


def run(folder):
    key = os.path.join(folder, "key")
    with open(key, "w") as f:
        f.write(SECRET + "\n")
    own(key)
    ed25519(folder)
    others(folder, key)
    selftest(folder)


e2e.main(run)
