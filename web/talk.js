// talk.js: who is heard now, out of what the browser knows of the packets it played (CSRC lists and RFC 6465
// levels) or of the server's `levels`. Pure: time is given.

const HELD_MS = 400; // words have gaps
const QUIET = 0.001; // of a level; a browser without levels says nothing
const KEPT_MS = 60000; // browsers name a source for ten seconds

export class Talkers {
  #seen = new Map(); // id -> {stamp, at}

  // sources: of RTCRtpReceiver.getContributingSources(). The browser's stamps may be of another clock: only that
  // they change counts.
  take(sources, now) {
    for (const s of sources) {
      const old = this.#seen.get(s.source);
      const stamp = `${s.timestamp}/${s.rtpTimestamp}`;
      if (old && old.stamp === stamp) continue;
      const loud = s.audioLevel === undefined || s.audioLevel > QUIET;
      this.#seen.set(s.source, {stamp, at: loud ? now : old?.at ?? -Infinity});
    }
  }

  // [[id, -dBov], ...]: only who is heard is named.
  takeLevels(who, now) {
    for (const [id] of who) this.#seen.set(id, {stamp: '', at: now});
  }

  now(now) {
    for (const [id, s] of this.#seen) if (now - s.at > KEPT_MS) this.#seen.delete(id);
    return new Set([...this.#seen].filter(([, s]) => now - s.at < HELD_MS).map(([id]) => id));
  }

  clear() {
    this.#seen.clear();
  }
}
