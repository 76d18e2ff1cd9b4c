// Merging: what both members of a pair say about one statistic, as one stream. The rules are those
// of the Python client (client/merging.py, which explains them): one member leads and its word is
// delivered; of the other one we remember what it is ahead by and what it owes. When the leader is
// lost, what the other one is ahead by is delivered at once, and what it owes is not told twice:
// no change is lost, and nothing goes back in time.
//
// No sockets and no clocks: events in, events to deliver out.

// Changes by which members may be apart, for each statistic; of more the oldest are forgotten.
export const APART_MAX = 200;

/** Whether two values are the same; states are trees. */
export function sameValue(one, other) {
  if (one === other) return true;
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object") {
    return false;
  }
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length
    && keys.every((key) => Object.hasOwn(other, key) && sameValue(one[key], other[key]));
}

function same(one, other) {
  return one.time === other.time && one.interval === other.interval
    && one.complete === other.complete && sameValue(one.value, other.value);
}

/** Whether it is one of these; then it is passed, and what lies before it was skipped. */
function passes(changes, event) {
  const found = changes.findIndex((each) => same(each, event));
  if (found < 0) return false;
  changes.splice(0, found + 1);
  return true;
}

function forgetBefore(changes, time) {
  const kept = changes.findIndex((each) => each.time >= time);
  changes.splice(0, kept < 0 ? changes.length : kept);
}

function add(changes, event) {
  changes.push(event);
  if (changes.length > APART_MAX) changes.shift();
}

const newSide = () => ({isValid: true, reason: "", ahead: [], owed: []});

/** One statistic, as all members tell it; members are known by any name. */
export class MergedStatistic {
  constructor() {
    this.leader = null; // whose word is delivered; null while nobody has it open
    this.latest = null; // the last change that was delivered
    this.isValid = true; // what was delivered last about that
    this._recent = []; // those of the latest moment that were delivered
    this._isAnew = false; // the next word is the first one since nobody was there
    this._sides = new Map(); // of those that have it open
  }

  /** What a member says of its value, `{isValid, reason}`; undefined if it has it not open. */
  sideOf(member) {
    return this._sides.get(member);
  }

  /** A member has opened it; its first value is on the way. */
  opened(member) {
    const side = newSide();
    this._sides.set(member, side);
    if (this.leader === null) {
      this.leader = member;
      this._isAnew = true;
      return this._validity(side);
    }
    if (member === this.leader) this._isAnew = true;
    else side.owed.push(...this._recent); // what is current there may be old news
    return [];
  }

  /** There is no connection to a member any more. */
  lost(member) {
    this._sides.delete(member);
    return member === this.leader ? this._anotherLeads() : [];
  }

  /** A member says something; what is to be delivered. */
  told(member, event) {
    const side = this._sides.get(member);
    if (side === undefined) return [];
    switch (event.event) {
      case "Info": return this._change(member, side, event);
      case "StatisticInvalid": return this._vouches(member, side, event, false);
      case "StatisticValid": return this._vouches(member, side, event, true);
      case "StatisticClosed": return this._closed(member, event);
    }
    return [];
  }

  _change(member, side, event) {
    const leads = member === this.leader, latest = this.latest;
    if (this._isAnew && leads) { // it may be of an earlier time
      if (latest === null || !same(event, latest)) return [this._delivered(event)];
      this._isAnew = false;
      return [];
    }
    if (passes(side.owed, event)) {
      side.ahead.length = 0;
      // Where it told other changes of the same moment meanwhile, this one is news again.
      if (!leads || side.owed.length || latest === null || same(event, latest)) return [];
    } else if (side.owed.length && event.time < side.owed.at(-1).time) {
      return []; // it is behind
    }
    if (!leads) {
      forgetBefore(side.owed, event.time);
      add(side.ahead, event);
      return [];
    }
    if (side.owed.length) this._recent.length = 0;
    return [this._delivered(event)];
  }

  _delivered(event) {
    if (this.latest === null || event.time !== this.latest.time) this._recent.length = 0;
    add(this._recent, event);
    this.latest = event;
    this._isAnew = false;
    for (const [member, side] of this._sides) {
      if (member !== this.leader && !passes(side.ahead, event)) {
        forgetBefore(side.ahead, event.time);
        add(side.owed, event);
      }
    }
    return event;
  }

  _vouches(member, side, event, isValid) {
    side.isValid = isValid;
    side.reason = event.reason ?? "";
    if (member === this.leader) {
      if (!isValid && this._best() !== member) return this._anotherLeads();
    } else if (isValid && !this.isValid) {
      return this._anotherLeads();
    } else {
      return [];
    }
    this.isValid = isValid;
    return [event];
  }

  /** Both members delete what the configuration deletes, one after the other. */
  _closed(member, event) {
    this._sides.delete(member);
    if (this._sides.size === 0) {
      this.leader = null;
      return [event];
    }
    return member === this.leader ? this._anotherLeads() : [];
  }

  /** Who should lead: whoever does, as long as nobody can vouch for more. */
  _best() {
    const rank = ([member, side]) => (side.isValid ? 0 : 2) + (member === this.leader ? 0 : 1);
    const ranked = [...this._sides].sort((one, other) => rank(one) - rank(other));
    return ranked[0]?.[0] ?? null;
  }

  _anotherLeads() {
    this.leader = this._best();
    if (this.leader === null) return [];
    const side = this._sides.get(this.leader);
    const ahead = side.ahead;
    side.ahead = [];
    return [...this._validity(side), ...ahead.map((event) => this._delivered(event))];
  }

  _validity(side) {
    if (side.isValid === this.isValid) return [];
    this.isValid = side.isValid;
    return [{event: side.isValid ? "StatisticValid" : "StatisticInvalid", reason: side.reason}];
  }
}
