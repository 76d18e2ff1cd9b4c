// The client protocol `statserver.v1` of one connection: what is asked, what the answers are to,
// and whether anybody is still there. No socket and no clock in here: texts and times in, texts to
// send and happenings out. Times are seconds, of any clock that never goes back.
//
// A happening is one of
//   {kind: "opened", key}              the server tells this statistic from now on
//   {kind: "told", key, event}         Info, StatisticInvalid, StatisticValid, StatisticClosed
//   {kind: "refused", key, message}    it will not open it
//   {kind: "profile", profile, items}  what was asked by `ask`
//   {kind: "mode", mode}               which of the pair the server is
//   {kind: "garbage", message}         this is no Stat Server: the connection is of no use

export const SUBPROTOCOL = "statserver.v1";

// Seconds without a word; then we ask, and wait as long again for the answer, as the Python client
// does (client/liveness.py): a network that swallows everything closes nothing.
export const HEARTBEAT_SECONDS = 1;

const ABOUT_STATISTICS = new Set([
  "Info", "StatisticInvalid", "StatisticValid", "StatisticClosed",
]);

/** One connection to one server. */
export class Conversation {
  constructor(now) {
    this.heardAt = now;
    this.mode = null;
    this._askedAt = -Infinity;
    this._expectedAt = now; // when `due` wanted to be called
    this._reference = 0;
    this._questions = new Map(); // reference → {key} or {profile}
    this._keys = new Map(); // id of the server → key of ours
    this._ids = new Map(); // and back
    this._unwanted = new Set(); // keys that were closed before the answer came
  }

  // -- requests: the text to send --------------------------------------------------------------

  /** Ask for a statistic, as {object, metric, notification}; the key is ours, and any string. */
  open(key, {object, metric, notification = {}}) {
    this._unwanted.delete(key);
    return this._request("OpenStatisticEx", {object, metric, notification}, {key});
  }

  /** Be told no more of one; empty if it is not open there. */
  close(key) {
    const id = this._ids.get(key);
    if (id === undefined) {
      if ([...this._questions.values()].some((each) => each.key === key)) this._unwanted.add(key);
      return "";
    }
    this._forget(id);
    return this._request("CloseStatistic", {statisticId: id}, {});
  }

  /** Ask what is configured: "Objects" and its like. */
  ask(profile) {
    return this._request("GetStatisticProfile", {profile}, {profile});
  }

  _request(request, fields, question) {
    const referenceId = ++this._reference;
    this._questions.set(referenceId, question);
    return JSON.stringify({request, referenceId, ...fields});
  }

  _forget(id) {
    this._ids.delete(this._keys.get(id));
    this._keys.delete(id);
  }

  /** What is open or has been asked for. */
  keys() {
    const asked = [...this._questions.values()].map((each) => each.key);
    return new Set([...this._ids.keys(), ...asked]);
  }

  // -- what the server says --------------------------------------------------------------------

  /** A frame came; `{happenings, send}`. */
  take(text, now) {
    const happenings = [], send = [];
    let events;
    try {
      events = JSON.parse(text);
    } catch {
      return {happenings: [{kind: "garbage", message: "this is no Stat Server"}], send};
    }
    this.heardAt = now;
    for (const event of Array.isArray(events) ? events : [events]) {
      if (event === null || typeof event !== "object") continue;
      const happening = this._happening(event, send);
      if (happening) happenings.push(happening);
    }
    return {happenings, send};
  }

  _happening(event, send) {
    const question = this._questions.get(event.referenceId);
    switch (event.event) {
      case "StatisticOpened":
        this._questions.delete(event.referenceId);
        return question?.key === undefined ? null : this._opened(question.key, event, send);
      case "StatisticProfile":
        this._questions.delete(event.referenceId);
        return {kind: "profile", profile: event.profile, items: event.items ?? []};
      case "ServerMode":
        this._questions.delete(event.referenceId);
        this.mode = {role: event.role, peer: event.peer, synchronised: event.synchronised};
        return {kind: "mode", mode: this.mode};
      case "Error":
        this._questions.delete(event.referenceId);
        if (question?.key === undefined) return null;
        this._unwanted.delete(question.key);
        return {kind: "refused", key: question.key, message: event.message};
    }
    return ABOUT_STATISTICS.has(event.event) ? this._told(event) : null;
  }

  _opened(key, event, send) {
    this._keys.set(event.statisticId, key);
    this._ids.set(key, event.statisticId);
    if (this._unwanted.delete(key)) {
      send.push(this.close(key));
      return null;
    }
    return {kind: "opened", key};
  }

  _told(event) {
    const key = this._keys.get(event.statisticId);
    if (event.event === "StatisticClosed") {
      this._questions.delete(event.referenceId);
      this._forget(event.statisticId);
    }
    return key === undefined ? null : {kind: "told", key, event};
  }

  // -- whether anybody is there ----------------------------------------------------------------

  /**
   * What is to be done because of the time: `{at, send, lost}`. Call it again at `at`.
   *
   * Where we are called much too late it was us who slept (a laptop, a tab in the background),
   * and what the server said meanwhile may lie unread: then it is asked anew.
   */
  due(now) {
    const late = now > this._expectedAt + HEARTBEAT_SECONDS;
    const answer = this._due(now, late);
    this._expectedAt = answer.at;
    return answer;
  }

  _due(now, late) {
    if (now < this.heardAt + HEARTBEAT_SECONDS) {
      return {at: this.heardAt + HEARTBEAT_SECONDS, send: "", lost: ""};
    }
    const isAsked = this._askedAt >= this.heardAt;
    if (isAsked && now < this._askedAt + HEARTBEAT_SECONDS) {
      return {at: this._askedAt + HEARTBEAT_SECONDS, send: "", lost: ""};
    }
    if (isAsked && !late) {
      return {at: Infinity, send: "", lost: `silent for ${2 * HEARTBEAT_SECONDS} s`};
    }
    this._askedAt = now;
    const send = this._request("GetServerMode", {}, {});
    return {at: now + HEARTBEAT_SECONDS, send, lost: ""};
  }
}
