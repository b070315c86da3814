"""The HTTP half of a WHIP or WHEP client, strictly by RFC 9725: what test_whip_gst.py and test_whip_aiortc.py share."""
import http.client
import json
import re
import ssl

import gavel_e2e as e2e

SDP, FRAG = "application/sdp", "application/trickle-ice-sdpfrag"


class Reply:
    def __init__(self, r):
        self.status, self.text = r.status, r.read().decode()
        self.headers = {k.lower(): v for k, v in r.getheaders()}

    def code(self):
        assert self.headers["content-type"] == "application/problem+json", (self.status, self.headers, self.text)
        problem = json.loads(self.text)
        assert problem["status"] == self.status and problem["title"], problem
        return problem["code"]


def ask(server, method, path, body=None, **headers):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    c = http.client.HTTPSConnection("127.0.0.1", server.port, context=tls, timeout=e2e.PATIENCE)
    c.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    try:
        return Reply(c.getresponse())
    finally:
        c.close()


def bearer(token):
    return "Bearer " + token


class Session:
    """What a 201 said."""

    def __init__(self, server, kind, room, token, offer, query=""):
        self.server, self.right = server, bearer(token)
        r = ask(server, "POST", "/%s/%s%s" % (kind, room, query), offer, Content_Type=SDP, Authorization=self.right)
        if r.status != 201:
            raise e2e.Failure("%s of %s: %d %s" % (kind, room, r.status, r.text))
        assert r.headers["content-type"] == SDP and r.headers["accept-patch"] == FRAG, r.headers
        assert re.fullmatch(r'"\w+"', r.headers["etag"]), r.headers
        self.at, self.etag, self.answer = r.headers["location"], r.headers["etag"], r.text

    def patch(self, frag, **headers):
        return ask(self.server, "PATCH", self.at, frag, Content_Type=FRAG, **{"Authorization": self.right, "If_Match": self.etag, **headers})

    def trickle(self, line):
        """One candidate (a=candidate:...), or the end of them."""
        r = self.patch("a=ice-options:trickle\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n%s\r\n" % line)
        if r.status != 204 or r.text or "content-length" in r.headers:
            raise e2e.Failure("a candidate: %d %s %s" % (r.status, r.headers, r.text))

    def end(self):
        r = ask(self.server, "DELETE", self.at, Authorization=self.right)
        if r.status != 200:
            raise e2e.Failure("DELETE: %d %s" % (r.status, r.text))

    def is_gone(self):
        return ask(self.server, "DELETE", self.at, Authorization=self.right).status == 404


def member(server, room, client):
    """The one member of this client (whip, whep), or None."""
    found = [m for m in server.ctl("show", room)["room"]["members"] if m.get("client") == client]
    assert len(found) <= 1, found
    return found[0] if found else None


def invite(link):
    return e2e.parse_link(link)["invite"]
