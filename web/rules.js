// rules.js: what follows from a room for one person: may he speak, write, and why not; who is shown where. Pure.
//
// The server decides; this only says beforehand what it would say, and never opens a microphone by itself.
import {SOME_HOST, isModerator, nameOf} from './room.js';

const RANK = {monitor: 1, audience: 2, speaker: 3, cohost: 4, host: 5, owner: 6};
export const isInside = (m) => m.presence !== 'waiting';

// Those whom mute-all leaves out by their role.
function spared(room, m) {
  return isModerator(m) || (room.mute_speakers_free === true && m.role === 'speaker');
}

// The microphone in the room's eyes: {state, by, mayUnmute}. `hush`: he has muted himself here, whatever the server
// says; hasMic: there is one.
export function micOf(room, me, {hasMic, hush}) {
  const m = room.members.get(me);
  if (!m || m.role === 'monitor') return {state: 'monitor', mayUnmute: false};
  if (m.silenced) return {state: 'silenced', mayUnmute: false};
  if (!m.floor) return {state: 'no_floor', mayUnmute: false};
  if (!hasMic) return {state: 'none', mayUnmute: false};
  if (m.muted) {
    if (room.mute_all === 'hold' && !m.exempt && !spared(room, m)) return {state: 'held', mayUnmute: false};
    if (m.muted_by && m.muted_by !== me) return {state: 'muted_by', by: m.muted_by, mayUnmute: true};
    return {state: m.muted_by === me ? 'muted' : 'entry', mayUnmute: true};
  }
  return hush ? {state: 'muted', mayUnmute: true} : {state: 'open', mayUnmute: true};
}

// What the server's media path would let through: it mutes for real, and nothing is sent that it would drop.
export function maySend(room, me) {
  const m = room?.members.get(me);
  return Boolean(m && !room.ended && isInside(m) && m.role !== 'monitor' && m.floor && !m.muted);
}

// The name of who did something: his, or none where the room does not tell.
export function actorName(room, id) {
  return id === SOME_HOST ? '' : room.members.get(id)?.name ?? '';
}

// ---- people ----

const NAMES = new Intl.Collator(undefined, {numeric: true}); // made once: thousands of names are compared at every change

// Those inside: oneself, raised hands in their order, moderators, then by name; those of other side rooms last.
export function peopleInOrder(room, me) {
  const mine = room.members.get(me)?.side ?? 0;
  const before = (a, b) => (a.id === me ? -1 : b.id === me ? 1 : 0)
    || ((a.side ?? 0) !== mine) - ((b.side ?? 0) !== mine)
    || (a.hand && b.hand ? a.hand - b.hand : Boolean(b.hand) - Boolean(a.hand))
    || (RANK[b.role] ?? 0) - (RANK[a.role] ?? 0)
    || NAMES.compare(a.name ?? '', b.name ?? '') || a.id - b.id;
  return [...room.members.values()].filter(isInside).sort(before);
}

// 1 for the first raised hand, 0 when it is down.
export function handPlace(room, id) {
  const own = room.members.get(id)?.hand;
  if (!own) return 0;
  let place = 1;
  for (const m of room.members.values()) if (m.hand && m.hand < own) place++;
  return place;
}

export function countWaiting(room) {
  let n = 0;
  for (const m of room.members.values()) if (!isInside(m)) n++;
  return n;
}

// ---- chat ----

// Whether he may write to: 'all', 'hosts' or a member's id.
export function mayWrite(room, me, to) {
  const mode = room.chat_mode;
  if (to === 'hosts' || isModerator(room.members.get(me)) || mode === 'all') return true;
  return mode === (to === 'all' ? 'public' : 'private');
}

// When he may write next in slow mode, in the server's time; 0: at once.
export function nextWrite(room, me, to) {
  if (!room.slow_s || to === 'hosts' || isModerator(room.members.get(me))) return 0;
  const own = room.chat.filter((c) => c.from === me && c.chat !== 'hosts').at(-1);
  return own ? own.ts + room.slow_s * 1000 : 0;
}

const EDIT_MS = 300000;
export function mayEdit(c, me, now) {
  return c.from === me && !c.deleted && now - c.ts < EDIT_MS && c.chat !== 'announce' && c.chat !== 'lobby';
}

// Somebody of a message: oneself, one who is here, the operator, or a host whom the room does not name.
export function nameOfAuthor(room, id, own, me) {
  return id === me ? own : id === SOME_HOST ? 'a host' : nameOf(room, id);
}

export function pinned(room) {
  return room.pin ? room.chat.find((c) => c.id === room.pin) ?? null : null;
}

// Bytes as the server counts them.
export function textSize(text) {
  return new TextEncoder().encode(text).length;
}
