"""A host at a terminal and 300 guests: the whole meeting from the keyboard. They knock together, are let in at once, muted with
exceptions, raise hands and speak in turn, some are banned for good, and the room is ended, once too early and then for real.
What the guests are told is checked, not only what the host sees."""
import os
import sys

import crowd
import gavel_e2e as e2e
import gavel_tmux
from gavel_tmux import Window, selected

GUESTS = 300
NAMES = ["guest-%03d" % i for i in range(1, GUESTS + 1)]


def choose(host, name):
    """The cursor to one of 300: filter, take him, forget the filter."""
    host.key("s")
    host.wait("\nname:")
    host.type(name)
    host.key("Enter")
    host.wait(selected(name))


def show_all(host):
    host.key("Escape")  # a key pressed right behind it would make it Alt
    host.wait_gone("names with")


def command(host, line):
    host.key(":")
    host.wait("\n:")
    host.type(line)
    host.key("Enter")


def admit(host, guests):
    host.wait("300 wait")
    guests.wait_count(GUESTS, state="lobby")
    command(host, "lobby-say One moment please, we begin at nine.")
    guests.wait("the message in the lobby", lambda: all("One moment please, we begin at nine." in g.chats
                                                      for g in guests.guests.values()))
    host.key("A")
    guests.wait_count(GUESTS, state="joined")
    host.wait("301 here")


def mute(host, guests):
    for name in ("guest-007", "guest-211"):
        choose(host, name)
        host.key("t")
        show_all(host)
    host.key("M")
    guests.wait_count(GUESTS - 2, muted=True)
    assert not guests.guests["guest-007"].muted and not guests.guests["guest-211"].muted
    code = guests.act("guest-100", "unmute")
    assert code == "ok", code  # once, not held: they may unmute
    command(host, "mute-all hold")
    guests.wait("all muted again", lambda: guests.guests["guest-100"].muted)
    code = guests.act("guest-100", "unmute")
    assert code == "muted_by_host", code
    host.key("M")  # lifts it
    guests.wait("mute-all lifted", lambda: "room.mute_all" in guests.guests["guest-300"].seen[-3:])


def hands(host, guests):
    for name in NAMES:
        guests.guests[name].seen.clear()
    order = ["guest-150", "guest-003", "guest-299"]
    command(host, "floor-take guest-1*")
    guests.wait("the floor taken", lambda: not guests.guests["guest-150"].floor)
    for name in order:
        code = guests.act(name, "hand")
        assert code == "ok", code
    for name in order:
        host.key("n")
        guests.wait("the floor of " + name, lambda: guests.guests[name].floor and
                    "member.asked_unmute" in guests.guests[name].seen)


def bans(host, guests, link):
    choose(host, "guest-042")
    host.key("B")
    host.wait("Remove guest-042 from plenum and keep them out?")
    host.key("y")
    guests.wait_count(1, bye="banned")
    assert guests.guests["guest-042"].bye == "banned"
    show_all(host)
    command(host, "ban guest-26? too loud")
    host.wait("10 people")
    host.key("y")
    guests.wait_count(11, bye="banned")
    again = crowd.Crowd(link, ["guest-042", "guest-265"])  # a new connection from the same installation
    again.wait("both refused", lambda: again.count(refused="banned") == 2)
    again.close()


def end(host, guests):
    command(host, "end")
    host.wait("Type end plenum")
    host.type("plenum")
    host.key("Enter")
    guests.wait("the end announced", lambda: "room.ending" in guests.guests["guest-001"].seen)
    host.key("u")
    guests.wait("the end called off", lambda: guests.guests["guest-001"].seen.count("room.ending") == 2)
    command(host, "end plenum")
    guests.wait("the end", lambda: guests.count(bye="room_ended") == GUESTS - 11)
    host.wait("code=0")  # who ends a room has left it


def meeting(folder):
    server = e2e.Server(folder)
    host_link, guest_link = server.create("plenum")
    host = Window("host", folder)
    host.resize(100, 30)
    host.run(e2e.program("gavel"), "join", host_link, "--name", "carol", "--no-audio")
    host.wait("1 here")
    guests = crowd.Crowd(guest_link, NAMES)
    for step in (admit, mute, hands):
        step(host, guests)
        print(step.__name__, "done", file=sys.stderr)
    bans(host, guests, guest_link)
    end(host, guests)
    guests.close()
    server.stop()


def test(folder):
    try:
        meeting(folder)
    finally:
        gavel_tmux.end()


if __name__ == "__main__":
    e2e.main(test)
