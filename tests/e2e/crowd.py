"""Many guests in one process: each a WebSocket that speaks the protocol of docs/protocol.md, without sound. They note what they
are told; a test waits for that, never for time."""
import asyncio
import json
import ssl
import threading
import time

import websockets

import gavel_e2e as e2e


class Guest:
    def __init__(self, name, link):
        self.name = name
        self.link = e2e.parse_link(link)
        self.me = 0
        self.state = "new"       # lobby, joined, gone
        self.bye = None          # the code of the goodbye
        self.refused = None      # the code of a refused join
        self.muted = False
        self.floor = False
        self.side = 0
        self.seen = []           # kinds of events, in order
        self.chats = []
        self.replies = {}

    def take(self, method, p):
        if method == "lobby":
            self.state = "lobby"
        elif method == "admitted":
            self.state = "joined"
            self.snapshot(p["room"])
        elif method == "sync":
            self.snapshot(p["room"])
        elif method == "bye":
            self.state, self.bye = "gone", p["code"]
        elif method == "event":
            self.event(p)

    def snapshot(self, room):
        for m in room.get("members", []):
            if m["id"] == self.me:
                self.muted = m.get("muted", False)
                self.floor = m.get("floor", False)
                self.side = m.get("side", 0)

    def event(self, ev):
        self.seen.append(ev["kind"])
        if ev["kind"] == "chat.sent":
            self.chats.append(ev.get("text", ""))
        if self.me not in ev.get("who", []):
            return
        if ev["kind"] == "member.muted":
            self.muted = True
        elif ev["kind"] == "member.unmuted":
            self.muted = False
        elif ev["kind"] == "member.floor":
            self.floor = ev.get("on", False)
        elif ev["kind"] == "member.moved":
            self.side = ev.get("side", 0)


class Crowd:
    """Guests of these names who join by the link; more may come later, also by other links."""

    def __init__(self, link=None, names=()):
        self.guests = {}
        self.sockets = {}
        self.runs = []
        self.changed = threading.Condition()
        self.loop = asyncio.new_event_loop()
        self.next_id = 1
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        for name in names:
            self.join(name, link)

    def join(self, name, link):
        guest = self.guests[name] = Guest(name, link)
        self.runs.append(asyncio.run_coroutine_threadsafe(self._run(guest), self.loop))
        return guest

    async def _run(self, guest):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE  # the pin is another test's matter
        uri = "wss://%s:%d/v1/ws" % (guest.link["host"], guest.link["port"])
        try:
            async with websockets.connect(uri, ssl=tls, subprotocols=["gavel.1"], compression=None, open_timeout=60,
                                          ping_interval=None, close_timeout=1, max_size=1 << 24) as ws:
                self.sockets[guest.name] = ws
                await ws.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "room.join",
                                          "params": {"room": guest.link["room"], "name": guest.name,
                                                     "invite": guest.link["invite"], "device": "device of " + guest.name}}))
                async for text in ws:
                    self._take(guest, json.loads(text))
        except (websockets.ConnectionClosed, OSError, asyncio.TimeoutError):
            pass  # the state says it
        with self.changed:
            guest.state = "gone"
            self.changed.notify_all()

    def _take(self, guest, message):
        with self.changed:
            if message.get("id") == 1 and "result" in message:
                guest.me = message["result"]["me"]
                guest.state = message["result"]["state"]
                guest.snapshot(message["result"].get("room", {}))
            elif message.get("id") == 1:
                guest.refused = message["error"]["data"]["code"]
            elif "id" in message:
                guest.replies[message["id"]] = message
            else:
                guest.take(message["method"], message["params"])
            self.changed.notify_all()

    def wait(self, what, want, patience=None):
        """Until want() is true (its value is returned)."""
        deadline = time.monotonic() + (patience or e2e.PATIENCE * 2)
        with self.changed:
            while True:
                found = want()
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    raise e2e.Failure("the crowd does not see %s" % what)
                self.changed.wait(left)

    def count(self, **is_so):
        return sum(all(getattr(g, k) == v for k, v in is_so.items()) for g in self.guests.values())

    def wait_count(self, n, **is_so):
        self.wait("%d guests with %s (now %d)" % (n, is_so, self.count(**is_so)), lambda: self.count(**is_so) == n)

    def act(self, name, act, **params):
        """An act of one guest; waits for its reply: the code, "ok" when it was done."""
        reply = self.ask(name, act, **params)
        return "ok" if "result" in reply else reply["error"]["data"]["code"]

    def ask(self, name, act, **params):
        """The whole reply."""
        return self.ask_method(name, "room." + act, params)

    def ask_method(self, name, method, params):
        guest = self.guests[name]
        with self.changed:
            self.next_id += 1
            number = self.next_id
        text = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        asyncio.run_coroutine_threadsafe(self.sockets[name].send(text), self.loop).result(e2e.PATIENCE)
        return self.wait("the reply to " + method, lambda: guest.replies.get(number))

    def close(self):
        async def all_of_them():
            await asyncio.gather(*(ws.close() for ws in self.sockets.values()), return_exceptions=True)
        asyncio.run_coroutine_threadsafe(all_of_them(), self.loop).result(e2e.PATIENCE)
        for run in self.runs:
            run.result(e2e.PATIENCE)
        self.loop.call_soon_threadsafe(self.loop.stop)
