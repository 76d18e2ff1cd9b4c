// One moment at which something is to be looked at again. Whoever looks says when next; what was
// said before counts no more, or each look would leave another timer behind, for weeks.

// Of five hundred agents each turns old at a moment of its own: not five hundred looks, but so many
// a second that nobody sees a difference.
const BETWEEN_MS = 50;

export class Waking {
  /** `look` is called at the moment. */
  constructor(look) {
    this._look = look;
    this._timer = null;
  }

  /** In so many seconds, and not when it was said before; infinite is not at all. */
  in(seconds) {
    clearTimeout(this._timer);
    const wait = Math.max(1000 * seconds + 1, BETWEEN_MS);
    this._timer = Number.isFinite(seconds) ? setTimeout(this._look, wait) : null;
  }
}
