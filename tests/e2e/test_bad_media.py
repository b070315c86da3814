"""docs/bad-input.md 16 to 21 over a real socket: checks, hellos and packets that are none, from strangers and in others' names. What only
who holds true keys can send is in tests/unit/server/test_bad_media.c."""
import os
import socket
import struct
import subprocess
import threading
import time

import bad_kit as kit
import gavel_e2e as e2e
from bad_kit import check
from bad_udp import COOKIE, INTEGRITY, USE_CANDIDATE, USERNAME, XOR_MAPPED, Seat, attribute, base, finished, message, signed, udp

FREESWITCH = bytes.fromhex("800070280" "9cd2d15fd3e5c8641")
# ES2023-01: one hello of 124 bytes that offers NULL_WITH_NULL_NULL only
NULL_HELLO = (bytes.fromhex("16feff0000000000000000007c010000700000000000000070fefd") + b"\x5a" * 32 +
              bytes.fromhex("0000000200000100004400150040") + bytes(64))


def media_metrics(room):
    """Counters of the media thread, as it hands them over once a second: waits until all that was sent has been counted."""
    last, now = None, room.metrics()
    until = time.monotonic() + e2e.PATIENCE
    while last != (now["media_stun_bad_total"], now["media_unknown_source_total"]) and time.monotonic() < until:
        last = (now["media_stun_bad_total"], now["media_unknown_source_total"])
        time.sleep(1.1)
        now = room.metrics()
    return now


def bad_16_checks(room):
    eve = Seat(room, "eve")
    k, to = eve.keys, eve.to
    true = signed(base(k), k["pwd"])
    stranger = udp("127.9.9.9")
    before, memory = media_metrics(room), room.rss_kb()
    whole = finished(true)
    bad = [whole[:2] + b"\xff\xff" + whole[4:], whole[:2] + struct.pack(">H", len(whole) - 21) + whole[4:], whole + b"\0", whole[:-1],
           whole[:19], whole[:1],
           message(base(k)[:-4] + attribute(USERNAME, b"x", told=0xffff), length=None), finished(base(k) + attribute(0x24, b"1234", told=5000)),
           finished(true, xor=1), finished(true, xor=0xffffffff), message(true), message(base(k)),  # a wrong fingerprint, none, no integrity
           finished(signed(base(k), b"wrong")), finished(signed(base(k) + attribute(0x0002, bytes(8)), k["pwd"])),
           finished(signed(base(k) + attribute(0x7777, b"what"), k["pwd"])), finished(signed(attribute(USERNAME, b"nobody:evil"), k["pwd"])),
           finished(signed(attribute(USERNAME, k["ufrag"]), k["pwd"])), finished(signed(attribute(USERNAME, b""), k["pwd"])),
           finished(base(k) + attribute(INTEGRITY, bytes(20))), finished(base(k) + attribute(INTEGRITY, bytes(4))),
           finished(true, kind=0x0101), finished(true, kind=0x0111), finished(true, kind=0x0011), finished(true, kind=3),
           whole[:4] + bytes(4) + whole[8:]]
    for datagram in bad:
        stranger.sendto(datagram, to)
    # whoever forges senders: thousands of addresses, each once
    flood = [udp("127.%d.%d.%d" % (7 + i % 3, i // 250 % 250, 1 + i % 250)) for i in range(600)]
    wrong = finished(signed(base(k), b"guess"))
    for i, s in enumerate(flood):
        for _ in range(5):
            s.sendto(wrong, to)
    after = media_metrics(room)
    check(after["media_stun_bad_total"] == before["media_stun_bad_total"] + len(bad) + 5 * len(flood),
          "%s were bad of %d" % (after["media_stun_bad_total"] - before["media_stun_bad_total"], len(bad) + 5 * len(flood)))
    for name in ("media_peers", "media_rooms", "media_stun_ok_total", "ids_alerts_total"):  # ann and bob check every 2.5 s or so
        check(after[name] - before[name] < (40 if "stun_ok" in name else 1), name)
    most = 10000 if "GAVEL_SANITIZED" in os.environ else 2000
    check(room.rss_kb() < memory + most, "the server grew by %d kB" % (room.rss_kb() - memory))
    for s in [stranger, *flood]:
        s.setblocking(False)
        try:
            raise e2e.Failure("an answer to a stranger: %r" % s.recv(2000))
        except BlockingIOError:
            s.close()
    # what stands behind the integrity is not signed: it is not read
    s = udp()
    s.sendto(finished(signed(base(k)[:-4], k["pwd"]) + attribute(USE_CANDIDATE) + attribute(XOR_MAPPED, b"\0\1\0\0\1\2\3\4")), to)
    answer = s.recv(2000)
    own = struct.pack(">HH", 1, s.getsockname()[1] ^ 0x2112) + bytes(a ^ b for a, b in zip(socket.inet_aton("127.0.0.1"), COOKIE))
    check(answer[:2] == b"\1\1" and own[2:] in answer, "unsigned attributes: %r" % answer)
    check(eve.check()[:2] == b"\1\1", "a true check after all that")
    room.fine("bad checks")
    return eve


def s_client(eve, room, *args):
    """openssl as eve's DTLS stack, on the port her checks came from."""
    eve.s.close()
    process = e2e.start(["openssl", "s_client", "-dtls1_2", "-bind", "127.0.0.1:%d" % eve.port, "-connect", "127.0.0.1:%d" % room.server.media_port,
                         "-quiet", "-verify_quiet", *args], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return eve.media()
    finally:
        process.kill()
        process.wait()


SRTP = ("-use_srtp", "SRTP_AEAD_AES_256_GCM")


def own(eve):
    return "-cert", eve.cert, "-key", eve.key


def bad_17_null_hello(room, eve):
    """Before and during eve's handshake, from a third place: she gets through, and nobody answers it."""
    third, stop = udp("127.8.8.8"), threading.Event()

    def pour():
        while not stop.wait(0.001):
            for _ in range(10):
                third.sendto(NULL_HELLO, eve.to)
    before = media_metrics(room)
    for _ in range(200):
        third.sendto(NULL_HELLO, eve.to)
    thread = threading.Thread(target=pour)
    thread.start()
    try:
        got = s_client(eve, room, *SRTP, *own(eve))
    finally:
        stop.set()
        thread.join()
    check(got["state"] == "connected" and got["profile"] == "AEAD_AES_256_GCM", "eve among forged hellos: %s" % got)
    third.setblocking(False)
    try:
        raise e2e.Failure("an answer to a stranger: %r" % third.recv(2000))
    except BlockingIOError:
        pass
    check(media_metrics(room)["media_unknown_source_total"] >= before["media_unknown_source_total"] + 200, "nothing was dropped")
    room.fine("NULL hellos")


def bad_18_handshakes(room):
    wrong = Seat(room, "wrong", fingerprint="AB" * 32)
    wrong.check()
    got = s_client(wrong, room, *SRTP, *own(wrong))
    check(got["state"] == "failed" and got["code"] == "fingerprint_mismatch", "wrong fingerprint: %s" % got)
    bare = Seat(room, "bare")
    bare.check()
    got = s_client(bare, room, *SRTP)
    check(got["state"] == "failed", "no certificate: %s" % got)
    for args in ((), ("-use_srtp", "SRTP_AES128_CM_SHA1_32")):
        deaf = Seat(room, "deaf")
        deaf.check()
        got = s_client(deaf, room, *args, *own(deaf))
        check(got["state"] == "failed" and "srtp" in got["code"], "no common profile: %s" % got)
    for how, digest in (("sha-1", None), ("md5", None), ("sha-256", "AB" * 31), ("sha-256", "AB" * 20), ("sha-512", "AB" * 32)):
        weak = Seat(room, "weak", how, digest)
        check("sdp_error" in weak.answer and "sdp" not in weak.answer, "%s: %s" % (how, weak.answer))
    log = subprocess.run([e2e.program("gavelctl"), "--socket", room.server.socket, "audit", "query"], capture_output=True, text=True)
    check(log.stdout.count("media.refused") == 4, "the audit log: %s" % log)
    room.fine("bad handshakes")


def bad_21_freeswitch(room, eve):
    third = udp("127.8.8.8")
    before = media_metrics(room)["media_unknown_source_total"]
    for _ in range(200):
        third.sendto(FREESWITCH, eve.to)
    for first in (0x80, 0x90, 0xbf, 22, 0, 1):  # and whatever else: every length of RTP, 65,000 bytes, empty
        for n in (*range(0, 28), 1500, 1501, 9000, 65000):
            third.sendto(bytes([first]) * n, eve.to)
    check(media_metrics(room)["media_unknown_source_total"] >= before + 200, "they were not dropped as a stranger's")
    third.setblocking(False)
    try:
        raise e2e.Failure("an answer: %r" % third.recv(2000))
    except BlockingIOError:
        pass
    room.fine("packets of a third")


def test(folder):
    room = kit.Room(folder)
    eve = bad_16_checks(room)
    bad_17_null_hello(room, eve)
    bad_18_handshakes(room)
    bad_21_freeswitch(room, eve)
    room.end()


e2e.main(test)
