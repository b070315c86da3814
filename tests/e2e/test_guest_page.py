"""A guest with nothing but a browser, and a host at a terminal: the invite link opens in real Chromium, the guest comes in with the
keyboard alone, is admitted, heard and muted, writes, raises a hand, survives a kill -9 of the server, and is removed. A second one, with
a phone and without a microphone, is turned away and sees the room end. What is said is recognised by its tone, on both sides."""
import os
import subprocess
import time
import wave

import numpy

import browser
import gavel_e2e as e2e
import gavel_tmux
from gavel_tmux import Window, selected

ANN, DORA = 1000, 440  # Hz: what the guest speaks, what somebody at another terminal speaks
RATE = 48000
CONSENT = "We process your voice to carry it to the others. Stored: your name and the time.\nYour rights: see it, have it erased.\n"
CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self' wss://127.0.0.1:%d; "
       "media-src 'self' blob:; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
       "require-trusted-types-for 'script'")
BIDI = "abc \u202edcba\u2066 \u05e9\u05dc\u05d5\u05dd"  # turns the line around, and real Hebrew


def write_bursts(path):
    """A tone that noise suppression takes for speech: 0.3 s, a pause of 0.2 s, over and over."""
    t = numpy.arange(RATE * 3) / RATE
    pcm = 0.4 * 32767 * numpy.sin(2 * numpy.pi * ANN * t) * (t % 0.5 < 0.3)
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes(pcm.astype("<i2").tobytes())


class Ear:
    """Somebody at another terminal, who speaks a tone and whose recording is looked at while it grows."""

    def __init__(self, folder, link):
        tone, self.record = os.path.join(folder, "dora.wav"), os.path.join(folder, "dora-heard.wav")
        e2e.write_tone(tone, DORA, 240)
        self.client = e2e.Client.join(link, "dora", "--play", tone, "--record", self.record, "--accept-consent", "1")

    def samples(self):
        with open(self.record, "rb") as f:
            data = f.read()
        pcm = data[data.index(b"data") + 8:]
        return numpy.frombuffer(pcm[:len(pcm) // 2 * 2], "<i2") / 32768

    def hears(self, last_s):
        return e2e.heard_share(self.samples()[-int(last_s * RATE):], RATE, ANN, window=0.05, least=0.02)

    def wait(self, want, what):
        """The recording grows by the clock: there is nothing to wait for but that."""
        end = time.monotonic() + e2e.PATIENCE
        while not want():
            if time.monotonic() > end:
                raise e2e.Failure("dora does not hear %s: %.2f" % (what, self.hears(1)))
            time.sleep(0.05)

    def wait_heard(self):
        self.wait(lambda: self.hears(1) > 0.3, "the guest")

    def wait_silent(self):
        self.wait(lambda: self.hears(0.4) == 0, "that the guest is silent")

    def last_heard(self, since):
        """How long after this sample the guest was heard, in seconds of the recording."""
        pcm, n = self.samples()[since:], RATE // 20
        last = [i + 1 for i in range(len(pcm) // n) if e2e.tone_amplitude(pcm[i * n:(i + 1) * n], RATE, ANN) > 0.02]
        return (last or [0])[-1] / 20


def command(window, line):
    window.key(":")
    window.wait("\n:")
    window.type(line)
    window.key("Enter")


def choose(host, name):
    """The cursor on this person."""
    for _ in range(8):
        if selected(name)(host.screen()):
            return
        before = host.screen()
        host.key("Down")
        host.wait(lambda screen: screen != before, "another selection")
    raise e2e.Failure("nobody is called %s:\n%s" % (name, host.screen()))


def check_headers(page, port):
    h = page.response["headers"]
    assert page.response["status"] == 200 and h["content-type"] == "text/html; charset=utf-8", h
    assert h["content-security-policy"] == CSP % port, h
    assert h["permissions-policy"] == "microphone=(self), camera=(), geolocation=(), display-capture=()", h
    for name, value in (("strict-transport-security", "max-age=63072000; includeSubDomains"), ("x-content-type-options", "nosniff"),
                        ("referrer-policy", "no-referrer"), ("cross-origin-opener-policy", "same-origin"), ("cache-control", "no-store"),
                        ("cross-origin-embedder-policy", "require-corp"), ("cross-origin-resource-policy", "same-origin")):
        assert h[name] == value, (name, h)


def come_in_by_keyboard(page):
    """From the link to the lobby with Tab, Enter and letters only."""
    page.wait_text("Join the room")
    page.shot("name")
    page.tab_to("Your name, as others will see it")
    page.ask(keyboard=True, call="type", args=["ann"])
    page.press("Enter")
    page.wait_text("Your rights: see it")
    page.shot("consent")
    page.tab_to("I agree")
    page.press("Enter")
    page.wait_text("Microphone and loudspeaker")
    page.tab_to("Try my microphone")
    page.press("Enter")
    page.wait("() => Number(document.querySelector('[role=meter]').getAttribute('aria-valuenow')) > 20")
    page.wait_text("Your microphone hears you")
    page.shot("devices")
    page.tab_to("Join")
    page.press("Enter")
    page.wait_text("You are number 1 of 1 waiting.")
    page.shot("lobby")


def admit(host, page, ear):
    host.wait("waits: ann")
    host.key("a")
    host.wait("3 here")
    page.wait_text("carol")
    page.wait_text("3 people")
    ear.wait_heard()
    page.wait("window.testHears", DORA)
    choose(host, "ann")
    host.key("e")
    host.wait(lambda s: "web/0.1.0" in s, "what the guest joined with")
    host.key("e")
    page.wait_text("talking", "[role=listitem], li")  # dora, by the list of who is heard in each packet
    page.shot("room")


def check_sealed(page):
    stats = page.evaluate("window.testConnection().getStats().then((s) => [...s.values()].filter((x) => x.type === 'transport'))")
    assert [t["srtpCipher"] for t in stats] == ["SRTP_AEAD_AES_256_GCM"], stats
    assert stats[0]["dtlsState"] == "connected", stats


def cheat(page, ear):
    """The page is silent by itself. Were it not, the server would still let nothing through."""
    speaks = "window.testConnection().getSenders()[0].track.enabled"
    assert page.evaluate(speaks) is False
    page.evaluate(speaks + " = true")
    sent = ("window.testConnection().getStats().then((s) => [...s.values()].filter((x) => x.type === 'outbound-rtp')"
            ".reduce((n, x) => n + x.bytesSent, 0))")
    before = page.evaluate(sent)
    page.wait("async (least) => await %s > least" % sent, before + 8000)  # more than silence makes of 3 s
    assert ear.hears(1) == 0, "who is muted is heard when his page does not heed it"
    page.evaluate(speaks + " = false")


def mute(host, page, ear):
    choose(host, "ann")
    host.key("m")
    page.wait_text("carol muted you")
    told = len(ear.samples())
    ear.wait_silent()
    assert ear.last_heard(told) <= 1, "muted, and heard for %.1f s more" % ear.last_heard(told)
    page.wait("window.testHears", DORA)  # a mute takes his voice, not his ears
    page.shot("muted")
    cheat(page, ear)
    host.key("U")
    page.wait_text("asks you to unmute")
    assert ear.hears(0.4) == 0, "asked is not unmuted"
    page.shot("asked")
    page.at("click", css="#banner button:text('Unmute')")
    ear.wait_heard()
    page.wait_text("Your microphone is on")


def chat(host, page, ear):
    page.wait("() => { window.bad = 0; return true; }")
    ear.client.say(act="chat", text="<img src=x onerror=window.bad=1><script>window.bad=1</script>")
    page.wait_text("<img src=x onerror=window.bad=1><script>window.bad=1</script>", "[role=log]")
    ear.client.say(act="chat", text=BIDI)
    page.wait_text("\u05e9\u05dc\u05d5\u05dd", "[role=log]")
    shown = page.evaluate("document.querySelector('#chat-list').textContent")
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068"), "what turns text around is not shown"
    assert page.evaluate("window.bad") == 0 and page.evaluate("document.querySelectorAll('#chat-list img, #chat-list script').length") == 0
    page.fill("Message", "hello from a browser")
    page.press("Enter")
    host.wait("hello from a browser")
    command(host, "say welcome, ann")
    page.wait_text("welcome, ann", "[role=log]")
    page.shot("chat")


def hand(host, page):
    page.click("button", "Raise hand")
    host.wait(lambda s: any("ann" in l and "hand 1" in l for l in s.splitlines()), "ann's hand")
    page.wait_text("hand raised, number 1")
    page.shot("hand")
    page.click("button", "Lower hand")
    host.wait(lambda s: "hand 1" not in s, "no hand")


def own_mute(page, ear):
    page.click("button", "Mute")
    page.wait_text("You are muted")
    ear.wait_silent()
    page.click("button", "Unmute")
    ear.wait_heard()


def hold(host, page, ear):
    """Back into the lobby, where he neither hears nor is heard, and in again."""
    command(host, "hold ann one moment")
    page.wait_text("You are in the lobby")
    page.wait_text("one moment")
    ear.wait_silent()
    page.shot("held")
    host.wait("waits: ann")
    host.key("a")
    page.wait_text("Your microphone is on")
    ear.wait_heard()
    page.wait("window.testHears", DORA)


def reload(server, page, ear):
    """The page is loaded again, as phones do: the link's secret is not in the address any more, and his place is kept."""
    was = ids(server)
    assert "#" not in page.evaluate("location.href"), "the secret stays out of what is shown, shared and kept as history"
    page.ask(call="reload")
    page.wait_text("You were in this room a moment ago")
    page.shot("loaded-again")
    page.press("Enter")
    page.click("button", "I agree")
    page.click("button", "Try my microphone")
    page.click("button", "Join")
    page.wait_text("Your microphone is on")
    assert ids(server) == was, "a reload keeps the place"
    ear.wait_heard()
    page.wait("window.testHears", DORA)


def ids(server):
    return {m["name"]: m["id"] for m in server.ctl("show", "plenum")["room"]["members"]}


def server_dies(folder, server, host, page, ear):
    """kill -9: everyone comes back to his place by himself, also who has only a page."""
    assert page.problems() == []
    was = ids(server)
    server.kill()
    page.wait_text("Reconnecting", "header")
    page.shot("reconnecting")
    server = start(folder, server.port, server.media_port)
    page.wait("() => !document.querySelector('header').innerText.includes('Reconnecting')")
    host.wait("3 here")
    ear.wait_heard()
    page.wait("window.testHears", DORA)
    assert ids(server) == was, "everyone has the place he had"
    for problem in page.problems():  # the browser itself tells of connections that failed
        assert problem.startswith("console error: WebSocket connection to "), problem
    page.shot("back")
    return server


def remove(host, page, ear):
    command(host, "remove ann please come back later")
    host.wait("Remove ann")
    host.key("y")
    page.wait_text("You were removed from the room")
    page.wait_text("please come back later")
    ear.wait_silent()
    page.shot("removed")
    assert page.problems() == []


def knock_without_microphone(page, again=False):
    page.wait_text("Join the room")
    page.fill("Your name, as others will see it", "bob")
    page.click("button", "Continue")
    if not again:
        page.click("button", "I agree")
        page.click("button", "Try my microphone")
        page.wait_text("did not give the microphone")
        page.shot("phone-no-microphone")
        if not subprocess.run(["ip", "route", "show", "default"], capture_output=True).stdout:
            page.ask(grant=True)  # without that Chromium has no other way out than the default route
    page.click("button", "Join without a microphone")
    page.wait_text("You are number 1 of 1 waiting.")


def phone(browser_, host, link):
    """A small window in the dark, no microphone, and a host who says no at first."""
    page = browser_.open("bob", link, size=[360, 640], dark=True, microphone=False)
    knock_without_microphone(page)
    host.wait("waits: bob")
    command(host, "deny bob not today")
    page.wait_text("You were not let in")
    page.wait_text("not today")
    page.shot("phone-denied")
    page.click("button", "Knock again")
    knock_without_microphone(page, again=True)  # he has agreed to this text
    host.key("a")
    page.wait_text("You have no microphone here")
    page.wait("window.testHears", DORA)
    width = page.evaluate("document.scrollingElement.scrollWidth")
    assert width <= 360, "the page is wider than the phone: %d" % width
    page.shot("phone-room")
    page.click("button", "Chat")
    page.fill("Message", "I only listen")
    page.click("button", "Send")
    host.wait("I only listen")
    page.wait("""() => { const e = [...document.querySelectorAll('[role=log] li')].at(-1), log = e.parentElement.getBoundingClientRect();
      return e.innerText.includes('I only listen') && e.getBoundingClientRect().bottom <= log.bottom + 1; }""")  # the newest is in sight
    page.shot("phone-chat")
    return page


def end(host, page):
    command(host, "end plenum")
    page.wait_text("The room has ended")
    page.shot("phone-ended")
    assert page.problems() == []
    host.wait("code=0")


def hosted(folder, chromium):
    """The same by a room of `gavel host`."""
    host = e2e.Client("host", "side", "--listen", "127.0.0.1", "--name", "hal", "--forget", "--no-audio")
    link = host.wait("the invite", lambda e: e.get("event") == "invite")["link"]
    host.wait_state("joined")
    host.act("password", text="open sesame")
    page = chromium.open("mallory", link.split("#")[0])
    page.wait_text("Something is missing in this link")
    assert page.problems() == []
    page = chromium.open("eve", link)
    page.fill("Your name, as others will see it", "eve")
    page.click("button", "Continue")
    page.click("button", "Join without a microphone")
    for password in ("open barley", "open sesame"):
        page.wait_text("This room asks for a password")
        page.fill("Password of the room", password)
        page.press("Enter")
        if password == "open barley":
            page.wait_text("wrong", "[role=alert]")
            page.shot("wrong-password")
    host.act("admit", who=[host.wait_event("member.knocked")["member"]["id"]])
    page.wait_text("hal")
    page.click("button", "Leave")
    page.wait_text("You left the room")
    assert host.wait_event("member.left")
    assert page.problems() == []
    host.say(cmd="leave")
    assert host.end() == 0


def start(folder, port=0, media_port=0):
    config = os.path.join(folder, "gavel.ini")
    with open(config, "w") as f:
        f.write(e2e.UNLIMITED + "[privacy]\nconsent_file = %s/consent.txt\nconsent_version = 1\n" % folder)
    with open(os.path.join(folder, "consent.txt"), "w") as f:
        f.write(CONSENT)
    return e2e.Server(folder, port, media_port, extra=("--config", config))


def meeting(folder):
    server = start(folder)
    host_link, guest_link = server.create("plenum")
    host = Window("host", folder)
    host.resize(100, 30)
    host.run(e2e.program("gavel"), "join", host_link, "--name", "carol", "--no-audio", "--accept-consent", "1")
    host.wait("1 here")
    ear = Ear(folder, guest_link)
    host.wait("waits: dora")
    host.key("a")
    host.wait("2 here")
    voice = os.path.join(folder, "ann.wav")
    write_bursts(voice)
    chromium = browser.Browser(voice, os.path.join(e2e.BUILD, "guest-page"))
    page = chromium.open("ann", guest_link)
    check_headers(page, server.port)
    come_in_by_keyboard(page)
    admit(host, page, ear)
    check_sealed(page)
    mute(host, page, ear)
    chat(host, page, ear)
    hand(host, page)
    own_mute(page, ear)
    hold(host, page, ear)
    reload(server, page, ear)
    server = server_dies(folder, server, host, page, ear)
    remove(host, page, ear)
    end(host, phone(chromium, host, guest_link))
    hosted(folder, chromium)
    chromium.close()
    ear.client.end()
    server.stop()


def test(folder):
    try:
        meeting(folder)
    finally:
        gavel_tmux.end()


browser.need()
e2e.main(test)
