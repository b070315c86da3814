"""The host's program is killed: his seat is kept for two minutes, then the first successor who is here becomes host, and the room knows
it after a restart of the server too. The one test that waits for a real clock: the two minutes are a promise."""
import gavel_e2e as e2e

KEPT_S = 120


def test(folder):
    server = e2e.Server(folder)
    host_link, link = server.create("council", "--no-lobby")
    host = e2e.Client.join(host_link, "carol", "--no-audio")
    host.wait_state("joined")
    bob, ann = (e2e.Client.join(link, name, "--no-audio") for name in ("bob", "ann"))
    ids = [c.wait_state("joined")["me"] for c in (bob, ann)]
    host.act("succession", who=ids)
    host.kill()
    bob.wait_event("member.away")
    assert bob.act("lock", ok=False)["code"] == "not_allowed", "not before"
    server.kill()
    server = e2e.Server(folder, server.port, server.media_port)
    for c in (bob, ann):
        c.wait_state("reconnecting")
        c.wait_state("joined")
    promoted = ann.wait_event("member.role", KEPT_S + e2e.PATIENCE)
    assert promoted["who"] == [ids[0]] and promoted["role"] == "host" and promoted["actor"] == ids[0], promoted
    bob.act("lock")
    roles = {m["name"]: m["role"] for m in server.ctl("show", "council")["room"]["members"]}
    assert roles == {"bob": "host", "ann": "speaker"}, roles
    server.stop()


e2e.main(test)
