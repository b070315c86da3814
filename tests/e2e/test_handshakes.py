"""Handshakes have a thread of their own: while two people talk, thirty others begin theirs and vanish in the middle, and one who goes on
is connected all the same. And rooms in which nobody is wake no thread."""
import os
import time

from OpenSSL import SSL

import bad_kit
import bad_udp
import gavel_e2e as e2e

QUIET = 4  # seconds


def client(seat=None):
    """The active side of DTLS over memory; with the seat's certificate."""
    context = SSL.Context(SSL.DTLS_METHOD)
    if seat:
        context.use_privatekey_file(seat.key)
        context.use_certificate_file(seat.cert)
    context.set_verify(SSL.VERIFY_NONE, lambda *args: True)
    context.set_tlsext_use_srtp(b"SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80")
    c = SSL.Connection(context, None)
    c.set_connect_state()
    c.set_ciphertext_mtu(1200)
    return c


def step(c):
    """What it has to say next."""
    try:
        c.do_handshake()
    except SSL.WantReadError:
        pass
    try:
        return c.bio_read(65536)
    except SSL.WantReadError:
        return b""


def vanish_in_the_middle(room):
    for i in range(30):
        seat = bad_udp.Seat(room, "gone%d" % i)
        seat.check()
        seat.s.sendto(step(client()), seat.to)
        bad_kit.check(seat.s.recv(2000)[0] == 22, "the server's flight did not come")
        if i % 2:
            seat.raw.ask("room.leave", {}, 9)  # removed at once; the others are found out later
        seat.s.close()
        seat.raw.close()


def one_goes_on(room):
    seat = bad_udp.Seat(room, "stays")
    seat.check()
    c = client(seat)
    flight = step(c)
    for _ in range(10):
        if flight:
            seat.s.sendto(flight, seat.to)
        if c.get_finished() and c.get_peer_finished():
            break
        c.bio_write(seat.s.recv(2000))
        flight = step(c)
    bad_kit.check(seat.media()["state"] == "connected", "who went on was not connected")
    seat.raw.ask("room.leave", {}, 9)
    seat.s.close()
    seat.raw.close()


def switches(pid):
    """How often each media and handshake thread gave up its core by itself: each wake-up ends in one."""
    found = {}
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, task)) as f:
            lines = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
        if lines["Name"].startswith(("media", "handshake")):
            found[lines["Name"]] = int(lines["voluntary_ctxt_switches"])
    return found


def empty_rooms_wake_nobody(folder):
    server = e2e.Server(folder)
    for i in range(150):
        server.create("empty%d" % i)
    _, link = server.create("used", "--no-lobby")  # somebody was there, with sound
    wav = os.path.join(folder, "short.wav")
    e2e.write_tone(wav, 440, 2)
    person = e2e.Client.join(link, "ann", "--play", wav, "--output", "null")
    person.wait("media path", lambda e: e.get("event") == "link" and e.get("connected"))
    person.say(cmd="leave")
    bad_kit.check(person.end() == 0, "ann ended badly")
    time.sleep(11)  # until what the mixer kept for her next word is freed (MIXER_KEEP_MS)
    before = switches(server.process.pid)
    bad_kit.check({"media0", "handshake"} <= set(before), "threads: %s" % before)
    time.sleep(QUIET)  # the time is what is measured
    after = switches(server.process.pid)
    bad_kit.check(before == after, "woken in %d s with empty rooms: %s, then %s" % (QUIET, before, after))
    server.stop()


def test(folder):
    room = bad_kit.Room(folder)
    vanish_in_the_middle(room)
    room.fine("thirty halves of a handshake")
    one_goes_on(room)
    room.fine("a whole one")
    deadline = time.monotonic() + e2e.PATIENCE
    while (counted := room.metrics())["media_dtls_ok_total"] < 3 and time.monotonic() < deadline:
        time.sleep(0.1)  # a media thread gives its counters away once a second
    bad_kit.check(counted["media_dtls_ok_total"] == counted["path_setup_seconds_count"] == 3, "handshakes: %s" % counted)
    room.end()
    os.makedirs(os.path.join(folder, "second"))
    empty_rooms_wake_nobody(os.path.join(folder, "second"))


e2e.main(test)
