// Lets a chart follow what is committed, as long as its view is live.

import { follow } from "../live.js";
import { secondsOf } from "./clock.js";
import { add } from "./series.js";

const A_TICK_MS = 1000; // the present moves on without a reading, too
const AGAIN_MS = 60_000; // what was put together here is asked for again: late readings, gaps, the grid
const MOST_RAW = 4000;
const SAME = 1e-6; // an instant has microseconds

export class Follow {
  constructor(chart) {
    this.chart = chart;
  }

  // Begins or ends following, as the view says.
  settle() {
    const isWanted = this.chart.mayFollow && this.chart.view.isLive;
    if (!isWanted) this.close();
    if (!isWanted || this.stream) return;
    const { query } = this.chart.source;
    this.stream = follow(query, {
      reading: (reading) => this.reading(reading),
      state: (state) => { if (state === "open" && this.wasLost) this.chart.refresh(); this.wasLost = state === "lost"; },
    });
    this.timer = setInterval(() => this.move(), A_TICK_MS);
  }

  reading({ time, channels }) {
    const { chart } = this;
    const { part } = chart.source;
    const [name, ...rest] = part ? part.split("=") : [""];
    if (name && String(channels[name]) !== rest.join("=")) return;
    const x = secondsOf(time) - chart.origin;
    if (!chart.data || x <= chart.heardTo + SAME) {
      this.isStale ||= x < chart.heardTo - SAME; // a late one; at first the last of before comes once more
      return;
    }
    this.isStale = !add(chart.data, chart.channels, x, channels) || this.isStale;
    chart.heardTo = x;
    this.isNew = true;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.move();
    });
  }

  move() {
    const { chart } = this;
    if (!chart.data || !this.stream) return;
    chart.view.slide(Math.max(chart.view.now, chart.heardTo ?? -Infinity));
    if (this.isNew) chart.put();
    this.isNew = false;
    const length = Math.max(...[...chart.data.lines.values()].map((line) => line.x.length), 0);
    if (length > MOST_RAW || performance.now() - chart.askedAt > AGAIN_MS || (this.isStale && performance.now() - chart.askedAt > A_TICK_MS)) {
      this.isStale = false;
      chart.refresh();
    }
  }

  close() {
    this.stream?.close();
    this.stream = null;
    clearInterval(this.timer);
  }
}
