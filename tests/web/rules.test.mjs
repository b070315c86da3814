// What a person may do in a room and is told of it; links, talkers, figures.
import assert from 'node:assert/strict';
import test from 'node:test';
import {load} from './load.mjs';

const {roomOf, SOME_HOST} = await load('room.js');
const rules = await load('rules.js');
const {parseLink} = await load('link.js');
const {Talkers} = await load('talk.js');
const {figures} = await load('stats.js');
const {SAY, duration} = await load('strings.js');

const ME = 2;
const room = (member = {}, settings = {}) => roomOf({room: 'x', seq: 1, ...settings, members: [{id: 1, name: 'hanna', role: 'host', floor: true},
  {id: ME, name: 'ann', role: 'speaker', floor: true, ...member}]});
const mic = (member, settings, own = {}) => rules.micOf(room(member, settings), ME, {hasMic: true, hush: false, ...own});

test('the microphone, in the words of the room', () => {
  const CASES = [
    [{}, {}, {}, 'open', true],
    [{}, {}, {hush: true}, 'muted', true],
    [{}, {}, {hasMic: false}, 'none', false],
    [{role: 'monitor'}, {}, {}, 'monitor', false],
    [{floor: false, muted: true}, {}, {}, 'no_floor', false],
    [{floor: false, silenced: 9}, {}, {}, 'silenced', false],
    [{muted: true, muted_by: ME}, {}, {}, 'muted', true],
    [{muted: true, muted_by: 1}, {}, {}, 'muted_by', true],
    [{muted: true, muted_by: SOME_HOST}, {}, {}, 'muted_by', true],
    [{muted: true}, {}, {}, 'entry', true],
    [{muted: true, muted_by: 1}, {mute_all: 'hold'}, {}, 'held', false],
    [{muted: true, muted_by: 1, exempt: true}, {mute_all: 'hold'}, {}, 'muted_by', true],
    [{muted: true, muted_by: 1}, {mute_all: 'hold', mute_speakers_free: true}, {}, 'muted_by', true],
    [{muted: true, role: 'audience'}, {mute_all: 'hold', mute_speakers_free: true}, {}, 'held', false],
    [{muted: true, role: 'cohost'}, {mute_all: 'hold'}, {}, 'entry', true],
    [{muted: true, muted_by: 1}, {mute_all: 'on'}, {}, 'muted_by', true],
  ];
  for (const [member, settings, own, state, mayUnmute] of CASES) {
    const got = mic(member, settings, own);
    assert.deepEqual([got.state, got.mayUnmute], [state, mayUnmute], JSON.stringify([member, settings, own]));
    assert.ok(SAY.mic[state], `no words for ${state}`);
  }
});

test('nothing is sent that the server would drop', () => {
  assert.equal(rules.maySend(room(), ME), true);
  for (const m of [{muted: true}, {floor: false}, {role: 'monitor'}, {presence: 'waiting'}]) assert.equal(rules.maySend(room(m), ME), false);
  assert.equal(rules.maySend(room({}, {ended: true}), ME), false);
  assert.equal(rules.maySend(room(), 99), false);
  assert.equal(rules.maySend(null, ME), false);
});

test('people: oneself, hands in their order, moderators, names; the lobby is not inside, other side rooms come last', () => {
  const r = roomOf({room: 'x', seq: 1, members: [
    {id: 1, name: 'zoe', role: 'host'}, {id: 2, name: 'ann', role: 'speaker', side: 1}, {id: 3, name: 'bob', role: 'speaker', hand: 9},
    {id: 4, name: 'Eve', role: 'audience', hand: 4}, {id: 5, name: 'dan', role: 'speaker'}, {id: 6, name: 'me', role: 'speaker'},
    {id: 7, name: 'wait', role: 'speaker', presence: 'waiting'}]});
  assert.deepEqual(rules.peopleInOrder(r, 6).map((m) => m.id), [6, 4, 3, 1, 5, 2]);
  assert.deepEqual([4, 3, 5].map((id) => rules.handPlace(r, id)), [1, 2, 0]);
  assert.equal(rules.countWaiting(r), 1);
  const many = roomOf({room: 'x', seq: 1, members: [10, 9, 1].map((n) => ({id: n, name: `guest ${n}`, role: 'speaker'}))});
  assert.deepEqual(rules.peopleInOrder(many, 99).map((m) => m.id), [1, 9, 10]); // as a person counts
});

test('chat: modes, slow mode, how long one may edit', () => {
  const may = (mode, to, role = 'speaker') => rules.mayWrite(room({role}, {chat_mode: mode}), ME, to);
  assert.deepEqual(['off', 'public', 'private', 'all'].map((m) => [may(m, 'all'), may(m, 1), may(m, 'hosts')]),
    [[false, false, true], [true, false, true], [false, true, true], [true, true, true]]);
  assert.equal(may('off', 'all', 'cohost'), true);
  const slow = room({}, {slow_s: 20, chat: [{id: 5, ts: 1000, chat: 'public', from: ME}, {id: 6, ts: 5000, chat: 'hosts', from: ME}]});
  assert.equal(rules.nextWrite(slow, ME, 'all'), 21000);
  assert.equal(rules.nextWrite(slow, ME, 'hosts'), 0);
  assert.equal(rules.nextWrite(room({}, {slow_s: 20}), ME, 'all'), 0);
  const c = {id: 5, ts: 1000, chat: 'public', from: ME};
  assert.deepEqual([rules.mayEdit(c, ME, 300999), rules.mayEdit(c, ME, 301000), rules.mayEdit({...c, deleted: true}, ME, 2000),
                    rules.mayEdit(c, 1, 2000)], [true, false, false, false]);
  assert.equal(rules.textSize('ä€😀'), 9);
});

test('invite links', () => {
  const secret = 'A'.repeat(43);
  assert.deepEqual(parseLink('/j/standup', `#i=${secret}&p=${'B'.repeat(43)}`), {room: 'standup', app: null, secret});
  assert.deepEqual(parseLink('/j/acme/standup', ''), {room: 'standup', app: 'acme', secret: null});
  assert.deepEqual(parseLink('/j/standup/', `#p=x&i=${secret}`), {room: 'standup', app: null, secret});
  assert.equal(parseLink('/j/standup', '#i=short').secret, null);
  assert.equal(parseLink('/j/standup', `#i=${secret}%00`).secret, null);
  for (const path of ['/', '/j/', '/j', '/x/standup', '/j/Standup', '/j/-a', '/j/a/b/c', '/j/%2e%2e', '/j/..', '/j/a b',
                      `/j/${'a'.repeat(64)}`, '/j/A.b/room'])
    assert.equal(parseLink(path, `#i=${secret}`), null, path);
});

test('who talks: by what changes, through pauses between words, not by old lists', () => {
  const t = new Talkers();
  const source = (id, timestamp, audioLevel) => ({source: id, timestamp, rtpTimestamp: timestamp * 48, audioLevel});
  t.take([source(1, 10, 0.2), source(2, 10, 0), source(3, 10)], 1000);
  assert.deepEqual([...t.now(1000)], [1, 3]); // 2 is silent; a browser without levels says nothing of 3
  t.take([source(1, 10, 0.2), source(3, 30)], 1300); // 1 has brought nothing new
  assert.deepEqual([...t.now(1300)], [1, 3]);
  assert.deepEqual([...t.now(1500)], [3]);
  t.takeLevels([[9, 30]], 1600);
  assert.deepEqual([...t.now(1650)], [3, 9]);
  t.clear();
  assert.deepEqual([...t.now(1650)], []);
});

test('who talks, in words: each name in its own direction', () => {
  assert.equal(SAY.talkers([]), 'Nobody is talking.');
  assert.equal(SAY.talkers(['Ann', 'מרים 2']), 'Talking: \u2068Ann\u2069, \u2068מרים 2\u2069');
});

test('figures of the connection', () => {
  const report = (inbound, extra = []) => new Map([
    {id: 'T', type: 'transport', selectedCandidatePairId: 'P', srtpCipher: 'AEAD_AES_256_GCM'},
    {id: 'P', type: 'candidate-pair', currentRoundTripTime: 0.0421, localCandidateId: 'L'},
    {id: 'L', type: 'local-candidate', candidateType: 'relay'},
    {id: 'I', type: 'inbound-rtp', kind: 'audio', jitter: 0.004, ...inbound}, ...extra].map((s) => [s.id, s]));
  const last = {};
  assert.deepEqual(figures(report({packetsLost: 0, packetsReceived: 100}), last),
    {loss: 0, jitterMs: 4, cipher: 'AEAD_AES_256_GCM', rttMs: 42, way: 'relay'});
  assert.equal(figures(report({packetsLost: 5, packetsReceived: 195}), last).loss, 5);
  assert.equal(figures(report({packetsLost: 3, packetsReceived: 195}), last).loss, 0); // late ones were counted lost before
  assert.deepEqual(figures(new Map(), {}), {});
});

test('durations, and words for one and many', () => {
  assert.deepEqual([0, -5, 900, 59999, 60000, 3600000, 3661000].map(duration), ['0:00', '0:00', '0:01', '1:00', '1:00', '1:00:00', '1:01:01']);
  assert.deepEqual([SAY.people(1), SAY.people(2)], ['1 person', '2 people']);
  assert.equal(SAY.refused('the room is locked'), 'The room is locked.');
  assert.equal(SAY.held('', ''), 'A host put you back into the lobby');
});

test('5000 people are put in order many times a second: no comparison asks for its own rules of the language', () => {
  const members = new Map(Array.from({length: 5000}, (_, i) => [i + 1, {id: i + 1, name: `Person ${(i * 7919) % 5000}`, role: 'audience'}]));
  const {localeCompare} = String.prototype;
  let asked = 0;
  String.prototype.localeCompare = function counted(...a) { asked++; return localeCompare.apply(this, a); };
  const order = rules.peopleInOrder({members}, 7);
  String.prototype.localeCompare = localeCompare;
  assert.deepEqual([asked, order.length, order[0].id, order[1].name], [0, 5000, 7, 'Person 0']);
});
