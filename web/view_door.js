// view_door.js: the screens outside the room: name, consent, password, connecting, lobby, and how it ended.
import {$, announce, el, setShown, setText, showScreen} from './dom.js';
import {SAY} from './strings.js';

// What the server says when it says no more than its code does (core/base/err.h).
const PLAIN = {
  denied: 'a host declined your request to join', removed: 'a host removed you from the room',
  banned: 'you may not enter this room', room_ended: 'the room has ended', room_locked: 'the room is locked',
};
const AGAIN = new Set(['left', 'declined', 'denied', 'removed', 'cannot_resume', 'lost', 'room_locked', 'room_full', 'lobby_full',
                       'rate_limited', 'replaced', 'draining', 'other']);

export class DoorView {
  #againTimer = 0;

  // acts: {name(text), accept(), decline(), password(text), stop(), leave(), again()}
  constructor(acts) {
    onSubmit('name-form', () => acts.name($('name').value.trim()));
    onSubmit('password-form', () => acts.password($('password').value));
    $('consent-accept').onclick = acts.accept;
    $('consent-decline').onclick = acts.decline;
    $('busy-stop').onclick = acts.stop;
    $('lobby-leave').onclick = acts.leave;
    $('end-again').onclick = acts.again;
  }

  name(value, error = '', note = '') {
    showScreen('screen-name');
    $('name').value = value;
    $('name').setAttribute('aria-invalid', String(error !== ''));
    setText($('name-error'), error);
    setShown($('name-note'), note !== '', note);
    $('name').focus();
  }

  consent({version, text}) {
    showScreen('screen-consent');
    setText($('consent-version'), SAY.version(version));
    $('consent-text').replaceChildren(...text.split(/\n\s*\n/).map((p) => el('p', {}, p)));
  }

  password(error) {
    showScreen('screen-password');
    $('password').value = '';
    setText($('password-error'), error);
    $('password').focus();
  }

  busy(text) {
    showScreen('screen-busy');
    setText($('busy-text'), text);
  }

  lobby({place, waiting, held, by, text}) {
    const came = $('screen-lobby').hidden;
    showScreen('screen-lobby');
    if (came) {
      $('lobby-said').replaceChildren();
      setShown($('lobby-said-title'), false);
      setShown($('lobby-why'), held, held ? SAY.held(by, text) : '');
      if (held) announce(SAY.held(by, text), true);
    }
    setText($('lobby-place'), place ? SAY.place(place, waiting) : '');
  }

  lobbySaid(text, ts) {
    setShown($('lobby-said-title'), true);
    const time = new Date(ts);
    $('lobby-said').append(el('li', {}, el('time', {dateTime: time.toISOString()},
      time.toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'})), ' ', el('span', {dir: 'auto'}, text)));
  }

  end({code, text, by, wasIn, retryMs}) {
    const key = code === 'banned' && wasIn ? 'removed_banned' : SAY.ends[code] ? code : 'other';
    const [title, words] = SAY.ends[key];
    const plain = !text || text === PLAIN[code];
    const why = key === 'other' || key === 'draining' ? SAY.refused(text) : typeof words === 'function' ? words(by) : words;
    const reason = !plain && (PLAIN[code] || key === 'removed_banned') ? text.replace(`${PLAIN[code]}: `, '') : '';
    setText($('end-title'), title);
    setText($('end-text'), why);
    setShown($('end-reason'), reason !== '', reason);
    showScreen('screen-end');
    announce([why, reason].filter(Boolean).join(' ')); // after the heading, which gets the focus
    this.#again(AGAIN.has(key), retryMs);
  }

  // A link that leads nowhere: nothing to try again.
  wrong(text) {
    setText($('end-title'), SAY.ends.other[0]);
    setText($('end-text'), text);
    showScreen('screen-end');
  }

  #again(may, waitMs) {
    clearInterval(this.#againTimer);
    setShown($('end-again'), may);
    const from = Date.now() + waitMs;
    const tick = () => {
      const s = Math.ceil((from - Date.now()) / 1000);
      $('end-again').disabled = s > 0;
      setText($('end-again'), s > 0 ? SAY.again_in(s) : SAY.knock_again);
      if (s <= 0) clearInterval(this.#againTimer);
    };
    this.#againTimer = setInterval(tick, 1000);
    tick();
  }
}

function onSubmit(id, act) {
  $(id).onsubmit = (e) => {
    e.preventDefault();
    act();
  };
}
