// How many cells to make in one frame. To make five hundred and lay them out takes longer than a
// frame may, and how much longer is the machine's affair: an old one behind a TV, or a busy one. So
// a few at first, and more for as long as frames are quick.

const AT_FIRST = 16, LEAST = 8, MOST = 64;
const QUICK_MS = 25, SLOW_MS = 50; // from one frame to the next

export class Pace {
  constructor() {
    this._atOnce = AT_FIRST;
    this._madeAt = null;
  }

  /** How many are to be made in the frame that begins at `moment`, in ms. */
  next(moment) {
    const took = this._madeAt === null ? null : moment - this._madeAt;
    if (took !== null && took > SLOW_MS) this._atOnce = Math.max(LEAST, this._atOnce / 2);
    if (took !== null && took < QUICK_MS) this._atOnce = Math.min(MOST, this._atOnce * 2);
    this._madeAt = moment;
    return this._atOnce;
  }

  /** All have been made: until there are more, how long a frame takes says nothing. */
  rest() {
    this._madeAt = null;
  }
}
