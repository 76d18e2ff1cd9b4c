// The strip that is always there: both members, the pair between them, the sources, the last fault.

import {Cell, Rows, element} from "./cells.js";
import {age, clock} from "./words.js";

const PAIR_LEVELS = {synchronised: "good", alone: "", behind: "warn", apart: "alarm"};
const SOURCE_LEVELS = {live: "good", partly: "warn", gone: "alarm"};

function chip(tag, ...parts) {
  const shape = element("span", "shape");
  shape.setAttribute("aria-hidden", "true");
  const node = element(tag, "chip", shape, ...parts);
  return {node, self: new Cell(node)};
}

function memberChip() {
  const name = element("b", "name");
  const role = element("span", "role"), state = element("span", "state");
  const made = chip("li", name, role, state);
  return {...made, name: new Cell(name), role: new Cell(role), state: new Cell(state)};
}

function sourceChip(id) {
  const state = element("span", "state");
  const made = chip("li", element("b", "name", id), state);
  return {...made, state: new Cell(state)};
}

/** Shows the health of the pair. */
export class HealthView {
  constructor(find) {
    this._members = new Rows(find("members"), memberChip);
    this._sources = new Rows(find("sources"), sourceChip);
    const pair = find("pair"), text = element("b", "name"), session = element("span", "state");
    const shape = element("span", "shape");
    shape.setAttribute("aria-hidden", "true");
    pair.append(shape, text, session);
    this._pair = {self: new Cell(pair), text: new Cell(text), session: new Cell(session)};
    this._last = new Cell(find("last-fault"));
    this._faults = new Cell(find("faults"));
    this._list = find("fault-list");
    this._listed = 0; // how many had been noted
    this._trouble = new Cell(find("trouble"));
    this._page = new Cell(document.documentElement);
  }

  /** How it is now; `heardAgo` says for a member how long it has been silent. */
  update(health, time, heardAgo) {
    const members = health.members();
    this._members.show(members.map((each) => [each.url, each]));
    for (const member of members) this._member(member, heardAgo(member.url));
    const pair = health.pair(time);
    this._pair.self.attribute("data-level", PAIR_LEVELS[pair.is]);
    this._pair.text.text(pair.text);
    this._pair.session.text(pair.session);
    const sources = health.sources(time);
    this._sources.show(sources.map((each) => [each.name, each]));
    for (const source of sources) {
      const row = this._sources.byId.get(source.name);
      row.self.attribute("data-level", SOURCE_LEVELS[source.is]);
      row.state.text(source.is === "gone" && source.since !== null
        ? `gone since ${clock(source.since)}` : source.text);
    }
    this._show(health);
    const trouble = health.trouble(time);
    this._trouble.hidden(trouble === "");
    this._trouble.text(trouble && `${trouble}. What you see is old.`);
    this._page.attribute("data-trouble", trouble === "" ? "" : "yes");
  }

  _member(member, silentFor) {
    const row = this._members.byId.get(member.url);
    row.name.text(member.name);
    row.role.text(member.role);
    row.self.attribute("data-level", member.isConnected ? "good" : "alarm");
    row.self.attribute("data-role", member.role);
    row.state.text(member.isConnected ? age(silentFor) : silentFor === null
      ? "not reached" : `gone, ${age(silentFor)}`);
  }

  _show({faults, noted}) {
    const latest = faults[0];
    this._last.text(latest ? `${clock(latest.time)} ${latest.text}` : "none");
    this._faults.attribute("data-any", latest ? "yes" : "");
    if (this._listed === noted) return;
    this._listed = noted;
    this._list.replaceChildren(
      ...faults.map(({time, text}) => element("li", "", `${clock(time)} ${text}`)));
  }
}
