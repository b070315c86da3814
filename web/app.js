// app.js: puts the parts together: what the person does goes to the session, what the server says to the views.
import {$, announce, setShown, setText, showScreen} from './dom.js';
import {Devices} from './devices.js';
import {Media, canCall} from './media.js';
import {Session} from './session.js';
import {ChatView} from './view_chat.js';
import {DevicesView} from './view_devices.js';
import {DoorView} from './view_door.js';
import {MeetingView} from './view_meeting.js';
import {PeopleView} from './view_people.js';
import {RoomView} from './view_room.js';
import {SAY} from './strings.js';
import {Talkers} from './talk.js';
import {deviceId, installation, tab} from './store.js';
import {figures} from './stats.js';
import {maySend, micOf} from './rules.js';
import {parseLink} from './link.js';

const RENDER_MS = 50;
const TALK_MS = 150;
const STATS_MS = 3000;
const OWN_VOICE = 35; // of 100, on the meter
const SUBPROTOCOL = 'gavel.1';

// ---- the link: its secret is taken out of the address before anything else ----

const secretKey = `gavel-invite:${location.pathname}`;
const resumeKey = `gavel-resume:${location.pathname}`;

function takeLink() {
  const link = parseLink(location.pathname, location.hash);
  if (location.hash) history.replaceState(null, '', location.pathname);
  if (link?.secret && link.secret !== tab.get(secretKey)) {
    tab.set(secretKey, link.secret);
    tab.set(resumeKey, null); // another invite: another seat, perhaps with another role
  }
  return link && {...link, secret: link.secret ?? tab.get(secretKey)};
}

function client() {
  const version = document.querySelector('meta[name="gavel-version"]').content;
  return `web/${/^\d/.test(version) ? version : 'dev'}`.slice(0, 31);
}

// ---- state that is the page's own ----

const sound = $('sound');
const devices = new Devices(sound);
const talkers = new Talkers();
const quality = new Map();
const mic = {hasMic: false, hush: false};
const line = {tier: '', stats: null, last: {}, profile: '', via: 'udp'};
let terms = null; // what is being agreed to: {version, then}
let renderTimer = 0;
let talkTimer = 0;
let statsTimer = 0;

const media = new Media({
  sound: play,
  state: (state) => {
    if (state === 'connected') {
      announce(SAY.sound_ok);
      measure();
    }
    render();
  },
  relays: () => session.request('media.ice').then((r) => r.servers ?? []),
  again: (sdp) => session.request('room.media', {sdp}).then((r) => r.sdp ?? null),
});

const session = new Session({
  socket: () => new WebSocket(`wss://${location.host}/v1/ws`, SUBPROTOCOL),
  offer: () => media.offer().catch(() => null),
  pathAlive: () => media.alive(),
  now: () => Date.now(),
  after: (ms, f) => setTimeout(f, ms),
  stop: (timer) => clearTimeout(timer),
  random: () => Math.random(),
}, null, (what, detail) => HEARD[what](detail));

const serverNow = () => Date.now() + session.skewMs;

// ---- views ----

const door = new DoorView({
  name: named,
  accept: () => { session.who.consent = terms.version; terms.then(); },
  decline: () => { session.forget(); ended({code: 'declined'}); },
  password: (password) => join({password}),
  stop: () => (session.state === 'connecting' ? session.leave() : ended({code: 'left'})),
  leave: () => session.leave(),
  again: () => door.name(installation.get('gavel-name') ?? ''),
});
const devicesView = new DevicesView(devices, {
  join: ({muted}) => { mic.hush = muted; join({}); },
  changed: () => { if (session.inside()) giveMic(); },
});
const people = new PeopleView((id) => { roomView.tab('chat'); chat.writeTo(id); });
const chat = new ChatView({act: (name, params) => session.act(name, params), older: () => session.older(), now: serverNow});
const meeting = new MeetingView((n) => act('vote', {n}));
const roomView = new RoomView({
  mic: toggleMic,
  hand: () => act(session.room.members.get(session.me)?.hand ? 'hand_lower' : 'hand'),
  leave: () => session.leave(),
  yes: () => { roomView.ask(null); unmute(); },
  no: () => { roomView.ask(null); act('decline'); },
  sound: () => play(sound.srcObject),
  tab: (name) => { if (name === 'chat') chat.seen(); },
});

// ---- before the room ----

async function named(name) {
  if (!name) return;
  session.who.name = name;
  door.busy(SAY.connecting);
  try {
    const t = await session.terms();
    if ($('screen-busy').hidden) return; // he stopped it
    if (t.version && t.version !== session.who.consent) askConsent(t, chooseDevices);
    else chooseDevices();
  } catch {
    door.name(name, SAY.ends.lost[1]);
  }
}

function askConsent({version, text}, then) {
  terms = {version, then};
  door.consent({version, text: text ?? ''});
}

function chooseDevices() {
  devicesView.moveBack();
  showScreen('screen-devices');
}

async function join(who) {
  installation.set('gavel-name', session.who.name);
  mic.hasMic = devices.track !== null;
  media.setOpen(false);
  await media.setTrack(devices.track, devices.stream);
  session.join({client: client(), device: deviceId(), ...who});
}

// A microphone that comes later comes in muted: choosing one is not yet speaking.
async function giveMic() {
  const had = mic.hasMic;
  mic.hasMic = devices.track !== null;
  mic.hush ||= !had;
  openMic();
  await media.setTrack(devices.track, devices.stream);
  openMic();
  render();
}

// ---- in the room: what the person does ----

// What is refused is said.
async function act(name, params) {
  try {
    await session.act(name, params);
    return true;
  } catch (e) {
    if (e.code !== 'no_change') roomView.note(SAY.refused(e.message));
    return e.code === 'no_change';
  }
}

// Muting works at once, here; the server is told as well. Unmuting waits for the server.
function toggleMic() {
  if (micOf(session.room, session.me, mic).state !== 'open') {
    unmute();
    return;
  }
  mic.hush = true;
  openMic();
  render();
  act('mute');
}

async function unmute() {
  const muted = session.room.members.get(session.me)?.muted;
  if (muted && !await act('unmute')) return;
  mic.hush = false;
  openMic();
  render();
}

function openMic() {
  media.setOpen(session.state === 'joined' && maySend(session.room, session.me) && !mic.hush);
}

async function play(stream) {
  if (sound.srcObject !== stream) sound.srcObject = stream;
  try {
    await sound.play();
    setShown($('sound-blocked'), false);
  } catch (e) {
    if (e.name === 'NotAllowedError') setShown($('sound-blocked'), true);
  }
}

// ---- what the server says ----

const HEARD = {
  state: (s) => STATES[s.state]?.(s),
  resume: (secret) => tab.set(resumeKey, secret),
  again: (ms) => { if (session.state === 'connecting') door.busy(SAY.again(Math.ceil(ms / 1000))); },
  ask: ({what, code, text, version, terms: words}) => {
    openMic(); // also when he was in before: nothing is sent while he reads
    if (what === 'consent') askConsent({version, text: words}, () => join({}));
    else if (what === 'password') door.password(code === 'bad_password' ? SAY.refused(text) : '');
    else door.name(session.who.name, SAY.refused(text));
  },
  lobby: (l) => door.lobby(l),
  lobby_said: (ev) => { door.lobbySaid(ev.text, ev.ts); document.title = `(1) ${session.link.room}`; },
  room: () => { openMic(); renderNow(); },
  event: ({ev, before}) => {
    openMic(); // first: nothing is sent a moment longer than the room allows
    roomView.event(session.room, session.me, ev, before);
    render();
  },
  answer: ({sdp, error, offer}) => {
    if (sdp) media.answer(sdp, offer).catch(() => roomView.note(SAY.sound_none));
    else if (error) roomView.note(SAY.sound_refused(error));
  },
  path: (p) => {
    if (p.state === 'tier') line.tier = p.tier ?? '';
    else if (p.state === 'connected') line.profile = p.profile ?? '';
    else media.lost();
  },
  notice: ({text}) => roomView.note(text ?? '', true),
  maintenance: (plan) => { meeting.upkeep(plan); tick(); },
  who: ({method, who}) => {
    if (method === 'levels') talkers.takeLevels(who, performance.now());
    else for (const [id, level] of who) quality.set(id, level);
    render();
  },
};

const STATES = {
  connecting: () => door.busy(SAY.connecting),
  lobby: ({held}) => {
    stopTimers();
    openMic();
    clearRoom();
    if (held) media.renew();
    document.title = session.link.room;
  },
  joined: ({admitted, again}) => {
    showScreen('screen-room');
    document.title = session.link.room;
    if (again) roomView.note(SAY.back);
    else clearRoom();
    if (again) meeting.upkeep(null); // it may be over, or called off: the server says next what is planned
    if (admitted) announce(SAY.admitted, true);
    devicesView.moveTo($('room-devices'));
    openMic();
    startTimers();
    if (mic.hush && maySend(session.room, session.me)) act('mute');
  },
  reconnecting: () => {
    if ($('screen-room').hidden) setText($('lobby-place'), SAY.reconnecting);
    announce(SAY.reconnecting, true);
    openMic();
    render();
  },
  ended,
};

// Of a room one is not in any more nothing stays on the page.
function clearRoom() {
  quality.clear();
  people.clear();
  chat.clear();
  roomView.clear();
  Object.assign(line, {tier: '', stats: null, last: {}, profile: '', via: 'udp'});
}

function ended(detail) {
  stopTimers();
  media.stop();
  devicesView.stop();
  devices.close();
  sound.srcObject = null;
  mic.hasMic = false;
  clearRoom();
  meeting.upkeep(null);
  tab.set(resumeKey, null);
  setText($('status'), '');
  door.end({text: '', by: '', wasIn: false, retryMs: 0, ...detail});
}

// ---- drawing ----

function render() {
  renderTimer ||= setTimeout(renderNow, RENDER_MS);
}

function renderNow() {
  clearTimeout(renderTimer);
  renderTimer = 0;
  if (!session.room) return;
  const {room, me} = session;
  roomView.render(room, me, mic, media.state, session.state === 'joined');
  meeting.render(room, me);
  people.render(room, me, quality);
  chat.render(room, me);
  roomView.line({session: session.state, path: media.state, level: quality.get(me) ?? 0, tier: line.tier, stats: line.stats});
}

function tick() {
  meeting.clock(session.room, session.room?.members.get(session.me), serverNow());
}

async function measure() {
  line.stats = figures(await media.stats(), line.last);
  line.stats.cipher ??= line.profile;
  const via = line.stats.way === 'relay' ? 'turn' : 'udp';
  if (via !== line.via && line.stats.way && session.state === 'joined') { // only this side knows of a relay
    line.via = via;
    session.request('media.via', {via}).catch(() => {});
  }
  render();
}

function startTimers() {
  stopTimers();
  talkTimer = setInterval(() => {
    talkers.take(media.sources(), performance.now());
    const talking = talkers.now(performance.now());
    if (media.open && devices.level() > OWN_VOICE) talking.add(session.me); // the server leaves out one's own
    people.talk(talking, session.room, session.me);
  }, TALK_MS);
  statsTimer = setInterval(measure, STATS_MS);
}

function stopTimers() {
  for (const t of [talkTimer, statsTimer]) clearInterval(t);
  talkers.clear();
}

// ---- begin ----

devices.onGone = () => {
  giveMic();
  if (session.inside()) roomView.note(SAY.mic_gone, true);
};
window.addEventListener('hashchange', () => { if (location.hash) location.reload(); }); // a link pasted over this one
window.addEventListener('online', () => session.wake());
document.addEventListener('visibilitychange', () => { if (!document.hidden) session.wake(); });
$('line-details').ontoggle = () => {
  const {open} = $('line-details');
  if (open) $('line-details').scrollIntoView();
  if (open && devices.track) devicesView.meter();
  else devicesView.stop();
};

function begin() {
  const link = takeLink();
  session.link = link;
  session.resume = tab.get(resumeKey);
  setText($('room-title'), link?.room ?? 'gavel');
  document.title = link?.room ?? 'gavel';
  if (!link) door.wrong(SAY.bad_link);
  else if (!link.secret && !session.resume) door.wrong(SAY.no_secret);
  else if (!canCall()) door.wrong(SAY.no_webrtc);
  else door.name(installation.get('gavel-name') ?? '', '', session.resume ? SAY.was_here : '');
}

setInterval(tick, 1000);
begin();
