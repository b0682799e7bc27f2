// One panel: the lines of its channels with their bands on one pair of axes, and above it what they are at the pointer.

import uPlot from "../../uplot/uPlot.esm.js";
import { aligned, nearest } from "./align.js";
import { xAxis, yAxis, yRange } from "./axes.js";
import { BAND, PLAIN } from "./channel.js";
import { value } from "./clock.js";
import { drawBounds, drawGaps, drawOut } from "./mark.js";
import { drawStates, stateColours, stateText } from "./state.js";
import { say } from "./words.js";

const EACH = 3; // series of uPlot for a channel: low, high, mean
const HEIGHT = { lines: 168, band: 74 };
const REACH = 60; // pixels that the pointer may be away from a reading to show it
const MEAN = 5; // digits of a mean, which no sensor measured
const NOTHING = () => null;

export class Panel {
  // `chart` is whose panel it is: view, axis, zone, colours, marks, key.
  constructor(chart, channels, firstColour) {
    this.chart = chart;
    this.channels = channels;
    this.firstColour = firstColour;
    this.isBand = channels[0].drawnAs === BAND;
    this.isPlain = channels[0].drawnAs === PLAIN;
    this.lines = channels.map(() => ({ x: [], value: [] }));
    this.element = document.createElement("div");
    this.element.className = "chart-panel";
    this.legend = this.element.appendChild(document.createElement("ul"));
    this.legend.className = "chart-legend";
    this.shown = channels.map((channel, place) => this.entry(channel, place));
    this.place = this.element.appendChild(document.createElement("div"));
  }

  entry(channel, place) {
    const item = this.legend.appendChild(document.createElement("li"));
    const swatch = item.appendChild(document.createElement("i"));
    swatch.hidden = this.isBand || this.isPlain;
    swatch.style.background = this.chart.colours.line(this.firstColour + place);
    const name = item.appendChild(document.createElement("bdi"));
    name.textContent = channel.label;
    name.title = channel.name;
    const shown = item.appendChild(document.createElement("b"));
    const unit = item.appendChild(document.createElement("span"));
    unit.textContent = channel.unit;
    const spread = item.appendChild(document.createElement("span"));
    spread.className = "soft";
    return { swatch, shown, unit, spread };
  }

  draw() {
    this.plot?.destroy();
    if (this.isPlain) return;
    this.plot = new uPlot(this.options(), [[]], this.place);
    this.put();
  }

  get height() {
    return this.isBand ? HEIGHT.band : HEIGHT.lines;
  }

  options() {
    const { chart } = this;
    const series = this.isBand ? [{ scale: "y", stroke: "transparent", points: { show: false } }] : this.channels.flatMap((_, place) => this.series(place));
    const y = this.isBand ? { range: [0, 1] } : { range: yRange };
    const side = yAxis("", chart.colours);
    if (this.isBand) side.values = (_, splits) => splits.map(() => "");
    if (this.isBand) side.grid = { show: false };
    return {
      width: Math.max(chart.width, 120), height: this.height, legend: { show: false }, padding: [8, 20, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), chart.zone),
      scales: { x: { time: chart.axis === "clock", auto: false, range: () => [chart.view.from, chart.view.to] }, y },
      series: [{}, ...series],
      bands: this.isBand ? [] : this.channels.map((_, place) => ({
        series: [EACH * place + 2, EACH * place + 1], fill: () => chart.colours.faint(this.firstColour + place, 28),
      })),
      axes: [xAxis(chart.axis, chart.zone, chart.colours), side],
      cursor: {
        y: false, drag: { x: false, y: false, setScale: false }, sync: { key: chart.key, scales: ["x", null] },
        bind: { mousedown: () => NOTHING, mouseup: () => NOTHING, click: () => NOTHING, dblclick: () => NOTHING },
        points: {
          size: (_, place) => (place % EACH === 0 && !this.isBand ? 8 : 0),
          fill: (_, place) => chart.colours.line(this.firstColour + Math.ceil(place / EACH) - 1),
          width: 0,
        },
        dataIdx: (plot, place, idx) => beside(plot.data[place], idx),
      },
      hooks: {
        drawClear: [(plot) => drawGaps(plot, chart.marks.gaps, chart.colours)],
        draw: [(plot) => this.drawAbove(plot)],
        setCursor: [(plot) => chart.pointed(this, plot.cursor.left)],
      },
    };
  }

  series(place) {
    const { colours } = this.chart;
    const edge = { scale: "y", stroke: () => colours.faint(this.firstColour + place, 75), width: 1, points: { show: false } };
    return [edge, { ...edge }, {
      scale: "y", stroke: () => colours.line(this.firstColour + place), width: 1.6, points: { size: 5, fill: () => colours.line(this.firstColour + place) },
    }];
  }

  drawAbove(plot) {
    const { chart } = this;
    if (this.isBand) drawStates(plot, this.lines[0], chart, this.colours);
    drawOut(plot, chart.marks.out, chart.colours);
    if (chart.marks.bounds) drawBounds(plot, chart.marks.bounds, chart.colours);
  }

  // Takes the channels' lines; the view says what of them is seen.
  put(data = this.data) {
    this.data = data;
    if (!data) return;
    this.lines = this.channels.map((channel) => data.lines.get(channel.name) ?? { x: [], value: [] });
    this.channels.forEach((channel, place) => {
      if (!channel.unit) this.shown[place].unit.textContent = data.units.get(channel.name) ?? "";
    });
    if (!this.plot) return;
    if (this.isBand) {
      this.colours = stateColours(this.lines[0], this.colours);
      this.plot.setData([[this.chart.view.from, this.chart.view.to], [null, null]], false);
    } else {
      this.plot.setData(aligned(this.lines, this.chart.breaks, data.width), false);
    }
    this.see();
  }

  see() {
    const { from, to } = this.chart.view;
    this.plot?.setScale("x", { min: from, max: to });
  }

  // What the channels are at a place, or, for none, the last that is seen.
  point(x) {
    const { view, width } = this.chart;
    const reach = x === null ? view.length : Math.max((REACH / width) * view.length, this.data?.width ?? 0);
    this.channels.forEach((_, place) => this.tell(place, x ?? view.to, reach));
  }

  // What a channel is there, as text; empty where no reading is near.
  at(place, x, reach) {
    const line = this.lines[place], half = (this.data?.width ?? 0) / 2;
    const index = line.x.length ? nearest(line, x - (line.value ? 0 : half)) : -1;
    if (index < 0 || Math.abs(line.x[index] + (line.value ? 0 : half) - x) > reach) return null;
    const { decimals, isCounter } = this.channels[place];
    if (this.isBand) return { text: stateText(line.value[index]), spread: "" };
    if (line.value) return { text: value(line.value[index], decimals), spread: "" };
    if (isCounter) return { text: value(line.last[index], decimals), spread: "" };
    const [low, high] = [line.low[index], line.high[index]].map((each) => value(each, decimals));
    return { text: value(decimals === null ? Number(line.mean[index].toPrecision(MEAN)) : line.mean[index], decimals), spread: low === high ? "" : say("lowhigh", { low, high }) };
  }

  tell(place, x, reach) {
    const found = this.at(place, x, reach);
    const { shown, spread } = this.shown[place];
    shown.textContent = this.lines[place].isTooMuch ? say("many") : (found?.text ?? "–");
    spread.textContent = found?.spread ?? "";
  }

  resize() {
    this.plot?.setSize({ width: Math.max(this.chart.width, 120), height: this.height });
  }

  recolour() {
    this.shown.forEach(({ swatch }, place) => {
      swatch.style.background = this.chart.colours.line(this.firstColour + place);
    });
    this.plot?.redraw(false, true);
  }
}

// The nearest place around that a line has a value at.
function beside(column, idx) {
  if (idx === null || !column) return idx;
  for (let away = 0; away < 200; away += 1) {
    if (column[idx - away] !== undefined && column[idx - away] !== null) return idx - away;
    if (column[idx + away] !== undefined && column[idx + away] !== null) return idx + away;
  }
  return idx;
}
