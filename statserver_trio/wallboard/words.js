// Numbers as people read them. A value that is not there is a dash, never a zero.

export const NOTHING = "–";

const two = (n) => String(n).padStart(2, "0");

/** `m:ss`, with hours where there are any. */
export function minutes(seconds) {
  if (!Number.isFinite(seconds)) return NOTHING;
  const whole = Math.max(0, Math.floor(seconds));
  const rest = `${Math.floor(whole / 60) % 60}`;
  return whole < 3600
    ? `${rest}:${two(whole % 60)}`
    : `${Math.floor(whole / 3600)}:${rest.padStart(2, "0")}:${two(whole % 60)}`;
}

/** A whole number. */
export const count = (value) => (Number.isFinite(value) ? String(Math.round(value)) : NOTHING);

/** Percent, without decimals, which nobody reads on a wall; 79.9 is not 80, and warns. */
export const percent = (value) => (Number.isFinite(value) ? `${Math.floor(value)} %` : NOTHING);

/** How old something is, or that it was never there. */
export function age(seconds) {
  if (seconds === null || !Number.isFinite(seconds)) return "no value yet";
  return seconds < 120 ? `${Math.max(0, Math.floor(seconds))} s old` : `${minutes(seconds)} old`;
}

/** The name of an object without its switch. */
export const shortName = (objectId) => objectId.split("@")[0];

/**
 * The time of day here of a moment in Unix seconds, `hh:mm:ss`. By hand: the first time that a
 * browser is asked for its way to write it, it takes longer than a frame.
 */
export function clock(time) {
  const moment = new Date(time * 1000);
  return [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(two).join(":");
}
