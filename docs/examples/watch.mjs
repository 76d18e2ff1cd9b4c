// Values of a Stat Server, or of both members of a pair as one. Runs as it is in a browser.
// In Node.js 22 and newer:   node watch.mjs ws://127.0.0.1:7100/ ws://127.0.0.1:7110/
// In Node.js 20:             node --experimental-websocket watch.mjs ...
const named = globalThis.process?.argv.slice(2) ?? [];
const urls = named.length ? named : ["ws://127.0.0.1:7100/", "ws://127.0.0.1:7110/"];
const wanted = ["Queue:8001@sw1:CurrNumberWaitingCalls", "Agent:a1:Total_Login_Time"];
const show = globalThis.process ? console.log : text => document.body.append(text + "\n");
const newest = new Map();          // referenceId: time of the newest value shown, and that value

const open = (text, referenceId) => {
  const [, objectType, objectId, statisticType] = text.match(/^(\w+):(.*):(\w+)$/);
  return { request: "OpenStatistic", referenceId, object: { objectType, objectId },
           metric: { statisticType }, notification: { mode: "ChangesBased" } };
};
function take(url, event) {        // of what two members say, only what is news
  if (event.event === "Error") throw new Error(`${url}: ${event.code}: ${event.message}`);
  if (event.event !== "Info") return;
  const { referenceId, value, time } = event, before = newest.get(referenceId);
  if (before && (time < before.time || JSON.stringify(value) === before.json)) return;
  newest.set(referenceId, { time, json: JSON.stringify(value) });
  show(`${wanted[referenceId]} = ${JSON.stringify(value)}`);
}
function connect(url) {
  const socket = new WebSocket(url, "statserver.v1");
  socket.onopen = () => wanted.forEach((text, i) => socket.send(JSON.stringify(open(text, i))));
  socket.onmessage = ({ data }) => [JSON.parse(data)].flat().forEach(e => take(url, e));
  socket.onclose = () => setTimeout(connect, 1000, url);   // dial again; the other one goes on
}
urls.forEach(connect);
