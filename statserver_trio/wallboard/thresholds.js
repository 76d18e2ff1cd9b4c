// From when on the board warns and alarms. The site says so (`[wallboard] thresholds`); whoever
// looks may say otherwise for this browser, or in the address: `?waiting-alarm=20`.

// By name, with what holds where nobody says anything.
export const THRESHOLDS = {
  "waiting-warn": 5, // calls in one queue
  "waiting-alarm": 10,
  "longest-wait-warn": 30, // seconds
  "longest-wait-alarm": 120,
  "service-level-warn": 80, // percent; below it
  "service-level-alarm": 60,
  "not-ready-warn": 900, // seconds of one break
  "not-ready-alarm": 1800,
  "stale-after": 5, // seconds without a word of who tells a value
};

export const LABELS = {
  "waiting-warn": "Calls waiting, warning",
  "waiting-alarm": "Calls waiting, alarm",
  "longest-wait-warn": "Longest wait, warning (s)",
  "longest-wait-alarm": "Longest wait, alarm (s)",
  "service-level-warn": "Service level below, warning (%)",
  "service-level-alarm": "Service level below, alarm (%)",
  "not-ready-warn": "Break, warning (s)",
  "not-ready-alarm": "Break, alarm (s)",
  "stale-after": "Old after (s)",
};

/** All of them; later sources win, and what is no number is passed over. */
export function readThresholds(...sources) {
  const found = {...THRESHOLDS};
  for (const source of sources) {
    for (const [name, value] of Object.entries(source ?? {})) {
      const number = value === "" || value === null ? NaN : Number(value);
      if (name in found && Number.isFinite(number) && number >= 0) found[name] = number;
    }
  }
  return found;
}

/** Whether a value of this age, in seconds or null for never told, is to be believed no more. */
export const isOld = (age, thresholds) => age === null || age >= thresholds["stale-after"];

/** "" | "warn" | "alarm" of a value that is the worse the greater it is. */
export function tooMuch(value, name, thresholds) {
  if (!Number.isFinite(value)) return "";
  if (value >= thresholds[`${name}-alarm`]) return "alarm";
  return value >= thresholds[`${name}-warn`] ? "warn" : "";
}

/** The same of one that is the worse the less it is. */
export function tooLittle(value, name, thresholds) {
  if (!Number.isFinite(value)) return "";
  if (value < thresholds[`${name}-alarm`]) return "alarm";
  return value < thresholds[`${name}-warn`] ? "warn" : "";
}

const RANKS = ["", "warn", "alarm"];

/** The worst of several. */
export const worst = (...levels) => RANKS[Math.max(...levels.map((each) => RANKS.indexOf(each)))];
