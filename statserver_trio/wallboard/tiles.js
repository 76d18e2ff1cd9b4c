// The tiles of queues: how many wait and how long, the service level, and what the day has been.

import {Cell, Rows, element} from "./cells.js";
import {QUEUE_METRICS, key} from "./catalogue.js";
import {isOld, tooLittle, tooMuch, worst} from "./thresholds.js";
import {NOTHING, age, count, minutes, percent, shortName} from "./words.js";

const BADGES = {alarm: "Alarm", warn: "Warning", "": ""};

let made = 0; // for ids of headings

function figure(name, label) {
  const value = element("dd", "value", NOTHING);
  const box = element("div", `figure ${name}`, element("dt", "", label), value);
  return {box, value: new Cell(value)};
}

/** In a word: what cannot be relied upon comes before what is bad. */
function badgeOf({isOld, isMissing, old, level}) {
  if (isOld) return old === null ? "No values" : "Old";
  return isMissing ? "Value missing" : BADGES[level];
}

/** One queue. */
class Tile {
  constructor({objectType, objectId}) {
    this.objectId = objectId;
    this.keys = Object.fromEntries(
      Object.keys(QUEUE_METRICS).map((name) => [name, key(objectType, objectId, name)]));
    const heading = element("h3", "", shortName(objectId));
    heading.id = `queue-${++made}`;
    heading.title = `${objectType} ${objectId}`;
    this.figures = {
      waiting: figure("waiting big", "Waiting"),
      longest: figure("longest big", "Longest wait"),
      level: figure("level", "Service level"),
      answerTime: figure("answer-time", "ASA"),
      answered: figure("answered", "Answered"),
      abandoned: figure("abandoned", "Abandoned"),
    };
    this.figures.answerTime.box.title = "Average speed of answer";
    this.bar = element("div", "bar-fill");
    this._share = null;
    const list = element("dl", "", ...Object.values(this.figures).map((each) => each.box));
    const track = element("dd", "bar", this.bar); // a group of a dl has nothing but dt and dd
    track.setAttribute("aria-hidden", "true"); // the number beside it says it
    this.figures.level.box.append(track);
    const badge = element("p", "badge"), foot = element("p", "age");
    this.node = element("article", "tile",
      element("div", "tile-head", heading, badge), list, foot);
    this.node.setAttribute("aria-labelledby", heading.id);
    this.self = new Cell(this.node);
    this.badge = new Cell(badge);
    this.foot = new Cell(foot);
  }

  /** What is wrong with it: `{level, alarms}`, alarms as [id, sentence]. */
  judge(values, now, thresholds) {
    const read = (name) => values.value(this.keys[name]);
    const old = values.oldest(Object.values(this.keys), now);
    const levels = {
      waiting: tooMuch(read("waiting"), "waiting", thresholds),
      longest: tooMuch(read("longest"), "longest-wait", thresholds),
      // Before anybody was answered or gave up there is no service level, whatever is told.
      level: this._hasCalls(read) ? tooLittle(read("level"), "service-level", thresholds) : "",
    };
    const name = shortName(this.objectId);
    const sentences = {
      waiting: `${name}: ${count(read("waiting"))} calls wait`,
      longest: `${name}: longest wait ${minutes(read("longest"))}`,
      level: `${name}: service level ${percent(read("level"))}`,
    };
    const alarms = Object.keys(levels).filter((each) => levels[each] === "alarm")
      .map((each) => [`${each} ${this.objectId}`, sentences[each]]);
    return {
      levels, alarms, level: worst(...Object.values(levels)), old,
      isOld: isOld(old, thresholds),
      isMissing: values.missing(Object.values(this.keys)) > 0, // some of it, for good
    };
  }

  _hasCalls(read) {
    return (read("answered") ?? 0) + (read("abandoned") ?? 0) > 0;
  }

  /** For the charts: what is not known is null. */
  sample(values, now, thresholds) {
    const read = (name) => values.value(this.keys[name]);
    const {isOld} = this.judge(values, now, thresholds);
    return {
      waiting: isOld ? null : read("waiting"),
      level: isOld || !this._hasCalls(read) ? null : read("level"),
    };
  }

  update(values, now, thresholds) {
    const read = (name) => values.value(this.keys[name]);
    const found = this.judge(values, now, thresholds);
    const has = this._hasCalls(read);
    this.figures.waiting.value.text(count(read("waiting")));
    this.figures.longest.value.text(read("waiting") === 0 ? NOTHING : minutes(read("longest")));
    this.figures.level.value.text(has ? percent(read("level")) : NOTHING);
    this.figures.answerTime.value.text(has ? minutes(read("answerTime")) : NOTHING);
    this.figures.answered.value.text(count(read("answered")));
    this.figures.abandoned.value.text(count(read("abandoned")));
    for (const [name, level] of Object.entries(found.levels)) {
      this.figures[name].value.attribute("data-level", level);
    }
    this._fill(has ? read("level") : 0);
    this.self.attribute("data-level", found.level);
    const why = Object.values(this.keys).map((each) => values.trouble(each)).find(Boolean) ?? "";
    this.self.attribute("data-old", found.isOld || found.isMissing ? "yes" : "");
    this.badge.text(badgeOf(found));
    this.foot.text(this._foot(values, found.old, why));
    return found;
  }

  _foot(values, old, why) {
    const holes = Object.values(this.keys).some((each) => !values.isComplete(each));
    const missed = holes ? "incomplete: events were missed" : "";
    return [age(old), missed, why].filter(Boolean).join(" · ");
  }

  _fill(share) {
    const shown = `${Math.max(0, Math.min(100, share ?? 0)).toFixed(0)}%`;
    if (shown !== this._share) this.bar.style.width = this._share = shown;
  }
}

/** All tiles. */
export class Tiles {
  constructor(parent) {
    this._rows = new Rows(parent, (_, queue) => new Tile(queue));
    this._byKey = new Map();
  }

  show(queues) {
    this._rows.show(queues.map((queue) => [`${queue.objectType} ${queue.objectId}`, queue]));
    this._byKey = new Map([...this._rows.byId.values()].flatMap(
      (tile) => Object.values(tile.keys).map((each) => [each, tile])));
  }

  get all() {
    return this._rows.byId.values();
  }

  get keys() {
    return this._byKey.keys();
  }

  /** The tile that shows this statistic. */
  of(statistic) {
    return this._byKey.get(statistic);
  }
}
