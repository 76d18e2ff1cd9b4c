// One moment at which something is to be looked at again. Whoever looks says when next; what was
// said before counts no more, or each look would leave another timer behind, for weeks.

export class Waking {
  /** `look` is called at the moment. */
  constructor(look) {
    this._look = look;
    this._timer = null;
  }

  /** In so many seconds, and not when it was said before; infinite is not at all. */
  in(seconds) {
    clearTimeout(this._timer);
    this._timer = Number.isFinite(seconds) ? setTimeout(this._look, 1000 * seconds + 1) : null;
  }
}
