// For test_javascript.py: days come in, what is delivered after each step goes out.
import {readFileSync} from "node:fs";

import {MergedStatistic} from "../../statserver_trio/wallboard/merging.js";

function shown(event) {
  return event.event === "Info" ? ["Info", event.value, event.time] : [event.event];
}

function deliver(merged, {do: what, member, ...rest}) {
  if (what === "opened" || what === "lost") return merged[what](member);
  return merged.told(member, {event: what, reason: "why", ...rest});
}

const days = JSON.parse(readFileSync(0, "utf8"));
const answer = days.map((steps) => {
  const merged = new MergedStatistic();
  return steps.map((step) => deliver(merged, step).map(shown));
});
process.stdout.write(JSON.stringify(answer));
