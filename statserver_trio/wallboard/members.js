// Who the members are, and what their status says. Asked of every member that is known, by HTTP.

import {recall, remember} from "./memory.js";

const BOARD_SECONDS = 10, STATUS_SECONDS = 2; // between two questions
const ANSWER_SECONDS = 3;
const MEMBERS_MAX = 4;

async function get(url) {
  try {
    const answer = await fetch(url, {signal: AbortSignal.timeout(ANSWER_SECONDS * 1000)});
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // it will be asked again
  }
}

/**
 * The members as one of them names them, told by the addresses that this page can use.
 *
 * Who answered is known by the address at which it did, whatever it calls itself: there may be a
 * proxy in between.
 */
export function namedBy(url, board) {
  return (board?.members ?? []).map((each) => (
    {name: String(each.name ?? ""), url: each.self ? url : String(each.url ?? "")}
  )).filter((each) => /^https?:\/\//.test(each.url));
}

/** What is known and what is told, as one; the page's own server is the first. */
export function joined(known, told) {
  const found = new Map(known.map((each) => [each.url, each]));
  for (const each of told) {
    const same = [...found.values()].find((old) => old.name && old.name === each.name);
    if (same !== undefined && same.url !== each.url && !found.has(each.url)) {
      if (same === known[0]) continue; // ours, by another of its names
      found.delete(same.url); // it has moved
    }
    found.set(each.url, {...found.get(each.url), ...each});
  }
  return [...found.values()].slice(0, MEMBERS_MAX);
}

/** Keeps asking. */
export class Members {
  /** @param hooks `know(members)`, `board(url, board)` and `status(url, status)` */
  constructor(home, hooks) {
    this._home = home;
    this._hooks = hooks;
    const remembered = recall("members", {});
    this.all = joined([{url: home, name: ""}], remembered[home] ?? []);
  }

  start() {
    this._hooks.know(this.all);
    this._every(BOARD_SECONDS, () => this._askBoards());
    this._every(STATUS_SECONDS, () => this._askStatus());
  }

  /** One question after the other: a slow answer delays the next question, and no more. */
  async _every(seconds, ask) {
    for (;;) {
      await ask();
      await new Promise((wake) => setTimeout(wake, seconds * 1000));
    }
  }

  async _askBoards() {
    await Promise.all(this.all.map(async ({url}) => {
      const board = await get(`${url}/api/board`);
      if (board === null) return;
      this._hooks.board(url, board);
      const all = joined(this.all, namedBy(url, board));
      if (JSON.stringify(all) === JSON.stringify(this.all)) return;
      this.all = all;
      remember("members", {[this._home]: all});
      this._hooks.know(all);
    }));
  }

  async _askStatus() {
    await Promise.all(this.all.map(
      async ({url}) => this._hooks.status(url, await get(`${url}/api/status`))));
  }
}
