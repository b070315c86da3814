"""docs/bad-input.md 6 to 9: frames that RFC 6455 forbids, compression, JSON that is none, and messages that say who sent them."""
import json
import struct
import time

import bad_kit as kit
import gavel_e2e as e2e
from bad_kit import BINARY, CLOSE, PING, TEXT, check, code

REQUEST = b'{"jsonrpc":"2.0","id":2,"method":"ping","params":{}}'


def bad_06_frames(room):
    """Each row: what is sent, the codes of which one closes the connection. 0: libwebsockets ends it without a close frame; 3: it sends
    the byte back."""
    def pieces(r, text, *cuts):
        cuts = (0, *cuts, len(text))
        for i, (a, b) in enumerate(zip(cuts, cuts[1:])):
            r.frame(TEXT if i == 0 else 0, text[a:b], b == len(text))
    rows = (
        ("RSV1", lambda r: r.frame(TEXT, REQUEST, rsv=4), (1002,)),
        ("RSV2", lambda r: r.frame(TEXT, REQUEST, rsv=2), (1002,)),
        ("RSV3", lambda r: r.frame(TEXT, REQUEST, rsv=1), (1002,)),
        ("64-bit length, top bit", lambda r: r.frame(TEXT, REQUEST, length=b"\x7f" + struct.pack(">Q", 1 << 63 | 50)), (1002, 0)),
        ("64-bit length, huge", lambda r: r.frame(TEXT, REQUEST * 2000, length=b"\x7f" + struct.pack(">Q", (1 << 63) - 1)), (1009,)),
        ("fragmented ping", lambda r: r.frame(PING, b"x", final=False), (1002,)),
        ("long ping", lambda r: r.frame(PING, b"x" * 126), (1002, 0)),
        ("fragmented close", lambda r: r.frame(CLOSE, b"\x03\xe8", final=False), (1002,)),
        ("opcode 3", lambda r: r.frame(3, b"x"), (1002,)),
        ("opcode 11", lambda r: r.frame(11, b"x"), (1002,)),
        ("continuation of nothing", lambda r: r.frame(0, REQUEST), (1002,)),
        ("text within text", lambda r: (r.frame(TEXT, b"{", False), r.frame(TEXT, REQUEST)), (1002,)),
        ("binary", lambda r: r.frame(BINARY, REQUEST), (1003,)),
        ("not UTF-8", lambda r: r.frame(TEXT, b'{"\xc3\x28"}'), (1007,)),
        ("not UTF-8, in two", lambda r: pieces(r, b'{"\xe2\x28\xa1"}', 3), (1007,)),
        ("UTF-8 cut off at the end", lambda r: pieces(r, b'{"\xf0\x9f\x98', 3, 4), (1007,)),
        ("a surrogate in two", lambda r: pieces(r, b'{"\xed\xa0\x80"}', 3), (1007,)),
        ("overlong in two", lambda r: pieces(r, b'{"\xc0\xaf"}', 3), (1007,)),
        ("close of one byte", lambda r: r.frame(CLOSE, b"\x03"), (1002, 3)),
        ("close 1005", lambda r: r.frame(CLOSE, struct.pack(">H", 1005)), (1002,)),
        ("close 1006", lambda r: r.frame(CLOSE, struct.pack(">H", 1006)), (1002,)),
        ("close 999", lambda r: r.frame(CLOSE, struct.pack(">H", 999)), (1002,)),
        ("close with bad UTF-8", lambda r: r.frame(CLOSE, b"\x03\xe8\xff\xff"), (1007, 0)),
    )
    for what, send, want in rows:
        r, _ = room.raw("frame")
        send(r)
        got = r.close_code(what)
        check(got in want, "%s: closed with %s, not %s" % (what, got, want))
        r.close()
    room.fine("bad frames")


def bad_06_unmasked(room):
    """libwebsockets does not tell, so such a frame is answered as if it were masked: masks are for proxies, and TLS hides it from those."""
    for masked in (False, True):
        r, _ = room.raw("unmasked")
        r.frame(PING, b"x", masked=masked)
        r.frame(TEXT, REQUEST, masked=masked)
        check(code(r.answer(2)) in ("ok", "closed"), "unmasked frames")
        r.close()
    room.fine("unmasked frames")


def bad_06_empty_continuations(room):
    """A million of them: the connection ends after 64, the server has not worked for the rest."""
    r, _ = room.raw("empty")
    r.frame(TEXT, b"{", False)
    before, began = room.metrics()["message_fragments"], time.monotonic()
    block = bytes([0x00, 0x80, 0, 0, 0, 0]) * 10000
    for _ in range(100):
        r.send(block)
    got = r.close_code()
    check(got in (1009, 0) and room.metrics()["message_fragments"] == before + 1, "empty continuations: %s" % got)
    check(time.monotonic() - began < 10, "empty continuations took %.1f s" % (time.monotonic() - began))
    room.fine("empty continuations")


def bad_07_deflate(room):
    for offer in (b"permessage-deflate", b"permessage-deflate; client_max_window_bits", b"x-webkit-deflate-frame",
                  b"permessage-deflate; server_no_context_takeover; client_max_window_bits=8, permessage-deflate"):
        r = kit.Raw(room.server.port, kit.SUBPROTOCOL + b"Sec-WebSocket-Extensions: " + offer + b"\r\n")
        check(b" 101 " in r.head and b"extensions" not in r.head.lower(), "deflate: %r" % r.head)
        check(code(r.ask("room.join", room.params("flat"))) == "ok", "no plain message after an offer")
        r.frame(TEXT, b"\xaa\x56\xca\x48\xcd\xc9\xc9\x57\x2a\xcf\x2f\xca\x49\x51\xaa\x05\x00", rsv=4)  # deflated, without agreement
        check(r.close_code() == 1002, "a compressed frame was taken")
    room.fine("deflate")


def bad_08_json(room):
    def ping(params):
        return b'{"jsonrpc":"2.0","id":2,"method":"ping","params":' + params + b"}"

    def chat(text):
        return b'{"jsonrpc":"2.0","id":2,"method":"room.chat","params":{"text":' + text + b"}}"
    bad = (
        b"[" * 60000, b"{\"a\":" * 12000, b"[" * 20 + b"]" * 20, b"", b" ", b"{", b"[]", b"null", b"1", b'"x"', b"\xef\xbb\xbf" + REQUEST,
        b'{"jsonrpc":"2.0","id":2,"method":"ping","method":"room.leave","params":{}}', b'{"type":"x","type":"y"}',
        b'{"jsonrpc":"2.0","id":2,"id":3,"method":"ping","params":{}}', chat(b'"a","text":"b"'), chat(b'"a","\\u0074ext":"b"'),
        chat(b'"\\ud800"'), chat(b'"\\udc00\\ud800"'), chat(b'"\\ud800\\u0041"'), chat(b'"a\\u0000b"'), chat(b'"\x01"'), chat(b'"\x1b[31m"'),
        chat(b"1e400"), chat(b"-1e400"), chat(b"9007199254740993"), chat(b"-9007199254740993"), chat(b"1" * 400), chat(b"NaN"), chat(b"Infinity"),
        chat(b"0x10"), chat(b"01"), chat(b"1.5"), chat(b'"\\x41"'), chat(b"'a'"), chat(b'"a",'), chat(b"[]"), chat(b"{}"), chat(b"true"),
        REQUEST + b"}", REQUEST + REQUEST, REQUEST + b"\n{}", REQUEST + b"x", b"//" + REQUEST, ping(b'{"__proto__":{"admin":true}}'),
        ping(b'{"constructor":1}'), b'{"jsonrpc":"2.0","id":2,"method":"ping","params":{},"__proto__":{}}',
        b'{"jsonrpc":"2.0","id":-0,"method":"ping","params":{}}', b'{"jsonrpc":"2.0","id":9007199254740993,"method":"ping","params":{}}',
        b'{"jsonrpc":"2.0","id":1e0,"method":"ping","params":{}}', b'{"jsonrpc":"2.0","id":"2","method":"ping","params":{}}',
        b'{"jsonrpc":"1.0","id":2,"method":"ping","params":{}}', b'{"id":2,"method":"ping","params":{}}', ping(b"[]"), ping(b"null"),
        b'{"jsonrpc":"2.0","id":2,"method":"__proto__","params":{}}', b'{"jsonrpc":"2.0","id":2,"method":"' + b"m" * 9000 + b'","params":{}}',
        ping(b"{%s}" % b",".join(b'"k%d":1' % i for i in range(300))))
    r, me = room.raw("json")
    said = {}
    for text in bad:
        r.frame(TEXT, text)
        f = r.next()
        while f and f[0] == TEXT and "method" in json.loads(f[1]):
            f = r.next()
        check(f and f[0] == TEXT, "no answer to %r but %r" % (text[:80], f))
        answer = json.loads(f[1])
        check("error" in answer, "%r was taken: %s" % (text[:80], answer))
        c = code(answer)
        said[c] = said.get(c, 0) + 1
        check(c in ("bad_json", "bad_request", "bad_argument", "unknown_method"), "%r: %s" % (text[:80], answer))
    check(len(said) == 4 and said["bad_json"] >= 35, "codes: %s" % said)
    check(code(r.ask("ping", {}, 77)) == "ok", "after all that the connection is as it was")
    r.frame(TEXT, b"[" * 100000)
    check(r.close_code() == 1009, "100 kB of [")
    room.fine("bad JSON")


def bad_09_in_anothers_name(room):
    """Whoever a client says he is: refused, and nothing happens in ann's name."""
    ann, bob = room.ids["ann"], room.ids["bob"]
    r, me = room.raw("mallory")
    number = 10
    for extra in ({"from": ann}, {"from": "ann"}, {"actor": ann}, {"me": ann}, {"role": "owner"}, {"ts": 1}, {"time": 1}, {"seq": 1},
                  {"room": "other"}, {"operator": "root"}, {"ticket": "T-1"}, {"user": "ann@app"}, {"pid": "p-0000000000000000"}):
        number += 1
        if number % 8 == 0:
            r, me = room.raw("mallory")  # within what one may ask a second
        got = r.ask("room.chat", dict({"text": "I am ann"}, **extra), number)
        check(code(got) == "bad_argument", "chat with %s: %s" % (extra, got))
    for method, params in (("event", {"room": "den", "seq": 1, "ts": 1, "kind": "chat.sent", "actor": ann, "text": "x"}), ("bye", {"code": "ok"}),
                           ("sync", {"room": {}}), ("server.info", {}), ("rooms.list", {}), ("room.create", {"room": "x"}), ("app.list", {}),
                           ("audit.key", {}), ("room.mute", {"who": [bob], "actor": ann}), ("room.remove", {"who": [bob], "actor": ann}),
                           ("room.role", {"who": me["me"], "role": "owner"}), ("room.remove", {"who": [ann]}), ("room.end", {"actor": 0})):
        number += 1
        if number % 8 == 0:
            r, me = room.raw("mallory")
        got = r.ask(method, params, number)
        check(code(got) in ("bad_argument", "unknown_method", "not_allowed", "rank"), "%s %s: %s" % (method, params, got))
    for extra in ({"role": "owner"}, {"me": ann}, {"from": ann}, {"addr": "10.0.0.1"}, {"pid": "p-0000000000000000"}, {"user": "ann@app"}):
        again = kit.Raw(room.server.port)
        got = again.ask("room.join", room.params("mallory", **extra))
        check(code(got) == "bad_argument", "join with %s: %s" % (extra, got))
        again.close()
    twin, seat = room.raw("ann")  # the name of another is told apart
    names = [m["name"] for m in seat["room"]["members"]]
    check(len(set(names)) == len(names) and names.count("ann") == 1, "two of one name: %s" % names)
    twin.close()
    check(code(r.ask("room.chat", {"text": "mallory says"}, 99)) == "ok", "an honest message")
    said = room.people["bob"].wait("mallory's message", lambda e: e.get("event") == "room_event" and e["data"].get("text") == "mallory says")
    check(said["data"]["actor"] == me["me"], "by whom: %s" % said)
    check(not any("I am ann" in line for line in room.people["bob"].lines.seen), "a message in ann's name arrived")
    room.fine("messages in ann's name")


def test(folder):
    room = kit.Room(folder)
    bad_06_frames(room)
    bad_06_unmasked(room)
    bad_06_empty_continuations(room)
    bad_07_deflate(room)
    bad_08_json(room)
    bad_09_in_anothers_name(room)
    room.end()


e2e.main(test)
