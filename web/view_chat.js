// view_chat.js: the messages of the room, and writing one.
import {$, announce, el, setShown, setText} from './dom.js';
import {mayEdit, mayWrite, nameOfAuthor, nextWrite, pinned, textSize} from './rules.js';
import {SAY} from './strings.js';

const CHAT_MAX = 2000; // bytes of a message
const NEAR_END_PX = 60;

export class ChatView {
  #rows = new Map(); // id -> {li, key}
  #room = null; #me = 0; #act; #now;
  #to = 'all'; #toName = ''; #toKey = '';
  #editing = 0;
  #unread = 0; #newest = 0;
  #timer = 0;

  // act(name, params): Promise. older(): Promise<more>. now(): the server's wall clock.
  constructor({act, older, now}) {
    this.#act = act;
    this.#now = now;
    $('chat-form').onsubmit = (e) => { e.preventDefault(); this.#send(); };
    $('chat-text').onkeydown = (e) => {
      if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); this.#send(); }
      if (e.key === 'Escape' && this.#editing) this.#edit(null);
    };
    $('chat-to').onchange = () => { this.#to = target($('chat-to').value); this.#rules(); };
    $('chat-cancel').onclick = () => this.#edit(null);
    $('chat-older').onclick = async () => {
      try {
        setShown($('chat-older'), await older());
        this.render(this.#room, this.#me);
      } catch (e) {
        setText($('chat-error'), SAY.refused(e.message));
      }
    };
  }

  // Another room, or the same anew.
  clear() {
    this.#rows.clear();
    $('chat-list').replaceChildren();
    this.#newest = this.#unread = 0;
    this.#toKey = '';
    this.#to = 'all';
    this.#edit(null);
  }

  writeTo(id, name = '') {
    this.#to = id;
    this.#toName = name;
    this.#edit(null);
    this.#targets();
    this.#rules();
    $('chat-text').focus();
  }

  seen() {
    this.#unread = 0;
    setShown($('chat-count'), false);
    $('chat-list').scrollTop = $('chat-list').scrollHeight;
  }

  render(room, me) {
    this.#room = room;
    this.#me = me;
    const list = $('chat-list');
    const wasAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
    if (this.#newest === 0) setShown($('chat-older'), room.chat.length >= 100);
    this.#messages(room, me);
    if (wasAtEnd) list.scrollTop = list.scrollHeight;
    const pin = pinned(room);
    setShown($('pinned'), Boolean(room.pin));
    setText($('pinned-text'), room.pin ? (pin ? SAY.from(pin.name, pin.text) : SAY.pinned_unknown) : '');
    this.#targets();
    this.#rules();
  }

  // ---- the list ----

  #messages(room, me) {
    const ids = new Set(room.chat.map((c) => c.id));
    for (const [id, row] of this.#rows) if (!ids.has(id)) {
      row.li.remove();
      this.#rows.delete(id);
    }
    let at = null;
    let came = null;
    const first = this.#newest === 0;
    for (const c of room.chat) {
      if (!this.#rows.has(c.id)) this.#rows.set(c.id, {li: el('li', {dataset: {id: c.id}}), key: ''});
      const row = this.#rows.get(c.id);
      const key = `${c.text}/${c.edited ?? ''}/${c.deleted ?? ''}/${mayEdit(c, me, this.#now())}`;
      if (row.key !== key) this.#fill(row.li, c, me);
      row.key = key;
      const next = at ? at.nextSibling : $('chat-list').firstChild;
      if (row.li !== next) $('chat-list').insertBefore(row.li, next);
      at = row.li;
      if (!first && c.id > this.#newest && c.from !== me) {
        this.#unread++;
        if (c.chat !== 'announce') came = c; // that one is a note of the room
      }
      this.#newest = Math.max(this.#newest, c.id);
    }
    this.#newest ||= 1;
    const hidden = $('chat-part').offsetParent === null;
    if (hidden && came) announce(SAY.came(came.name, this.#kind(came, me), came.text)); // a log that is not shown is not read aloud
    if (!hidden) this.#unread = 0;
    setShown($('chat-count'), this.#unread > 0, SAY.new_messages(this.#unread));
  }

  #kind(c, me) {
    return SAY.kinds[c.chat]?.(c.chat === 'side' ? c.to : nameOfAuthor(this.#room, c.to, SAY.you, me)) ?? '';
  }

  #fill(li, c, me) {
    const kind = this.#kind(c, me);
    const time = new Date(c.ts);
    li.className = `${c.chat}${c.from === me ? ' mine' : ''}`;
    li.replaceChildren(
      el('div', {className: 'head'},
         el('span', {className: 'name', dir: 'auto'}, c.name || nameOfAuthor(this.#room, c.from, SAY.you, me)),
         kind ? el('span', {className: 'kind', dir: 'auto'}, kind) : null,
         el('time', {dateTime: time.toISOString()}, time.toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'})),
         c.edited ? el('span', {className: 'quiet'}, SAY.edited) : null),
      c.deleted ? el('p', {className: 'text quiet'}, SAY.deleted) : el('p', {className: 'text', dir: 'auto'}, c.text));
    if (c.from === me && !c.deleted) li.append(this.#tools(c, me));
    else if (c.chat === 'private' && this.#room.members.has(c.from)) li.append(this.#answer(c));
  }

  #answer(c) {
    return el('div', {className: 'tools'}, el('button', {type: 'button', className: 'small', onclick: () => this.writeTo(c.from, c.name)}, SAY.reply));
  }

  #tools(c, me) {
    const edit = mayEdit(c, me, this.#now()) ? el('button', {type: 'button', className: 'small', onclick: () => this.#edit(c)}, SAY.edit) : null;
    const remove = el('button', {type: 'button', className: 'small', onclick: () => this.#tell(this.#act('chat_delete', {id: c.id}))}, SAY.remove);
    return el('div', {className: 'tools'}, edit, remove);
  }

  // ---- writing ----

  #targets() {
    const room = this.#room;
    if (!room) return;
    const side = room.members.get(this.#me)?.side ?? 0;
    const person = typeof this.#to === 'number' ? room.members.get(this.#to) : null;
    if (person) this.#toName = person.name;
    const key = JSON.stringify([side, this.#to, person?.name]);
    if (key === this.#toKey) return;
    this.#toKey = key;
    const options = [['all', side ? SAY.to_side(side) : SAY.to_all], ['hosts', SAY.to_hosts]];
    if (person) options.push([String(person.id), person.name]);
    else if (this.#gone()) options.push([String(this.#to), SAY.gone(this.#toName)]);
    $('chat-to').replaceChildren(...options.map(([value, text]) =>
      el('option', {value, selected: value === String(this.#to)}, text)));
  }

  // He to whom one writes has left: it must not go to everyone instead.
  #gone() {
    return typeof this.#to === 'number' && !this.#room.members.has(this.#to);
  }

  // What the room's settings leave of writing, in words.
  #rules() {
    const room = this.#room;
    if (!room) return;
    const can = !this.#gone() && mayWrite(room, this.#me, this.#to);
    const off = {off: SAY.chat_off, private: SAY.chat_public_off, public: SAY.chat_private_off}[room.chat_mode] ?? '';
    const words = [can && room.chat_mode !== 'off' && room.chat_mode !== 'private' ? '' : off,
                   room.slow_s ? SAY.slow(room.slow_s) : '', room.no_links ? SAY.no_links : ''];
    setText($('chat-rule'), words.filter(Boolean).join(' '));
    const wait = this.#editing ? 0 : nextWrite(room, this.#me, this.#to) - this.#now();
    $('chat-text').disabled = !can;
    $('chat-send').disabled = !can || wait > 0;
    setText($('chat-send'), this.#editing ? SAY.save : wait > 0 ? SAY.send_in(Math.ceil(wait / 1000)) : SAY.send);
    clearTimeout(this.#timer);
    if (wait > 0) this.#timer = setTimeout(() => this.#rules(), Math.min(wait, 1000));
  }

  #edit(c) {
    this.#editing = c?.id ?? 0;
    $('chat-text').value = c?.text ?? '';
    $('chat-to').disabled = c !== null;
    setShown($('chat-cancel'), c !== null);
    setText($('chat-error'), '');
    this.#rules();
    if (c) $('chat-text').focus();
  }

  #send() {
    const text = $('chat-text').value.trim();
    if (!text || $('chat-send').disabled) return;
    if (textSize(text) > CHAT_MAX) {
      setText($('chat-error'), SAY.too_long);
      return;
    }
    const to = this.#to;
    const sent = this.#editing ? this.#act('chat_edit', {id: this.#editing, text})
      : to === 'hosts' ? this.#act('hosts', {text})
      : to === 'all' ? this.#act('chat', {text}) : this.#act('msg', {who: to, text});
    this.#edit(null);
    this.#tell(sent, text);
  }

  // A refusal is said, and what was typed is not lost.
  async #tell(sent, text) {
    try {
      await sent;
      setText($('chat-error'), '');
    } catch (e) {
      setText($('chat-error'), SAY.refused(e.message));
      if (text && !$('chat-text').value) $('chat-text').value = text;
    }
  }
}

function target(value) {
  return /^\d+$/.test(value) ? Number(value) : value;
}
