// The wallboard: everything put together. Members → pair → values → one frame that touches what
// has changed. The decisions are in pair.js, merging.js, health.js, alarms.js; nothing else waits.

import {AlarmView, TROUBLE} from "./alarm_view.js";
import {Alarms} from "./alarms.js";
import {Agents} from "./agents.js";
import {Cell} from "./cells.js";
import {
  catalogue, chooseAgents, chooseQueues, chooseTenant, choices, key, membersOf,
} from "./catalogue.js";
import {Charts} from "./charts.js";
import {Connection, now} from "./connection.js";
import {Controls} from "./controls.js";
import {Health} from "./health.js";
import {HealthView} from "./health_view.js";
import {History, SAMPLE_SECONDS} from "./history.js";
import {Members} from "./members.js";
import {Pair} from "./pair.js";
import {recall, remember} from "./memory.js";
import {readChoice, searchOf} from "./settings.js";
import {Bell} from "./sound.js";
import {dress, isDark, onSystemChange} from "./theme.js";
import {isOld, readThresholds} from "./thresholds.js";
import {Tiles} from "./tiles.js";
import {Values} from "./values.js";
import {Waking} from "./waking.js";
import {age, clock, shortName} from "./words.js";

const OBJECTS_SECONDS = 60; // between two looks at what there is: agents log in for the first time
const TICK_SECONDS = 1;

const find = (id) => document.getElementById(id);
const wallClock = () => Date.now() / 1000;

class Board {
  constructor() {
    this._stored = recall("choice", {});
    this._choice = readChoice(location.search, this._stored);
    this._thresholds = readThresholds(this._choice.thresholds);
    this._pair = new Pair();
    this._values = new Values(this._pair);
    this._connections = new Map();
    this._health = new Health();
    this._healthView = new HealthView(find);
    this._alarms = new Alarms();
    this._alarmView = new AlarmView(find);
    this._bell = new Bell();
    this._history = new History();
    this._objects = choices([]);
    this._queues = [];
    this._site = {};
    this._version = "";
    this._cells = Object.fromEntries(
      ["scope", "clock", "queues-note", "queues-age", "agents-note", "agents-age", "charts-age"]
        .map((id) => [id, new Cell(find(id))]));
    this._isFramed = false;
    this._isWhole = false; // the next frame looks at everything
    this._isResized = false;
    this._waking = new Waking(() => this._tick());
    dress(this._choice.theme);
    document.documentElement.dataset.mode = this._choice.tv ? "tv" : "desk";
    this._tiles = new Tiles(find("tiles"));
    this._agents = new Agents(find("agent-grid"), find("summary"));
    this._charts = new Charts(find("charts"), this._history);
    this._controls = new Controls(find, {
      change: (changes) => this._change(changes),
      threshold: (name, value) => this._changeThreshold(name, value),
      theme: () => this._changeTheme(),
      sound: () => this._changeSound(),
      escape: () => this._choice.tv && this._change({tv: false}),
    });
    this._members = new Members(location.origin, {
      know: (members) => this._know(members),
      board: (url, board) => this._heardOfSite(url, board),
      status: (url, status) => {
        this._health.reports(url, status, wallClock());
        this._values.goneFor = this._health.goneFor(wallClock());
      },
    });
  }

  start() {
    if (this._choice.sound) this._bell.turn(true);
    this._judge();
    this._look();
    onSystemChange(() => this._redress());
    this._members.start();
    setInterval(() => this._tick(), TICK_SECONDS * 1000);
    setInterval(() => this._sample(), SAMPLE_SECONDS * 1000);
    setInterval(() => {
      this._apply(this._pair.ask("Objects"));
      this._apply(this._pair.again(now()));
    }, OBJECTS_SECONDS * 1000);
    new ResizeObserver(() => this._resized()).observe(find("agent-grid"));
    document.addEventListener("visibilitychange", () => this._tick());
    this._tick();
  }

  // -- the members -------------------------------------------------------------------------------

  _know(members) {
    this._health.know(members);
    const urls = new Set(members.map((each) => each.url));
    for (const [url, connection] of this._connections) {
      if (urls.has(url)) continue;
      this._connections.delete(url);
      connection.close();
    }
    for (const {url} of members) {
      if (this._connections.has(url)) continue;
      this._connections.set(url, new Connection(url, {
        connected: () => {
          this._health.connected(url, wallClock());
          this._apply(this._pair.connected(url, now()));
        },
        text: (text) => this._apply(this._pair.take(url, text, now())),
        lost: (why) => {
          this._health.disconnected(url, wallClock(), why);
          this._apply(this._pair.disconnected(url));
          this._isWhole = true;
        },
        due: (moment) => this._pair.due(url, moment),
      }));
    }
  }

  _heardOfSite(url, board) {
    if (url === location.origin) {
      // A page lives for weeks: when its server was replaced by a newer one, so is the page.
      if (this._version !== "" && board.application !== this._version) location.reload();
      this._version = board.application ?? "";
    }
    const isNew = board.tenant !== this._site.tenant;
    this._site = board;
    this._judge();
    if (isNew) this._rechoose();
  }

  /** The site's thresholds, those of this browser, and those of the address. */
  _judge() {
    this._thresholds = readThresholds(this._site.thresholds, this._choice.thresholds);
    this._controls.thresholds(this._thresholds, this._stored.thresholds ?? {});
  }

  _apply({updates, send, others}) {
    for (const [url, texts] of send) {
      for (const text of texts) this._connections.get(url)?.send(text);
    }
    this._values.take(updates);
    for (const other of others) this._heard(other);
    const members = key("GroupAgents", this._choice.group, "members");
    if (updates.some((each) => each.key === members)) this._rechoose();
    this._frameSoon();
  }

  _heard({kind, member, ...what}) {
    if (kind === "mode") this._health.says(member, what.mode, wallClock());
    if (kind === "profile" && what.profile === "Objects") {
      this._objects = choices(what.items);
      this._rechoose();
    }
  }

  // -- what is shown -----------------------------------------------------------------------------

  _change(changes) {
    const search = searchOf(location.search, changes);
    history.replaceState(null, "", location.pathname + search);
    this._choice = readChoice(search, this._stored);
    this._judge();
    document.documentElement.dataset.mode = this._choice.tv ? "tv" : "desk";
    this._rechoose();
    this._resized();
    this._charts.repaint();
  }

  /** Have open and show what is chosen, of what there is. */
  _rechoose() {
    const {group, queues: named} = this._choice;
    const tenant = chooseTenant(
      this._objects.tenants, this._choice.tenant, this._site.tenant ?? "");
    const state = this._values.value(key("GroupAgents", group, "members"));
    const queues = chooseQueues(this._objects.queues, named);
    const agents = chooseAgents(this._objects.agents, group, membersOf(state));
    const wanted = catalogue({tenant, group, queues: queues.shown, agents: agents.shown});
    this._values.keep(wanted);
    this._apply(this._pair.want(wanted));
    this._tiles.show(queues.shown);
    this._agents.show(agents.shown);
    this._note("queues-note", queues.shown.length, queues.left, "No queue to show");
    this._note("agents-note", agents.shown.length, agents.left, "No agent to show");
    this._cells.scope.text([tenant, group || "all agents"].filter(Boolean).join(" · "));
    const tvAddress = searchOf(location.search, {tv: true});
    this._controls.show(this._objects, this._choice, queues.shown, tvAddress);
    const labelled = queues.shown.map((each) => ({...each, label: shortName(each.objectId)}));
    const ids = labelled.map((each) => each.objectId).join("\n");
    if (ids !== this._queues.map((each) => each.objectId).join("\n")) this._charts.show(labelled);
    this._queues = labelled;
    this._isWhole = true;
    this._frameSoon();
  }

  /** An empty board says why it is empty. */
  _note(id, shown, left, nothing) {
    this._cells[id].text(left ? `and ${left} more` : shown ? "" : nothing);
  }

  _store(changes) {
    this._stored = {...this._stored, ...changes};
    remember("choice", this._stored);
  }

  _changeThreshold(name, value) {
    const {[name]: _, ...others} = this._stored.thresholds ?? {};
    this._store({thresholds: value === "" ? others : {...others, [name]: Number(value)}});
    this._change({[name]: ""});
    this._tick();
  }

  _changeTheme() {
    this._store({theme: isDark(this._choice.theme) ? "light" : "dark"});
    this._change({theme: ""});
    this._redress();
  }

  _redress() {
    if (dress(this._choice.theme)) this._charts.repaint();
    this._look();
  }

  _changeSound() {
    this._bell.turn(!this._bell.isOn);
    this._store({sound: this._bell.isOn});
    if (this._bell.isOn) this._bell.ring();
    this._look();
  }

  _look() {
    this._controls.look({isDark: isDark(this._choice.theme), isOn: this._bell.isOn});
  }

  // -- frames ------------------------------------------------------------------------------------

  _resized() {
    this._isResized = true;
    this._frameSoon();
  }

  _tick() {
    this._isWhole = true;
    this._health.look(wallClock());
    this._values.goneFor = this._health.goneFor(wallClock());
    this._frameSoon();
    this._alarm();
  }

  _frameSoon() {
    if (this._isFramed) return;
    this._isFramed = true;
    requestAnimationFrame(() => {
      this._isFramed = false;
      this._frame();
    });
  }

  /** Touch what has changed; once a second everything that grows old. */
  _frame() {
    const moment = now(), news = this._values.news;
    if (this._agents.grow(performance.now())) this._isWhole = true;
    const [tiles, agents] = this._isWhole
      ? [this._tiles.all, this._agents.all]
      : [new Set([...news].map((each) => this._tiles.of(each)).filter(Boolean)),
        new Set([...news].map((each) => this._agents.of(each)).filter(Boolean))];
    for (const tile of tiles) tile.update(this._values, moment, this._thresholds);
    for (const agent of agents) {
      agent.update(this._values, moment, this._thresholds, this._choice.out);
    }
    this._agents.sum();
    this._agents.fit(this._choice.tv, this._isResized);
    this._isResized = false;
    if (this._isWhole) {
      this._ages(moment);
      this._wake(moment);
    }
    this._healthView.update(this._health, wallClock(), (url) => {
      const heardAt = this._pair.heardAt(url);
      return heardAt === null ? null : moment - heardAt;
    });
    news.clear();
    this._isWhole = false;
    if (!this._agents.isComplete) this._frameSoon();
  }

  _ages(moment) {
    const queues = [...this._tiles.keys], agents = [...this._agents.keys];
    const parts = {
      "queues-age": queues, "agents-age": agents, "charts-age": [...queues, ...agents],
    };
    for (const [id, keys] of Object.entries(parts)) {
      const old = this._values.oldest(keys, moment), missing = this._values.missing(keys);
      this._cells[id].text(age(old) + (old !== null && missing ? `, ${missing} missing` : ""));
      const isWrong = missing > 0 || isOld(old, this._thresholds);
      this._cells[id].attribute("data-old", isWrong ? "yes" : "");
    }
    this._cells.clock.text(clock(wallClock()));
  }

  /** What turns old before the next tick is shown as old when it does. */
  _wake(moment) {
    const after = this._thresholds["stale-after"];
    const seconds = Math.min(this._values.untilOld(this._tiles.keys, moment, after),
      this._values.untilOld(this._agents.keys, moment, after));
    this._waking.in(seconds < TICK_SECONDS ? seconds : Infinity);
  }

  // -- alarms and samples ------------------------------------------------------------------------

  _alarm() {
    const moment = now(), found = new Map();
    const trouble = this._health.trouble(wallClock());
    if (trouble) found.set(TROUBLE, trouble);
    for (const tile of this._tiles.all) {
      const judged = tile.judge(this._values, moment, this._thresholds);
      if (!judged.isOld) for (const [id, text] of judged.alarms) found.set(id, text);
    }
    for (const agent of this._agents.all) {
      if (agent.level(this._values, moment, this._thresholds) === "alarm") {
        found.set(`not-ready ${agent.id}`, `${agent.id}: not ready for too long`);
      }
    }
    const news = this._alarms.look(found, moment);
    if (news.raised.length) this._bell.ring();
    this._alarmView.update(this._alarms.active, news);
  }

  /** What is old is no sample: the line has a gap. */
  _sample() {
    const moment = now(), sample = {};
    for (const tile of this._tiles.all) {
      const known = tile.sample(this._values, moment, this._thresholds);
      for (const [name, value] of Object.entries(known)) sample[`${name} ${tile.objectId}`] = value;
    }
    const old = this._values.oldest(this._agents.keys, moment);
    const sum = isOld(old, this._thresholds) ? null : this._agents.summary();
    sample.ready = sum?.ready ?? null;
    sample.busy = sum && sum.call + sum.ringing + sum.hold + sum.acw;
    sample.break = sum?.break ?? null;
    this._history.add(wallClock(), sample);
    this._charts.draw();
  }
}

new Board().start();
