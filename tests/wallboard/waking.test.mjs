// The one timer of the board that is set anew with every look.
import assert from "node:assert/strict";
import {test} from "node:test";

import {Waking} from "../../statserver_trio/wallboard/waking.js";

test("a thousand looks leave one timer behind, that of the last one", (t) => {
  t.mock.timers.enable({apis: ["setTimeout"]});
  let looks = 0;
  const waking = new Waking(() => looks++);
  for (let each = 0; each < 1000; each++) waking.in(0.5);
  waking.in(0.9);
  t.mock.timers.tick(800);
  assert.equal(looks, 0);
  t.mock.timers.tick(200);
  assert.equal(looks, 1);
});

test("with nothing to wait for it does not look", (t) => {
  t.mock.timers.enable({apis: ["setTimeout"]});
  let looks = 0;
  const waking = new Waking(() => looks++);
  waking.in(0.5);
  waking.in(Infinity);
  t.mock.timers.tick(5000);
  assert.equal(looks, 0);
});

test("five hundred moments within a second are not five hundred looks", (t) => {
  t.mock.timers.enable({apis: ["setTimeout", "Date"]});
  const moments = Array.from({length: 500}, (_, each) => 2 * each);  // of agents, in ms
  let looks = 0;
  let missed = 0;
  const waking = new Waking(() => {
    looks++;
    missed = Math.max(missed, Date.now() - moments[0]);
    while (moments.length && moments[0] <= Date.now()) moments.shift();
    waking.in(moments.length ? (moments[0] - Date.now()) / 1000 : Infinity);
  });
  waking.in(0);
  for (let ms = 0; ms < 1200; ms++) t.mock.timers.tick(1);
  assert.equal(moments.length, 0);
  assert.ok(looks <= 21, `${looks} looks`);
  assert.ok(missed <= 50, `${missed} ms late`);
});
