// Everything that decides and is neither protocol nor pair.
import assert from "node:assert/strict";
import {test} from "node:test";

import {Alarms, HOLD_SECONDS} from "../../statserver_trio/wallboard/alarms.js";
import * as catalogue from "../../statserver_trio/wallboard/catalogue.js";
import {FAULTS_MAX, Health} from "../../statserver_trio/wallboard/health.js";
import {History} from "../../statserver_trio/wallboard/history.js";
import {joined, namedBy} from "../../statserver_trio/wallboard/members.js";
import {readChoice, searchOf} from "../../statserver_trio/wallboard/settings.js";
import {breakLevel, readState, summary} from "../../statserver_trio/wallboard/states.js";
import {readThresholds, tooLittle, tooMuch, worst} from "../../statserver_trio/wallboard/thresholds.js";
import * as words from "../../statserver_trio/wallboard/words.js";

// -- what is shown ---------------------------------------------------------------------------------

const ITEMS = [
  ["Queue", "8002@sw1"], ["Queue", "8001@sw1"], ["RoutePoint", "9001@sw1"], ["GroupQueues", "All"],
  ["Agent", "a10"], ["Agent", "a2"], ["GroupAgents", "Sales"], ["Tenant", "Environment"],
].map(([objectType, objectId]) => ({objectType, objectId}));

test("queues are chosen by name, with or without their switch, and all ACD queues otherwise", () => {
  const {queues} = catalogue.choices(ITEMS);
  const ids = (named) => catalogue.chooseQueues(queues, named).shown.map((each) => each.objectId);
  assert.deepEqual(ids([]), ["8001@sw1", "8002@sw1"]);
  assert.deepEqual(ids(["9001", "8002@sw1", "All", "nowhere"]), ["9001@sw1", "8002@sw1", "All"]);
});

test("agents are in natural order, and those of a group if one is chosen", () => {
  const {agents} = catalogue.choices(ITEMS);
  assert.deepEqual(agents, ["a2", "a10"]);
  assert.deepEqual(catalogue.chooseAgents(agents, "Sales", ["a9", "a1"]).shown, ["a1", "a9"]);
  const many = Array.from({length: 1500}, (_, n) => `a${n}`);
  const {shown, left} = catalogue.chooseAgents(many, "", null);
  assert.equal(shown.length + left, 1500);
  assert.equal(shown.length, catalogue.AGENTS_MAX);
});

test("a tenant is chosen only among those that there are", () => {
  assert.equal(catalogue.chooseTenant(["Environment"], "", "Environment"), "Environment");
  assert.equal(catalogue.chooseTenant(["Environment"], "Elsewhere", "Environment"), "Environment");
  assert.equal(catalogue.chooseTenant(["One", "Two"], "Two", "One"), "Two");
  assert.equal(catalogue.chooseTenant([], "Two", ""), "", "nothing is known yet");
});

test("everything that is shown is opened once, for the tenant that is chosen", () => {
  const queues = [{objectType: "Queue", objectId: "8001@sw1"}];
  const wanted = catalogue.catalogue({tenant: "T", group: "Sales", queues, agents: ["a1", "a2"]});
  assert.equal(wanted.size, Object.keys(catalogue.QUEUE_METRICS).length + 2 * 2 + 1);
  for (const {object} of wanted.values()) assert.equal(object.tenantName, "T");
  const keys = [...wanted.keys()];
  for (const [key, {vouchedBy}] of wanted) {
    if (vouchedBy) assert.ok(keys.indexOf(vouchedBy) > keys.indexOf(key));
  }
  const without = catalogue.catalogue({tenant: "", group: "", queues, agents: []});
  for (const {object} of without.values()) assert.ok(!("tenantName" in object));
});

test("the address says what is shown, and what is not in it is the browser's", () => {
  const choice = readChoice("?group=Sales&queues=8001,%208002&tv=1&waiting-alarm=20&x=1", {theme: "dark"});
  assert.deepEqual(choice.queues, ["8001", "8002"]);
  assert.deepEqual([choice.group, choice.tv, choice.theme], ["Sales", true, "dark"]);
  assert.deepEqual(choice.thresholds, {"waiting-alarm": "20"});
  assert.equal(readChoice("?theme=purple").theme, "");
  assert.equal(searchOf("?group=Sales&x=1", {group: "", queues: ["8001"], tv: true}), "?x=1&queues=8001&tv=1");
  assert.equal(searchOf("?tv=1", {tv: false}), "");
});

// -- states and numbers ------------------------------------------------------------------------------

test("a state has a kind, a word and a reason", () => {
  assert.deepEqual(
    readState({status: "NotReadyForNextCall", time: 7, reasons: {ReasonCode: "Lunch"}}),
    {kind: "break", word: "Not ready", reason: "Lunch", since: 7});
  assert.equal(readState({status: "Novel", time: 0}).word, "Novel");
  for (const nothing of [undefined, null, 7, {}, {status: 3}]) assert.equal(readState(nothing ?? null), null);
  // Who has logged in and said no more is on hook, and neither ready nor not ready.
  for (const status of ["OnHook", "OffHook", "LoggedIn", "Monitored", "Novel"]) {
    assert.equal(readState({status, time: 0}).kind, "other", status);
  }
  assert.equal(readState({status: "WaitForNextCall", time: 0}).kind, "ready");
  assert.equal(readState({status: "toString", time: 0}).word, "toString");
  const all = [readState({status: "CallInbound"}), readState({status: "CallConsult"}), null];
  assert.equal(summary(all).call, 2);
});

test("a break that lasts too long alarms, unless nobody knows whether it still lasts", () => {
  const found = readThresholds(), paused = {kind: "break"};
  assert.equal(breakLevel(paused, 1800, 0, found), "alarm");
  assert.equal(breakLevel(paused, 900, 4.9, found), "warn");
  assert.equal(breakLevel(paused, 1800, 5, found), "", "the feed is dead");
  assert.equal(breakLevel(paused, 1800, null, found), "");
  assert.equal(breakLevel({kind: "call"}, 1800, 0, found), "");
  assert.equal(breakLevel(null, NaN, null, found), "");
});

test("numbers are written as people read them", () => {
  assert.deepEqual([0, 61.9, 3725, NaN, -3].map(words.minutes), ["0:00", "1:01", "1:02:05", "–", "0:00"]);
  assert.deepEqual([99.9, undefined, null].map(words.percent), ["99 %", "–", "–"]);
  assert.deepEqual([0.4, 3.9, 119, 125, null].map(words.age),
    ["0 s old", "3 s old", "119 s old", "2:05 old", "no value yet"]);
  assert.equal(words.clock(new Date(2026, 0, 5, 7, 8, 9.9).getTime() / 1000), "07:08:09");
});

test("thresholds: the later source wins, nonsense is passed over", () => {
  const found = readThresholds({"waiting-warn": 3, "stale-after": 9, new: 1}, {"waiting-warn": "4", "stale-after": "soon"});
  assert.equal(found["waiting-warn"], 4);
  assert.equal(found["stale-after"], 9);
  assert.ok(!("new" in found));
  assert.deepEqual([3, 4, 10, undefined].map((each) => tooMuch(each, "waiting", found)), ["", "warn", "alarm", ""]);
  assert.deepEqual([80, 79, 59].map((each) => tooLittle(each, "service-level", found)), ["", "warn", "alarm"]);
  assert.equal(worst("", "warn", "alarm", ""), "alarm");
});

// -- alarms and history --------------------------------------------------------------------------------

test("an alarm is told once, when it has lasted, and once when it is over", () => {
  const alarms = new Alarms();
  const one = new Map([["q", "q: 12 calls wait"]]), none = new Map();
  assert.deepEqual(alarms.look(one, 0), {raised: [], cleared: []});
  assert.equal(alarms.look(one, HOLD_SECONDS).raised.length, 1);
  assert.equal(alarms.look(one, 3).raised.length, 0);
  alarms.look(none, 4); // for a moment
  assert.equal(alarms.active.length, 1);
  assert.equal(alarms.look(one, 4.5).raised.length, 0);
  assert.equal(alarms.look(none, 10).cleared.length, 1);
  assert.equal(alarms.active.length, 0);
});

test("what lasts for a moment only rings no bell, and nothing piles up", () => {
  const alarms = new Alarms();
  for (let n = 0; n < 10000; n++) alarms.look(new Map([[`q${n}`, "!"]]), n);
  assert.equal(alarms._known.size, 1);
  assert.equal(alarms.latest.length, 0);
  for (let n = 0; n < 10000; n++) alarms.look(new Map(n % 8 < 4 ? [["q", "!"]] : []), n);
  assert.ok(alarms.latest.length <= 20);
});

test("the history is an hour long, and series come and go", () => {
  const history = new History(10);
  for (let n = 0; n < 100; n++) history.add(n, n < 95 ? {a: n} : {a: n, b: n});
  assert.deepEqual(history.times, [90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
  const [times, a, b, c] = history.columns(["a", "b", "c"]);
  assert.equal(times.length, 10);
  assert.deepEqual([a[0], b[4], b[5], c[0]], [90, null, 95, null]);
  history.add(100, {b: 1});
  assert.deepEqual([...history.series.keys()], ["b"]);
});

test("a page that slept takes few samples, and shows no more than the last hour either", () => {
  const history = new History();
  for (const time of [0, 60, 3600, 3660, 3661]) history.add(time, {a: time}); // a tab behind others
  assert.deepEqual(history.times, [3600, 3660, 3661]);
  assert.deepEqual(history.series.get("a"), [3600, 3660, 3661]);
  history.add(90000, {a: 1}); // a laptop that was shut
  assert.deepEqual(history.times, [90000]);
});

// -- members and health --------------------------------------------------------------------------------

const HOME = "http://board:1", PEER = "http://10.0.0.2:1";
const BOARD = {members: [
  {name: "one", url: "http://10.0.0.1:1", self: true}, {name: "two", url: PEER, self: false}]};

test("members are known by the address that answered, whatever they call themselves", () => {
  const all = joined([{url: HOME, name: ""}], namedBy(HOME, BOARD));
  assert.deepEqual(all, [{url: HOME, name: "one"}, {url: PEER, name: "two"}]);
  const theirs = {members: [{name: "two", url: PEER, self: true}, {name: "one", url: "http://10.0.0.1:1"}]};
  assert.deepEqual(joined(all, namedBy(PEER, theirs)), all, "ours by another of its names is no third one");
  const moved = {members: [{name: "two", url: "http://10.0.0.9:1"}]};
  assert.deepEqual(joined(all, namedBy(HOME, moved)).map((each) => each.url), [HOME, "http://10.0.0.9:1"]);
  assert.deepEqual(namedBy(HOME, {members: [{name: "x", url: "javascript:alert(1)"}]}), []);
  assert.deepEqual(namedBy(HOME, null), []);
});

const status = (more = {}) => ({
  name: "one", uptime: 9, session: {id: "abcdefghij", state: "open", lost: 0},
  sources: [{name: "ts1", connected: true, gaps: {open: 0}}], ...more});
const gone = status({sources: [{name: "ts1", connected: false, gaps: {open: 0}}]});

function healthy() {
  const health = new Health();
  health.know([{url: "A", name: "one"}, {url: "B", name: "two"}]);
  for (const [url, role] of [["A", "primary"], ["B", "backup"]]) {
    health.connected(url, 0);
    health.says(url, {role, peer: "x", synchronised: true}, 0);
    health.reports(url, status({name: url === "A" ? "one" : "two"}), 0);
  }
  return health;
}

test("a healthy pair", () => {
  const health = healthy();
  assert.equal(health.pair(1).is, "synchronised");
  assert.match(health.pair(1).session, /abcdefgh, open/);
  assert.deepEqual(health.members().map((each) => [each.name, each.role]), [["one", "primary"], ["two", "backup"]]);
  assert.deepEqual(health.sources(1).map((each) => each.is), ["live"]);
  assert.equal(health.trouble(1), "");
  assert.deepEqual(health.faults, []);
});

test("a member that is gone is a fault, told once, and its return too", () => {
  const health = healthy();
  health.disconnected("A", 10, "closed");
  health.disconnected("A", 11, "refused");
  health.says("B", {role: "primary", peer: null, synchronised: false}, 11);
  assert.equal(health.members()[0].isConnected, false);
  assert.notEqual(health.pair(12).is, "synchronised");
  assert.equal(health.trouble(12), "", "the other one is there");
  health.connected("A", 20);
  assert.deepEqual(health.faults.map((each) => each.text).reverse(), [
    "one is gone: closed", "two is now primary", "one is back"]);
});

test("a pair that is not synchronised is a fault if that lasts", () => {
  const health = healthy();
  const say = (synchronised, time) => health.says("B", {role: "backup", peer: "x", synchronised}, time);
  say(false, 10);
  for (let time = 10; time < 19; time++) health.look(time);
  say(true, 19);
  health.look(19);
  assert.deepEqual(health.faults, []);
  say(false, 20);
  for (let time = 20; time < 60; time++) health.look(time);
  assert.deepEqual(health.faults, [{time: 20, text: "the pair is not synchronised"}]);
  health.disconnected("A", 70, "closed");
  health.look(70);
  health.look(90);
  assert.equal(health.faults.length, 2, "of one member nobody expects it");
});

test("when all are gone everything is old", () => {
  const health = healthy();
  health.disconnected("A", 10, "closed");
  health.disconnected("B", 10, "closed");
  assert.match(health.trouble(11), /No server/);
});

test("a source is gone when nobody hears it", () => {
  const health = healthy();
  health.reports("A", gone, 5);
  assert.equal(health.sources(5)[0].is, "partly");
  assert.equal(health.trouble(5), "");
  health.reports("B", {...gone, name: "two"}, 6);
  assert.equal(health.sources(6)[0].is, "gone");
  assert.equal(health.sources(6)[0].since, 6);
  assert.match(health.trouble(6), /ts1/);
  assert.equal(health.faults.length, 2);
});

/** A status whose source was connected last so many seconds ago. */
const silent = (lastConnected, more = {}) => status({
  uptime: 600, sources: [{name: "ts1", connected: false, lastConnected, gaps: {open: 0}}], ...more});

test("a source that died before the page was opened is gone since then", () => {
  const health = new Health();
  health.know([{url: "A", name: "one"}, {url: "B", name: "two"}]);
  health.reports("A", silent(100), 1000);
  assert.equal(health.sources(1000)[0].since, 900);
  assert.equal(health.goneFor(1000), 100);
  health.reports("B", silent(90, {name: "two"}), 1001);
  assert.equal(health.sources(1001)[0].since, 911, "when the last one lost it");
  health.reports("A", silent(101.9), 1002); // answers are late by a little
  health.reports("B", silent(91.5, {name: "two"}), 1002);
  assert.equal(health.sources(1002)[0].since, 911, "it does not flicker");
  assert.deepEqual(health.faults, [
    {time: 911, text: "two lost the source ts1"}, {time: 900, text: "one lost the source ts1"}]);
});

test("of a source that nobody has ever heard there is no news since the first one began", () => {
  const health = new Health();
  health.know([{url: "A", name: "one"}, {url: "B", name: "two"}]);
  health.reports("A", silent(null), 1000);
  health.reports("B", silent(null, {name: "two", uptime: 3}), 1000);
  assert.equal(health.sources(1000)[0].since, 400);
  assert.deepEqual(health.faults, [{time: 400, text: "one has never heard the source ts1"}],
    "who has begun just now is still dialling");
});

test("what is told late is listed where it belongs", () => {
  const health = healthy();
  health.disconnected("A", 995, "closed");
  health.reports("B", silent(100, {name: "two"}), 1000);
  assert.deepEqual(health.faults.map((each) => each.time), [995, 900]);
  assert.equal(health.noted, 2);
});

test("a member that the page has never reached is not said to have gone", () => {
  const health = new Health();
  health.know([{url: "A", name: "one"}]);
  health.disconnected("A", 5, "it does not answer");
  assert.equal(health.faults[0].text, "one cannot be reached: it does not answer");
});

test("two primaries are an alarm, and a server without a peer is none", () => {
  const health = healthy();
  health.says("B", {role: "primary", peer: "x", synchronised: true}, 5);
  assert.equal(health.pair(5).text, "two primaries");
  const alone = new Health();
  alone.know([{url: "A", name: "one"}]);
  alone.connected("A", 0);
  alone.reports("A", status({session: null}), 0);
  assert.equal(alone.pair(1).is, "alone");
});

test("faults are bounded", () => {
  const health = healthy();
  for (let n = 0; n < 1000; n++) {
    health.disconnected("A", n, "closed");
    health.connected("A", n);
  }
  assert.equal(health.faults.length, FAULTS_MAX);
});
