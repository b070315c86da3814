"""WHIP and WHEP with GStreamer: Debian 12 has its webrtcbin, not the whipclientsink built on it, so the HTTP half is ours (whip_kit.py). A
pipeline speaks into a room (with a video line that is refused, candidates trickled) and a gavel client hears it; another listens and hears
a gavel client; in stereo, with frames of 10, 20 and 60 ms."""
import os
import threading

import gi
import numpy

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

import gavel_e2e as e2e
import whip_kit as whip

RATE = 48000
HOST = 440  # Hz: what gavel speaks

OPUS = "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000,encoding-params=(string)2"
SPEAK = ("webrtcbin name=w bundle-policy=max-bundle "
         "audiotestsrc is-live=true wave=sine freq=%d volume=0.3 ! audio/x-raw,rate=48000,channels=%d ! opusenc frame-size=%d ! rtpopuspay ! "
         + OPUS + " ! w. ")
VIDEO = ("videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=5/1 ! vp8enc deadline=1 ! rtpvp8pay ! "
         "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000 ! w. ")
LISTEN = "webrtcbin name=w bundle-policy=max-bundle "


class Pipeline:
    """One webrtcbin, its offer as soon as it is asked for, its candidates by PATCH."""

    def __init__(self, server, kind, room, token, text):
        self.pcm, self.heard = numpy.zeros(0), threading.Event()
        self.waiting, self.lock, self.session, self.kept = [], threading.Lock(), None, []
        self.gathered = threading.Event()
        self.pipe = Gst.parse_launch(text)
        if not isinstance(self.pipe, Gst.Pipeline):  # of one element it makes none
            alone, self.pipe = self.pipe, Gst.Pipeline.new()
            self.pipe.add(alone)
        self.bin = self.pipe.get_by_name("w")
        self.kept.append(self.bin.get_property("ice-agent"))  # Python would take webrtcbin's own hold on it away
        self.kept[0].emit("add-local-ip-address", "127.0.0.1")  # by itself it leaves out loopback
        self.bin.connect("on-ice-candidate", self.on_candidate)
        self.bin.connect("pad-added", self.on_pad)
        if kind == "whep":
            caps = Gst.Caps.from_string(OPUS)
            self.bin.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, caps)
        else:
            self.only_send()
        asked = threading.Event()
        self.bin.connect("on-negotiation-needed", lambda _: asked.set())
        self.pipe.set_state(Gst.State.PLAYING)
        if not asked.wait(e2e.PATIENCE):
            raise e2e.Failure("webrtcbin makes no offer")
        self.trade(server, kind, room, token)

    def only_send(self):
        for i in range(4):
            t = self.bin.emit("get-transceiver", i)
            if t:
                t.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)

    def promised(self, action, *args):
        promise = Gst.Promise.new()
        self.bin.emit(action, *args, promise)
        promise.wait()
        self.kept += [promise, promise.get_reply()]  # Python does not know that the values in a reply live in it
        return self.kept[-1]

    def trade(self, server, kind, room, token):
        offer = self.promised("create-offer", None).get_value("offer")
        self.promised("set-local-description", offer)
        self.offer = offer.sdp.as_text()
        session = whip.Session(server, kind, room, token, self.offer)
        with self.lock:
            self.session = session
            waiting, self.waiting = self.waiting, []
        for line in waiting:
            session.trickle(line)
        ok, sdp = GstSdp.SDPMessage.new_from_text(session.answer)
        assert ok == GstSdp.SDPResult.OK
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.promised("set-remote-description", answer)

    def on_candidate(self, _, _line, candidate):
        with self.lock:
            if not self.session:
                self.waiting.append("a=" + candidate)
                return
        self.session.trickle("a=" + candidate)

    def on_pad(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        out = Gst.parse_bin_from_description(
            "rtpopusdepay ! opusdec ! audioconvert ! audio/x-raw,format=S16LE,channels=1,rate=48000 ! "
            "appsink name=ear emit-signals=true sync=false", True)
        out.get_by_name("ear").connect("new-sample", self.on_sample)
        self.pipe.add(out)
        out.sync_state_with_parent()
        pad.link(out.get_static_pad("sink"))

    def on_sample(self, sink):
        buffer = sink.emit("pull-sample").get_buffer()
        pcm = numpy.frombuffer(buffer.extract_dup(0, buffer.get_size()), "<i2") / 32768
        self.pcm = numpy.concatenate([self.pcm[-RATE:], pcm])
        if e2e.tone_amplitude(self.pcm[-RATE // 5:], RATE, HOST) > 0.1:
            self.heard.set()
        return Gst.FlowReturn.OK

    def state(self):
        return self.bin.get_property("connection-state").value_nick

    def wait_heard(self):
        if not self.heard.wait(e2e.PATIENCE):
            raise e2e.Failure("GStreamer does not hear %d Hz: %s, %d samples" % (HOST, self.state(), len(self.pcm)))

    def stop(self):
        self.session.end()
        self.pipe.set_state(Gst.State.NULL)


def has(event, who):
    return event.get("event") == "levels" and any(x["id"] == who for x in event["levels"])


def speaks(server, host, token, freq, channels, frame_ms, video=""):
    before = len(host.lines.seen)
    p = Pipeline(server, "whip", "den", token, SPEAK % (freq, channels, frame_ms) + video)
    assert not video or ("m=video 0 " in p.session.answer and "m=video" in p.offer), p.session.answer
    who = host.wait_event("member.joined")["member"]
    assert who["client"] == "whip", who
    host.wait("the level of GStreamer at %d ms (%s since line %d)" % (frame_ms, p.state(), before), lambda e: has(e, who["id"]))
    for _ in range(3):  # of half a second each
        host.wait("link report", lambda e: e.get("event") == "link")
    p.stop()
    assert host.wait_event("member.left")["who"] == [who["id"]]


def test(folder):
    Gst.init(None)
    loop = GLib.MainLoop()
    threading.Thread(target=loop.run, daemon=True).start()
    server = e2e.Server(folder)
    host_link, guest_link = server.create("den", "--no-lobby")
    wav, record = os.path.join(folder, "host.wav"), os.path.join(folder, "heard.wav")
    e2e.write_tone(wav, HOST, 120)
    host = e2e.Client.join(host_link, "host", "--play", wav, "--record", record)
    host.wait_state("joined")
    host.wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))
    token = whip.invite(guest_link)
    cases = [(700, 1, 20, VIDEO), (1000, 2, 10, ""), (1300, 2, 60, "")]
    for freq, channels, frame_ms, video in cases:
        speaks(server, host, token, freq, channels, frame_ms, video)
    listener = Pipeline(server, "whep", "den", token, LISTEN)
    listener.wait_heard()
    listener.stop()
    host.say(cmd="leave")
    assert host.end() == 0
    pcm, rate = e2e.read_wav(record)
    for freq, _, frame_ms, _ in cases:
        spoke = e2e.heard_share(pcm, rate, freq) * len(pcm) / rate
        assert spoke > 1, "%d Hz in frames of %d ms was heard for %.1f s" % (freq, frame_ms, spoke)
    server.stop()


e2e.main(test)
