// What whoever looks has chosen. The address says what is shown, so that a link or a bookmark says
// it all: `?tenant=…&group=…&queues=8001,8002&tv=1&theme=dark&waiting-alarm=20`. What belongs
// to the screen rather than to what is shown (theme, sound) is remembered by the browser, too.

import {THRESHOLDS} from "./thresholds.js";

const THEMES = ["dark", "light"];

/** The choice, of the address and of what the browser remembers. */
export function readChoice(search, stored = {}) {
  const query = new URLSearchParams(search);
  const theme = query.get("theme") ?? stored.theme;
  return {
    tenant: query.get("tenant") ?? "",
    group: query.get("group") ?? "",
    queues: (query.get("queues") ?? "").split(",").map((each) => each.trim()).filter(Boolean),
    tv: isYes(query.get("tv")),
    out: isYes(query.get("out")),
    theme: THEMES.includes(theme) ? theme : "",
    sound: isYes(query.get("sound")) || stored.sound === true,
    thresholds: {
      ...stored.thresholds,
      ...Object.fromEntries([...query].filter(([name]) => name in THRESHOLDS)),
    },
  };
}

const isYes = (text) => text !== null && text !== "0" && text !== "false";

/** The address of a choice: that of `search`, with what has changed in it. */
export function searchOf(search, changes) {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    const text = value === true ? "1" : String(value || ""); // a list has its commas by itself
    if (text) query.set(name, text);
    else query.delete(name);
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}
