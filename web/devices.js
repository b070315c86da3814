// devices.js: the microphone and the loudspeaker of this machine: asked for, listed, tried. Nothing is sent here.

const VOICE = {echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1};
const TONE_HZ = 440;
const TONE_S = 0.8;
const FLOOR_DB = -60; // the left end of the meter

export class Devices {
  #context = null; #analyser = null; #source = null;
  #turn = 0; // of the question for a microphone: only the last answer counts
  #sound; // the <audio> element that plays the room

  constructor(sound) {
    this.#sound = sound;
    this.stream = null;
    this.onGone = () => {};   // the microphone was pulled out
    this.onChange = () => {}; // devices came or went
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.onChange());
  }

  get track() {
    return this.stream?.getAudioTracks()[0] ?? null;
  }

  // Opens a microphone (null: the system's choice); throws what the browser says.
  async open(id = null) {
    const audio = id ? {...VOICE, deviceId: {exact: id}} : VOICE;
    const turn = ++this.#turn;
    const stream = await navigator.mediaDevices.getUserMedia({audio, video: false});
    if (turn !== this.#turn) { // he went on, or was removed, while the browser still asked
      for (const t of stream.getTracks()) t.stop();
      throw new DOMException('', 'AbortError');
    }
    this.close();
    this.stream = stream;
    this.track.onended = () => { if (this.stream === stream) { this.close(); this.onGone(); } };
    this.#listen();
  }

  close() {
    this.#turn++;
    for (const t of this.stream?.getTracks() ?? []) t.stop();
    this.#source?.disconnect();
    this.#source = null;
    this.stream = null;
  }

  // {mics, speakers}: [{id, label}], with names only once the microphone was allowed.
  async list() {
    const all = await navigator.mediaDevices?.enumerateDevices?.() ?? [];
    const of = (kind) => all.filter((d) => d.kind === kind && d.deviceId).map((d) => ({id: d.deviceId, label: d.label}));
    return {mics: of('audioinput'), speakers: this.canChooseSpeaker() ? of('audiooutput') : []};
  }

  micId() {
    return this.track?.getSettings?.().deviceId ?? '';
  }

  // How loud it is now, 0 to 100.
  level() {
    if (!this.#source) return 0;
    const v = new Float32Array(this.#analyser.fftSize);
    this.#analyser.getFloatTimeDomainData(v);
    const rms = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0) / v.length);
    return Math.round(100 * Math.min(1, Math.max(0, 1 - 20 * Math.log10(rms || 1e-9) / FLOOR_DB)));
  }

  canChooseSpeaker() {
    return typeof this.#sound.setSinkId === 'function';
  }

  async setSpeaker(id) {
    if (this.canChooseSpeaker()) await this.#sound.setSinkId(id);
  }

  // A short tone out of the chosen loudspeaker, by the same element as the room's sound.
  async tone() {
    const context = this.#audio();
    const out = context.createMediaStreamDestination();
    const tone = context.createOscillator();
    const gain = context.createGain();
    const now = context.currentTime;
    tone.frequency.value = TONE_HZ;
    gain.gain.setValueAtTime(0, now); // no click at either end
    gain.gain.linearRampToValueAtTime(0.2, now + 0.05);
    gain.gain.linearRampToValueAtTime(0, now + TONE_S);
    tone.connect(gain).connect(out);
    this.#sound.srcObject = out.stream;
    tone.onended = () => { if (this.#sound.srcObject === out.stream) this.#sound.srcObject = null; };
    tone.start();
    tone.stop(now + TONE_S);
    await this.#sound.play();
  }

  #audio() {
    this.#context ??= new AudioContext();
    if (this.#context.state === 'suspended') this.#context.resume();
    return this.#context;
  }

  #listen() {
    const context = this.#audio();
    this.#analyser ??= context.createAnalyser();
    this.#source = context.createMediaStreamSource(this.stream);
    this.#source.connect(this.#analyser);
  }
}
