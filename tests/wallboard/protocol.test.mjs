import assert from "node:assert/strict";
import {test} from "node:test";

import {Conversation, HEARTBEAT_SECONDS} from "../../statserver_trio/wallboard/protocol.js";

const WHAT = {object: {objectType: "Agent", objectId: "a1"}, metric: {category: "CurrentState"}};
const say = (conversation, events, now = 0) => conversation.take(JSON.stringify(events), now);

/** A conversation with "k" open as 17. */
function opened() {
  const conversation = new Conversation(0);
  conversation.open("k", WHAT);
  say(conversation, {event: "StatisticOpened", referenceId: 1, statisticId: 17});
  return conversation;
}

test("a request is what protocols.md says", () => {
  const sent = JSON.parse(new Conversation(0).open("k", WHAT));
  assert.deepEqual(sent, {request: "OpenStatisticEx", referenceId: 1, ...WHAT, notification: {}});
});

test("values are known by our key, also where several share a frame", () => {
  const {happenings} = say(opened(), [
    {event: "Info", referenceId: 1, statisticId: 17, value: 5, time: 1, interval: 0, complete: true},
    {event: "Info", referenceId: 9, statisticId: 99, value: 6, time: 1, interval: 0, complete: true},
    {event: "ServerMode", role: "backup", peer: null, synchronised: true},
  ]);
  assert.deepEqual(happenings.map((each) => [each.kind, each.key]), [["told", "k"], ["mode", undefined]]);
  assert.equal(happenings[0].event.value, 5);
});

test("what is refused says why", () => {
  const conversation = new Conversation(0);
  conversation.open("k", WHAT);
  const {happenings} = say(conversation, {event: "Error", referenceId: 1, code: "limit", message: "enough"});
  assert.deepEqual(happenings, [{kind: "refused", key: "k", message: "enough"}]);
});

test("what was closed before it was open is closed as soon as it is", () => {
  const conversation = new Conversation(0);
  conversation.open("k", WHAT);
  assert.equal(conversation.close("k"), "");
  const {happenings, send} = say(conversation, {event: "StatisticOpened", referenceId: 1, statisticId: 17});
  assert.deepEqual(happenings, []);
  assert.equal(JSON.parse(send[0]).statisticId, 17);
});

test("who reopens it at once has it open", () => {
  const conversation = opened();
  conversation.close("k");
  conversation.open("k", WHAT);
  say(conversation, {event: "StatisticClosed", referenceId: 2, statisticId: 17});
  say(conversation, {event: "StatisticOpened", referenceId: 3, statisticId: 18});
  const {happenings} = say(conversation, {event: "Info", referenceId: 3, statisticId: 18, value: 1});
  assert.equal(happenings[0].key, "k");
});

test("nothing is left of what was answered", () => {
  const conversation = opened();
  for (let n = 0; n < 100; n++) {
    const reference = JSON.parse(conversation.open(`k${n}`, WHAT)).referenceId;
    say(conversation, {event: "StatisticOpened", referenceId: reference, statisticId: 100 + n});
    const closing = JSON.parse(conversation.close(`k${n}`)).referenceId;
    say(conversation, {event: "StatisticClosed", referenceId: closing, statisticId: 100 + n});
  }
  assert.equal(conversation._questions.size, 0);
  assert.equal(conversation._keys.size, 1);
  assert.equal(conversation._ids.size, 1);
});

test("what is no JSON is garbage, and what is JSON of another kind is passed over", () => {
  const conversation = new Conversation(0);
  assert.equal(conversation.take("<html>", 0).happenings[0].kind, "garbage");
  for (const text of ["null", "7", "[null,1,\"x\",[]]", "{\"event\":\"Strange\"}", "{}"]) {
    assert.deepEqual(conversation.take(text, 0).happenings, [], text);
  }
});

test("who says nothing is asked, and lost if there is no answer", () => {
  const conversation = new Conversation(10);
  assert.deepEqual(conversation.due(10), {at: 10 + HEARTBEAT_SECONDS, send: "", lost: ""});
  const asked = conversation.due(11);
  assert.equal(JSON.parse(asked.send).request, "GetServerMode");
  assert.equal(asked.at, 12);
  assert.match(conversation.due(12).lost, /silent/);
});

test("an answer is enough", () => {
  const conversation = new Conversation(10);
  conversation.due(10);
  const {referenceId} = JSON.parse(conversation.due(11).send);
  say(conversation, {event: "ServerMode", referenceId, role: "primary", peer: null, synchronised: false}, 11.4);
  assert.equal(conversation.due(12).lost, "");
  assert.equal(conversation.due(12).at, 12.4);
  assert.equal(conversation._questions.size, 0);
});

test("if it was us who slept, the server is asked anew", () => {
  const conversation = new Conversation(10);
  conversation.due(10);
  conversation.due(11);
  const awake = conversation.due(3600);
  assert.equal(awake.lost, "");
  assert.equal(JSON.parse(awake.send).request, "GetServerMode");
  assert.match(conversation.due(3601).lost, /silent/);
});
