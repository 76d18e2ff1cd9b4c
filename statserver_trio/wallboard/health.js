// The health of the pair, from three sides: whether we have a connection to each member, what each
// says of its role (ServerMode), and what its status says of the pair and of its sources
// (`/api/status`, protocols.md §4). And what went wrong last. Decisions only; health_view.js shows.

import {clock} from "./words.js";

export const FAULTS_MAX = 30;
// Whatever is opened has to be replicated, so a pair is often not synchronised for a moment.
const UNSYNCHRONISED_SECONDS = 10;
const BEGINNING_SECONDS = 10; // for which a server may be looking for its sources
const FLICKER_SECONDS = 1.5;
const STATUS_OLD_SECONDS = 6; // a status that is older says nothing about now

/** What is known of the members, and the faults that were seen. Times are Unix seconds. */
export class Health {
  constructor() {
    this._members = new Map(); // address → what is known
    this.faults = []; // {time, text}, the newest first
    this.noted = 0; // how many there have ever been
    this._sources = new Map(); // name → {gone: since when, or null}
    this._unsynchronised = null; // {since, told}, while both members are there and not in step
  }

  /** The members that there are, as `/api/board` names them. */
  know(members) {
    for (const {url, name} of members) {
      const known = this._members.get(url);
      if (known) known.name = name || known.name;
      else this._members.set(url, {
        url, name: name || url, isConnected: false, isSeen: false, since: null, mode: null,
        status: null, statusAt: -Infinity,
      });
    }
    for (const url of [...this._members.keys()]) {
      if (!members.some((each) => each.url === url)) this._members.delete(url);
    }
  }

  connected(url, time) {
    const member = this._members.get(url);
    if (member === undefined || member.isConnected) return;
    if (member.isSeen) this.note(time, `${member.name} is back`);
    Object.assign(member, {isConnected: true, isSeen: true, since: time});
  }

  disconnected(url, time, why) {
    const member = this._members.get(url);
    if (member === undefined || (!member.isConnected && member.since !== null)) return;
    Object.assign(member, {isConnected: false, since: time, mode: null});
    // Of one that the page has not met nobody knows how long it has been away.
    this.note(time, `${member.name} ${member.isSeen ? "is gone" : "cannot be reached"}: ${why}`);
  }

  /** What a server says of itself. */
  says(url, mode, time) {
    const member = this._members.get(url);
    if (member === undefined) return;
    const before = member.mode;
    member.mode = mode;
    if (before !== null && before.role !== mode.role) {
      this.note(time, `${member.name} is now ${mode.role}`);
    }
  }

  /** What a server's status says; null where there was no answer. */
  reports(url, status, time) {
    const member = this._members.get(url);
    if (member === undefined || status === null) return;
    const before = member.status;
    Object.assign(member, {status, statusAt: time});
    if (status.name) member.name = status.name;
    const lost = (status.session?.lost ?? 0) - (before?.session?.lost ?? Infinity);
    if (lost > 0 && before.uptime <= status.uptime) {
      this.note(time, `${member.name} lost the session of the pair`);
    }
    for (const source of status.sources ?? []) {
      if (source.connected) continue;
      const was = before?.sources?.find((each) => each.name === source.name);
      if (was === undefined) this._foundGone(member, source, time);
      else if (was.connected) this._lost(member, source, time - (source.lastConnected ?? 0));
    }
    this._lookAtSources(time);
  }

  /** A source was gone already when the page came to look: what the server says of when. */
  _foundGone(member, source, time) {
    const {lastConnected} = source, {uptime} = member.status;
    if (Number.isFinite(lastConnected)) this._lost(member, source, time - lastConnected);
    else if (lastConnected === null && uptime > BEGINNING_SECONDS) {
      this.note(time - uptime, `${member.name} has never heard the source ${source.name}`);
    }
  }

  _lost(member, source, time) {
    this.note(time, `${member.name} lost the source ${source.name}`);
  }

  /** Look at what is a fault only if it lasts; call it every second or so. */
  look(time) {
    const members = [...this._members.values()];
    const isApart = members.length > 1 && members.every((each) => each.mode !== null)
      && !members.every((each) => each.mode.synchronised);
    if (!isApart) {
      this._unsynchronised = null;
      return;
    }
    this._unsynchronised ??= {since: time, told: false};
    const known = this._unsynchronised;
    if (known.told || time - known.since < UNSYNCHRONISED_SECONDS) return;
    known.told = true;
    this.note(known.since, "the pair is not synchronised");
  }

  note(time, text) {
    const later = this.faults.findIndex((each) => each.time <= time);
    this.faults.splice(later < 0 ? this.faults.length : later, 0, {time, text});
    this.noted += 1;
    this.faults.length = Math.min(this.faults.length, FAULTS_MAX);
  }

  _lookAtSources(time) {
    for (const {name, connected} of this._sourcesNow(time)) {
      const known = this._sources.get(name) ?? {gone: null};
      if (connected) known.gone = null;
      else {
        const since = this._goneSince(name) ?? known.gone ?? time;
        // Answers are late, now more and now less: a clock that plays about would be no help.
        const isOther = known.gone === null || Math.abs(since - known.gone) >= FLICKER_SECONDS;
        if (isOther) known.gone = since;
      }
      this._sources.set(name, known);
    }
  }

  /**
   * When a source was heard of last by anybody, or since when nobody has heard it at all, by what
   * the servers say; null if they do not say it.
   */
  _goneSince(name) {
    const heard = [], began = [];
    for (const {status, statusAt} of this._members.values()) {
      const told = status?.sources?.find((each) => each.name === name)?.lastConnected;
      if (Number.isFinite(told)) heard.push(statusAt - told);
      else if (told === null) began.push(statusAt - status.uptime);
    }
    if (heard.length) return Math.max(...heard);
    return began.length ? Math.min(...began) : null;
  }

  /** Each source, and which members hear it. */
  _sourcesNow(time) {
    const found = new Map();
    for (const member of this._members.values()) {
      if (!member.status || time - member.statusAt > STATUS_OLD_SECONDS) continue;
      for (const source of member.status.sources ?? []) {
        const all = found.get(source.name) ?? {name: source.name, hears: 0, of: 0, gaps: 0};
        all.of += 1;
        all.hears += source.connected ? 1 : 0;
        all.gaps += source.gaps?.open ?? 0;
        found.set(source.name, all);
      }
    }
    return [...found.values()].map((each) => ({...each, connected: each.hears > 0}));
  }

  // -- how it is -------------------------------------------------------------------------------

  /** Each member: `{url, name, isConnected, role, synchronised, since}`. */
  members() {
    return [...this._members.values()].map((member) => ({
      url: member.url,
      name: member.name,
      isConnected: member.isConnected,
      role: member.mode?.role ?? "",
      synchronised: member.mode?.synchronised ?? false,
      since: member.since,
    }));
  }

  /** The pair: `{is: "alone" | "synchronised" | "behind" | "apart", text, session}`. */
  pair(time) {
    const members = [...this._members.values()];
    const said = members.find((each) => each.status && time - each.statusAt <= STATUS_OLD_SECONDS
      && each.status.session);
    const session = said?.status.session ?? null;
    const shown = session === null ? ""
      : `session ${String(session.id).slice(0, 8)}, ${session.state}`;
    if (members.length < 2 && session === null) return {is: "alone", text: "no pair", session: ""};
    const primaries = members.filter((each) => each.mode?.role === "primary");
    if (primaries.length > 1) return {is: "apart", text: "two primaries", session: shown};
    const isSynchronised = members.some((each) => each.mode?.synchronised)
      && members.every((each) => !each.isConnected || each.mode?.synchronised);
    if (isSynchronised) return {is: "synchronised", text: "synchronised", session: shown};
    const isOpen = session?.state === "open";
    return isOpen
      ? {is: "behind", text: "synchronising", session: shown}
      : {is: "apart", text: "not synchronised", session: shown};
  }

  /** Each source: `{name, is: "live" | "partly" | "gone", text, since}`. */
  sources(time) {
    return this._sourcesNow(time).map((each) => {
      const since = this._sources.get(each.name)?.gone ?? null;
      if (!each.connected) return {name: each.name, is: "gone", text: "gone", since};
      if (each.hears < each.of) {
        return {name: each.name, is: "partly", text: `heard by ${each.hears} of ${each.of}`, since};
      }
      const text = each.gaps ? `live, ${each.gaps} gaps open` : "live";
      return {name: each.name, is: each.gaps ? "partly" : "live", text, since};
    });
  }

  /** Seconds since the first of the sources that nobody hears was heard; 0 if all are. */
  goneFor(time) {
    const gone = this.sources(time).filter((each) => each.is === "gone");
    return Math.max(0, ...gone.map(({since}) => time - (since ?? time)));
  }

  /** Why the numbers are not to be believed; empty if they are. */
  trouble(time) {
    if (![...this._members.values()].some((each) => each.isConnected)) {
      return "No server can be reached";
    }
    const gone = this.sources(time).filter((each) => each.is === "gone");
    if (gone.length === 0) return "";
    const names = gone.map((each) => each.name).join(", ");
    return `Nothing is heard of ${names} since ${clock(gone[0].since)}`;
  }
}

