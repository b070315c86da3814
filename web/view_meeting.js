// view_meeting.js: where the meeting stands: topic and agenda, the open poll, who listens in, and times that run.
import {$, announce, el, setShown, setText} from './dom.js';
import {SAY, duration} from './strings.js';

export class MeetingView {
  #poll = ''; // what is drawn
  #upkeep = null; #upkeepSaid = true;

  // vote(answer): from 1.
  constructor(vote) {
    this.vote = vote;
  }

  render(room, me) {
    const items = (room.agenda ?? '').split('\n').filter(Boolean);
    const at = Math.min(room.agenda_at ?? 0, items.length - 1);
    const now = items.length ? SAY.agenda(items[at], at + 1, items.length) : '';
    const topic = [room.topic ?? '', now].filter(Boolean).join('\n');
    setShown($('topic'), topic !== '', topic);
    const monitors = [...room.members.values()].filter((m) => m.role === 'monitor' && !m.presence && m.id !== me);
    setShown($('listened'), monitors.length > 0, SAY.listened(monitors.map((m) => m.name).join(', ')));
    this.#drawPoll(room.poll, me);
  }

  // The server will go down, and when; at_ms 0: it will not.
  upkeep(plan) {
    this.#upkeep = plan?.at_ms ? plan : null;
    this.#upkeepSaid = this.#upkeep === null;
  }

  // Called each second with the server's clock; own: oneself, when inside.
  clock(room, own, now) {
    const left = room?.talk_s && own?.floor_ms ? own.floor_ms + room.talk_s * 1000 - now : NaN;
    const text = room?.ends_ms ? SAY.ends_in(duration(room.ends_ms - now))
      : room?.recall_ms && own?.side ? SAY.recall_in(duration(room.recall_ms - now))
      : own?.time_up ? SAY.time_up : left <= 60000 ? SAY.floor_left(duration(left)) : '';
    setShown($('countdown'), text !== '', text);
    const plan = this.#upkeep;
    const down = plan ? SAY.maintenance(duration(plan.at_ms - now), plan.text ?? '') : '';
    setShown($('upkeep'), plan !== null, down);
    if (!this.#upkeepSaid) announce(down); // once: the seconds that follow are for the eye
    this.#upkeepSaid = true;
  }

  // Only while it is open: the result comes as an announcement.
  #drawPoll(poll, me) {
    const shown = poll?.open ? JSON.stringify([poll.id, poll.text, poll.votes]) : '';
    if (shown === this.#poll) return;
    const fresh = poll?.open && !this.#poll.startsWith(`[${poll.id},`);
    this.#poll = shown;
    setShown($('poll'), shown !== '');
    if (!shown) return;
    const [question, ...answers] = poll.text.split('\n');
    setText($('poll-question'), question);
    const had = document.activeElement?.dataset.answer; // the keyboard stays where it was
    $('poll-answers').replaceChildren(...answers.map((text, i) => this.#answer(poll, text, i + 1, me)));
    if (had) $('poll-answers').querySelector(`[data-answer="${had}"]`)?.focus();
    if (fresh) announce(question);
  }

  #answer(poll, text, n, me) {
    const votes = poll.votes[n - 1] ?? [];
    const mine = votes.includes(me);
    const words = [mine ? SAY.voted : '', poll.anonymous ? '' : SAY.votes(votes.length)].filter(Boolean).join(', ');
    const button = el('button', {type: 'button', onclick: () => this.vote(n), dataset: {answer: n}},
                      el('span', {dir: 'auto'}, text), words ? el('span', {className: 'quiet'}, ` ${words}`) : null);
    button.setAttribute('aria-pressed', String(mine));
    return button;
  }
}
