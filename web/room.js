// room.js: a room as one person may see it: a snapshot and then a fold over the events. Pure: no clock, no DOM.
//
// The same as core/room does, for what a guest sees. What it does not know it ignores; ids it has never heard
// of too, because events about others may be kept from this viewer.

export const SOME_HOST = 4294967295; // the room does not name its hosts
const CHAT_KEPT = 500;

const MODERATORS = new Set(['cohost', 'host', 'owner']);
export const isModerator = (m) => MODERATORS.has(m?.role);

const list = (v) => (Array.isArray(v) ? v : []);
const objects = (v) => list(v).filter((o) => o !== null && typeof o === 'object');

export function roomOf(snapshot) {
  const room = {...snapshot, members: new Map(), chat: []};
  for (const m of objects(snapshot?.members)) room.members.set(m.id, {...m});
  room.chat = objects(snapshot?.chat).map((c) => ({...c}));
  room.mute_all ??= 'off';
  room.chat_mode ??= 'all';
  room.seq ??= 0;
  if (room.poll) room.poll = {...room.poll, votes: list(room.poll.votes).map((v) => [...list(v)])};
  return room;
}

// Older messages, of room.history, in front of those that are there.
export function addOlder(room, chat) {
  const known = new Set(room.chat.map((c) => c.id));
  room.chat = [...objects(chat).filter((c) => !known.has(c.id)), ...room.chat];
}

export function nameOf(room, id) {
  if (id === 0) return 'operator';
  return room.members.get(id)?.name ?? '';
}

// ---- one kind each: (room, event) ----

function put(room, ev) {
  if (!ev.member) return;
  room.members.set(ev.member.id, {...ev.member});
  room.hand_last = Math.max(room.hand_last ?? 0, ev.member.hand ?? 0);
}

function unvote(room, id) {
  if (room.poll?.open) room.poll.votes = room.poll.votes.map((v) => v.filter((x) => x !== id));
}

function drop(room, ev) {
  for (const id of list(ev.who)) {
    room.members.delete(id);
    unvote(room, id);
  }
}

// A change of each person an event names.
const each = (change) => (room, ev) => {
  list(ev.who).forEach((id, i) => {
    const m = room.members.get(id);
    if (m) change(m, ev, room, i);
  });
};

function back(m, ev, room) { // in the lobby again: what one inside has goes
  unvote(room, m.id);
  Object.assign(m, {presence: 'waiting', floor: false, exempt: false, time_up: false, priority: false,
                    floor_ms: 0, hand: 0, side: 0, since_ms: ev.ts});
}

function mute(m, ev) {
  if (!m.muted) m.muted_by = ev.actor;
  m.muted = true;
}

function floor(m, ev) {
  Object.assign(m, {floor: ev.on, floor_ms: ev.on && !isModerator(m) ? ev.since_ms ?? 0 : 0, time_up: false});
}

function role(m, ev) {
  m.role = ev.role;
  if (isModerator(m)) Object.assign(m, {floor_ms: 0, time_up: false}); // no talk timer for those
}

function hand(m, ev, room, i) {
  m.hand = !ev.on ? 0 : ev.place ? ev.place + i : (room.hand_last ?? 0) + 1;
  room.hand_last = Math.max(room.hand_last ?? 0, m.hand);
}

function said(room, ev) {
  if (room.chat.length >= CHAT_KEPT) room.chat.splice(room.chat[0].id === room.pin ? 1 : 0, 1);
  room.chat.push({id: ev.seq, ts: ev.ts, chat: ev.chat, from: ev.actor, to: ev.to ?? 0, text: ev.text ?? '',
                  name: nameOf(room, ev.actor)});
}

function wipe(room, c) {
  c.text = '';
  c.deleted = true;
  c.edited = false;
  if (room.pin === c.id) room.pin = 0;
}

function unsay(room, ev) {
  const c = room.chat.find((x) => x.id === ev.message);
  if (c) wipe(room, c);
  else if (room.pin === ev.message) room.pin = 0;
}

function resay(room, ev) {
  const c = room.chat.find((x) => x.id === ev.message);
  if (c && !c.deleted) Object.assign(c, {text: ev.text ?? '', edited: true});
}

function closeSides(room, ev) {
  room.sides = ev.n;
  room.chat = room.chat.filter((c) => c.chat !== 'side' || c.to <= ev.n);
  if (!ev.n) room.recall_ms = 0;
}

function vote(room, ev) {
  if (!room.poll?.open) return;
  room.poll.votes = room.poll.votes.map((v, i) => {
    const others = v.filter((x) => x !== ev.actor);
    return i === ev.answer - 1 ? [...others, ev.actor] : others;
  });
}

function openPoll(room, ev) {
  const answers = (ev.text ?? '').split('\n').length - 1;
  room.poll = {id: ev.seq, by: ev.actor, open: true, anonymous: ev.anonymous, text: ev.text,
               votes: Array.from({length: answers}, () => [])};
}

function closePoll(room, ev) {
  if (!room.poll) return;
  room.poll.open = false;
  if (room.poll.anonymous) room.poll.counts = String(ev.counts ?? '').split(' ').map(Number);
}

function end(room) {
  room.ended = true;
  room.members.clear();
}

const set = (key, from) => (room, ev) => { room[key] = ev[from] ?? ''; };

const FOLD = {
  __proto__: null, // only what is named here
  'room.ended': end,
  'room.locked': set('locked', 'on'),
  'room.lobby': set('lobby', 'on'),
  'room.mute_entry': set('mute_entry', 'on'),
  'room.one_speaker': set('one_speaker', 'on'),
  'room.links': (room, ev) => { room.no_links = !ev.on; },
  'room.name_hosts': (room, ev) => { room.hide_hosts = !ev.on; },
  'room.topic': set('topic', 'text'),
  'room.agenda': (room, ev) => { Object.assign(room, {agenda: ev.text ?? '', agenda_at: ev.item ?? 0}); },
  'room.agenda_at': (room, ev) => { room.agenda_at = ev.item ?? 0; },
  'room.policy': set('policy', 'policy'),
  'room.mute_all': (room, ev) => { Object.assign(room, {mute_all: ev.mode, mute_speakers_free: ev.speakers ?? false}); },
  'room.chat_mode': set('chat_mode', 'mode'),
  'room.slow': (room, ev) => { room.slow_s = ev.seconds ?? 0; },
  'room.talk_time': (room, ev) => { Object.assign(room, {talk_s: ev.seconds ?? 0, talk_take: ev.take ?? false}); },
  'room.pinned': (room, ev) => { room.pin = ev.message ?? 0; },
  'room.breakouts': (room, ev) => closeSides(room, {n: ev.n ?? 0}),
  'room.recall': (room, ev) => { room.recall_ms = ev.at_ms ?? 0; },
  'room.ending': (room, ev) => { room.ends_ms = ev.at_ms ?? 0; },
  'poll.opened': openPoll,
  'poll.voted': vote,
  'poll.ended': closePoll,
  'member.knocked': put,
  'member.joined': put,
  'member.admitted': put,
  'member.back': put,
  'member.denied': drop,
  'member.left': drop,
  'member.removed': drop,
  'member.held': each(back),
  'member.away': each((m, ev) => { m.dropped_ms = ev.ts; if (!m.presence) m.presence = 'away'; }),
  'member.silenced': each((m, ev, room, i) => { m.silenced = ev.ban ? ev.ban + (ev.step ? i : 0) : 0; }),
  'member.muted': each(mute),
  'member.unmuted': each((m) => { m.muted = false; m.muted_by = 0; }),
  'member.asked_unmute': each((m) => { m.exempt = true; }),
  'member.exempt': each((m, ev) => { m.exempt = ev.on; }),
  'member.floor': each(floor),
  'member.time_up': each((m) => { m.time_up = Boolean(m.floor_ms); }),
  'member.priority': each((m, ev) => { m.priority = ev.on; }),
  'member.gain': each((m, ev) => { m.gain_db = ev.db ?? 0; }),
  'member.moved': each((m, ev) => { m.side = ev.side ?? 0; }),
  'member.renamed': each((m, ev) => { if (ev.name) m.name = ev.name; }),
  'member.role': each(role),
  'member.hand': each(hand),
  'chat.sent': said,
  'chat.edited': resay,
  'chat.deleted': unsay,
  'chat.purged': (room, ev) => { for (const c of room.chat) if (c.from === list(ev.who)[0]) wipe(room, c); },
  'chat.cleared': (room) => { room.chat = []; room.pin = 0; },
};

// Changes the room by one event; false when it is an old one.
export function applyEvent(room, ev) {
  if (!(ev.seq > room.seq)) return false;
  room.seq = ev.seq;
  FOLD[ev.kind]?.(room, ev);
  return true;
}
