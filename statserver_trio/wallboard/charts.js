// Charts of the last hour, drawn by uPlot from the samples in history.js.

import uPlot from "./vendor/uPlot.esm.js";
import {Cell, Rows, element} from "./cells.js";
import {clock} from "./words.js";

const SERIES_MAX = 6; // lines that can be told apart, and colours that there are
const HEIGHT_MIN = 60; // pixels
const SPAN_MIN = 600; // seconds that are shown when the board is young

const hour = (time) => clock(time).slice(0, -3);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The colours of some lines: of the agents' states, or one after the other. */
const strokes = (series) => series.map(({token}, n) => colour(token ?? `--series-${n + 1}`));

/** A chart with its heading and the names of its lines. */
class Chart {
  constructor(title, unit) {
    this.title = title;
    this._unit = unit;
    this._series = [];
    this._plot = null;
    this._legend = element("ul", "legend");
    this._items = new Rows(this._legend, (_, {label}) => {
      const value = element("b", ""), swatch = element("span", "swatch");
      swatch.setAttribute("aria-hidden", "true");
      return {node: element("li", "", swatch, `${label} `, value), swatch, value: new Cell(value)};
    });
    this._canvas = element("div", "plot");
    const heading = element("h3", "", title);
    this.node = element("figure", "chart",
      element("figcaption", "", heading, this._legend), this._canvas);
    this._watch = new ResizeObserver(() => this._fit());
    this._watch.observe(this._canvas);
  }

  /** Which lines: `{name, label, token}`; drawn anew where they or the colours are others. */
  show(series, history) {
    this._series = series.slice(0, SERIES_MAX);
    this._items.show(this._series.map((each) => [each.name, each]));
    const shades = strokes(this._series);
    this._series.forEach(({name}, n) => {
      this._items.byId.get(name).swatch.style.background = shades[n];
    });
    this._plot?.destroy();
    this._plot = new uPlot(this._options(shades), this._data(history), this._canvas);
  }

  /** What has been sampled since. */
  draw(history) {
    const data = this._data(history);
    this._series.forEach(({name}, n) => {
      const last = data[n + 1].at(-1);
      const shown = Number.isFinite(last) ? `${Math.floor(last)}${this._unit}` : "";
      this._items.byId.get(name).value.text(shown);
    });
    this._plot?.setData(data);
  }

  _data(history) {
    return history.columns(this._series.map((each) => each.name));
  }

  _size() {
    return {
      width: Math.max(120, this._canvas.clientWidth),
      height: Math.max(HEIGHT_MIN, this._canvas.clientHeight),
    };
  }

  _fit() {
    if (this._plot === null) return;
    const {width, height} = this._size();
    if (width === this._plot.width && height === this._plot.height) return;
    this._plot.setSize({width, height});
  }

  _options(shades) {
    const text = colour("--muted"), line = colour("--line");
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const font = `${0.75 * rem}px ${getComputedStyle(document.body).fontFamily}`;
    const axis = {stroke: text, font, grid: {stroke: line, width: 1}, ticks: {show: false}};
    return {
      ...this._size(),
      legend: {show: false},
      cursor: {show: false},
      padding: [0.6 * rem, 0.5 * rem, 0, 0],
      scales: {
        x: {range: (_, low, high) => [Math.min(low, high - SPAN_MIN), high]},
        y: {range: (_, low, high) => (
          this._unit ? [0, 100] : [0, Math.max(5, Math.ceil((high ?? 0) * 1.1))])},
      },
      axes: [
        {...axis, size: 1.6 * rem, space: 4.5 * rem, values: (_, times) => times.map(hour)},
        {...axis, size: 2.75 * rem, space: 1.8 * rem, values: (_, all) => all.map(
          (each) => (Number.isInteger(each) ? `${each}${this._unit}` : ""))},
      ],
      series: [{}, ...this._series.map(({label}, n) => (
        {label, stroke: shades[n], width: 2, points: {show: false}, spanGaps: false}))],
    };
  }
}

/** All charts. */
export class Charts {
  constructor(parent, history) {
    this._history = history;
    this.waiting = new Chart("Calls waiting", "");
    this.level = new Chart("Service level", "%");
    this.agents = new Chart("Agents", "");
    this._all = [this.waiting, this.level, this.agents];
    parent.append(...this._all.map((each) => each.node));
    this._shown = null;
  }

  /** For these queues, `{objectType, objectId, label}`. */
  show(queues) {
    this._shown = queues;
    const of = (prefix) => queues.map(
      ({objectId, label}) => ({name: `${prefix} ${objectId}`, label}));
    this.waiting.show(of("waiting"), this._history);
    this.level.show(of("level"), this._history);
    this.agents.show([
      {name: "ready", label: "Ready", token: "--ready"},
      {name: "busy", label: "Busy", token: "--call"},
      {name: "break", label: "Not ready", token: "--break"},
    ], this._history);
    this.draw();
  }

  /** The colours are others. */
  repaint() {
    if (this._shown !== null) this.show(this._shown);
  }

  draw() {
    for (const chart of this._all) chart.draw(this._history);
  }
}
