// The values that are shown, how old they are, and which of them are news since the last frame.

/** What the pair has delivered, by key. */
export class Values {
  constructor(pair) {
    this._pair = pair;
    this._entries = new Map();
    this.news = new Set(); // keys that have changed since somebody emptied it
    this.goneFor = 0; // seconds since a source was heard that is gone, by what the servers say
  }

  /** Take over what is delivered. */
  take(updates) {
    for (const {key, event, at} of updates) {
      if (event.event === "Info") {
        this._entries.set(key, {
          value: event.value, time: event.time, complete: event.complete !== false, at,
        });
      }
      this.news.add(key);
    }
  }

  /** Forget what is not wanted any more. */
  keep(keys) {
    for (const key of [...this._entries.keys()]) if (!keys.has(key)) this._entries.delete(key);
    for (const key of [...this.news]) if (!keys.has(key)) this.news.delete(key);
  }

  /** The value; undefined if there is none. */
  value(key) {
    return this._entries.get(key)?.value;
  }

  /** False where events of its interval were missed by everybody. */
  isComplete(key) {
    return this._entries.get(key)?.complete ?? true;
  }

  /**
   * Seconds for which nobody has vouched for it; null if it was never told. A page that was opened
   * when its source had gone already was told it just now, and it is as old as the source is gone.
   */
  age(key, now) {
    const at = this._pair.freshAt(key);
    if (at === null) return null;
    return Math.max(0, now - at, this.trouble(key) ? this.goneFor : 0);
  }

  trouble(key) {
    return this._pair.troubleOf(key);
  }

  /**
   * How long something lasts that began at a time of the source's: by its clock when it told the
   * value, and by ours since. So the two clocks are never compared.
   */
  lasts(key, since, now) {
    const entry = this._entries.get(key);
    return entry === undefined ? NaN : entry.time - since + (now - entry.at);
  }

  /** The oldest of several that were ever told: seconds, or null where there is nothing. */
  oldest(keys, now) {
    let found = null;
    for (const key of keys) {
      const age = this.age(key, now);
      if (age !== null && (found === null || age > found)) found = age;
    }
    return found;
  }

  /** How many of them were never told, for a reason; what is on its way is not meant. */
  missing(keys) {
    let found = 0;
    for (const key of keys) if (this._pair.freshAt(key) === null && this.trouble(key)) found += 1;
    return found;
  }

  /** Seconds until the next of them is as old as that; infinite if none will be. */
  untilOld(keys, now, seconds) {
    let found = Infinity;
    for (const key of keys) {
      const age = this.age(key, now);
      if (age !== null && age < seconds) found = Math.min(found, seconds - age);
    }
    return found;
  }
}
