// view_devices.js: choosing and trying microphone and loudspeaker, before joining and in the room.
import {$, el, setShown, setText} from './dom.js';
import {SAY} from './strings.js';

const METER_MS = 100;
const HEARD = 25;        // of 100
const PATIENCE_MS = 4000; // of silence, before it is said

export class DevicesView {
  #devices; #changed; #timer = 0; #silentSince = 0; #heard = false;

  // join({muted}) when he is ready, with the microphone that is open, or none; changed(): another one was chosen.
  constructor(devices, {join, changed}) {
    this.#devices = devices;
    this.#changed = changed;
    $('devices-allow').onclick = () => this.#allow();
    $('devices-join').onclick = async () => { if (await this.#allow()) join({muted: $('start-muted').checked}); };
    $('devices-without').onclick = () => { devices.close(); join({muted: false}); };
    $('mic-select').onchange = () => this.#pick($('mic-select').value);
    $('speaker-select').onchange = () => devices.setSpeaker($('speaker-select').value).catch((e) => this.#fail(e));
    $('speaker-test').onclick = () => devices.tone().catch((e) => this.#fail(e));
    devices.onChange = () => this.#list();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
  }

  // In the room the same choices stand under the connection's details.
  moveTo(place) {
    this.stop();
    place.append(...this.#parts());
    setText($('devices-allow'), SAY.mic_use);
    setShown($('speaker-test'), false);
  }

  // Before joining again: to be tried anew.
  moveBack() {
    $('devices-text').after(...this.#parts());
    setText($('devices-allow'), SAY.mic_try);
    setText($('devices-text'), this.#devices.track ? SAY.mic_ok : SAY.mic_ask);
    setShown($('speaker-test'), true);
    setShown($('devices-allow'), this.#devices.track === null);
    setShown($('devices-found'), this.#devices.track !== null);
    setText($('devices-error'), '');
  }

  #parts() {
    return ['devices-allow', 'devices-found', 'speaker-line', 'speaker-test', 'devices-error'].map($);
  }

  // Only ever at a click: nothing listens before the person wants it.
  async #allow() {
    if (!this.#devices.track) await this.#pick(null);
    return this.#devices.track !== null;
  }

  async #pick(id) {
    setText($('devices-error'), '');
    try {
      await this.#devices.open(id || null);
      await this.#list();
      const had = document.activeElement === $('devices-allow'); // the keyboard does not fall off the page
      setShown($('devices-allow'), false);
      setShown($('devices-found'), true);
      if (had) $('mic-select').focus();
      setText($('devices-text'), SAY.mic_ok);
      this.meter();
      this.#changed();
    } catch (e) {
      this.#fail(e);
    }
  }

  #fail(e) {
    const words = {NotAllowedError: SAY.mic_denied, NotFoundError: SAY.mic_none, OverconstrainedError: SAY.mic_none};
    setText($('devices-error'), words[e.name] ?? e.message);
  }

  async #list() {
    const {mics, speakers} = await this.#devices.list();
    fill($('mic-select'), mics, 'Microphone', this.#devices.micId());
    fill($('speaker-select'), speakers, 'Loudspeaker', $('sound').sinkId ?? '');
    setShown($('speaker-line'), speakers.length > 1);
  }

  meter() {
    this.stop();
    this.#heard = false;
    this.#silentSince = performance.now();
    setText($('meter-words'), SAY.mic_wait);
    this.#timer = setInterval(() => this.#tick(), METER_MS);
  }

  #tick() {
    const level = this.#devices.level();
    $('meter-bar').style.setProperty('--level', level / 100);
    $('meter').setAttribute('aria-valuenow', level);
    if (level > HEARD && !this.#heard) {
      this.#heard = true;
      setText($('meter-words'), SAY.mic_heard);
    }
    if (!this.#heard && performance.now() - this.#silentSince > PATIENCE_MS) setText($('meter-words'), SAY.mic_silent);
  }
}

function fill(select, devices, kind, chosen) {
  select.replaceChildren(...devices.map((d, i) =>
    el('option', {value: d.id, selected: d.id === chosen}, d.label || SAY.device(kind, i + 1))));
  if (devices.length === 0) select.append(el('option', {value: ''}, SAY.default_device));
}
