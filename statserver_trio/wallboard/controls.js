// What can be chosen, and where: the selections, the buttons, and the look of the page.

import {Rows, element} from "./cells.js";
import {LABELS} from "./thresholds.js";
import {shortName} from "./words.js";

const EVERYBODY = "Everybody there is", ANY = "Default";

function fill(select, first, names, chosen) {
  const all = chosen && !names.includes(chosen) ? [...names, chosen] : names;
  const wanted = ["", ...all];
  if (wanted.join("\n") !== [...select.options].map((each) => each.value).join("\n")) {
    select.replaceChildren(...wanted.map((name) => new Option(name || first, name)));
  }
  select.value = chosen;
}

/** The controls; `change(changes)` is told what is to be in the address. */
export class Controls {
  constructor(find, hooks) {
    this._find = find;
    this._queues = new Rows(find("queue-list"), (id, queue) => {
      const box = element("input");
      box.type = "checkbox";
      box.value = queue.objectId;
      box.addEventListener("change", () => hooks.change({queues: this._checked()}));
      return {node: element("label", "check", box, ` ${shortName(queue.objectId)}`), box};
    });
    this._thresholds = new Rows(find("threshold-list"), (name) => {
      const box = element("input");
      Object.assign(box, {type: "number", min: "0", step: "any"});
      box.addEventListener("change", () => hooks.threshold(name, box.value));
      return {node: element("label", "number", LABELS[name], box), box};
    });
    for (const name of ["tenant", "group"]) {
      find(name).addEventListener("change", ({target}) => hooks.change({[name]: target.value}));
    }
    find("out").addEventListener("change", ({target}) => hooks.change({out: target.checked}));
    find("theme").addEventListener("click", hooks.theme);
    find("sound").addEventListener("click", hooks.sound);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hooks.escape();
    });
  }

  _checked() {
    return [...this._queues.byId.values()].filter(({box}) => box.checked).map(({box}) => box.value);
  }

  /** What there is to choose from, and what is chosen. */
  show({tenants, groups, queues}, choice, shown, tvAddress) {
    // Where there is one only there is nothing to choose; its name stands below the title.
    this._find("tenant-label").hidden = tenants.length < 2;
    fill(this._find("tenant"), ANY, tenants, choice.tenant);
    fill(this._find("group"), EVERYBODY, groups, choice.group);
    this._queues.show(queues.map((each) => [`${each.objectType} ${each.objectId}`, each]));
    const ids = new Set(shown.map((each) => each.objectId));
    for (const {box} of this._queues.byId.values()) box.checked = ids.has(box.value);
    this._find("out").checked = choice.out;
    this._find("tv").href = tvAddress;
  }

  /** From when on it warns, by name; what is said for this browser alone, too. */
  thresholds(all, own) {
    this._thresholds.show(Object.keys(LABELS).map((name) => [name, name]));
    for (const [name, {box}] of this._thresholds.byId) {
      if (box === document.activeElement) continue; // somebody is typing
      box.value = own[name] ?? "";
      box.placeholder = String(all[name]);
    }
  }

  /** How the page looks: dark or light, and whether it rings. */
  look({isDark, isOn}) {
    this._find("theme").textContent = isDark ? "Light" : "Dark";
    this._find("theme").setAttribute("aria-label", isDark ? "Light theme" : "Dark theme");
    this._find("sound").textContent = isOn ? "Sound on" : "Sound off";
    this._find("sound").setAttribute("aria-pressed", String(isOn));
  }
}
