// node told.mjs FILE: what the viewers of random rooms were sent (tests/unit/wire/test_room_told.c), folded by the
// page: at each check it has what the server would say anew. Says how many events and checks there were.
import assert from 'node:assert/strict';
import {createReadStream} from 'node:fs';
import {createInterface} from 'node:readline';
import {load} from './load.mjs';

const {applyEvent, roomOf, SOME_HOST} = await load('room.js');

// Of no use to a page: lists for moderators' tables, limits, and what only the server counts.
const NOT_KEPT = ['bans', 'invites', 'trusted', 'notes', 'successors', 'has_password', 'auto_admit', 'lock_text', 'max_people', 'max_speakers',
                  'agenda_ms', 'no_host_ms', 'hand_last', 'members', 'chat', 'poll', 'seq'];
const unset = (v) => v === undefined || v === 0 || v === false || v === '' || (Array.isArray(v) && v.length === 0);
const plain = (o, without = []) =>
  Object.fromEntries(Object.entries(o ?? {}).filter(([k, v]) => !unset(v) && !without.includes(k)).sort());

// A host whom the room does not name now may have been named when it happened, and the other way round.
const hosts = (mine, theirs, keys) => {
  for (const k of keys) if (mine?.[k] === SOME_HOST || theirs?.[k] === SOME_HOST) mine[k] = theirs[k];
};

function compare(room, fresh) {
  assert.equal(room.members.size, fresh.members.size);
  for (const m of fresh.members.values()) {
    const mine = {...room.members.get(m.id)};
    hosts(mine, m, ['muted_by']);
    assert.deepEqual(plain(mine), plain(m));
  }
  const chat = new Map(room.chat.map((c) => [c.id, {...c}]));
  for (const c of fresh.chat) {
    if (!chat.has(c.id)) continue; // what he may see since he is somebody else comes with the next snapshot
    hosts(chat.get(c.id), c, ['from']);
    assert.deepEqual(plain(chat.get(c.id), ['name']), plain(c, ['name']));
  }
  const poll = {...room.poll};
  hosts(poll, fresh.poll, ['by']);
  assert.deepEqual(plain(poll), plain(fresh.poll));
  assert.deepEqual(plain(room, NOT_KEPT), plain(fresh, NOT_KEPT));
}

const rooms = new Map();
let events = 0, checks = 0, last = '';
for await (const line of createInterface({input: createReadStream(process.argv[2])})) {
  const {replica, snapshot, event, check} = JSON.parse(line);
  if (snapshot) rooms.set(replica, roomOf(snapshot));
  const room = rooms.get(replica);
  if (event && room) {
    assert.equal(applyEvent(room, event), true);
    events++;
    last = line;
  } else if (check && room) {
    try {
      compare(room, roomOf(check));
    } catch (e) {
      console.error(last);
      throw e;
    }
    checks++;
  }
}
console.log(`${events} events, ${checks} checks`);
