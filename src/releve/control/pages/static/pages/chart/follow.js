// Lets a chart follow what comes, as long as its view is live.

import { ask } from "./ask.js";
import { add } from "./series.js";

const EVERY_MS = 1000;
const AGAIN_MS = 60_000; // what was put together here is asked for again: late readings, gaps, the grid
const MOST_RAW = 4000;

export class Follow {
  constructor(chart) {
    this.chart = chart;
  }

  // Begins or ends following, as the view says.
  settle() {
    const isWanted = this.chart.mayFollow && this.chart.view.isLive;
    if (isWanted && !this.timer) this.timer = setInterval(() => this.turn(), EVERY_MS);
    if (!isWanted) this.close();
  }

  async turn() {
    if (document.hidden || this.isBusy || !this.chart.data) return;
    this.isBusy = true;
    try {
      await this.hear();
    } catch {
      // the next turn asks again; what is drawn stays
    }
    this.isBusy = false;
  }

  async hear() {
    const { chart } = this;
    const since = Math.max(...[...chart.data.lines.values()].map((line) => line.x.at(-1) ?? -Infinity), chart.heardTo ?? -Infinity, chart.view.from);
    const asked = new URLSearchParams(chart.channels.slice(0, 32).map((each) => ["channel", each.name]));
    asked.set("from", String(Math.floor((since + chart.data.width + chart.origin) * 1e6) + 1));
    asked.set("points", "2000");
    if (chart.source.part) asked.set("part", chart.source.part);
    const found = await ask(`${chart.source.path}/series?${asked}`);
    this.take(found);
  }

  take(found) {
    const { chart } = this;
    const rows = new Map();
    for (const series of found.series) {
      const values = series.value ?? series.last;
      series.time.forEach((time, place) => {
        const x = time / 1e6 - chart.origin;
        if (!rows.has(x)) rows.set(x, Object.create(null));
        rows.get(x)[series.channel] = values[place];
      });
    }
    for (const [x, values] of [...rows].sort((one, other) => one[0] - other[0])) this.reading(x, values);
    this.move(rows.size > 0);
  }

  reading(x, values) {
    const { chart } = this;
    this.isStale ||= !add(chart.data, chart.channels, x, values);
    chart.heardTo = Math.max(chart.heardTo ?? -Infinity, x);
  }

  move(isNew) {
    const { chart } = this;
    chart.view.slide(Math.max(chart.view.now, chart.heardTo ?? -Infinity));
    if (isNew) chart.put();
    const length = Math.max(...[...chart.data.lines.values()].map((line) => line.x.length));
    if (this.isStale || length > MOST_RAW || performance.now() - chart.asked.at > AGAIN_MS) {
      this.isStale = false;
      chart.refresh();
    }
  }

  close() {
    clearInterval(this.timer);
    this.timer = null;
  }
}
