// The fold: what a real server sent to a real guest, and what it must never choke on.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import test from 'node:test';
import {load} from './load.mjs';

const {applyEvent, addOlder, roomOf, SOME_HOST} = await load('room.js');
const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url)));

// A snapshot leaves out what is not set; the fold writes it.
const plain = (o) => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== 0 && v !== false && v !== '' && v !== undefined).sort());

test('a snapshot and the events give what the server says when he comes back', () => {
  const room = roomOf(recorded.before);
  for (const ev of recorded.events) assert.equal(applyEvent(room, ev), true, ev.kind);
  const after = roomOf(recorded.after);
  for (const m of after.members.values()) // hosts have no names any more: whom he knew before he still knows
    if (m.muted_by === SOME_HOST) m.muted_by = room.members.get(m.id).muted_by;
  const people = (r) => [...r.members.values()].map((m) => plain({...m, dropped_ms: 0, presence: undefined}));
  assert.deepEqual(people(room), people(after));
  const kept = room.chat.filter((c) => c.chat !== 'side' || c.from === recorded.me); // others' words of a side room he has left
  assert.deepEqual(kept.map(plain), after.chat.map(plain));
  assert.deepEqual(plain(room.poll), plain(after.poll));
  const rest = ({members, chat, poll, seq, ...r}) => plain({...r, locked: r.locked, lock_text: undefined, no_host_ms: undefined});
  assert.deepEqual(rest(room), rest(after));
});

test('an event comes twice or late: nothing changes', () => {
  const room = roomOf(recorded.before);
  const [first] = recorded.events;
  applyEvent(room, first);
  const before = JSON.stringify([...room.members]);
  assert.equal(applyEvent(room, first), false);
  assert.equal(applyEvent(room, {...first, seq: 1}), false);
  assert.equal(applyEvent(room, {...first, seq: undefined}), false);
  assert.equal(JSON.stringify([...room.members]), before);
});

test('unknown kinds, keys and people are passed over', () => {
  const room = roomOf({room: 'x', seq: 4});
  for (const [i, kind] of ['room.unheard_of', 'member.muted', 'member.left', 'chat.edited', 'chat.deleted', 'member.hand', 'member.admitted',
                           'poll.voted', 'poll.ended', 'chat.purged', '__proto__', 'constructor'].entries())
    assert.equal(applyEvent(room, {seq: 5 + i, kind, who: [77], message: 3, new: {}}), true, kind);
  assert.equal(applyEvent(room, {seq: 50, kind: 'member.muted', who: 'nobody'}), true);
  assert.equal(room.members.size, 0);
  assert.deepEqual(room.chat, []);
});

test('hands keep the order of the server, also those that undo restores', () => {
  const room = roomOf({room: 'x', seq: 1, hand_last: 7, members: [{id: 1, role: 'speaker'}, {id: 2, role: 'speaker'}, {id: 3, role: 'speaker'}]});
  applyEvent(room, {seq: 2, kind: 'member.hand', who: [3], on: true});
  applyEvent(room, {seq: 3, kind: 'member.hand', who: [1], on: true});
  assert.deepEqual([room.members.get(3).hand, room.members.get(1).hand], [8, 9]);
  applyEvent(room, {seq: 4, kind: 'member.hand', who: [1, 3], on: false});
  applyEvent(room, {seq: 5, kind: 'member.hand', who: [2, 1], on: true, place: 20});
  assert.deepEqual([room.members.get(2).hand, room.members.get(1).hand, room.members.get(3).hand, room.hand_last], [20, 21, 0, 21]);
});

test('a deleted message is no longer pinned, and its text is gone', () => {
  const room = roomOf({room: 'x', seq: 9, pin: 5, chat: [{id: 5, ts: 1, chat: 'public', from: 1, name: 'a', text: 'secret', edited: true}]});
  applyEvent(room, {seq: 10, kind: 'chat.deleted', message: 5});
  assert.equal(room.pin, 0);
  assert.deepEqual(plain(room.chat[0]), plain({id: 5, ts: 1, chat: 'public', from: 1, name: 'a', deleted: true}));
  applyEvent(room, {seq: 11, kind: 'chat.edited', message: 5, text: 'back'});
  assert.equal(room.chat[0].text, '');
});

test('the chat does not grow for ever, and what is pinned stays', () => {
  const room = roomOf({room: 'x', seq: 0, members: [{id: 1, name: 'ann', role: 'speaker'}]});
  for (let seq = 1; seq <= 600; seq++) {
    applyEvent(room, {seq, ts: seq, kind: 'chat.sent', actor: 1, chat: 'public', text: String(seq)});
    if (seq === 1) room.pin = 1;
  }
  assert.equal(room.chat.length, 500);
  assert.deepEqual([room.chat[0].id, room.chat[1].id, room.chat.at(-1).id], [1, 102, 600]);
});

test('older messages go in front, none twice', () => {
  const room = roomOf({room: 'x', seq: 9, chat: [{id: 7, text: 'c'}, {id: 8, text: 'd'}]});
  addOlder(room, [{id: 5, text: 'a'}, {id: 6, text: 'b'}, {id: 7, text: 'c'}]);
  assert.deepEqual(room.chat.map((c) => c.id), [5, 6, 7, 8]);
});

test('who wrote: the operator, or a host without a name', () => {
  const room = roomOf({room: 'x', seq: 1});
  applyEvent(room, {seq: 2, ts: 1, kind: 'chat.sent', actor: 0, chat: 'announce', text: 'down at noon'});
  applyEvent(room, {seq: 3, ts: 1, kind: 'chat.sent', actor: SOME_HOST, chat: 'announce', text: 'hush'});
  assert.deepEqual(room.chat.map((c) => c.name), ['operator', '']);
});

test('put back into the lobby: floor, hand and vote go; a moderator has no talk timer', () => {
  const room = roomOf({room: 'x', seq: 1, members: [{id: 1, role: 'host', floor: true}, {id: 2, role: 'speaker', floor: true, hand: 3, side: 1}],
                       poll: {id: 1, open: true, text: 'q\na\nb', votes: [[2], [1]]}});
  applyEvent(room, {seq: 2, ts: 70, kind: 'member.held', actor: 1, who: [2]});
  assert.deepEqual(plain(room.members.get(2)), plain({id: 2, role: 'speaker', presence: 'waiting', since_ms: 70}));
  assert.deepEqual(room.poll.votes, [[], [1]]);
  applyEvent(room, {seq: 3, kind: 'poll.ended', actor: 1, counts: '0 1'});
  assert.equal(room.poll.counts, undefined); // all see who voted
  applyEvent(room, {seq: 4, kind: 'member.floor', who: [1], on: true, since_ms: 60});
  applyEvent(room, {seq: 5, kind: 'member.time_up', who: [1]});
  assert.deepEqual(plain(room.members.get(1)), plain({id: 1, role: 'host', floor: true}));
});

test('a snapshot with holes is what is left of it', () => {
  for (const broken of [undefined, null, 7, {members: 'all', chat: {}, poll: 3}, {members: [null, 5, {id: 1}], poll: {votes: [null]}}])
    assert.ok(roomOf(broken).members.size <= 1);
});
