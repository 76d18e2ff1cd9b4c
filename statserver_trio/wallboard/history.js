// The last hour, as samples in columns; bounded, whatever happens.

export const SAMPLE_SECONDS = 5;
export const HISTORY_SECONDS = 3600;
export const SAMPLES_MAX = HISTORY_SECONDS / SAMPLE_SECONDS;

/** Samples of several series at the same moments; what was not known is null. */
export class History {
  constructor(max = SAMPLES_MAX) {
    this._max = max;
    this.times = [];
    this.series = new Map(); // name → values, as long as `times`
  }

  /** Add a sample: a time, and values by name. A series that is not named any more ends. */
  add(time, values) {
    for (const name of this.series.keys()) if (!(name in values)) this.series.delete(name);
    for (const name of Object.keys(values)) {
      if (!this.series.has(name)) this.series.set(name, this.times.map(() => null));
    }
    this.times.push(time);
    for (const [name, column] of this.series) column.push(values[name] ?? null);
    // A browser calls a page in the background once a minute: few samples may be many hours.
    const recent = this.times.findIndex((each) => time - each <= HISTORY_SECONDS);
    const outdated = Math.max(recent, this.times.length - this._max);
    if (outdated <= 0) return;
    for (const column of [this.times, ...this.series.values()]) column.splice(0, outdated);
  }

  /** As a chart wants it: the times, and a column for each name. */
  columns(names) {
    const nothing = () => this.times.map(() => null);
    return [this.times, ...names.map((name) => this.series.get(name) ?? nothing())];
  }
}
