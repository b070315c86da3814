"""Datagrams by other carriers than UDP, from people who mean no good: binary messages without media.tunnel, too long, too many, for
another's path; on the media port's TCP side half frames, other words than a check, and a thousand connections that say nothing.
Whatever they do, ann and bob go on talking."""
import os
import re
import select
import socket
import struct
import time

import bad_kit as kit
import bad_udp
import gavel_e2e as e2e


def offer(port=9):
    return bad_udp.OFFER.replace("\n", "\r\n") % {"port": port, "hash": "sha-256", "fingerprint": ":".join(["AB"] * 32)}


def credentials(answer):
    sdp = answer["result"]["sdp"]
    find = lambda key: sdp.split("a=" + key + ":")[1].split("\r\n")[0].encode()
    return {"ufrag": find("ice-ufrag"), "pwd": find("ice-pwd"), "sdp": sdp}


def tunnelled(room, name):
    raw, _ = room.raw(name)
    seat = credentials(raw.ask("room.media", {"sdp": offer()}, 2))
    kit.check(kit.code(raw.ask("media.tunnel", {}, 3)) == "ok", "media.tunnel")
    return raw, seat


def answered(raw, patience):
    """Whether a binary message comes."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        raw.s.settimeout(max(until - time.monotonic(), 0.01))
        try:
            f = raw.next()
        except e2e.Failure:
            break
        if f is None:
            break
        if f[0] == kit.BINARY:
            raw.s.settimeout(e2e.PATIENCE)
            return f[1]
    raw.s.settimeout(e2e.PATIENCE)
    return None


def tunnel(room):
    eve, seat = tunnelled(room, "eve")
    eve.frame(kit.BINARY, bad_udp.good_check(seat))
    reply = answered(eve, e2e.PATIENCE)
    kit.check(reply and reply[:2] == b"\x01\x01", "her own check is answered: %r" % reply)
    mal, other = tunnelled(room, "mal")
    mal.frame(kit.BINARY, bad_udp.good_check(seat))  # eve's credentials, on another connection
    kit.check(answered(mal, 1.0) is None, "a check for another's path is not answered")
    for data in (b"", b"\0", os.urandom(1500), b"\x80" + os.urandom(99), b"\x16\xfe\xff" + os.urandom(60), reply):
        mal.frame(kit.BINARY, data)
    kit.check(answered(mal, 0.5) is None, "no answer to rubbish")
    check = bad_udp.good_check(other)
    for part in ((check[:9], False, kit.BINARY), (check[9:], True, 0)):  # in two frames
        mal.frame(part[2], part[0], final=part[1])
    kit.check(answered(mal, e2e.PATIENCE) is not None, "a message may come in two frames")
    for _ in range(3000):  # too many: dropped, and nobody is sent away for it
        mal.frame(kit.BINARY, check)
    kit.check(kit.code(mal.ask("ping", {}, 9)) == "ok", "text goes on")
    kit.check(room.metrics()["tunnel_datagrams"] > 1000, "what was too much is counted")
    mal.frame(kit.BINARY, os.urandom(1501))
    kit.check(mal.close_code("a datagram of 1501 bytes") == 1009, "too long")
    mal, _ = tunnelled(room, "may")
    for i in range(100):
        mal.frame(kit.BINARY if i == 0 else 0, b"", final=False)
    kit.check(mal.close_code("a message in 100 frames") == 1009, "too many frames")
    for ask in (None, ("ping", {})):  # before joining, and inside without media.tunnel
        raw = kit.Raw(room.server.port) if ask is None else room.raw("ivo")[0]
        raw.frame(kit.BINARY, check)
        kit.check(raw.close_code("binary without media.tunnel") == 1003, "refused")
        raw.close()
    kit.check(kit.code(room.raw("jo")[0].ask("media.tunnel", {"x": 1}, 2)) == "bad_argument", "no parameters")
    eve.close()
    room.fine("the tunnels")


def memory(room):
    """What many tunnels cost beside the connections they are in: each has been full of datagrams once."""
    with open(e2e.program("gaveld"), "rb") as f:
        if re.search(rb"__[at]san_", f.read()):
            return
    people = [tunnelled(room, "t%d" % i) for i in range(60)]
    before = room.rss_kb()
    for _ in range(24):
        for raw, seat in people:
            raw.frame(kit.BINARY, bad_udp.good_check(seat))
        kit.check(all(answered(raw, e2e.PATIENCE) for raw, _ in people), "checks are answered")
    cost = room.rss_kb() - before
    print("a tunnel costs %d kB" % (cost / len(people)))
    kit.check(cost < 16 * len(people), "%d kB" % cost)
    for raw, _ in people:
        raw.close()


def framed(data):
    return struct.pack(">H", len(data)) + data


def dial(port):
    s = socket.create_connection(("127.0.0.1", port), e2e.PATIENCE)
    s.settimeout(e2e.PATIENCE)
    return s


def ended(s):
    try:
        return s.recv(100) == b""
    except OSError:
        return True


def media_port_of(seat):
    line = next(l for l in seat["sdp"].split("\r\n") if "tcptype passive" in l)
    return int(line.split(" ")[5])


def tcp(room):
    raw, _ = room.raw("kim")
    seat = credentials(raw.ask("room.media", {"sdp": offer()}, 2))
    port = media_port_of(seat)
    check = bad_udp.good_check(seat)
    s = dial(port)
    for byte in framed(check):  # as slowly as TCP may bring it
        s.send(bytes([byte]))
    reply = s.recv(4096)
    kit.check(reply[2:4] == b"\x01\x01" and len(reply) == 2 + struct.unpack(">H", reply[:2])[0], "a check is answered: %r" % reply)
    s.sendall(framed(b"\x80" + os.urandom(100)) + framed(b"") + framed(check)[:7])  # then rubbish, and half a frame
    s.sendall(framed(check)[7:])
    kit.check(s.recv(4096)[2:4] == b"\x01\x01", "and again")
    s.sendall(struct.pack(">H", 1501) + bytes(1501))
    kit.check(ended(s), "a frame that is too long ends it")
    for bad in (b"GET / HTTP/1.1\r\n\r\n" * 99, framed(b"\x80" + bytes(40)), framed(bad_udp.finished(b"")) + framed(bytes(600))):
        s = dial(port)
        s.sendall(bad)
        kit.check(ended(s), "no check: %r" % bad[:20])
    half = dial(port)
    half.sendall(framed(check)[:20])
    before = room.rss_kb()
    idle = []
    for _ in range(1000):
        try:
            idle.append(dial(port))
        except OSError:
            pass
    print("%d connections that say nothing" % len(idle))
    room.fine("a thousand connections that say nothing")
    kit.check(room.rss_kb() - before < 4096, "they cost %d kB" % (room.rss_kb() - before))
    until = time.monotonic() + 8  # within 5 s they are gone
    while idle and time.monotonic() < until:
        ready, _, _ = select.select(idle[-500:], [], [], 0.5)
        for c in ready:
            kit.check(ended(c), "nothing is said to them")
            c.close()
            idle.remove(c)
    kit.check(not idle and ended(half), "%d are still there" % len(idle))
    s = dial(port)
    s.sendall(framed(check))
    kit.check(s.recv(4096)[2:4] == b"\x01\x01", "there is room for others")
    room.fine("TCP")


def test(folder):
    room = kit.Room(folder)
    tunnel(room)
    memory(room)
    tcp(room)
    room.end()


e2e.main(test)
