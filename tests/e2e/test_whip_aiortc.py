"""WHIP and WHEP with aiortc: speaking and listening, with and without trickle, a video line that is refused, the lobby, a mute for real, the ends
of a session (DELETE, removed by a host, gone without a word), and every refusal of the two protocols."""
import asyncio
import json
import os
import subprocess
import threading

import aioice.ice
import numpy
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer
from aiortc.mediastreams import MediaStreamError, VideoStreamTrack

import gavel_e2e as e2e
import whip_kit as whip

RATE = 48000
HOST, WHIP = 440, 1000  # Hz: what gavel speaks, what aiortc speaks

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]  # by itself it leaves out loopback


class Peer:
    """One RTCPeerConnection, in a thread with an event loop of its own."""

    def __init__(self, server, kind, room, token, query="", wav=None, video=False, trickle=False):
        self.pcm = numpy.zeros(0)
        self.heard, self.connected = threading.Event(), threading.Event()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        offer = self.run(self.offer(kind, wav, video))
        lines = offer.splitlines()
        candidates = [l for l in lines if l.startswith("a=candidate:")]
        assert candidates
        if trickle:
            offer = "\r\n".join(l for l in lines if not l.startswith(("a=candidate:", "a=end-of-candidates"))) + "\r\n"
        self.session = whip.Session(server, kind, room, token, offer, query)
        for line in candidates + ["a=end-of-candidates"] if trickle else []:
            self.session.trickle(line)
        if not video:
            self.run(self.pc.setRemoteDescription(RTCSessionDescription(self.session.answer, "answer")))

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(e2e.PATIENCE)

    async def offer(self, kind, wav, video):
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pc.on("track", lambda t: asyncio.ensure_future(self.listen(t)))
        self.pc.on("connectionstatechange", lambda: self.pc.connectionState == "connected" and self.connected.set())
        if video:
            self.pc.addTransceiver(VideoStreamTrack(), direction="sendonly")
        if kind == "whip":
            self.player = MediaPlayer(wav, loop=True)
            self.pc.addTransceiver(self.player.audio, direction="sendonly")
        else:
            self.pc.addTransceiver("audio", direction="recvonly")
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def listen(self, track):
        try:
            while True:
                pcm = (await track.recv()).to_ndarray().reshape(-1, 2)[:, 0] / 32768
                self.pcm = numpy.concatenate([self.pcm[-RATE:], pcm])
                if self.level(HOST) > 0.1:
                    self.heard.set()
        except MediaStreamError:
            pass

    def level(self, freq):
        return e2e.tone_amplitude(self.pcm[-RATE // 5:], RATE, freq)

    def wait_connected(self):
        if not self.connected.wait(e2e.PATIENCE):
            raise e2e.Failure("no sound path: %s" % self.pc.connectionState)

    def wait_heard(self):
        self.heard.clear()
        if not self.heard.wait(e2e.PATIENCE):
            raise e2e.Failure("the listener does not hear %d Hz: %d samples, %.3f" % (HOST, len(self.pcm), self.level(HOST)))

    def close(self):
        self.run(self.pc.close())


def has(event, who):
    return event.get("event") == "levels" and any(x["id"] == who for x in event["levels"])


def silent(event, who):
    return event.get("event") == "levels" and not has(event, who)


def speaks_and_listens(server, host, token, wav):
    speaker = Peer(server, "whip", "den", token, "?name=Stage%20Mike", wav)
    joined = host.wait_event("member.joined")["member"]
    assert joined["name"] == "Stage Mike" and joined["client"] == "whip", joined
    speaker.wait_connected()
    host.wait("the level of who speaks by WHIP", lambda e: has(e, joined["id"]))
    listener = Peer(server, "whep", "den", token, trickle=True)
    ear = host.wait_event("member.joined")["member"]
    assert ear["client"] == ear["name"] == "whep", ear
    listener.wait_heard()
    assert listener.level(WHIP) > 0.1, "WHEP gives the mix, with whom WHIP brought: %.3f" % listener.level(WHIP)
    host.act("mute", who=[joined["id"]])
    host.wait("silence of who spoke by WHIP", lambda e: silent(e, joined["id"]))
    host.act("ask_unmute", ok=False, who=[joined["id"]])  # nobody there can answer; nothing breaks
    listener.wait_heard()
    speaker.session.end()
    assert host.wait_event("member.left")["who"] == [joined["id"]]
    assert speaker.session.is_gone() and whip.member(server, "den", "whip") is None
    speaker.close()
    host.act("remove", who=[ear["id"]])
    assert whip.member(server, "den", "whep") is None
    assert listener.session.is_gone() and listener.session.patch("a=end-of-candidates\r\n").status == 404
    listener.close()


def video_is_refused(server, host, token, wav):
    """In the answer only: aiortc 1.4 cannot live with a refused line, webrtcbin can (test_whip_gst.py)."""
    speaker = Peer(server, "whip", "den", token, wav=wav, video=True)
    answer = speaker.session.answer
    assert answer.index("m=video 0 ") < answer.index("m=audio ") and "a=recvonly\r\n" in answer, answer
    assert "a=group:BUNDLE 1\r\n" in answer, answer
    who = host.wait_event("member.joined")["member"]["id"]
    speaker.session.end()
    assert host.wait_event("member.left")["who"] == [who]
    speaker.close()


def waits_and_is_lost(server, host, link, wav):
    """A lobby: connected and silent until he is admitted; held again; then his path dies without a word."""
    host.act("lobby", on=True)
    speaker = Peer(server, "whip", "den", whip.invite(link), wav=wav)
    who = host.wait_event("member.knocked")["member"]["id"]
    speaker.wait_connected()
    at = len(host.lines.seen)
    for _ in range(3):  # of half a second each
        host.wait("link report", lambda e: e.get("event") == "link")
    assert not any(has(json.loads(line), who) for line in host.lines.seen[at:]), "heard in the lobby"
    host.act("admit", who=[who])
    host.wait("the level of who was admitted", lambda e: has(e, who))
    host.act("hold", who=[who])
    host.wait("silence of who is held", lambda e: silent(e, who))
    host.act("admit", who=[who])
    host.wait("the level of who came in again", lambda e: has(e, who))
    for _ in range(4):  # of half a second each
        host.wait("link report", lambda e: e.get("event") == "link")
    speaker.close()  # no DELETE
    assert host.wait_event("member.left", 45)["who"] == [who]
    assert speaker.session.is_gone()
    host.act("lobby", on=False)


def refusals(server, host, token):
    offer = open(os.path.join(e2e.SOURCE, "tests/vectors/sdp/chromium-offer.sdp"), newline="").read()
    right = whip.bearer(token)

    def post(path="/whip/den", body=offer, **headers):
        return whip.ask(server, "POST", path, body, **{"Content_Type": whip.SDP, "Authorization": right, **headers})
    r = whip.ask(server, "POST", "/whip/den", offer, Content_Type=whip.SDP)
    assert r.status == 401 and r.headers["www-authenticate"] == 'Bearer realm="gavel"', r.headers
    r = post(Authorization=whip.bearer("A" * 43))
    assert r.status == 401 and r.code() == "bad_invite", r.text
    r = post(Authorization=whip.bearer("eyJhbGciOiJub25lIn0.e30."))
    assert r.status == 401 and r.code() == "invalid_token", r.text
    assert post(Content_Type="application/json").status == 415
    assert post(path="/whip/nowhere").code() == "no_room"
    r = post(body="v=0\r\nhello\r\n")
    assert r.status == 400 and r.code() == "bad_sdp", r.text
    r = post(body=offer.replace("a=rtcp-mux\r\n", ""))
    assert r.status == 400 and "rtcp-mux" in r.text, r.text
    r = post(body=offer.replace("a=fingerprint", "a=fingerprinx"))
    assert r.status == 400 and "fingerprint" in r.text, r.text
    assert post(path="/whep/den", body="").status == 501
    for path, allow, accept in [("/whip/den", "OPTIONS, POST", "accept-post"), ("/whep/den", "OPTIONS, POST", "accept-post"),
                                ("/whip-session/x", "OPTIONS, PATCH, DELETE", "accept-patch")]:
        r = whip.ask(server, "OPTIONS", path)
        assert r.status == 204 and r.headers["allow"] == allow and accept in r.headers, (r.status, r.headers)
        for method in ["GET", "HEAD", "PUT"] + (["POST"] if "session" in path else ["DELETE"]):
            r = whip.ask(server, method, path, "" if method in ("PUT", "POST") else None)
            assert r.status == 405 and r.headers["allow"] == allow, (method, r.status, r.headers)
    session = whip.Session(server, "whip", "den", token, offer)
    host.wait_event("member.joined")
    for status, headers in [(428, {"If_Match": ""}), (412, {"If_Match": '"x"'}), (401, {"Authorization": whip.bearer("B" * 43)}),
                            (415, {"Content_Type": whip.SDP})]:
        r = whip.ask(server, "PATCH", session.at, "a=end-of-candidates\r\n",
                     **{"Content_Type": whip.FRAG, "Authorization": right, "If_Match": session.etag, **headers})
        assert r.status == status, (status, r.status, r.text)
    r = session.patch("a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n", If_Match="*")
    assert r.status == 422 and r.code() == "no_restart", r.text
    assert whip.ask(server, "DELETE", session.at, Authorization=whip.bearer("B" * 43)).status == 401
    session.end()
    host.wait_event("member.left")


def by_token(server, folder):
    """A room of an application, made by who comes first with a join token, which is then used up."""
    app = server.ctl("app", "create", "shop", "--rooms=join", "--lobby=no")
    key = os.path.join(folder, "shop.key")
    with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        f.write(app["key"])
    token = subprocess.run([e2e.program("gavelctl"), "token", "mint", "--key", key, "--kid", app["kid"], "--issuer=shop", "--audience=gavel",
                            "--user=stage", "--name=Stage", "--room=blue", "--scopes=room:join room:speak"], capture_output=True, text=True,
                           check=True).stdout.strip()
    offer = open(os.path.join(e2e.SOURCE, "tests/vectors/sdp/chromium-offer.sdp"), newline="").read()
    for room, code in (("shop/red", "invalid_token"), ("other/blue", "invalid_token")):
        assert whip.ask(server, "POST", "/whip/" + room, offer, Content_Type=whip.SDP, Authorization=whip.bearer(token)).code() == code
    session = whip.Session(server, "whip", "shop/blue", token, offer)
    stage = whip.member(server, "shop/blue", "whip")
    assert stage["name"] == "Stage" and stage["role"] == "speaker", stage
    r = whip.ask(server, "POST", "/whep/shop/blue", offer, Content_Type=whip.SDP, Authorization=whip.bearer(token))
    assert r.status == 401, (r.status, r.text)
    server.ctl("user", "revoke", "stage@shop")
    assert session.is_gone()


def test(folder):
    server = e2e.Server(folder)
    host_link, guest_link = server.create("den", "--no-lobby")
    wav, mike = os.path.join(folder, "host.wav"), os.path.join(folder, "mike.wav")
    e2e.write_tone(wav, HOST, 120)
    e2e.write_tone(mike, WHIP, 4)
    host = e2e.Client.join(host_link, "host", "--play", wav, "--record", os.path.join(folder, "heard.wav"))
    host.wait_state("joined")
    host.wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))
    token = whip.invite(guest_link)
    refusals(server, host, token)
    by_token(server, folder)
    speaks_and_listens(server, host, token, mike)
    video_is_refused(server, host, token, mike)
    waits_and_is_lost(server, host, guest_link, mike)
    host.say(cmd="leave")
    assert host.end() == 0
    pcm, rate = e2e.read_wav(os.path.join(folder, "heard.wav"))
    spoke = e2e.heard_share(pcm, rate, WHIP) * len(pcm) / rate
    assert spoke > 1, "who came by WHIP was heard for %.1f s" % spoke
    server.stop()


e2e.main(test)
