"""The REST face on the operator's port: every answer is checked against docs/openapi.json, whose file the server serves; acts reach living
people; a back end sees its own rooms and no others; what was answered is there after kill -9."""
import csv
import io
import json
import os
import re
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request

import jsonschema

import gavel_e2e as e2e

METHODS = {"get", "post", "put", "patch", "delete"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Contract:
    """docs/openapi.json: which answers it allows."""

    def __init__(self, path):
        with open(path) as f:
            self.doc = json.load(f)
        self.asked = set()

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            at = self.doc
            for part in node["$ref"].removeprefix("#/").split("/"):
                at = at[part]
            node = at
        return node

    def check_itself(self):
        """Every reference leads somewhere, every parameter of a path is declared, every operation has a name of its own."""
        ids, parts = [], []

        def walk(node):
            if isinstance(node, dict):
                self.resolve(node)
                for v in node.values():
                    walk(v)
            elif isinstance(node, list):
                for v in node:
                    walk(v)
        walk(self.doc)
        for path, item in self.doc["paths"].items():
            declared = {self.resolve(p)["name"] for p in item.get("parameters", []) if self.resolve(p)["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path)), path
            ids += [op["operationId"] for m, op in item.items() if m in METHODS]
        assert len(ids) == len(set(ids)), ids
        for name, schema in self.doc["components"]["schemas"].items():
            jsonschema.Draft202012Validator.check_schema(schema)
            parts.append(name)
        assert parts
        return {i for i in ids}

    def operation(self, method, path):
        for pattern, item in self.doc["paths"].items():
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", pattern), path) and method.lower() in item:
                return item[method.lower()]
        raise e2e.Failure("the contract has no %s %s" % (method, path))

    def check(self, method, path, status, kind, text):
        op = self.operation(method, path)
        self.asked.add(op["operationId"])
        answer = self.resolve(op["responses"].get(str(status)))
        if answer is None:
            raise e2e.Failure("%s %s answered %d, which the contract does not have: %s" % (method, path, status, text))
        media = answer["content"].get(kind.split(";")[0])
        if media is None:
            raise e2e.Failure("%s %s answered %s: %s" % (method, path, kind, text))
        if kind.split(";")[0].endswith("json"):
            schema = {"$ref": "#/x", "x": media["schema"], "components": self.doc["components"]}
            jsonschema.Draft202012Validator(schema).validate(json.loads(text))


class Rest:
    def __init__(self, port, contract, token=None):
        self.port, self.contract, self.token = port, contract, token

    def ask(self, method, target, body=None, want=200):
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        request = urllib.request.Request("https://127.0.0.1:%d%s" % (self.port, target), method=method)
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, timeout=e2e.PATIENCE, context=tls) as r:
                status, headers, text = r.status, r.headers, r.read().decode()
        except urllib.error.HTTPError as error:
            status, headers, text = error.code, error.headers, error.read().decode()
        self.headers = headers
        self.contract.check(method, target.split("?")[0], status, headers["Content-Type"], text)
        if status != want:
            raise e2e.Failure("%s %s: %d instead of %d: %s" % (method, target, status, want, text))
        return json.loads(text) if "json" in headers["Content-Type"] else text


def back_end(server, folder, app):
    made = server.ctl("app", "create", app)
    key = os.path.join(folder, app + ".key")
    with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
        f.write(made["key"])
    return server.ctl("token", "mint", "--key=" + key, "--kid=" + made["kid"], "--issuer=" + app, "--audience=gavel", "--user=backend",
                      "--scopes=rooms:manage", "--expires-in=1h")["token"]


def live(rest, made):
    """Acts on somebody who is there."""
    room = "/v1/rooms/" + urllib.parse.quote(made["room"])
    guest = e2e.Client.join(made["guest_link"], "Gwen", "--no-audio")
    guest.wait_state("lobby")
    people = rest.ask("GET", room + "/people")["people"]
    gwen = next(p for p in people if p["name"] == "Gwen")
    assert gwen["presence"] == "waiting" and gwen["client"].startswith("gavel/"), gwen
    done = rest.ask("POST", room + "/acts/admit", {"who": [gwen["id"]]})
    assert done["seq"] > 0
    guest.wait_state("joined")
    rest.ask("POST", room + "/acts/admit", {"who": [gwen["id"]]}, 409)
    one = rest.ask("GET", "%s/people/%d" % (room, gwen["id"]))
    assert one["name"] == "Gwen" and one["presence"] == "here", one
    rest.ask("POST", room + "/acts/announce", {"text": "from the back end"})
    assert guest.wait_event("chat.sent")["text"] == "from the back end"
    rest.ask("POST", room + "/acts/floor_take", {"who": [gwen["id"]]})
    guest.wait_event("member.floor")
    rest.ask("POST", room + "/acts/role", {"who": [gwen["id"]], "role": "emperor"}, 400)
    stays = rest.ask("GET", room + "/attendance")["attendance"]
    assert [(s["name"], s["end"]) for s in stays] == [("Gwen", "here")], stays
    rest.ask("POST", room + "/acts/remove", {"who": [gwen["id"]], "text": "thank you"})
    guest.wait("being removed", lambda e: e.get("event") == "state" and e.get("state") == "ended")
    guest.end()
    rows = list(csv.DictReader(io.StringIO(rest.ask("GET", room + "/attendance?format=csv"))))
    assert [(r["name"], r["end"]) for r in rows] == [("Gwen", "removed")], rows
    meter = rest.ask("GET", "/v1/metering")["metering"]
    assert len(meter) == 1 and meter[0]["visits"] == 1, meter
    assert rest.ask("GET", "/v1/metering?format=csv").splitlines()[0] == "app,room,visits,participant_seconds"


def invited(rest, made):
    room = "/v1/rooms/" + urllib.parse.quote(made["room"])
    link = rest.ask("POST", room + "/invites", {"role": "cohost", "direct": True}, 201)["link"]
    assert rest.headers["Cache-Control"] == "no-store"
    host = e2e.Client.join(link, "Hal", "--no-audio")
    host.wait_state("joined")
    invites = rest.ask("GET", room + "/invites")["invites"]
    assert "cohost" in {i["role"] for i in invites}
    rest.ask("DELETE", "%s/invites/%d" % (room, invites[-1]["id"]))
    late = e2e.Client.join(link, "Late", "--no-audio")
    late.wait("bad_invite", lambda e: e.get("code") == "bad_invite")
    late.end()
    token = rest.ask("POST", "/v1/tokens", {"user": "ida", "room": made["room"], "name": "Ida", "scopes": "room:join room:moderate"}, 201)
    path = os.path.join(os.environ["HOME"], "ida.token")
    with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
        f.write(token["token"])
    ida = e2e.Client("join", link.split("#")[0] + "#" + re.search(r"p=[^&]+", link)[0], "--token", path, "--no-audio")
    ida.wait_state("joined")
    rest.ask("DELETE", "/v1/tokens/%s/%s" % (token["kid"], token["jti"]))
    ida.wait("being sent away", lambda e: e.get("event") == "state" and e.get("state") == "ended")
    for c in (host, ida):
        c.kill()


def status_of(address, port, name, path, source=None):
    """Of GET path, with `name` in TLS and in Host."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((address, port), e2e.PATIENCE, (source, 0) if source else None) as s:
        with tls.wrap_socket(s, server_hostname=name) as t:
            t.sendall(("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade, close\r\n%s\r\n" % (path, name, "" if path != "/v1/ws" else (
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Sec-WebSocket-Protocol: gavel.1\r\n"))).encode())
            status = int(t.recv(4096).split()[1])
            if status != 101:
                return status, ""
            text = b'{"jsonrpc":"2.0","id":1,"method":"room.join","params":{"room":"none"}}'
            t.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
            return status, t.recv(4096).decode("latin-1")


def same_number(folder):
    """Both ports may have one number, at two addresses: what a client calls the server does not move it to the other."""
    port = free_port()
    config = os.path.join(folder, "both.ini")
    with open(config, "w") as f:
        f.write(e2e.UNLIMITED + "[ops]\nlisten = 127.0.0.2\nallow = 127.0.0.2/32\nport = %d\n" % port)
    server = e2e.Server(folder, port=port, extra=["--config", config])
    for name in ("ops", "ops:%d" % port, "o", "localhost"):
        for path in ("/metrics", "/v1/rooms", "/v1/openapi.json"):
            assert status_of("127.0.0.1", port, name.split(":")[0], path)[0] == 404, (name, path)
        assert "no_room" in status_of("127.0.0.1", port, name, "/v1/ws")[1], name
        assert status_of("127.0.0.2", port, name, "/metrics", "127.0.0.2")[0] == 200, name
        assert "not_allowed" in status_of("127.0.0.2", port, name, "/v1/ws", "127.0.0.2")[1], name
    server.stop()


def test(folder):
    same_number(folder)
    contract = Contract(os.path.join(e2e.SOURCE, "docs", "openapi.json"))
    operations = contract.check_itself()
    port = free_port()
    config = os.path.join(folder, "gaveld.ini")
    with open(config, "w") as f:
        f.write(e2e.UNLIMITED + "[ops]\nport = %d\n" % port)
    server = e2e.Server(folder, extra=["--config", config])
    acme = Rest(port, contract, back_end(server, folder, "acme"))
    rival = Rest(port, contract, back_end(server, folder, "rival"))
    assert Rest(port, contract).ask("GET", "/v1/openapi.json") == contract.doc
    Rest(port, contract).ask("GET", "/v1/rooms", want=401)
    Rest(port, contract, "x.y.z").ask("GET", "/v1/rooms", want=401)

    made = acme.ask("POST", "/v1/rooms", {"room": "Blue Room"}, 201)
    assert acme.headers["Location"] == "/v1/rooms/%s?app=acme" % made["room"]
    rival.ask("POST", "/v1/rooms", {"room": "Blue Room"}, 201)
    acme.ask("POST", "/v1/rooms", {"room": "Blue Room"}, 409)
    assert [r["app"] for r in acme.ask("GET", "/v1/rooms")["rooms"]] == ["acme"]
    rival.ask("GET", "/v1/rooms?app=acme", want=403)
    live(acme, made)
    invited(acme, made)
    assert rival.ask("GET", "/v1/metering")["metering"] == []

    acme.ask("POST", "/v1/rooms/%s/acts/topic" % made["room"], {"text": "kept"})
    server.kill()
    server = e2e.Server(folder, extra=["--config", config])
    assert acme.ask("GET", "/v1/rooms/" + made["room"])["topic"] == "kept"
    entry = server.ctl("audit", "query", "--action=room.topic")  # one line: one entry
    assert entry["actor"].startswith("rest:k-") and "@" not in entry["actor"], entry  # the key, and nobody's name
    acme.ask("DELETE", "/v1/rooms/" + made["room"])
    assert contract.asked == operations, operations - contract.asked
    server.stop()


if __name__ == "__main__":
    e2e.main(test)
