// What an agent is doing, for people: a kind, which has a colour and a shape, and a word.

import {isOld, tooMuch} from "./thresholds.js";

// kind → what belongs to it in the summary; the order is that of the summary.
export const KINDS = {
  ready: "Ready",
  call: "On a call",
  ringing: "Ringing",
  hold: "On hold",
  acw: "After-call work",
  break: "Not ready",
  other: "Other", // logged in, and neither ready nor anything else that a board counts
  out: "Logged out",
  lost: "Not monitored",
};

// Only who waits for the next call is ready. Below that status stand those of an agent of whom no
// more is known than that he has logged in, and above it the receiver that lies beside the phone.
const WORDS = {
  WaitForNextCall: ["ready", "Ready"],
  CallInbound: ["call", "Inbound"],
  CallOutbound: ["call", "Outbound"],
  CallInternal: ["call", "Internal"],
  CallConsult: ["call", "Consult"],
  CallUnknown: ["call", "On a call"],
  ASM_Engaged: ["call", "Engaged"],
  ASM_Outbound: ["call", "Campaign"],
  CallRinging: ["ringing", "Ringing"],
  CallDialing: ["ringing", "Dialling"],
  CallOnHold: ["hold", "On hold"],
  AfterCallWork: ["acw", "After-call"],
  NotReadyForNextCall: ["break", "Not ready"],
  OffHook: ["other", "Off hook"],
  OnHook: ["other", "On hook"],
  LoggedIn: ["other", "Logged in"],
  Monitored: ["other", "Monitored"],
  LoggedOut: ["out", "Logged out"],
  NotMonitored: ["lost", "No news"],
};

/** `{kind, word, reason, since}` of an agent's state; null before there is one. */
export function readState(value) {
  if (value === null || typeof value !== "object" || typeof value.status !== "string") return null;
  const [kind, word] = Object.hasOwn(WORDS, value.status)
    ? WORDS[value.status] : ["other", value.status];
  return {kind, word, reason: reasonOf(value.reasons), since: value.time};
}

/** The first reason code that was given, or all of what was said where it has another name. */
function reasonOf(reasons) {
  if (!reasons) return "";
  const said = reasons.ReasonCode ?? Object.values(reasons).join(", ");
  return said === undefined ? "" : String(said);
}

/**
 * Whether a break lasts too long: "" | "warn" | "alarm". Of a state that is old nobody knows
 * whether it still lasts, so with a dead feed not everybody's break becomes an alarm.
 */
export function breakLevel(state, seconds, age, thresholds) {
  if (state?.kind !== "break" || isOld(age, thresholds)) return "";
  return tooMuch(seconds, "not-ready", thresholds);
}

/** How many of each kind; of those that say nothing none. */
export function summary(states) {
  const found = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, 0]));
  for (const state of states) if (state !== null) found[state.kind] += 1;
  return found;
}
