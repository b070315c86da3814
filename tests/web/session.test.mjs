// A session without a browser: a socket and a clock made here, and what the server may do to it.
import assert from 'node:assert/strict';
import test from 'node:test';
import {load} from './load.mjs';

const {Session, RESUME_MS, BACKOFF_MAX_MS} = await load('session.js');
const {Rpc} = await load('rpc.js');

class Socket {
  sent = [];
  closed = null;
  send(text) { this.sent.push(JSON.parse(text)); }
  close(code) { this.closed = code; }
  say(m) { this.onmessage({data: JSON.stringify({jsonrpc: '2.0', ...m})}); }
  get last() { return this.sent.at(-1); }
  answer(result) { this.say({id: this.last.id, result}); }
  refuse(code, data = {}, message = code) { this.say({id: this.last.id, error: {code: -32000, message, data: {code, ...data}}}); }
  notify(method, params) { this.say({method, params}); }
  drop(code = 1006) { this.onclose({code}); }
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

class World {
  sockets = []; timers = []; told = []; time = 1000; offers = 0; alive = false;
  constructor(link = {room: 'standup', app: null, secret: 'S'}) {
    const env = {
      socket: () => { const s = new Socket(); this.sockets.push(s); return s; },
      offer: async () => `offer${++this.offers}`,
      pathAlive: () => this.alive,
      now: () => this.time,
      after: (ms, f) => { const t = {at: this.time + ms, f}; this.timers.push(t); return t; },
      stop: (t) => { this.timers = this.timers.filter((x) => x !== t); },
      random: () => 0.5,
    };
    this.session = new Session(env, link, (what, detail) => this.told.push([what, detail]));
  }
  get socket() { return this.sockets.at(-1); }
  states() { return this.told.filter(([w]) => w === 'state').map(([, d]) => d.state); }
  ended() { return this.told.findLast(([w, d]) => w === 'state' && d.state === 'ended')?.[1]; }
  async open() { await settle(); this.socket.onopen(); }
  async run(ms) { // until then, each timer at its time
    const end = this.time + ms;
    for (;;) {
      const next = [...this.timers].sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.time = next.at;
      this.timers = this.timers.filter((t) => t !== next);
      next.f();
      await settle();
    }
    this.time = end;
  }
  async join(result) {
    this.session.join({name: 'ann', client: 'web/1', device: 'd'});
    await this.open();
    this.socket.answer(result);
    await settle();
  }
}

const ROOM = {room: 'standup', seq: 5, members: [{id: 2, name: 'ann', role: 'speaker', floor: true}]};
const JOINED = {state: 'joined', me: 2, resume: 'R', room: ROOM, sdp: 'answer'};
const LOBBY = {state: 'lobby', me: 2, resume: 'R', place: 1, waiting: 3};

test('joining: one request with all it needs, and nothing more', async () => {
  const w = new World({room: 'standup', app: 'acme', secret: 'S'});
  await w.join(JOINED);
  assert.deepEqual(w.socket.sent[0].params, {room: 'standup', app: 'acme', client: 'web/1', sdp: 'offer1', name: 'ann', device: 'd', invite: 'S'});
  assert.deepEqual(w.states(), ['connecting', 'joined']);
  assert.deepEqual(w.told.at(-1), ['answer', {sdp: 'answer', error: undefined, offer: 'offer1'}]);
});

test('terms are asked on a connection of their own, before a name is sent', async () => {
  const w = new World();
  const terms = w.session.terms();
  w.socket.onopen();
  assert.equal(w.socket.last.method, 'privacy.terms');
  w.socket.answer({version: '3', text: 'We store …'});
  assert.deepEqual(await terms, {version: '3', text: 'We store …'});
  await settle();
  assert.equal(w.socket.closed, 1000);
  const old = w.session.terms(); // a server that knows none asks none
  w.socket.onopen();
  w.socket.refuse('unknown_method');
  assert.deepEqual(await old, {});
  const gone = w.session.terms();
  w.socket.drop();
  await assert.rejects(gone);
});

test('refusals that ask something: consent, password, another name; then he joins with it', async () => {
  for (const [code, what] of [['consent_needed', 'consent'], ['password_needed', 'password'], ['bad_password', 'password'], ['bad_name', 'name']]) {
    const w = new World();
    w.session.join({name: 'ann'});
    await w.open();
    w.socket.refuse(code, {version: '4', text: 'terms'});
    await settle();
    assert.deepEqual([w.told.at(-1)[0], w.told.at(-1)[1].what], ['ask', what]);
    assert.equal(w.session.state, 'idle');
    await w.run(60000);
    assert.equal(w.sockets.length, 1, 'it must wait for the person');
    w.session.join({password: 'p', consent: '4'});
    await w.open();
    assert.deepEqual([w.socket.last.params.password, w.socket.last.params.consent], ['p', '4']);
  }
});

test('other refusals end it, with the code and the host\'s words', async () => {
  for (const code of ['banned', 'room_locked', 'room_full', 'bad_invite', 'some_new_code']) {
    const w = new World();
    w.session.join({name: 'ann'});
    await w.open();
    w.socket.refuse(code, {}, 'the room is locked: back at ten');
    await settle();
    assert.deepEqual([w.ended().code, w.ended().text], [code, 'the room is locked: back at ten']);
    await w.run(300000);
    assert.equal(w.sockets.length, 1);
  }
});

test('the lobby: his place, what hosts write, let in, put back', async () => {
  const w = new World();
  await w.join(LOBBY);
  w.socket.notify('lobby', {place: 1, waiting: 2});
  w.socket.notify('event', {room: 'standup', seq: 7, ts: 5000, kind: 'chat.sent', actor: 1, chat: 'lobby', text: 'soon'});
  assert.deepEqual(w.told.at(-1)[1].text, 'soon');
  assert.equal(w.session.room, null);
  w.socket.notify('admitted', {room: ROOM});
  w.socket.notify('answer', {sdp: 'later'});
  assert.deepEqual(w.states(), ['connecting', 'lobby', 'joined']);
  assert.equal(w.told.at(-1)[1].sdp, 'later');
  w.socket.notify('lobby', {place: 1, waiting: 1, held: true, by: 'hanna', text: 'a moment'});
  assert.equal(w.session.room, null);
  const {state, held, by, text} = w.told.findLast(([what]) => what === 'state')[1];
  assert.deepEqual([state, held, by, text], ['lobby', true, 'hanna', 'a moment']);
  w.socket.notify('event', {seq: 9, kind: 'member.joined', member: {id: 9}}); // not his business any more
  assert.equal(w.session.state, 'lobby');
});

test('events change the room in order; a sync replaces it', async () => {
  const w = new World();
  await w.join(JOINED);
  w.socket.notify('event', {seq: 6, ts: 61000, kind: 'member.muted', actor: 1, who: [2], reason: 'echo'});
  const [what, {ev, before}] = w.told.at(-1);
  assert.deepEqual([what, ev.reason, before.muted, w.session.room.members.get(2).muted], ['event', 'echo', undefined, true]);
  assert.equal(w.session.skewMs, 60000);
  const n = w.told.length;
  w.socket.notify('event', {seq: 6, ts: 61000, kind: 'member.unmuted', actor: 1, who: [2]});
  assert.equal(w.told.length, n);
  w.socket.notify('sync', {room: {...ROOM, seq: 8, topic: 'new'}});
  assert.equal(w.session.room.topic, 'new');
  w.socket.onmessage({data: 'not json'});
  w.socket.onmessage({data: '{"id":99,"result":{}}'});
  w.socket.notify('something_new', {x: 1});
  assert.equal(w.session.state, 'joined');
});

test('a lost connection is resumed with the secret; a path that lives needs no new offer', async () => {
  const w = new World();
  await w.join(JOINED);
  w.alive = true;
  w.socket.drop();
  await w.run(1000);
  await w.open();
  assert.deepEqual(w.socket.last.params, {room: 'standup', client: 'web/1', resume: 'R'});
  w.socket.answer(JOINED);
  await settle();
  assert.deepEqual(w.states(), ['connecting', 'joined', 'reconnecting', 'joined']);
  assert.equal(w.told.findLast(([what]) => what === 'state')[1].again, true);
  w.alive = false;
  w.socket.drop();
  await w.run(1000);
  await w.open();
  assert.equal(w.socket.last.params.sdp, 'offer2');
});

test('it waits longer each time, and gives up when the seat is gone', async () => {
  const w = new World();
  await w.join(JOINED);
  const began = w.time;
  const at = [];
  w.socket.drop();
  while (!w.ended() && at.length < 100) {
    const n = w.sockets.length;
    await w.run(BACKOFF_MAX_MS * 2);
    if (w.sockets.length > n) { at.push(w.time); w.socket.drop(); }
  }
  assert.equal(w.ended().code, 'cannot_resume');
  assert.ok(at.length >= 5 && at.length < 40, `${at.length} tries`);
  assert.ok(w.time - began <= RESUME_MS + 3 * BACKOFF_MAX_MS, `${w.time - began} ms`);
});

test('try_later is obeyed, from a refusal and from a bye, and is not counted as failing', async () => {
  const w = new World();
  w.session.join({name: 'ann'});
  await w.open();
  w.socket.refuse('try_later', {retry_ms: 1700});
  await settle();
  w.socket.drop(1013);
  assert.deepEqual(w.told.at(-1), ['again', 1700]);
  await w.run(1700 * 1.25 - 1); // a quarter more, by the chance of this world
  assert.equal(w.sockets.length, 1);
  await w.run(1);
  await w.open();
  w.socket.answer(JOINED);
  await settle();
  w.socket.notify('bye', {code: 'try_later', retry_ms: 9000});
  w.socket.drop(1001);
  await w.run(9000 * 1.25 - 1);
  assert.equal(w.sockets.length, 2);
  await w.run(1);
  assert.equal(w.sockets.length, 3);
});

test('a server that closes: soon back, or the end; notices are passed on', async () => {
  const w = new World();
  await w.join(JOINED);
  const passed = [['maintenance', {at_ms: 9, until_ms: 99, text: 'new kernel'}], ['notice', {code: 'monitored', text: 'somebody listens'}]];
  for (const [method, params] of passed) w.socket.notify(method, params);
  assert.deepEqual(w.told.slice(-2), passed);
  w.socket.notify('bye', {code: 'draining', text: 'down', retry_ms: 50000});
  w.socket.drop(1001);
  await w.run(50000 * 1.25);
  await w.open();
  assert.equal(w.socket.last.params.resume, 'R');
  w.socket.refuse('draining', {retry_ms: 3600000}, 'down until noon');
  await settle();
  assert.deepEqual([w.ended().code, w.ended().text, w.ended().retryMs], ['draining', 'down until noon', 3600000]);
});

test('a bye ends it and nothing is tried again; leaving says so to the server', async () => {
  for (const [code, told] of [['removed', 'removed'], ['banned', 'banned'], ['room_ended', 'room_ended'], ['ok', 'left'], ['replaced', 'replaced']]) {
    const w = new World();
    await w.join(JOINED);
    w.socket.notify('bye', {code, text: 'words', by: 'hanna'});
    w.socket.drop(1000);
    await w.run(300000);
    const {code: c, text, by, wasIn} = w.ended();
    assert.deepEqual([c, text, by, wasIn, w.sockets.length, w.session.room], [told, 'words', 'hanna', true, 1, null]);
  }
  const w = new World();
  await w.join(LOBBY);
  const {socket} = w;
  w.session.leave();
  assert.equal(socket.last.method, 'room.leave');
  assert.equal(w.ended().code, 'left');
});

test('a line that is dead without saying so is noticed', async () => {
  const w = new World();
  await w.join(JOINED);
  await w.run(15000);
  assert.equal(w.socket.last.method, 'ping');
  w.socket.answer({});
  await settle();
  await w.run(15000);
  assert.equal(w.socket.sent.filter((m) => m.method === 'ping').length, 2);
  await w.run(10000);
  assert.equal(w.session.state, 'reconnecting');
});

test('after a reload: the old seat, and when that is gone, anew', async () => {
  const w = new World();
  w.session.resume = 'OLD';
  w.session.join({name: 'ann'});
  await w.open();
  assert.equal(w.socket.last.params.resume, 'OLD');
  w.socket.refuse('cannot_resume');
  await settle();
  await w.run(100);
  await w.open();
  assert.deepEqual([w.socket.last.params.resume, w.socket.last.params.name], [undefined, 'ann']);
});

test('requests: each answered or failed once', async () => {
  const socket = new Socket();
  let closed = 0;
  const rpc = new Rpc(socket, {open: () => {}, notify: () => {}, closed: () => closed++});
  const [a, b, c] = [rpc.request('a'), rpc.request('b'), rpc.request('c')];
  assert.deepEqual(socket.sent.map((m) => m.id), [1, 2, 3]);
  socket.say({id: 2, result: {n: 2}});
  socket.say({id: 1, error: {message: 'no', data: {code: 'rank', retry_ms: 5}}});
  assert.deepEqual(await b, {n: 2});
  await assert.rejects(a, {code: 'rank', message: 'no', retryMs: 5});
  socket.drop();
  socket.drop();
  await assert.rejects(c, {code: 'lost'});
  await assert.rejects(rpc.request('d'), {code: 'lost'});
  assert.equal(closed, 1);
});

test('a network that swallows everything does not hold him for minutes', async () => {
  const w = new World();
  await w.join(JOINED);
  w.socket.drop();
  await w.run(60000); // no socket ever opens
  assert.ok(w.sockets.length >= 4, `${w.sockets.length} tries`);
  assert.ok(w.sockets.slice(1, -1).every((s) => s.closed !== null), 'none is left open');
  const next = async () => { for (const n = w.sockets.length; w.sockets.length === n;) await w.run(100); };
  await next();
  await w.open(); // it is back, but the server says nothing
  await next();
  await w.open();
  w.socket.answer(JOINED);
  await settle();
  assert.equal(w.session.state, 'joined');
  await w.run(14000);
  assert.equal(w.session.state, 'joined'); // the answer has come
  const silent = new World();
  const asked = assert.rejects(silent.session.terms());
  await silent.run(60000);
  assert.equal(silent.socket.closed, 1000);
  await asked;
});

test('whatever time a server names, it is neither a storm nor for ever', async () => {
  for (const retry_ms of [-5, 0, 1, 'soon', null, 1e300, undefined]) {
    const w = new World();
    await w.join(JOINED);
    for (let i = 0; i < 5; i++) {
      w.socket.notify('bye', {code: 'try_later', retry_ms});
      w.socket.drop(1001);
      const n = w.sockets.length;
      await w.run(200);
      assert.equal(w.sockets.length, n, `${retry_ms}`);
      for (let t = 0; t < 1000 && w.sockets.length === n; t++) await w.run(100);
      assert.equal(w.sockets.length, n + 1, `${retry_ms}`);
      await w.open();
      w.socket.answer(JOINED);
      await settle();
    }
  }
});

test('joining twice, or an error without its data, changes nothing', async () => {
  const w = new World();
  await w.join(JOINED);
  w.session.join({name: 'ann'});
  assert.equal(w.session.state, 'joined');
  const refused = w.session.act('mute');
  w.socket.say({id: w.socket.last.id, error: {code: -32000, message: 'no', data: null}});
  await assert.rejects(refused, {code: 'internal', message: 'no'});
  const older = w.session.older();
  const {id} = w.socket.last;
  w.socket.notify('lobby', {place: 1, waiting: 1, held: true});
  w.socket.say({id, result: {chat: [{id: 1, text: 'a'}], more: false}});
  assert.equal(await older, false);
});
