// The sound's way with a browser's parts made here: answers that come late, refusals, relays nobody understands, a microphone
// that is allowed when nobody wants it any more.
import assert from 'node:assert/strict';
import {mock, test} from 'node:test';
import {load} from './load.mjs';

const {Media} = await load('media.js');
const {Devices} = await load('devices.js');
const {Talkers} = await load('talk.js');

class Connection {
  static all = [];
  connectionState = 'new'; signalingState = 'stable'; iceGatheringState = 'complete';
  constructor({iceServers}) {
    if (iceServers?.some((s) => s.urls === 'junk')) throw new SyntaxError('junk');
    Connection.all.push(this);
    this.name = `offer${Connection.all.length}`;
  }
  addTransceiver() { return {sender: {replaceTrack: async () => {}}, receiver: {getContributingSources: () => []}}; }
  addEventListener() {}
  async setLocalDescription() { this.signalingState = 'have-local-offer'; this.localDescription = {sdp: this.name}; }
  async setRemoteDescription({sdp}) { this.signalingState = 'stable'; this.answer = sdp; }
  becomes(state) { this.connectionState = state; this.onconnectionstatechange?.(); }
  close() { this.connectionState = this.signalingState = 'closed'; }
}

function world(hooks = {}) {
  Connection.all = [];
  globalThis.RTCPeerConnection = Connection;
  globalThis.RTCRtpReceiver = {};
  const states = [];
  const media = new Media({sound: () => {}, state: (s) => states.push(s), relays: async () => [], again: async () => 'again', ...hooks});
  return {media, states, get last() { return Connection.all.at(-1); }};
}
Object.defineProperty(globalThis, 'navigator', {value: {mediaDevices: {}}, configurable: true});
const settle = () => new Promise((resolve) => setImmediate(resolve));
const refusal = (code) => () => Promise.reject(Object.assign(new Error(code), {code}));

async function pass(ms) {
  for (let at = 0; at < ms; at += 100) {
    mock.timers.tick(100);
    await settle();
  }
}

test('an answer to an older offer is not taken for one to the newer', async () => {
  const w = world();
  const first = await w.media.offer();
  const second = await w.media.offer();
  await w.media.answer('late', first);
  assert.equal(w.last.answer, undefined);
  await w.media.answer('right', second);
  assert.equal(w.last.answer, 'right');
  await w.media.offer();
  await w.media.answer('of the lobby'); // to the last
  assert.equal(w.last.answer, 'of the lobby');
  w.media.stop();
});

test('an offer that is refused is made again; one that was lost is not, as coming back makes one', async () => {
  mock.timers.enable({apis: ['setTimeout']});
  for (const [code, more] of [['rate_limited', true], ['lost', false]]) {
    const w = world({again: refusal(code)});
    w.media.renew();
    await pass(1500);
    assert.equal(Connection.all.length, 1);
    await pass(30000);
    assert.equal(Connection.all.length > 1, more, code);
    w.media.stop();
    const made = Connection.all.length;
    await pass(100000);
    assert.equal(Connection.all.length, made);
    assert.ok(Connection.all.every((c) => c.connectionState === 'closed'));
  }
  mock.timers.reset();
});

test('while there is no server to offer it to, a failed path is left to the one who comes back', async () => {
  mock.timers.enable({apis: ['setTimeout']});
  const w = world({relays: refusal('lost')});
  const offer = w.media.offer();
  await pass(1100);
  await w.media.answer('a', await offer);
  w.last.becomes('failed');
  await pass(60000);
  assert.equal(Connection.all.length, 1);
  assert.deepEqual(w.states, ['trying', 'lost']);
  w.media.stop();
  mock.timers.reset();
});

test('relays a browser does not understand do not take the sound away', async () => {
  mock.timers.enable({apis: ['setTimeout']});
  const w = world({relays: async () => [{urls: 'junk'}]});
  const offer = w.media.offer();
  await pass(1100);
  await w.media.answer('a', await offer);
  w.last.becomes('failed');
  await pass(3000);
  assert.deepEqual([Connection.all.length, w.last.answer], [2, 'again']);
  w.media.stop();
  mock.timers.reset();
});

test('a microphone allowed after he went on without, or was removed, is closed at once', async () => {
  let allow;
  const track = {stopped: false, stop() { this.stopped = true; }};
  navigator.mediaDevices.getUserMedia = () => new Promise((resolve) => { allow = () => resolve({getTracks: () => [track], getAudioTracks: () => [track]}); });
  const devices = new Devices({});
  const asked = devices.open();
  devices.close();
  allow();
  await assert.rejects(asked, {name: 'AbortError'});
  assert.deepEqual([track.stopped, devices.track], [true, null]);
});

test('who has not been heard for long is forgotten', () => {
  const talkers = new Talkers();
  const packet = [{source: 7, timestamp: 5, audioLevel: 0.5}];
  talkers.take(packet, 0);
  for (const [at, heard] of [[100, [7]], [30000, []], [61000, []]]) {
    assert.deepEqual([...talkers.now(at)], heard);
    if (at < 61000) talkers.take(packet, at); // the same one, which a browser names for some seconds
  }
  talkers.take(packet, 61000);
  assert.deepEqual([...talkers.now(61000)], [7]); // nothing is known of him: his stamp is a new one
});
