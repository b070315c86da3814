"""The plain HTTP half of a real gaveld on loopback: every route, methods, sizes, slow senders, headers of every answer, the redirect port,
addresses behind a proxy."""
import json
import os
import re
import socket
import ssl
import subprocess
import time

import gavel_e2e as e2e

HEADERS = {"strict-transport-security": "max-age=63072000; includeSubDomains", "x-content-type-options": "nosniff",
           "referrer-policy": "no-referrer", "cache-control": "no-store", "cross-origin-opener-policy": "same-origin",
           "content-security-policy": "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"}


def curl(url, *args):
    """Status, headers, body."""
    r = subprocess.run(["curl", "-sk", "--http1.1", "-m", "20", "-i", *args, url], capture_output=True)
    head, _, body = r.stdout.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if r.returncode not in (0, 56) or not lines[0].startswith("HTTP/"):
        return 0, {}, ""
    return int(lines[0].split()[1]), dict((l.split(": ", 1) if ": " in l else (l.rstrip(":"), "")) for l in lines[1:]), body.decode()


def connect(port, tls=True, source=("127.0.0.1", 0)):
    s = socket.create_connection(("127.0.0.1", port), 20, source)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        s = context.wrap_socket(s)
    s.settimeout(20)
    return s


def raw(port, data, tls=True):
    """What comes back until the server closes, and how long that took."""
    s, got, began = connect(port, tls), b"", time.monotonic()
    try:
        s.sendall(data)
        while True:
            part = s.recv(65536)
            if not part:
                break
            got += part
    except (ConnectionError, ssl.SSLError):
        pass
    return got, time.monotonic() - began


def guest_page(base):
    """Of all answers only the page has a policy that runs scripts, and may ask for the microphone."""
    html = ("-H", "Accept: text/html,application/xhtml+xml,*/*;q=0.8")
    for path in ("/j/den", "/j/shop/den"):
        status, headers, body = curl(base + path, *html)
        assert status == 200 and headers["content-type"] == "text/html; charset=utf-8" and "<noscript>" in body, (status, headers)
        assert "connect-src 'self' wss://" + base[8:] + ";" in headers["content-security-policy"], headers
        assert headers["permissions-policy"].startswith("microphone=(self), "), headers
        others = {k: v for k, v in HEADERS.items() if k != "content-security-policy"}
        assert {k: headers.get(k) for k in others} == others, headers
        head = curl(base + path, "-I", *html)
        assert (head[0], head[1]["content-length"], head[2]) == (200, headers["content-length"], ""), head
    for name in re.findall(r'(?:href|src)="/(web/[^"]+)"', body):
        status, headers, text = curl(base + "/" + name)
        assert status == 200 and text and {k: headers.get(k) for k in HEADERS} == HEADERS, (name, status, headers)
        assert headers["permissions-policy"].startswith("microphone=(), "), (name, headers)
    assert curl(base + "/web/app.js")[1]["content-type"] == "text/javascript; charset=utf-8"  # else no browser runs it
    for path in ("/web/", "/web/nothing.js", "/web/index.html", "/web/../web/index.html", "/web"):
        assert curl(base + path, *html)[0] == 404, path
    assert curl(base + "/j/den", "-H", "Accept: " + "text/html," * 100)[1]["content-type"].startswith("text/plain")  # too long: not read


def routes(base):
    for path, status, says in (("/healthz", 200, "ok"), ("/j/den", 200, "gavel join"), ("/device", 200, "user_code"),
                               ("/.well-known/security.txt", 200, "Contact: mailto:sec@example.org"), ("/nothing", 404, ""), ("/", 404, ""),
                               ("/.well-known/oauth-authorization-server", 200, base + "/oauth/token"), ("/v1/me", 401, "unauthorized"),
                               ("/device?user_code=BCDF-GHJK", 400, "not known"), ("/oauth/token", 405, ""), ("/v1/session", 405, "")):
        got, headers, body = curl(base + path)
        assert (got, says in body) == (status, True), (path, got, body)
        for name, value in HEADERS.items():
            assert headers.get(name) == value, (path, name, headers)
    guest_page(base)
    assert json.loads(curl(base + "/.well-known/oauth-authorization-server")[2])["issuer"] == base
    status, headers, body = curl(base + "/healthz", "-I")
    assert (status, headers["content-length"], body) == (200, "3", "")
    assert curl(base + "/v1/me")[1]["www-authenticate"] == 'Bearer realm="gavel"'
    status, headers, _ = curl(base + "/v1/me", "-H", "Authorization: Bearer cs1_x")
    assert status == 401 and 'error="invalid_token"' in headers["www-authenticate"], headers
    status, headers, _ = curl(base + "/v1/me", "-H", "Authorization: Bearer a", "-H", "Authorization: Bearer b")
    assert status == 400 and 'error="invalid_request"' in headers["www-authenticate"], headers
    assert curl(base + "/v1/session", "-X", "DELETE")[0] == 401
    for path in ("/oauth/introspect", ):
        assert curl(base + path, "-d", "token=x")[0] == 401


def methods(base, port):
    for method in ("PUT", "PATCH", "OPTIONS", "DELETE"):
        status, headers, _ = curl(base + "/healthz", "-X", method)
        assert status == 405 and "GET" in headers["allow"], (method, status, headers)
    for line, want in ((b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"405"), (b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", None),
                       (b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n", None), (b"\x16\x03\x01\x00\x05\r\n\r\n", None)):
        got, took = raw(port, line)
        assert took < 5.5 and b" 200 " not in got and (want is None or want in got), (line, got, took)


def lengths(base, port):
    for extra in (b"Content-Length: -1\r\n", b"Content-Length: +5\r\n", b"Content-Length: 5\r\nContent-Length: 6\r\n",
                  b"Content-Length: 0x5\r\n", b"Content-Length: 5 5\r\n", b"Content-Length: 99999999999999999999\r\n",
                  b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\n"):
        got, took = raw(port, b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n" + extra + b"\r\na=b&c")
        assert got.startswith(b"HTTP/1.1 400 ") and took < 5.5, (extra, got, took)
    got, _ = raw(port, b"POST /oauth/token HTTP/1.1\r\nHost: x\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 411 "), got
    got, _ = raw(port, b"PATCH /whip-session/x HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\n\r\na=b")
    assert got.startswith(b"HTTP/1.1 411 "), got
    for target in (b"/healthz%0d%0aX-Forwarded-For:1.2.3.4", b"/healthz%0D%0A%0D%0A", b"/healthz?a=%0aX-Y:z"):  # no end of the request line
        got, _ = raw(port, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b" 400 " in got.split(b"\r\n")[0], (target, got)
    form = ("-H", "Content-Type: application/x-www-form-urlencoded", "--data-binary")
    assert curl(base + "/oauth/token", *form, "a=" + "x" * 16382)[0] == 400  # it fits, and says nothing
    assert curl(base + "/oauth/token", *form, "a=" + "x" * 16383)[0] == 413
    assert curl(base + "/healthz", *form, "a")[0] == 413  # takes none
    assert curl(base + "/oauth/token", "-H", "Content-Type: application/json", "-d", "{}")[0] == 415
    assert curl(base + "/oauth/token", "-d", "grant_type=refresh_token&grant_type=refresh_token")[0] == 400
    for big in (b"X: " + b"a" * 70000, b"\r\n".join(b"X%d: y" % i for i in range(10000))):
        got, took = raw(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + big + b"\r\n\r\n")
        assert b" 200 " not in got and took < 12, (got[:100], took)
    assert curl(base + "/" + "a" * 300)[0] == 400


def slow(port, data, most):
    """One more byte every 2 s: closed by the clock all the same."""
    s, began = connect(port), time.monotonic()
    s.settimeout(2)
    s.sendall(data)
    while time.monotonic() - began < most + 5:
        try:
            if not s.recv(100):
                break
        except (socket.timeout, TimeoutError):
            try:
                s.sendall(b"a")
            except OSError:
                break
        except OSError:
            break
    took = time.monotonic() - began
    assert took < most + 3, (data, took)


def pipelined(port):
    """Two at once: two answers, in order; after a form the connection ends, whatever follows."""
    get = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    got, _ = raw(port, get + get.replace(b"/healthz", b"/nothing"))
    assert got.index(b"HTTP/1.1 200 ") < got.index(b"HTTP/1.1 404 "), got
    post = b"POST /oauth/revoke HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\ntoken=x"
    got, _ = raw(port, post + get)
    assert got.count(b"HTTP/1.1 ") <= 1 and b"ok\n" not in got, got


def half_open(base, port):
    """Of one network 64 that have not asked yet; the next is closed at once, and nobody else notices."""
    idle = [connect(port, tls=False) for _ in range(70)]
    closed = 0
    for s in idle[64:]:
        s.settimeout(4)
        try:
            closed += s.recv(1) == b""
        except (socket.timeout, TimeoutError):
            pass
        except OSError:
            closed += 1
    assert closed == 6, closed
    assert curl(base + "/healthz", "--interface", "127.0.1.9")[0] == 200
    began = time.monotonic()
    for s in idle[:64]:  # and a handshake that does not come is not waited for
        s.settimeout(8)
        assert s.recv(1) == b""
    assert time.monotonic() - began < 8
    assert curl(base + "/healthz")[0] == 200


def redirect(port, to):
    base = "http://127.0.0.1:%d" % port
    for path, want in (("/", "/"), ("/j/den", "/j/den"), ("/a%20b/%C3%A9?x=1&y=%26", "/a%20b/%C3%A9?x=1&y=%26")):
        status, headers, body = curl(base + path)
        assert (status, headers.get("location"), body) == (301, "https://127.0.0.1:%d%s" % (to, want), ""), (path, status, headers)
    status, headers, _ = curl(base + "/%0d%0aSet-Cookie:x")
    assert status in (301, 400) and "set-cookie" not in headers, headers
    for host in ("a\"b", "a b", "a/b", "a@b", "x" * 260, "[::1", ":80", "a:b"):
        status, headers, _ = curl(base + "/", "-H", "Host: " + host)
        assert status in (0, 400) and "location" not in headers, (host, status, headers)
    assert curl(base + "/", "-H", "Host: [::1]:80")[1]["location"] == "https://[::1]:%d/" % to
    assert curl(base + "/oauth/token", "-d", "a=b")[0] == 405
    upgrade = (b"GET /v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: %s\r\n"
               b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    for kind in (b"websocket", b"h2c", b"foo"):
        got, took = raw(port, upgrade % kind, tls=False)
        assert b" 101 " not in got and took < 6, got


def network_of(base, *args):
    """Whence the approval page says it was asked."""
    status, _, body = curl(base + "/oauth/device_authorization", "-d", "client_id=gavel", *args)
    assert status == 200, (status, body)
    page = curl(base + "/device?user_code=" + json.loads(body)["user_code"], *args)[2]
    return page.split("network <b>")[1].split("</b>")[0]


def forwarded(base):
    """Only what stands before proxies of ours counts, from the right."""
    for header, want in (("198.51.100.7", "198.51.100.0/24"), ("203.0.113.9, 198.51.100.7", "198.51.100.0/24"),
                         ("203.0.113.9, 127.0.2.5", "203.0.113.0/24"),
                         ("rubbish, 127.0.2.5", "127.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48")):
        assert network_of(base, "--interface", "127.0.2.1", "-H", "X-Forwarded-For: " + header) == want, header
    assert network_of(base, "-H", "X-Forwarded-For: 198.51.100.7") == "127.0.0.0/24"  # not a proxy of ours


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test(folder):
    port = free_port()
    config = os.path.join(folder, "gavel.ini")
    with open(config, "w") as f:
        f.write("[server]\nredirect_port = %d\nproxies = 127.0.2.0/24, ::1\n[privacy]\ncontact = sec@example.org\n"
                "[limits]\nloopback = yes\n" % port)
    server = e2e.Server(folder, extra=("--config", config))
    base = "https://127.0.0.1:%d" % server.port
    routes(base)
    methods(base, server.port)
    lengths(base, server.port)
    pipelined(server.port)
    slow(server.port, b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\n", 10)
    slow(server.port, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ", 10)
    half_open(base, server.port)
    redirect(port, server.port)
    forwarded(base)
    server.stop()
    with open(config, "w") as f:
        f.write("[server]\nproxies = 10.0.0.0/8 nonsense\n")
    r = subprocess.run([e2e.program("gaveld"), "--config", config, "--port", "0", "--database", ":memory:", "--socket", server.socket],
                       capture_output=True, timeout=20)
    assert r.returncode != 0 and b"nonsense" in r.stderr, r


e2e.main(test)
