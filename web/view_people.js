// view_people.js: the people of the room: one row each, changed only where something has changed.
import {$, el, setShown, setText} from './dom.js';
import {icon} from './icons.js';
import {countWaiting, handPlace, peopleInOrder} from './rules.js';
import {isModerator} from './room.js';
import {ROLES, SAY} from './strings.js';

const ROWS_MAX = 200; // a room may have 5000: those further down are counted

export class PeopleView {
  #rows = new Map(); // id -> {li, name, tags, write, key}
  #talking = new Set();

  constructor(writeTo) {
    this.writeTo = writeTo;
  }

  clear() {
    this.#rows.clear();
    this.#talking = new Set();
    $('people').replaceChildren();
  }

  render(room, me, quality) {
    const all = peopleInOrder(room, me);
    const shown = all.slice(0, ROWS_MAX);
    const ids = new Set(shown.map((m) => m.id));
    for (const [id, row] of this.#rows) if (!ids.has(id)) {
      row.li.remove();
      this.#rows.delete(id);
    }
    let at = null;
    for (const m of shown) {
      const row = this.#rows.get(m.id) ?? this.#add(m.id, m.id === me);
      this.#fill(row, room, m, me, quality.get(m.id) ?? 0);
      const next = at ? at.nextSibling : $('people').firstChild;
      if (row.li !== next) $('people').insertBefore(row.li, next);
      at = row.li;
    }
    const waiting = isModerator(room.members.get(me)) ? countWaiting(room) : 0;
    const more = [all.length > shown.length ? SAY.more_people(all.length - shown.length) : '',
                  waiting ? `${SAY.waiting(waiting)}. ${SAY.moderate}` : ''].filter(Boolean).join('. ');
    setShown($('people-more'), more !== '', more);
    setText($('people-count'), String(all.length));
    setText($('people-title'), SAY.people(all.length));
  }

  // Several times a second: only those who begin or stop are touched. The list may be long: their names stand above it too.
  talk(talking, room, me) {
    for (const id of this.#talking) if (!talking.has(id)) this.#mark(id, false);
    for (const id of talking) if (!this.#talking.has(id)) this.#mark(id, true);
    this.#talking = talking;
    const names = [...talking].map((id) => (id === me ? SAY.you : room.members.get(id)?.name)).filter(Boolean);
    setText($('talkers'), SAY.talkers(names));
  }

  #mark(id, on) {
    const row = this.#rows.get(id);
    if (!row) return;
    row.li.classList.toggle('talking', on);
    setText(row.talk, on ? SAY.talking : '');
  }

  #add(id, mine) {
    const row = {
      name: el('span', {className: 'name', dir: 'auto'}),
      you: el('span', {className: 'quiet'}, mine ? ` (${SAY.you})` : ''),
      tags: el('span', {className: 'tags'}),
      talk: el('span', {className: 'talk'}),
      write: mine ? null : el('button', {className: 'small', type: 'button'}, icon('write')),
      key: '',
    };
    row.li = el('li', {dataset: {id}}, el('span', {className: 'dot', 'aria-hidden': 'true'}),
                el('span', {className: 'who'}, row.name, row.you, row.talk, row.tags), row.write);
    if (row.write) row.write.onclick = () => this.writeTo(id);
    this.#rows.set(id, row);
    if (this.#talking.has(id)) this.#mark(id, true);
    return row;
  }

  #fill(row, room, m, me, line) {
    const place = handPlace(room, m.id);
    const mine = room.members.get(me)?.side ?? 0;
    const tags = [
      ['role', m.role === 'audience' || m.role === 'speaker' ? '' : ROLES[m.role]],
      ['hand', place ? SAY.hand_place(place) : ''],
      ['away', m.presence === 'away' ? SAY.person_away : ''],
      ['muted', !m.floor ? SAY.person_no_floor : m.muted ? SAY.person_muted : ''],
      ['side', (m.side ?? 0) !== mine ? SAY.person_side(m.side ?? 0) : ''],
      ['line', SAY.person_line[line] ?? ''],
    ].filter(([, text]) => text);
    const key = JSON.stringify([m.name, tags]);
    if (key === row.key) return;
    row.key = key;
    setText(row.name, m.name ?? '');
    row.tags.replaceChildren(...tags.map(([kind, text]) => el('span', {className: `tag ${kind}`}, tagIcon(kind), text)));
    row.li.classList.toggle('away', m.presence === 'away');
    if (row.write) row.write.setAttribute('aria-label', SAY.write_to(m.name ?? ''));
  }
}

function tagIcon(kind) {
  const name = {hand: 'hand', away: 'away', muted: 'mic_off', line: 'line'}[kind];
  return name ? icon(name) : null;
}
