// session.js: one person in one room, through lost connections. No DOM: the socket, the sound and the clock are
// given, so that it is tried without a browser.
//
//   IDLE --join--> CONNECTING --> JOINED <--resumed-- RECONNECTING
//                       \--> LOBBY --admitted--/ \--lost--/      any --bye, refused, left--> ENDED
//                              \<----held----/
//
// The room changes only by what the server says; acts are requests, never guesses.
import {Rpc} from './rpc.js';
import {applyEvent, addOlder, roomOf} from './room.js';

export const BACKOFF_FIRST_MS = 250;
export const BACKOFF_MAX_MS = 8000;
export const RESUME_MS = 120000; // how long the server keeps a seat
const CONNECT_LIMIT_MS = 30000;  // never been in: then the server is not there
const ANSWER_MS = 12000;         // for a connection and its first answer: some networks swallow everything
const RETRY_MIN_MS = 250;        // whatever a server says: neither a storm
const RETRY_MAX_MS = 60000;      // nor for ever
const PING_MS = 15000;
const PONG_MS = 10000;

// Refusals that ask the person something first.
const ASKS = {consent_needed: 'consent', password_needed: 'password', bad_password: 'password', bad_name: 'name'};

export class Session {
  #env; #tell;
  #rpc = null; #open = false;
  #backoff = BACKOFF_FIRST_MS; #giveUpAt = 0;
  #timer = null; #pinger = null;
  #retryMs = 0;
  #making = false; // an offer, before a connection

  // env: {socket(), offer(): Promise<sdp or null>, pathAlive(), now(), after(ms, f), stop(timer), random()}.
  // tell(what, detail): 'state', 'ask', 'again', 'resume', 'lobby', 'lobby_said', 'room', 'event', 'answer', 'path',
  // 'who', 'notice', 'maintenance'.
  constructor(env, link, tell) {
    this.#env = env;
    this.link = link;
    this.#tell = tell;
    this.state = 'idle';
    this.room = null;
    this.me = 0;
    this.resume = null;
    this.skewMs = 0; // server's clock minus ours
    this.who = {};   // name, client, device, consent, password
  }

  // What the server wants consent to, asked before anything of the person is sent: {version, text} or {}. On a
  // connection of its own, because a person reads longer than the server waits for room.join.
  terms() {
    return new Promise((resolve, reject) => {
      const rpc = new Rpc(this.#env.socket(), {
        open: () => rpc.request('privacy.terms').then(resolve, () => resolve({})).finally(() => rpc.close()),
        notify: () => {},
        closed: () => { this.#env.stop(late); reject(new Error('lost')); },
      });
      const late = this.#env.after(ANSWER_MS, () => rpc.close());
    });
  }

  join(who) {
    if (this.state !== 'idle' && this.state !== 'ended') return; // twice
    Object.assign(this.who, who);
    this.#backoff = BACKOFF_FIRST_MS;
    this.#giveUpAt = this.#env.now() + CONNECT_LIMIT_MS;
    this.#set('connecting');
    this.#connect();
  }

  // An act of the room, by the protocol: act('mute'), act('chat', {text}).
  act(name, params) {
    return this.#rpc && this.#open ? this.#rpc.request(`room.${name}`, params)
      : Promise.reject(Object.assign(new Error('not connected'), {code: 'lost'}));
  }

  request(method, params) {
    return this.#rpc && this.#open ? this.#rpc.request(method, params)
      : Promise.reject(Object.assign(new Error('not connected'), {code: 'lost'}));
  }

  async older() {
    const room = this.room; // it may be another one by the time the answer comes
    const first = room.chat.find((c) => c.id !== room.pin);
    const r = await this.act('history', {...(first ? {before: first.id} : {}), n: 50});
    addOlder(room, r.chat);
    return r.more === true;
  }

  leave() {
    const rpc = this.#rpc;
    if (rpc && this.#open && this.inside()) rpc.request('room.leave').catch(() => {});
    this.#end('left', {});
  }

  // Nothing of the seat is kept: he does not want it any more, or the page that had it is gone.
  forget() {
    this.#drop();
    this.state = 'idle';
    this.resume = this.room = null;
  }

  inside() {
    return this.state === 'joined' || this.state === 'lobby';
  }

  // The network came back, or the page: no need to wait any longer.
  wake() {
    if (this.state === 'reconnecting' && !this.#rpc) this.#connect();
    else if (this.#rpc && this.inside()) this.#ping();
  }

  #set(state, detail = {}) {
    this.state = state;
    this.#tell('state', {state, ...detail});
  }

  #later(ms, f) {
    this.#env.stop(this.#timer);
    this.#timer = this.#env.after(ms, f);
  }

  // ---- connection ----

  async #connect() {
    this.#env.stop(this.#timer);
    let sdp = null;
    if (this.#making) return; // woken up meanwhile: two offers would spoil each other
    this.#making = true;
    if (!this.#env.pathAlive()) sdp = await this.#env.offer();
    this.#making = false;
    if ((this.state !== 'connecting' && this.state !== 'reconnecting') || this.#rpc) return;
    this.#open = false;
    const rpc = new Rpc(this.#env.socket(), {
      open: () => { this.#open = true; this.#join(rpc, sdp); },
      notify: (method, params) => this.#notified(method, params),
      closed: () => this.#closed(),
    });
    this.#rpc = rpc;
    this.#later(ANSWER_MS, () => rpc.close());
  }

  #join(rpc, sdp) {
    const w = this.who;
    const params = {room: this.link.room, client: w.client};
    if (this.link.app) params.app = this.link.app;
    if (w.consent) params.consent = w.consent;
    if (sdp) params.sdp = sdp;
    if (this.resume) params.resume = this.resume;
    else {
      params.name = w.name;
      if (w.device) params.device = w.device;
      if (this.link.secret) params.invite = this.link.secret;
      if (w.password) params.password = w.password;
    }
    rpc.request('room.join', params).then((r) => this.#joined(r, sdp), (e) => this.#refused(e));
  }

  #joined(r, offer) {
    const fresh = this.resume === null;
    this.#env.stop(this.#timer);
    this.me = r.me;
    this.resume = r.resume;
    this.#backoff = BACKOFF_FIRST_MS;
    this.#giveUpAt = Infinity;
    if (r.app) this.link = {...this.link, app: r.app, room: r.name};
    this.#tell('resume', r.resume);
    this.#keepAlive();
    if (r.state === 'lobby') this.#wait(r);
    else this.#enter(r.room, fresh);
    if (r.sdp || r.sdp_error) this.#tell('answer', {sdp: r.sdp, error: r.sdp_error, offer});
  }

  #refused(e) {
    if (e.code === 'lost') return; // closed() follows
    if (this.#comeLater(e.code, e.retryMs)) {
      this.#rpc?.close();
      return;
    }
    if (e.code === 'cannot_resume' && this.state === 'connecting') { // of before a reload: then anew
      this.resume = null;
      this.#retryMs = 1;
      this.#rpc?.close();
      return;
    }
    const ask = ASKS[e.code];
    if (ask && !(this.resume && ask !== 'consent')) {
      this.#drop();
      this.#set('idle');
      this.#tell('ask', {what: ask, code: e.code, text: e.message, version: e.data.version, terms: e.data.text});
      return;
    }
    this.#end(e.code, {text: e.message, retryMs: e.retryMs});
  }

  // The server is there and says when to come again: that is no failing. A server that closes for longer than a
  // seat is kept ends it instead.
  #comeLater(code, retryMs = 0) {
    const soon = code === 'try_later' || (code === 'rate_limited' && this.resume !== null)
      || (code === 'draining' && this.resume !== null && retryMs > 0 && retryMs < RETRY_MAX_MS);
    if (!soon) return false;
    this.#retryMs = retryMs > 0 ? Math.min(Math.max(retryMs, RETRY_MIN_MS), RETRY_MAX_MS) : 1000;
    this.#giveUpAt = Math.max(this.#giveUpAt, this.#env.now() + 2 * this.#retryMs + CONNECT_LIMIT_MS);
    return true;
  }

  #closed() {
    this.#rpc = null;
    this.#open = false;
    this.#env.stop(this.#pinger);
    if (this.state === 'ended' || this.state === 'idle') return;
    if (this.state !== 'connecting' && this.state !== 'reconnecting') {
      this.#giveUpAt = this.#env.now() + RESUME_MS + this.#retryMs;
      this.#set('reconnecting');
    }
    const asked = this.#retryMs; // the server said when
    const wait = asked ? asked + this.#env.random() * asked / 2 // to everybody: not all are to come back at once
      : this.#backoff / 2 + this.#env.random() * this.#backoff;
    this.#retryMs = 0;
    if (!asked) this.#backoff = Math.min(this.#backoff * 2, BACKOFF_MAX_MS);
    if (this.#env.now() + wait > this.#giveUpAt) {
      this.#end(this.resume ? 'cannot_resume' : 'lost', {});
      return;
    }
    if (asked > 1) this.#tell('again', asked);
    this.#later(wait, () => this.#connect());
  }

  // Ends the connection without ending the session.
  #drop() {
    const rpc = this.#rpc;
    this.#rpc = null;
    this.#open = false;
    this.#env.stop(this.#pinger);
    this.#env.stop(this.#timer);
    const state = this.state;
    this.state = 'idle'; // closed() is to do nothing
    rpc?.close();
    this.state = state;
  }

  // A browser does not tell a page that its line is dead: ask.
  #keepAlive() {
    this.#env.stop(this.#pinger);
    this.#pinger = this.#env.after(PING_MS, () => this.#ping());
  }

  #ping() {
    const rpc = this.#rpc;
    if (!rpc || !this.#open) return;
    this.#env.stop(this.#pinger);
    this.#pinger = this.#env.after(PONG_MS, () => rpc.close());
    rpc.request('ping').then(() => { if (this.#rpc === rpc) this.#keepAlive(); }, () => {});
  }

  // ---- what the server says ----

  #notified(method, p) {
    if (method === 'event') this.#event(p);
    else if (method === 'sync') this.#sync(p.room);
    else if (method === 'admitted') this.#enter(p.room, true, true);
    else if (method === 'answer') this.#tell('answer', {sdp: p.sdp, error: p.sdp_error});
    else if (method === 'lobby') this.#wait(p);
    else if (method === 'media') this.#tell('path', p);
    else if (method === 'levels' || method === 'quality') this.#tell('who', {method, who: p.who ?? []});
    else if (method === 'notice' || method === 'maintenance') this.#tell(method, p);
    else if (method === 'bye') this.#bye(p);
  }

  #event(ev) {
    if (ev.ts) this.skewMs = ev.ts - this.#env.now();
    if (this.state === 'lobby') {
      if (ev.kind === 'chat.sent') this.#tell('lobby_said', ev);
      return;
    }
    if (this.state !== 'joined') return;
    const before = {...this.room.members.get(this.me)};
    if (applyEvent(this.room, ev)) this.#tell('event', {ev, before});
  }

  #sync(room) {
    if (this.state !== 'joined' || !room) return;
    this.room = roomOf(room);
    this.#tell('room', this.room);
  }

  // fresh: he is in since this very moment, which tells the server's clock.
  #enter(room, fresh, admitted = false) {
    const again = this.state === 'reconnecting';
    this.room = roomOf(room);
    const since = this.room.members.get(this.me)?.since_ms;
    if (fresh && since) this.skewMs = since - this.#env.now();
    this.#set('joined', {admitted, again});
    this.#tell('room', this.room);
  }

  // Of a room one was in nothing stays, and its sound path has ended at the server.
  #wait(p) {
    const held = p.held === true || this.room !== null;
    this.room = null;
    const lobby = {place: p.place ?? 0, waiting: p.waiting ?? 0, held, by: p.by ?? '', text: p.text ?? ''};
    if (this.state !== 'lobby') this.#set('lobby', lobby);
    this.#tell('lobby', lobby);
  }

  #bye(p) {
    if (this.#comeLater(p.code, p.retry_ms)) return;
    const wasIn = this.state === 'joined';
    this.#end(p.code === 'ok' ? 'left' : p.code, {text: p.text, by: p.by ?? '', wasIn, retryMs: p.retry_ms ?? 0});
  }

  #end(code, detail) {
    if (this.state === 'ended') return;
    this.#drop();
    this.resume = null;
    this.room = null;
    this.#set('ended', {code, text: '', by: '', wasIn: false, retryMs: 0, ...detail});
  }
}
