// The grid of agents: what each is doing, in colour, shape and words, why, and for how long.

import {Cell, Rows, element} from "./cells.js";
import {key} from "./catalogue.js";
import {Pace} from "./pace.js";
import {KINDS, breakLevel, readState, summary} from "./states.js";
import {isOld} from "./thresholds.js";
import {NOTHING, age, minutes} from "./words.js";

// How large cells are. So many are shown in large ones, and where there are more than so many, in
// small ones; on a TV they are as large as the screen has room for.
const DENSITIES = ["roomy", "", "dense", "tiny"];
const ROOMY_MAX = 36, DENSE_MIN = 150;

/** One agent. */
class Agent {
  constructor(id) {
    this.id = id;
    this.key = key("Agent", id, "state");
    this.state = null;
    const [name, time, word, reason] = ["name", "time", "word", "reason"].map(
      (each) => element("span", each));
    name.textContent = id;
    name.title = id;
    const shape = element("span", "shape");
    shape.setAttribute("aria-hidden", "true");
    this.node = element("li", "agent", name, time, shape, word, reason);
    this.self = new Cell(this.node);
    [this.time, this.word, this.reason] = [time, word, reason].map((each) => new Cell(each));
  }

  /** Where a break lasts too long: "" | "warn" | "alarm". */
  level(values, now, thresholds) {
    if (this.state === null) return "";
    const seconds = values.lasts(this.key, this.state.since, now);
    return breakLevel(this.state, seconds, values.age(this.key, now), thresholds);
  }

  update(values, now, thresholds, showsOut) {
    this.state = readState(values.value(this.key));
    const {state} = this;
    const old = values.age(this.key, now);
    const cannotBeTrusted = isOld(old, thresholds);
    this.self.hidden(state?.kind === "out" && !showsOut);
    this.self.attribute("data-kind", state?.kind ?? "none");
    this.self.attribute("data-level", this.level(values, now, thresholds));
    this.self.attribute("data-old", cannotBeTrusted ? "yes" : "");
    this.word.text(state?.word ?? NOTHING);
    const until = cannotBeTrusted ? now - old : now; // what is old does not go on ticking
    this.time.text(state === null ? "" : minutes(values.lasts(this.key, state.since, until)));
    const unknown = old === null ? values.trouble(this.key) : "";
    this.reason.text(cannotBeTrusted ? unknown || age(old) : state?.reason ?? "");
  }
}

/** All agents, and how many do what. */
export class Agents {
  constructor(grid, list) {
    this._grid = new Cell(grid);
    this._fitted = -1; // how many there was room for
    this._ids = []; // of those that are to be shown
    this.isComplete = true; // whether the cells of all of them have been made
    this._pace = new Pace();
    this._rows = new Rows(grid, (id) => new Agent(id));
    this._byKey = new Map();
    this._chips = new Map(Object.entries(KINDS).map(([kind, label]) => {
      const number = element("b", "", "0"), shape = element("span", "shape");
      shape.setAttribute("aria-hidden", "true");
      const item = element("li", "", shape, number, ` ${label}`);
      item.dataset.kind = kind;
      list.append(item);
      return [kind, {number: new Cell(number), item: new Cell(item)}];
    }));
  }

  /** Have these shown, in this order; `grow` makes their cells. */
  show(ids) {
    this._ids = ids;
    this.isComplete = false;
  }

  /**
   * Make some of the cells that are missing, in the frame that begins at `moment`, in ms; whether
   * there are any that nothing was written to.
   */
  grow(moment) {
    if (this.isComplete) return false;
    this.isComplete = this._rows.show(this._ids.map((id) => [id, id]), this._pace.next(moment));
    if (this.isComplete) this._pace.rest();
    this._byKey = new Map([...this._rows.byId.values()].map((agent) => [agent.key, agent]));
    return true;
  }

  /** Make the cells as large as they may be, where their number or the room for them is another. */
  fit(isTv, isAnew) {
    const shown = [...this.all].filter(({node}) => !node.hidden).length;
    if (shown === this._fitted && !isAnew) return;
    this._fitted = shown;
    const {node} = this._grid;
    for (const density of DENSITIES) {
      this._grid.attribute("data-density", density);
      const isRight = isTv ? node.scrollHeight <= node.clientHeight
        : density === (shown <= ROOMY_MAX ? "roomy" : shown >= DENSE_MIN ? "dense" : "");
      if (isRight) return;
    }
  }

  get all() {
    return this._rows.byId.values();
  }

  get keys() {
    return this._byKey.keys();
  }

  of(statistic) {
    return this._byKey.get(statistic);
  }

  /** How many do what. */
  summary() {
    return summary([...this.all].map((agent) => agent.state));
  }

  /** Show that. */
  sum() {
    for (const [kind, number] of Object.entries(this.summary())) {
      const chip = this._chips.get(kind);
      chip.number.text(String(number));
      chip.item.hidden(number === 0 && !["ready", "call", "break"].includes(kind));
    }
  }
}
