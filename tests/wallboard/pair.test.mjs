import assert from "node:assert/strict";
import {test} from "node:test";

import {AGAIN_MAX, Pair} from "../../statserver_trio/wallboard/pair.js";
import {Values} from "../../statserver_trio/wallboard/values.js";

const WHAT = {object: {objectType: "Queue", objectId: "q"}, metric: {category: "CurrentNumber"}};

/** Servers that answer, and what is shown of them. */
class Room {
  constructor() {
    this.pair = new Pair();
    this.values = new Values(this.pair);
    this.opened = new Map(); // member → key → {referenceId, statisticId}
    this.told = [];
  }

  /** What was sent is answered as a server does. */
  answer({updates, send}, now) {
    this.take(updates);
    for (const [member, texts] of send) {
      for (const text of texts) {
        const {request, referenceId} = JSON.parse(text);
        if (request === "OpenStatisticEx") {
          this.opened.set(member, referenceId);
          this.hear(member, {event: "StatisticOpened", referenceId, statisticId: referenceId}, now);
        }
      }
    }
  }

  take(updates) {
    this.values.take(updates);
    this.told.push(...updates.map(({event}) => (event.event === "Info" ? event.value : event.event)));
  }

  hear(member, event, now) {
    this.take(this.pair.take(member, JSON.stringify(event), now).updates);
  }

  connect(member, now = 0) {
    this.answer(this.pair.connected(member, now), now);
  }

  say(member, value, time, now = time) {
    this.hear(member, {event: "Info", statisticId: this.opened.get(member), value, time, interval: 0, complete: true}, now);
  }

  word(member, event, now) {
    this.hear(member, {event, statisticId: this.opened.get(member), reason: "ts1 is away"}, now);
  }
}

function both() {
  const room = new Room();
  room.answer(room.pair.want(new Map([["k", WHAT]])), 0);
  room.connect("A");
  room.connect("B");
  return room;
}

test("when one dies, what the other one said is there at once", () => {
  const room = both();
  room.say("A", 5, 1);
  room.say("B", 5, 1);
  room.say("B", 6, 2);
  assert.deepEqual(room.told, [5]);
  room.take(room.pair.disconnected("A").updates);
  assert.deepEqual(room.told, [5, 6]);
  assert.equal(room.pair.leaderOf("k"), "B");
});

test("who comes back is behind, and is not shown", () => {
  const room = both();
  room.say("A", 5, 1);
  room.say("B", 5, 1);
  room.take(room.pair.disconnected("A").updates);
  room.say("B", 7, 9);
  room.connect("A", 10);
  room.say("A", 5, 1, 10);
  room.say("A", 7, 9, 10);
  assert.deepEqual(room.told, [5, 7]);
});

test("a value is as old as the last word of who vouches for it", () => {
  const room = both();
  assert.equal(room.values.age("k", 1), null, "nothing was told");
  room.say("A", 5, 1);
  assert.equal(room.values.age("k", 1.5), 0.5);
  room.hear("A", {event: "ServerMode", role: "primary", peer: null, synchronised: true}, 60);
  assert.equal(room.values.age("k", 60.25), 0.25, "it has not changed, and is not old");
  room.take(room.pair.disconnected("A").updates);
  room.take(room.pair.disconnected("B").updates);
  assert.equal(room.values.age("k", 100), 40);
  assert.match(room.values.trouble("k"), /no server/);
  assert.equal(room.values.value("k"), 5, "the last one is shown, as an old one");
});

test("what a member cannot vouch for grows old, and another one's word is taken", () => {
  const room = both();
  room.say("A", 5, 1);
  room.say("B", 5, 1);
  room.word("A", "StatisticInvalid", 2);
  assert.equal(room.pair.leaderOf("k"), "B");
  room.word("B", "StatisticInvalid", 3);
  room.hear("B", {event: "ServerMode", role: "backup", peer: null, synchronised: true}, 9);
  assert.equal(room.values.age("k", 10), 7, "the connection lives, the value does not");
  assert.equal(room.values.trouble("k"), "ts1 is away");
  room.word("B", "StatisticValid", 11);
  assert.equal(room.values.age("k", 11), 0);
  assert.equal(room.values.trouble("k"), "");
});

test("a state has no validity of its own, and takes that of the number beside it", () => {
  const pair = new Pair();
  pair.want(new Map([["state", {...WHAT, vouchedBy: "heard"}], ["heard", WHAT]]));
  const told = [];
  const hear = (member, now, ...events) => {
    const {updates} = pair.take(member, JSON.stringify(events), now);
    told.push(...updates.map(({key, event}) => `${key} ${event.value ?? event.event}`));
  };
  for (const member of ["A", "B"]) {
    pair.connected(member, 0); // asks for the objects first, then for what is wanted
    hear(member, 0, {event: "StatisticOpened", referenceId: 2, statisticId: 2},
      {event: "StatisticOpened", referenceId: 3, statisticId: 3});
  }
  const info = (value, time) => (
    {event: "Info", statisticId: 2, value, time, interval: 0, complete: true});
  hear("A", 1, info("Ready", 1));
  hear("B", 1, info("Ready", 1));
  hear("A", 2, {event: "StatisticInvalid", statisticId: 3, reason: "ts1"});
  hear("B", 3, info("Busy", 3));
  assert.equal(pair.leaderOf("state"), "B");
  assert.deepEqual(told, ["state Ready", "state Busy"]);
  hear("B", 4, {event: "StatisticInvalid", statisticId: 3, reason: "ts1"});
  assert.equal(pair.freshAt("state"), 4);
  pair.want(new Map());
  assert.equal(pair._vouchesFor.size, 0);
});

test("a value that was not valid when everybody went is valid when it is opened anew", () => {
  const room = both();
  room.say("A", 5, 1);
  for (const member of ["A", "B"]) room.word(member, "StatisticInvalid", 2);
  for (const member of ["A", "B"]) room.take(room.pair.disconnected(member).updates);
  room.connect("A", 20);
  room.say("A", 6, 20);
  assert.equal(room.values.age("k", 20), 0);
  assert.equal(room.values.trouble("k"), "");
});

test("what is told of a source that has been gone for long is as old as that", () => {
  const room = both();
  room.values.goneFor = 100;
  room.say("A", 5, 1);
  assert.equal(room.values.age("k", 1), 0, "it is another source that is gone");
  for (const member of ["A", "B"]) room.word(member, "StatisticInvalid", 1);
  assert.equal(room.values.age("k", 2), 100);
  room.values.goneFor = 0; // nobody says since when
  assert.equal(room.values.age("k", 2), 1);
});

test("what is not wanted any more is closed, and forgotten", () => {
  const room = both();
  room.say("A", 5, 1);
  const {send} = room.pair.want(new Map());
  room.values.keep(new Map());
  assert.deepEqual([...send.values()].flat().map((text) => JSON.parse(text).request),
    ["CloseStatistic", "CloseStatistic"]);
  room.say("A", 6, 2);
  assert.deepEqual(room.told, [5]);
  assert.equal(room.values.value("k"), undefined);
});

/** The requests among what is to be sent, as "member request". */
const asked = ({send}) => [...send].flatMap(
  ([member, texts]) => texts.map((text) => `${member} ${JSON.parse(text).request}`));

test("what is closed is asked for again at once, but not again and again", () => {
  const room = both();
  room.say("A", 5, 1);
  const close = (member, now) => room.pair.take(member, JSON.stringify({
    event: "StatisticClosed", statisticId: room.opened.get(member), reason: "changed"}), now);
  for (const member of ["A", "B"]) { // a reload, of one member after the other
    const closed = close(member, 100);
    assert.deepEqual(asked(closed), [`${member} OpenStatisticEx`]);
    room.answer(closed, 100);
  }
  assert.equal(room.pair.leaderOf("k"), "A");
  room.say("A", 7, 101);
  assert.equal(room.values.value("k"), 7);
  assert.equal(room.values.age("k", 101), 0);
  assert.equal(room.values.trouble("k"), "");
  assert.deepEqual(asked(close("A", 102)), [], "it has been asked for just now");
  assert.deepEqual(asked(room.pair.again(103)), ["A OpenStatisticEx"]);
  assert.deepEqual(asked(room.pair.again(104)), [], "that question is still open");
});

test("when nobody has it open any more, who opens it again leads, and it is fresh", () => {
  const room = both();
  room.say("A", 5, 1);
  const closed = ["A", "B"].map((member) => room.pair.take(member, JSON.stringify({
    event: "StatisticClosed", statisticId: room.opened.get(member), reason: "changed"}), 100));
  for (const {updates} of closed) room.take(updates);
  assert.equal(room.pair.leaderOf("k"), null);
  assert.equal(room.values.trouble("k"), "changed");
  for (const each of closed) room.answer({...each, updates: []}, 100);
  assert.equal(room.pair.leaderOf("k"), "A");
  assert.equal(room.values.trouble("k"), "");
  room.say("A", 6, 0, 101); // its clock may begin anew
  assert.equal(room.values.value("k"), 6);
});

test("what was refused is asked for again, so many at a time, and who waits longest first", () => {
  const room = new Room();
  const keys = Array.from({length: AGAIN_MAX + 50}, (_, n) => `k${n}`);
  room.pair.want(new Map(keys.map((each) => [each, WHAT])));
  const refuse = ({send}, now) => {
    for (const text of [...send.values()].flat()) {
      const {referenceId, request} = JSON.parse(text);
      if (request !== "OpenStatisticEx") continue;
      room.hear("A", {event: "Error", referenceId, code: "unknown-object", message: "none"}, now);
    }
  };
  refuse(room.pair.connected("A", 0), 0);
  const first = room.pair.again(60);
  assert.equal(asked(first).length, AGAIN_MAX);
  refuse(first, 60);
  const second = room.pair.again(120);
  assert.equal(asked(second).length, AGAIN_MAX);
  const untried = JSON.parse([...second.send.values()][0][0]).referenceId;
  room.hear("A", {event: "StatisticOpened", referenceId: untried, statisticId: 1}, 120);
  assert.equal(room.pair.leaderOf(`k${AGAIN_MAX}`), "A");
});

test("a state that is opened again is as valid as the number that vouches for it", () => {
  const pair = new Pair();
  pair.want(new Map([["state", {...WHAT, vouchedBy: "heard"}], ["heard", WHAT]]));
  pair.connected("A", 0);
  const hear = (now, ...events) => pair.take("A", JSON.stringify(events), now);
  hear(0, {event: "Error", referenceId: 2, code: "limit", message: "too many"},
    {event: "StatisticOpened", referenceId: 3, statisticId: 3},
    {event: "StatisticInvalid", statisticId: 3, reason: "ts1"});
  const [text] = pair.again(60).send.get("A");
  hear(60, {event: "StatisticOpened", referenceId: JSON.parse(text).referenceId, statisticId: 9});
  assert.equal(pair.troubleOf("state"), "ts1");
});

test("what was refused or never valid is missing among what is fresh", () => {
  const room = new Room();
  room.pair.want(new Map([["k", WHAT], ["l", WHAT]]));
  room.pair.connected("A", 0);
  const keys = ["k", "l"];
  assert.equal(room.values.oldest(keys, 0), null);
  assert.equal(room.values.missing(keys), 0, "they are on their way");
  room.hear("A", {event: "StatisticOpened", referenceId: 2, statisticId: 2}, 0);
  room.hear("A", {event: "Info", statisticId: 2, value: 1, time: 1, interval: 0, complete: true}, 1);
  assert.equal(room.values.missing(keys), 0);
  room.hear("A", {event: "Error", referenceId: 3, code: "unknown-object", message: "none"}, 1);
  assert.equal(room.values.missing(keys), 1);
  assert.equal(room.values.oldest(keys, 1), 0, "and what is there is fresh");
});

test("what every member refuses says why", () => {
  const room = new Room();
  room.pair.want(new Map([["k", WHAT]]));
  room.pair.connected("A", 0);
  room.hear("A", {event: "Error", referenceId: 2, code: "unknown-object", message: "no such queue"}, 0);
  assert.equal(room.values.trouble("k"), "no such queue");
});

test("how long something lasts is told by one clock at a time", () => {
  const room = both();
  room.say("A", {status: "WaitForNextCall", time: 1000}, 1030, 5); // its clock is far ahead of ours
  assert.equal(room.values.lasts("k", 1000, 6), 31);
});

test("a thousand changes with one member frozen leave little behind", () => {
  const room = both();
  for (let n = 0; n < 5000; n++) room.say("A", n, n);
  const {_sides: sides} = room.pair._wanted.get("k").merged;
  for (const side of sides.values()) assert.ok(side.owed.length + side.ahead.length <= 400);
});
