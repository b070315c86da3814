"""A stack nobody here wrote: aiortc knocks by the documented protocol, is admitted, hears a gavel client and is heard by it, until the host
mutes it. Signalling by the websockets package, media (ICE, DTLS, SRTP, Opus) by aiortc."""
import asyncio
import fractions
import hashlib
import json
import os
import ssl
import threading
import time

import aioice.ice
import av
import numpy
import websockets
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError

import gavel_e2e as e2e

RATE, FRAME = 48000, 960
OURS, THEIRS = 440, 1000  # Hz: what gavel speaks, what aiortc speaks

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]  # by itself it leaves out loopback


class Sine(AudioStreamTrack):
    """A sine in stereo, 20 ms at a time, at the pace of the clock."""
    at = 0

    async def recv(self):
        if self.at == 0:
            self.began = time.monotonic()
        await asyncio.sleep(self.began + self.at / RATE - time.monotonic())
        t = (numpy.arange(FRAME) + self.at) / RATE
        pcm = (0.3 * 32767 * numpy.sin(2 * numpy.pi * THEIRS * t)).astype("<i2")
        frame = av.AudioFrame.from_ndarray(numpy.repeat(pcm, 2).reshape(1, -1), format="s16", layout="stereo")
        frame.pts, frame.sample_rate, frame.time_base = self.at, RATE, fractions.Fraction(1, RATE)
        self.at += FRAME
        return frame


class Peer:
    """One aiortc participant, in a thread with an event loop of its own."""

    def __init__(self, link, name):
        self.link, self.name = e2e.parse_link(link), name
        self.id, self.requests = 0, {}
        self.pcm, self.heard = numpy.zeros(0), threading.Event()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(e2e.PATIENCE)

    async def connect(self):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE  # the pin is the check
        self.notes = asyncio.Queue()
        self.ws = await websockets.connect("wss://%(host)s:%(port)d/v1/ws" % self.link, ssl=tls, subprotocols=["gavel.1"], compression=None)
        der = self.ws.transport.get_extra_info("ssl_object").getpeercert(True)
        assert hashlib.sha256(der).digest() == e2e.unb64(self.link["pin"]), "the certificate is the one of the link"
        assert self.ws.subprotocol == "gavel.1"
        self.reader = asyncio.ensure_future(self.read())

    async def read(self):
        try:
            async for text in self.ws:
                m = json.loads(text)
                if "method" in m:
                    self.notes.put_nowait(m)
                else:
                    self.requests.pop(m["id"]).set_result(m)
        except websockets.ConnectionClosed:
            pass

    async def ask(self, method, **params):
        self.id += 1
        answer = self.requests[self.id] = self.loop.create_future()
        await self.ws.send(json.dumps({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}))
        m = await answer
        if "result" not in m:
            raise e2e.Failure("%s: %s" % (method, m))
        return m["result"]

    async def note(self, method, want=lambda p: True):
        while True:
            m = await self.notes.get()
            if m["method"] == method and want(m["params"]):
                return m["params"]

    async def knock(self):
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pc.addTrack(Sine())
        self.pc.on("track", self.on_track)
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return await self.ask("room.join", room=self.link["room"], name=self.name, invite=self.link["invite"], client="aiortc",
                              sdp=self.pc.localDescription.sdp)

    def on_track(self, track):
        self.listener = asyncio.ensure_future(self.listen(track))

    async def accept(self, sdp):
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def listen(self, track):
        try:
            while True:
                pcm = (await track.recv()).to_ndarray().reshape(-1, 2)[:, 0] / 32768
                self.pcm = numpy.concatenate([self.pcm[-RATE:], pcm])
                if e2e.tone_amplitude(self.pcm[-RATE // 5:], RATE, OURS) > 0.1:
                    self.heard.set()
        except MediaStreamError:
            pass

    def wait_heard(self):
        self.heard.clear()
        if not self.heard.wait(e2e.PATIENCE):
            raise e2e.Failure("aiortc does not hear %d Hz: %d samples, amplitude %.3f" % (OURS, len(self.pcm),
                              e2e.tone_amplitude(self.pcm, RATE, OURS)))

    async def close(self):
        await self.pc.close()
        await self.ws.close()
        await self.reader
        await self.listener


def has(event, who):
    return event.get("event") == "levels" and any(x["id"] == who for x in event["levels"])


def test(folder):
    server = e2e.Server(folder)
    host_link, guest_link = server.create("interop")
    wav, record = os.path.join(folder, "host.wav"), os.path.join(folder, "host-heard.wav")
    e2e.write_tone(wav, OURS, 60)
    host = e2e.Client.join(host_link, "host", "--play", wav, "--record", record)
    host.wait_state("joined")
    host.wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))
    peer = Peer(guest_link, "aiortc")
    peer.run(peer.connect())
    answer = peer.run(peer.knock())
    assert answer["state"] == "lobby" and answer["place"] == 1, answer
    me = host.wait_event("member.knocked")["member"]["id"]
    assert me == answer["me"]
    host.act("admit", who=[me])
    peer.run(peer.accept(peer.run(peer.note("answer"))["sdp"]))
    media = peer.run(peer.note("media"))
    assert media["state"] == "connected" and media["profile"] == "AES128_CM_SHA1_80", media
    host.wait("level of aiortc", lambda e: has(e, me))
    peer.wait_heard()
    assert e2e.tone_amplitude(peer.pcm[-RATE // 5:], RATE, THEIRS) < 0.01, "aiortc hears itself"
    for _ in range(2):  # two reports: at least 1 s of listening
        host.wait("link report", lambda e: e.get("event") == "link")
    host.act("mute", who=[me])
    peer.run(peer.note("event", lambda p: p["kind"] == "member.muted" and p["who"] == [me]))
    host.wait("silence of aiortc", lambda e: e.get("event") == "levels" and not has(e, me))
    for _ in range(2):
        host.wait("link report", lambda e: e.get("event") == "link")
    peer.wait_heard()  # a mute takes his voice, not his ears
    host.say(cmd="leave")
    assert host.end() == 0
    peer.run(peer.close())
    pcm, rate = e2e.read_wav(record)
    spoke = e2e.heard_share(pcm, rate, THEIRS)
    assert spoke * len(pcm) / rate > 0.5, "aiortc was heard for half a second at least: share %.3f" % spoke
    assert e2e.heard_share(pcm[-rate:], rate, THEIRS, least=0.01) == 0, "aiortc was muted"
    server.stop()


e2e.main(test)
