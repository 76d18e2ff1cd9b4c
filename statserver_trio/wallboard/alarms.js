// Alarms: what is to be told to everybody in the room, once when it begins and once when it ends.

// How long something has to last before it is told, and to be over before that is told: a value
// that plays about its threshold must not ring the bell every second.
export const HOLD_SECONDS = 2;
const LATEST_MAX = 20; // that are remembered

/** What alarms at the moment. */
export class Alarms {
  constructor() {
    this._known = new Map(); // id → {id, text, since, told, seenAt}
    this.latest = []; // {time, text}, the newest first
  }

  /** Those that have lasted long enough, the oldest first. */
  get active() {
    return [...this._known.values()].filter((each) => each.told);
  }

  /**
   * What alarms now, as a map from an id to a sentence; `{raised, cleared}`, of what is new.
   */
  look(found, now) {
    const raised = [], cleared = [];
    for (const [id, text] of found) {
      const known = this._known.get(id);
      if (known === undefined) {
        this._known.set(id, {id, text, since: now, seenAt: now, told: false});
        continue;
      }
      known.seenAt = now;
      known.text = text;
      if (!known.told && now - known.since >= HOLD_SECONDS) {
        known.told = true;
        raised.push(known);
        this.latest.unshift({time: now, text});
        this.latest.length = Math.min(this.latest.length, LATEST_MAX);
      }
    }
    for (const known of [...this._known.values()]) {
      if (found.has(known.id)) continue;
      if (known.told && now - known.seenAt < HOLD_SECONDS) continue;
      this._known.delete(known.id);
      if (known.told) cleared.push(known);
    }
    return {raised, cleared};
  }
}
