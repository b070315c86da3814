// view_room.js: the room's heads, banners and controls; people and chat have views of their own.
import {$, announce, setShown, setText} from './dom.js';
import {icon} from './icons.js';
import {actorName, handPlace, micOf} from './rules.js';
import {LINES, ROLES, SAY, TIERS} from './strings.js';

const NOTE_MS = 12000;

export class RoomView {
  #noteTimer = 0;
  #asked = false;

  // acts: {mic(), hand(), leave(), yes(), no(), sound(), tab(name)}
  constructor(acts) {
    for (const place of document.querySelectorAll('[data-icon]')) place.append(icon(place.dataset.icon));
    $('mic-button').onclick = acts.mic;
    $('hand-button').onclick = acts.hand;
    $('leave-button').onclick = acts.leave;
    $('banner-yes').onclick = acts.yes;
    $('banner-no').onclick = acts.no;
    $('sound-start').onclick = acts.sound;
    for (const name of ['people', 'chat'])
      $(`tab-${name}`).onclick = () => { this.tab(name); acts.tab(name); };
  }

  // On a narrow window one part is seen at a time.
  tab(name) {
    $('screen-room').dataset.tab = name;
    for (const n of ['people', 'chat']) $(`tab-${n}`).setAttribute('aria-pressed', String(n === name));
  }

  clear() {
    this.ask(null);
    this.note('');
    setShown($('sound-blocked'), false);
    this.tab('people');
  }

  // A word about what just happened; it goes by itself. `loud`: said at once to a screen reader.
  note(text, loud = false) {
    clearTimeout(this.#noteTimer);
    setShown($('note'), text !== '', text);
    if (!text) return;
    announce(text, loud);
    this.#noteTimer = setTimeout(() => setShown($('note'), false), NOTE_MS);
  }

  // "a host asks you to unmute", until it is answered; null: no more.
  ask(text) {
    this.#asked = text !== null;
    setText($('banner-text'), text ?? '');
    setShown($('banner'), this.#asked);
  }

  get asked() {
    return this.#asked;
  }

  render(room, me, mic, path, online) {
    const own = room.members.get(me);
    setShown($('side-note'), Boolean(own?.side), own?.side ? SAY.side(own.side) : '');
    this.#mic(room, me, mic, path, online);
    const place = handPlace(room, me);
    $('hand-button').setAttribute('aria-pressed', String(place > 0));
    setText($('hand-label'), place ? SAY.lower : SAY.raise);
    if (this.#asked && !own?.muted) this.ask(null);
  }

  #mic(room, me, mic, path, online) {
    const m = micOf(room, me, mic);
    const open = m.state === 'open';
    const words = !online ? SAY.mic.offline : m.state === 'muted_by' ? SAY.mic.muted_by(actorName(room, m.by))
      : open && path !== 'connected' ? SAY.mic.no_path : SAY.mic[m.state];
    setText($('mic-words'), words);
    setText($('mic-label'), open ? SAY.mute : m.mayUnmute ? SAY.unmute : SAY.muted);
    $('mic-button').disabled = !m.mayUnmute;
    $('mic-button').dataset.state = open && online ? 'open' : 'muted';
    $('mic-button').firstElementChild.replaceChildren(icon(open ? 'mic' : 'mic_off'));
    $('screen-room').dataset.mic = m.state;
  }

  // What an event means for oneself, in words; before: oneself as one was.
  event(room, me, ev, before) {
    const mine = ev.who?.includes(me) ?? false;
    const others = ev.actor !== me;
    const name = actorName(room, ev.actor);
    const own = room.members.get(me);
    const reason = ev.reason ?? '';
    const say = {
      __proto__: null,
      'member.muted': () => mine && others && this.note(SAY.was_muted(name, reason), true),
      'member.asked_unmute': () => mine && own.muted && this.#askNow(SAY.asked(name)),
      'member.floor': () => mine && before.floor !== own.floor && this.note(own.floor ? SAY.floor_given : SAY.floor_taken(reason), true),
      'member.silenced': () => mine && this.note(own.silenced ? SAY.was_silenced(reason) : SAY.may_speak, true),
      'member.time_up': () => mine && this.note(SAY.time_up, true),
      'member.moved': () => mine && this.note(SAY.side_moved(own.side), true),
      'member.renamed': () => mine && others && this.note(SAY.new_name(own.name)),
      'member.role': () => mine && this.note(SAY.new_role(ROLES[own.role] ?? own.role)),
      'member.hand': () => mine && others && !own.hand && this.note(SAY.hand_lowered(name)),
      'room.mute_all': () => others && this.note(ev.mode === 'off' ? SAY.mute_lifted : SAY.mute_all),
      'member.exempt': () => mine && !ev.on && this.ask(null),
      'chat.sent': () => ev.chat === 'announce' && others && this.note(ev.text),
    }[ev.kind];
    say?.();
  }

  #askNow(text) {
    this.note('');
    this.ask(text);
    announce(text, true);
  }

  // ---- the line ----

  line({session, path, level, tier, stats}) {
    const word = session === 'reconnecting' ? SAY.line.offline : path === 'connected' ? LINES[level]
      : SAY.line[path] ?? SAY.line.trying;
    setText($('line-word'), word);
    const trouble = {[SAY.line.offline]: SAY.reconnecting, [SAY.line.trying]: SAY.sound_trying, [SAY.line.blocked]: SAY.sound_blocked}[word];
    setText($('status'), trouble ?? (level > 0 ? SAY.person_line[level] : ''));
    const rows = [[SAY.line.rtt, stats?.rttMs === undefined ? '' : SAY.line.ms(stats.rttMs)],
                  [SAY.line.loss, stats?.loss === undefined ? '' : SAY.line.percent(stats.loss)],
                  [SAY.line.jitter, stats?.jitterMs === undefined ? '' : SAY.line.ms(stats.jitterMs)],
                  [SAY.line.way, stats?.way ? SAY.line[stats.way] : ''], [SAY.line.cipher, stats?.cipher ?? ''],
                  [SAY.line.tier, TIERS[tier] ?? '']].filter(([, v]) => v);
    const nodes = rows.flatMap(([k, v]) => [Object.assign(document.createElement('dt'), {textContent: k}),
                                            Object.assign(document.createElement('dd'), {textContent: v})]);
    $('line-list').replaceChildren(...nodes);
  }
}
