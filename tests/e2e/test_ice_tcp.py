"""A machine that lets no UDP out: a guest in Chromium, who knows nothing of tunnels, speaks and hears over TCP to the media port
(ICE-TCP), and the host, at a terminal, inside his signalling connection. A mute is as sudden as ever."""
import os
import time

import browser
import gavel_e2e as e2e
import netns

ANN, HOST = 1000, 440


def levels(client, who, there, patience=None):
    client.wait("%d %s" % (who, "is heard" if there else "is silent"), lambda e: e.get("event") == "levels" and
                any(x["id"] == who for x in e["levels"]) == there, patience)


def via(server, member):
    end = time.monotonic() + e2e.PATIENCE
    while time.monotonic() < end:
        for line in server.ctl("quality", "den")["lines"]:
            if line["member"] == member and line["via"]:
                return line["via"]
        time.sleep(0.2)
    raise e2e.Failure("no report of %d" % member)


def test(folder):
    netns.run("ip", "link", "set", "lo", "up")
    netns.run("nft", "-f", "-", input="""table inet wall {
  chain out { type filter hook output priority 0; meta l4proto udp drop; }
}
""")
    server = e2e.Server(folder)
    host_link, guest_link = server.create("den", "--no-lobby")
    voice, tone = os.path.join(folder, "ann.wav"), os.path.join(folder, "host.wav")
    e2e.write_tone(voice, ANN, 3)
    e2e.write_tone(tone, HOST, 240)
    host = e2e.Client.join(host_link, "host", "--play", tone, "--output", "null")
    host.wait_state("joined")
    host.wait("a path", lambda e: e.get("event") == "link" and e.get("connected") and e["via"] == "tunnel")
    chromium = browser.Browser(voice, os.path.join(folder, "shots"))
    page = chromium.open("ann", guest_link, microphone=True)
    page.wait_text("Join the room")
    page.fill("Your name, as others will see it", "ann")
    page.press("Enter")
    page.wait_text("Microphone and loudspeaker")
    page.click("button", "Join")
    page.wait_text("2 people")
    levels(host, 2, True)
    page.wait("window.testHears", HOST)
    assert via(server, 2) == "tcp" and via(server, 1) == "tunnel"
    pair = page.evaluate("""window.testConnection().getStats().then((s) => {
        const all = [...s.values()], t = all.find((x) => x.type === 'transport');
        const l = s.get(s.get(t.selectedCandidatePairId).localCandidateId);
        return [l.protocol, l.tcpType ?? '', t.srtpCipher]; })""")
    assert pair[0] == "tcp" and pair[2] == "SRTP_AEAD_AES_256_GCM", pair
    print("Chromium:", pair)
    host.act("mute", who=[2])
    began = time.monotonic()
    levels(host, 2, False)
    assert time.monotonic() - began < 1.5, "0.7 s after the last sound it is said"
    page.wait("window.testHears", HOST)
    chromium.close()
    host.say(cmd="leave")
    assert host.end() == 0
    server.stop()


browser.need()
netns.own_world()
e2e.main(test)
