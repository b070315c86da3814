"""gavel doctor: what it says of a good way to a server, of every kind of bad one, and of the sound; it disturbs nobody.

  test_doctor.py        on loopback
  test_doctor.py pulse  the spoken echo test, in a terminal, with a sound server (run it under pulse.sh)
  test_doctor.py wall   through networks that lose packets or let no UDP through (network namespaces; needs root)"""
import asyncio
import json
import os
import re
import ssl
import subprocess
import sys

import websockets

import gavel_e2e as e2e
import netns
from gavel_tmux import Window, tmux


def doctor(*args, code=0, prefix=()):
    r = subprocess.run([*prefix, e2e.program("gavel"), "doctor", *args, "--json"], capture_output=True, timeout=e2e.PATIENCE * 2,
                       stdin=subprocess.DEVNULL)
    if r.returncode != code:
        raise e2e.Failure("doctor ended with %d: %s%s" % (r.returncode, r.stdout.decode(), r.stderr.decode()))
    report = json.loads(r.stdout)
    assert report["ok"] == (code == 0), report
    return {c["check"]: c for c in report["checks"]}


def probe_by_hand(link, secret):
    """The method itself: once a connection, and never without a right to enter."""
    at = e2e.parse_link(link)
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    sdp = "\r\n".join(["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0",
                       "a=ice-ufrag:abcdefgh", "a=ice-pwd:abcdefghabcdefghabcdefgh", "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
                       "a=setup:actpass", "a=mid:0", "a=sendrecv", "a=rtcp-mux", "a=rtpmap:111 opus/48000/2", ""])

    async def ask(*bodies):
        async with websockets.connect("wss://%s:%d/v1/ws" % (at["host"], at["port"]), subprotocols=["gavel.1"], ssl=tls) as ws:
            out = []
            for i, body in enumerate(bodies):
                await ws.send(json.dumps({"jsonrpc": "2.0", "id": i + 1, "method": "media.probe", "params": body}))
                r = json.loads(await asyncio.wait_for(ws.recv(), e2e.PATIENCE))
                out.append(r["error"]["data"]["code"] if "error" in r else "ok")
            return out
    good = {"room": at["room"], "invite": secret, "sdp": sdp}
    assert asyncio.run(ask(good, good)) == ["ok", "bad_request"]
    assert asyncio.run(ask({**good, "room": "attic"})) == ["no_room"]
    assert asyncio.run(ask({**good, "invite": "A" * 43})) == ["bad_invite"]
    assert asyncio.run(ask({"room": at["room"], "sdp": sdp})) == ["invalid_token"]
    assert asyncio.run(ask({**good, "sdp": "v=0"})) == ["bad_sdp"]
    assert asyncio.run(ask({**good, "x": 1})) == ["bad_argument"]


def narrow(folder, link):
    """In a narrow terminal each word stays whole, and what follows stands under its own column."""
    w = Window("narrow", folder)
    try:
        w.resize(50, 40)
        w.run(e2e.program("gavel"), "doctor", link, "--no-audio")
        rows = [row for row in w.wait("code=").splitlines() if row and not row.startswith(("sh>", "code="))]
        assert len(rows) > 8 and all(re.match("(ok|note|warn|fail) +[a-z]+ +| {19}", row) for row in rows), rows
        assert "TLS_AES_256_GCM_SHA384" in "\n".join(rows), rows
    finally:
        tmux("kill-server")


def on_loopback(folder):
    server = e2e.Server(folder)
    host_link, guest_link = server.create("den")
    host = e2e.Client.join(host_link, "Hal", "--no-audio")
    host.wait_state("joined")
    got = doctor(guest_link, "--no-audio")
    assert got["udp"]["state"] == "ok" and got["udp"]["figures"]["loss_percent"] == 0, got
    assert got["expect"]["figures"]["via"] == "udp" and got["expect"]["figures"]["mos_tenths"] >= 40, got
    assert got["invite"]["state"] == "ok" and got["signalling"]["state"] == "ok", got

    parts = e2e.parse_link(guest_link)
    got = doctor(guest_link.replace(parts["invite"], "A" * 43), "--no-audio", code=2)
    assert got["invite"]["figures"]["code"] == "bad_invite" and "fresh link" in got["invite"]["advice"], got
    got = doctor(guest_link.replace(parts["pin"], "A" * 43), "--no-audio", code=2)
    assert got["signalling"]["figures"]["code"] == "certificate" and "invite" not in got, got
    got = doctor("https://nobody.invalid/j/den#i=" + "A" * 43, "--no-audio", code=2)
    assert got["name"]["state"] == "fail", got
    got = doctor("https://127.0.0.1:1/j/den#i=" + "A" * 43, "--no-audio", code=2)
    assert got["signalling"]["figures"]["code"] == "cannot_connect", got
    got = doctor("--no-audio")
    assert got["network"]["state"] == "note", got
    probe_by_hand(guest_link, parts["invite"])
    narrow(folder, guest_link)

    host.act("topic", text="quiet here")  # whatever was told the host before this was not of the doctor
    kinds = [json.loads(line)["data"]["kind"] for line in host.lines.seen if '"room_event"' in line]
    assert not [k for k in kinds if k.startswith("member.")], kinds
    host.kill()
    server.stop()


def in_a_terminal(folder):
    import test_pulse
    voice = os.path.join(folder, "voice.wav")
    test_pulse.bursts(voice)
    speaker = test_pulse.Listener("a_spk")
    w = Window("doctor", folder)
    try:
        for name in ("PULSE_SERVER", "PULSE_SINK", "PULSE_SOURCE", "ALSA_CONFIG_PATH"):
            if name in os.environ:
                w.type("export %s=%s; " % (name, os.environ[name]))
        w.run(e2e.program("gavel"), "doctor")
        w.wait("Say something")
        speaker.clear()
        player = e2e.start(["paplay", "--device=a_mic", voice])
        screen = w.wait("Did you hear yourself?")
        assert "you were heard" in screen, screen
        share = e2e.heard_share(speaker.pcm, test_pulse.RATE, test_pulse.FREQ, least=0.02)
        assert share > 0.05, "the loudspeaker gave nothing back: %.2f" % share
        w.key("n", "Enter")
        screen = w.wait("code=")
        assert "code=0" in screen and "--output NAME" in screen and "80x24" in screen, screen
        player.kill()
    finally:
        tmux("kill-server")


def through_walls(folder):
    net = netns.Net(folder)
    config = os.path.join(folder, "gaveld.ini")
    with open(config, "w") as f:
        f.write(e2e.UNLIMITED + "[server]\npublic_address = %s\n" % netns.MEDIA_IP)
    server = e2e.Server(folder, extra=["--config", config, "--listen", netns.MEDIA_IP], wrap=netns.inside(netns.PUBLIC))
    guest_link = server.create("den")[1]
    inside = netns.inside(netns.CLIENT)
    got = doctor(guest_link, "--no-audio", prefix=inside)
    assert got["udp"]["state"] == "ok", got
    net.wall("tcp dport %d" % server.port)
    got = doctor(guest_link, "--no-audio", prefix=inside)
    assert got["udp"]["state"] == "warn" and "detour" in got["udp"]["advice"], got
    assert got["expect"]["figures"]["via"] == "tunnel", got
    net.rules(netns.ROUTER, """table inet bad {
  chain forward { type filter hook forward priority 0; iifname "inner" meta l4proto udp numgen random mod 100 < 30 drop; }
}""")
    got = doctor(guest_link, "--no-audio", prefix=inside)
    assert got["udp"]["state"] == "warn" and 12 <= got["udp"]["figures"]["loss_percent"] <= 50, got
    assert "copies" in got["expect"]["text"], got
    server.stop()


if __name__ == "__main__":
    how = sys.argv[1] if len(sys.argv) > 1 else ""
    if how == "wall":
        netns.own_world()
    e2e.main({"": on_loopback, "pulse": in_a_terminal, "wall": through_walls}[how])
