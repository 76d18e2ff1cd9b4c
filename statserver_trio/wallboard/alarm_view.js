// Alarms on the page: what alarms now, and a sentence for who cannot see it.

import {Cell, Rows, element} from "./cells.js";

// What is wrong with everything has a place of its own (health_view.js), which is read out by
// itself; here is only said that it is over.
export const TROUBLE = "trouble";

const isAlarm = ({id}) => id !== TROUBLE;

/** Shows alarms. */
export class AlarmView {
  constructor(find) {
    this._section = new Cell(find("alarms"));
    this._rows = new Rows(find("alarm-list"), () => {
      const node = element("li", "");
      return {node, text: new Cell(node)};
    });
    this._announcements = new Cell(find("announcements"));
  }

  /** What alarms, and what has begun and ended. */
  update(all, {raised, cleared}) {
    const active = all.filter(isAlarm);
    this._section.hidden(active.length === 0);
    this._rows.show(active.map((each) => [each.id, each]));
    for (const {id, text} of active) this._rows.byId.get(id).text.text(text);
    const said = [
      ...raised.filter(isAlarm).map(({text}) => `Alarm. ${text}.`),
      ...cleared.map(({text}) => `Over: ${text}.`)];
    if (said.length) this._announcements.text(said.join(" "));
  }
}
