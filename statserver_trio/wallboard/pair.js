// Both members as one: every statistic is open with each member that can be reached, so when one
// dies the other one's values are there already. What is to be sent is handed back; no sockets and
// no clocks of its own. Members are known by their address, and may come to be known later.

import {Conversation} from "./protocol.js";
import {MergedStatistic} from "./merging.js";

// What a server has closed (a reload) or refused (an object that comes later) is asked for again:
// at once if that was not done within so many seconds, and by `again`, so many at a time. So a
// server that closes whatever is opened is not flooded.
const AGAIN_SECONDS = 60;
export const AGAIN_MAX = 200;

const VALIDITY = new Set(["StatisticInvalid", "StatisticValid"]);

/**
 * What is wanted, what the members say of it, and what is to be shown.
 *
 * Every call hands back `{updates, send, others}`: what is news about statistics, as
 * `{key, event, at}`; texts to send, by member; and happenings that concern no statistic.
 */
export class Pair {
  constructor() {
    this._conversations = new Map(); // by member, while there is a connection
    this._lastHeard = new Map(); // by member, of connections that are gone
    this._wanted = new Map(); // key → {what, merged, vouchedAt, trouble, againAt}
    this._vouchesFor = new Map(); // key → key of the statistic that has no validity of its own
  }

  /** The members that there is a connection to. */
  get reachable() {
    return [...this._conversations.keys()];
  }

  /** When a member was heard of last; null if never. */
  heardAt(member) {
    return this._conversations.get(member)?.heardAt ?? this._lastHeard.get(member) ?? null;
  }

  /** What the server said of itself, while there is a connection. */
  modeOf(member) {
    return this._conversations.get(member)?.mode ?? null;
  }

  /** Whose word about a statistic is delivered; null while nobody has it open. */
  leaderOf(key) {
    return this._wanted.get(key)?.merged.leader ?? null;
  }

  /**
   * Until when a value is known to be true: as long as its member is heard of and vouches for it.
   * Null if it was never told.
   */
  freshAt(key) {
    const wanted = this._wanted.get(key);
    if (wanted === undefined || wanted.merged.latest === null) return null;
    const {leader, isValid} = wanted.merged;
    const isVouchedFor = leader !== null && isValid;
    return isVouchedFor ? Math.max(wanted.vouchedAt, this.heardAt(leader)) : wanted.vouchedAt;
  }

  /** Why a value is not there, or cannot be relied upon; empty if it can. */
  troubleOf(key) {
    return this._wanted.get(key)?.trouble ?? "";
  }

  // -- what is wanted ----------------------------------------------------------------------------

  /**
   * Have exactly these open: a map from keys to {object, metric, notification, vouchedBy}.
   *
   * A statistic that is `vouchedBy` another one is told by each member to be valid or not when that
   * one is; it has to stand before it.
   */
  want(all) {
    const send = new Map();
    for (const [key, {what}] of [...this._wanted]) {
      if (all.has(key)) continue;
      this._wanted.delete(key);
      this._vouchesFor.delete(what.vouchedBy);
      for (const [member, conversation] of this._conversations) {
        note(send, member, conversation.close(key));
      }
    }
    for (const [key, what] of all) {
      if (this._wanted.has(key)) continue;
      this._wanted.set(key, {
        what, merged: new MergedStatistic(), vouchedAt: 0, trouble: "", againAt: new Map(),
      });
      if (what.vouchedBy) this._vouchesFor.set(what.vouchedBy, key);
      for (const [member, conversation] of this._conversations) {
        note(send, member, conversation.open(key, what));
      }
    }
    return {updates: [], send, others: []};
  }

  /** Ask every member what is configured. */
  ask(profile) {
    const send = new Map();
    for (const [member, conversation] of this._conversations) {
      note(send, member, conversation.ask(profile));
    }
    return {updates: [], send, others: []};
  }

  /** Ask for what should be open and is not; call it every minute or so. */
  again(now) {
    const send = new Map();
    for (const [member, conversation] of this._conversations) {
      const there = conversation.keys();
      const missing = [...this._wanted].filter(([key]) => !there.has(key));
      const last = ([, {againAt}]) => againAt.get(member) ?? 0;
      missing.sort((one, other) => last(one) - last(other));
      for (const [key, wanted] of missing.slice(0, AGAIN_MAX)) {
        this._reopen(send, member, key, wanted, now);
      }
    }
    return {updates: [], send, others: []};
  }

  _reopen(send, member, key, {what, againAt}, now) {
    againAt.set(member, now);
    note(send, member, this._conversations.get(member).open(key, what));
  }

  // -- the members -------------------------------------------------------------------------------

  /** A connection is there. */
  connected(member, now) {
    const conversation = new Conversation(now);
    this._conversations.set(member, conversation);
    const send = new Map();
    note(send, member, conversation.ask("Objects"));
    for (const [key, {what}] of this._wanted) note(send, member, conversation.open(key, what));
    return {updates: [], send, others: []};
  }

  /** It is gone: the other member leads wherever this one did. */
  disconnected(member) {
    const conversation = this._conversations.get(member);
    const updates = [];
    if (conversation === undefined) return {updates, send: new Map(), others: []};
    this._lastHeard.set(member, conversation.heardAt);
    this._conversations.delete(member);
    for (const [key, wanted] of this._wanted) {
      if (wanted.merged.leader === member && wanted.merged.isValid) {
        wanted.vouchedAt = Math.max(wanted.vouchedAt, conversation.heardAt);
      }
      const delivered = wanted.merged.lost(member);
      if (wanted.merged.leader === null) wanted.trouble = "no server can be reached";
      this._deliver(updates, key, wanted, delivered, conversation.heardAt);
    }
    return {updates, send: new Map(), others: []};
  }

  /** A frame of a member. */
  take(member, text, now) {
    const conversation = this._conversations.get(member);
    const updates = [], others = [], send = new Map();
    if (conversation === undefined) return {updates, send, others};
    const heard = conversation.take(text, now);
    for (const each of heard.send) note(send, member, each);
    for (const happening of heard.happenings) {
      if (happening.key === undefined) others.push({...happening, member});
      else this._hear(updates, member, happening, now);
      if (happening.event?.event === "StatisticClosed") {
        this._closed(send, member, happening.key, now);
      }
      const other = this._vouchesFor.get(happening.key);
      if (other !== undefined && VALIDITY.has(happening.event?.event)) {
        this._hear(updates, member, {...happening, key: other}, now);
      }
    }
    return {updates, send, others};
  }

  /** What is to be done with a member because of the time: `{at, send, lost}`. */
  due(member, now) {
    return this._conversations.get(member)?.due(now) ?? {at: Infinity, send: "", lost: ""};
  }

  _hear(updates, member, happening, now) {
    const {key} = happening, wanted = this._wanted.get(key);
    if (wanted === undefined) return;
    const {merged} = wanted;
    switch (happening.kind) {
      case "opened":
        this._deliver(updates, key, wanted, merged.opened(member), now);
        if (merged.isValid) wanted.trouble = "";
        this._vouch(updates, member, key, now);
        return;
      case "refused":
        if (merged.leader === null) {
          wanted.trouble = happening.message;
          updates.push({key, event: {event: "Refused", reason: happening.message}, at: now});
        }
        return;
      case "told": {
        if (merged.isValid) wanted.vouchedAt = now;
        this._deliver(updates, key, wanted, merged.told(member, happening.event), now);
      }
    }
  }

  _closed(send, member, key, now) {
    const wanted = this._wanted.get(key);
    if (wanted === undefined) return;
    if (now - (wanted.againAt.get(member) ?? -Infinity) < AGAIN_SECONDS) return;
    this._reopen(send, member, key, wanted, now);
  }

  /** What has been opened and is vouched for by what is open already is as valid as that is. */
  _vouch(updates, member, key, now) {
    const wanted = this._wanted.get(key);
    const side = this._wanted.get(wanted.what.vouchedBy)?.merged.sideOf(member);
    if (side === undefined || side.isValid) return;
    const event = {event: "StatisticInvalid", reason: side.reason};
    this._deliver(updates, key, wanted, wanted.merged.told(member, event), now);
  }

  _deliver(updates, key, wanted, events, at) {
    for (const event of events) {
      if (event.event === "StatisticValid") wanted.trouble = "";
      else if (event.event !== "Info") wanted.trouble = event.reason || "not valid";
      updates.push({key, event, at});
    }
  }
}

function note(send, member, text) {
  if (!text) return;
  if (!send.has(member)) send.set(member, []);
  send.get(member).push(text);
}
