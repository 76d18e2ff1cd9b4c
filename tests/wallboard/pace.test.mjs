// How many cells are made in a frame, by how long frames take.
import assert from "node:assert/strict";
import {test} from "node:test";

import {Pace} from "../../statserver_trio/wallboard/pace.js";

/** How many were made in each frame, of so many, where a cell takes that long, in ms. */
function made(cells, each, frame = 16) {
  const pace = new Pace(), all = [];
  for (let moment = 0; cells > 0;) {
    const now = Math.min(cells, pace.next(moment));
    all.push(now);
    cells -= now;
    moment += Math.max(frame, now * each);
  }
  return all;
}

test("on a quick machine it is done soon", () => {
  assert.deepEqual(made(500, 0.1), [16, 32, 64, 64, 64, 64, 64, 64, 64, 4]);
});

test("on a slow one frames stay short", () => {
  const slow = made(500, 2);
  assert.ok(Math.max(...slow) * 2 <= 64, `${slow}`);
  assert.ok(slow.length < 40, `${slow}`);
});

test("on one that is slow whatever is made it still comes to an end", () => {
  assert.deepEqual(new Set(made(500, 0.1, 200).slice(1)), new Set([8, 4]));
});

test("a rest is no slow frame", () => {
  const pace = new Pace();
  pace.next(0);
  pace.rest();
  assert.equal(pace.next(60_000), 16);
});
