// media.js: the sound's way to the server and back: one RTCPeerConnection at a time.
//
// The server answers each offer once and never renegotiates: another way is a new connection with a new offer.
// Nothing is sent before the answer, which only somebody who was let in gets.

const GATHER_MS = 1000;
const CONNECT_MS = 2000;   // then relays are asked for
const SHAKY_MS = 5000;     // a disconnected path may come back by itself so long
const RETRY_MS = 5000;     // after an offer that was refused
const RETRY_MAX_MS = 30000;
const TRIES_SAID = 3;      // so many in vain, and the person is told; it goes on trying
const CSRC_LEVELS = 'urn:ietf:params:rtp-hdrext:csrc-audio-level';

export const canCall = () => typeof RTCPeerConnection === 'function' && Boolean(navigator.mediaDevices);

export class Media {
  #pc = null; #sender = null; #receiver = null;
  #track = null; #stream = null;
  #timer = 0; #tries = 0; #servers = [];
  #offered = ''; // what the server has to answer
  #hooks;

  // hooks: sound(stream), state(word), relays(): Promise<servers>, again(sdp): Promise<answer or null>.
  constructor(hooks) {
    this.#hooks = hooks;
    this.open = false;   // whether what the microphone hears is sent
    this.state = 'none'; // none, trying, connected, lost, blocked
  }

  // What to speak with; null: nothing. It may change while the connection stands.
  async setTrack(track, stream) {
    this.#track = track;
    this.#stream = stream;
    if (track) track.enabled = this.open;
    if (this.#sender) await this.#sender.replaceTrack(track).catch(() => {});
    else if (track && this.#pc) await this.renew();
  }

  // The page's part of muting; the server mutes for real.
  setOpen(open) {
    this.open = open;
    if (this.#track) this.#track.enabled = open;
  }

  alive() {
    return this.#pc?.connectionState === 'connected';
  }

  // A fresh connection and its whole offer.
  async offer() {
    this.#drop();
    if (!canCall()) return null;
    const pc = connection(this.#servers);
    this.#pc = pc;
    const t = pc.addTransceiver(this.#track ?? 'audio', {direction: this.#track ? 'sendrecv' : 'recvonly',
                                                         streams: this.#stream ? [this.#stream] : []});
    this.#sender = this.#track ? t.sender : null;
    this.#receiver = t.receiver;
    askForLevels(t);
    onlyVoice(t);
    pc.ontrack = (e) => this.#hooks.sound(e.streams[0] ?? new MediaStream([e.track]));
    pc.onconnectionstatechange = () => { if (this.#pc === pc) this.#changed(); };
    await pc.setLocalDescription();
    await gathered(pc);
    if (this.#pc !== pc) return null;
    this.#offered = pc.localDescription.sdp;
    return this.#offered;
  }

  // offer: which one is answered; left out: the last, as the server keeps it in the lobby.
  async answer(sdp, offer = this.#offered) {
    const pc = this.#pc;
    if (!pc || pc.signalingState !== 'have-local-offer' || offer !== this.#offered) return;
    await pc.setRemoteDescription({type: 'answer', sdp});
    if (this.#pc !== pc) return;
    if (this.state !== 'blocked') this.#become('trying');
    if (pc.connectionState !== 'connected') this.#later(CONNECT_MS, () => this.#another());
    else this.#changed();
  }

  // The server says it has lost the path: no need to look any longer whether it comes back.
  lost() {
    if (!this.#pc) return;
    this.#become('lost');
    this.renew();
  }

  stop() {
    this.#drop();
    this.#servers = [];
    this.#tries = 0;
    this.#become('none');
  }

  // A new way; in the lobby the server keeps the offer, and answers when he is let in.
  // A connection that is lost offers anew when it is back; what else is refused is tried again.
  async renew() {
    const sdp = await this.offer().catch(() => null);
    if (!sdp) return;
    try {
      const answer = await this.#hooks.again(sdp);
      if (answer) await this.answer(answer, sdp);
    } catch (e) {
      if (e.code !== 'lost' && this.#offered === sdp) this.#later(RETRY_MS, () => this.#another());
    }
  }

  // Who is heard: [{source, level}], and when they last were, by the browser's own clock.
  sources() {
    return this.#receiver ? this.#receiver.getContributingSources() : [];
  }

  stats() {
    return this.#pc?.getStats().catch(() => new Map()) ?? Promise.resolve(new Map());
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.#hooks.state(state);
  }

  #later(ms, f) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(f, ms);
  }

  #changed() {
    const state = this.#pc.connectionState;
    if (state === 'connected') {
      clearTimeout(this.#timer);
      this.#tries = 0;
      this.#become('connected');
    } else if (state === 'failed') {
      this.#become('lost');
      this.#another();
    } else if (state === 'disconnected') {
      this.#later(SHAKY_MS, () => this.#another());
    }
  }

  // Once more, with relays if the server has any. Each time it waits longer.
  async #another() {
    clearTimeout(this.#timer);
    const pc = this.#pc;
    if (!pc || pc.signalingState === 'closed') return;
    const tries = ++this.#tries;
    if (tries >= TRIES_SAID) this.#become('blocked');
    else if (this.state === 'connected') this.#become('lost');
    const servers = await this.#hooks.relays().catch((e) => (e.code === 'lost' ? null : []));
    if (this.#pc !== pc || servers === null) return; // nobody to offer it to: coming back offers anew
    if (servers.length === 0 && tries === 1 && pc.connectionState !== 'failed') {
      this.#later(SHAKY_MS, () => this.#another()); // no relays: the direct way may still come up
      return;
    }
    this.#servers = servers;
    await this.renew();
    this.#later(Math.min(CONNECT_MS * 2 ** tries, RETRY_MAX_MS), () => { if (!this.alive()) this.#another(); });
  }

  #drop() {
    clearTimeout(this.#timer);
    if (this.#pc) this.#pc.onconnectionstatechange = this.#pc.ontrack = null;
    this.#pc?.close();
    this.#pc = this.#sender = this.#receiver = null;
    this.#offered = '';
  }
}

// Relays that the browser does not understand are no reason to have no sound.
function connection(iceServers) {
  try {
    return new RTCPeerConnection({iceServers, bundlePolicy: 'max-bundle'});
  } catch {
    return new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  }
}

// RFC 6465: how loud each of those is whom the server mixes. Not every browser can.
function askForLevels(transceiver) {
  if (!transceiver.setHeaderExtensionsToNegotiate) return;
  try {
    const all = transceiver.getHeaderExtensionsToNegotiate();
    for (const e of all) if (e.uri === CSRC_LEVELS) e.direction = 'recvonly';
    transceiver.setHeaderExtensionsToNegotiate(all);
  } catch {
    // then without
  }
}

// Opus, and its repetition (RED); what the server would refuse anyway only makes the offer long.
function onlyVoice(transceiver) {
  const codecs = RTCRtpReceiver.getCapabilities?.('audio')?.codecs.filter((c) => /^audio\/(opus|red)$/i.test(c.mimeType));
  try {
    if (codecs?.length) transceiver.setCodecPreferences?.(codecs);
  } catch {
    // an old browser: as it likes
  }
}

// The server checks only what the page knows, so it waits a moment for the candidates.
function gathered(pc) {
  return new Promise((resolve) => {
    const done = () => { if (pc.iceGatheringState === 'complete') resolve(); };
    pc.addEventListener('icegatheringstatechange', done);
    setTimeout(resolve, GATHER_MS);
    done();
  });
}
