// Runs over each other: their curves, how far each lies from the first, along a channel how much later each comes; best laps.

import uPlot from "../../uplot/uPlot.esm.js";
import { ask } from "./ask.js";
import { nearest } from "./align.js";
import { xAxis, yAxis, yRange } from "./axes.js";
import { elapsed, number } from "./clock.js";
import { Colours } from "./colour.js";
import { dress } from "./dress.js";
import { say } from "./words.js";

const HEIGHT = 210;
const START = "start";

class Layer {
  // `lines`: [{name, unit, colour, values}] over the places `x`.
  constructor(chart, title, x, lines) {
    Object.assign(this, { chart, x, lines });
    this.element = document.createElement("div");
    this.element.className = "chart-panel";
    const head = this.element.appendChild(document.createElement("p"));
    head.className = "chart-status";
    head.appendChild(document.createElement("bdi")).textContent = title;
    const legend = this.element.appendChild(document.createElement("ul"));
    legend.className = "chart-legend";
    this.shown = lines.map((line) => this.entry(legend, line));
    this.place = this.element.appendChild(document.createElement("div"));
  }

  entry(legend, line) {
    const item = legend.appendChild(document.createElement("li"));
    item.appendChild(document.createElement("i")).style.background = this.chart.colours.line(line.colour);
    item.appendChild(document.createElement("bdi")).textContent = line.name;
    const shown = item.appendChild(document.createElement("b"));
    item.appendChild(document.createElement("span")).textContent = line.unit;
    return shown;
  }

  draw() {
    const { colours, kind, key } = this.chart;
    const longest = Math.max(...this.lines.map((line) => line.values.length), 0);
    this.plot = new uPlot({
      width: this.chart.width, height: HEIGHT, legend: { show: false }, padding: [8, 20, 0, 0],
      scales: { x: { time: false }, y: { range: yRange } },
      series: [{}, ...this.lines.map((line) => ({ stroke: () => colours.line(line.colour), width: 1.6, points: { show: false } }))],
      axes: [xAxis(kind, "", colours), yAxis("", colours)],
      cursor: { y: false, drag: { x: true, y: false }, sync: { key, scales: ["x", null] } },
      hooks: { setCursor: [(plot) => this.point(plot.cursor.left)], setScale: [(plot, scale) => scale === "x" && this.chart.together(plot)] },
    }, [this.x.slice(0, longest), ...this.lines.map((line) => [...line.values, ...new Array(longest - line.values.length).fill(null)])], this.place);
    this.point(-1);
  }

  point(left) {
    const place = left >= 0 ? nearest({ x: this.x }, this.plot.posToVal(left, "x")) : -1;
    this.lines.forEach((line, number_) => {
      const found = line.values.at(place);
      const isThere = place < 0 || place < line.values.length;
      this.shown[number_].textContent = isThere && found !== undefined && found !== null ? number(Number(found.toPrecision(6))) : "–";
    });
  }
}

class Comparison {
  constructor(element, found) {
    Object.assign(this, { element, found, key: "compare", colours: new Colours(element), layers: [] });
    this.kind = found.align === START ? "elapsed" : "along";
  }

  get width() {
    return Math.max(this.element.clientWidth, 120);
  }

  together(plot) {
    if (this.isZooming) return;
    this.isZooming = true;
    for (const layer of this.layers) if (layer.plot && layer.plot !== plot) layer.plot.setScale("x", plot.scales.x);
    this.isZooming = false;
  }

  draw() {
    const { found } = this;
    const [first, ...others] = found.runs;
    const line = (run, values, unit) => ({ name: run.name, unit, colour: found.runs.indexOf(run), values });
    this.add(found.channel, found.runs.map((run) => line(run, run.values, run.unit ?? "")));
    this.add(say("delta", { name: first.name }), others.map((run) => line(run, run.delta, first.unit ?? "")));
    if (this.kind === "along") this.add(say("timeDelta", { name: first.name }), others.map((run) => line(run, run.time_delta_s, "s")));
    const axis = this.element.appendChild(document.createElement("p"));
    axis.className = "chart-status soft small";
    const unit = found.x_unit ? ` (${found.x_unit})` : "";
    axis.textContent = this.kind === "along" ? say("along", { channel: found.align + unit }) : say("since");
    this.table();
    this.laps();
  }

  add(title, lines) {
    const layer = new Layer(this, title, this.found.x, lines);
    this.layers.push(layer);
    this.element.append(layer.element);
    layer.draw();
  }

  table() {
    const fold = this.element.appendChild(document.createElement("details"));
    fold.className = "fold chart-table";
    fold.appendChild(document.createElement("summary")).textContent = say("table");
    fold.addEventListener("toggle", () => fold.open && fold.children.length < 2 && fold.append(this.rows()), { once: true });
  }

  rows() {
    const scroll = Object.assign(document.createElement("div"), { className: "scroll tall", tabIndex: 0, role: "region" });
    scroll.ariaLabel = say("table");
    const table = scroll.appendChild(document.createElement("table"));
    const head = table.createTHead().insertRow();
    const columns = this.layers.flatMap((layer, place) => layer.lines.map((line) => [place ? `Δ ${line.name}` : line.name, line.values]));
    for (const name of [this.kind === "along" ? this.found.align : say("elapsed"), ...columns.map(([name]) => name)]) {
      head.appendChild(Object.assign(document.createElement("th"), { scope: "col", className: "number" })).appendChild(document.createElement("bdi")).textContent = name;
    }
    const body = table.createTBody();
    this.found.x.forEach((x, place) => {
      const row = body.insertRow();
      row.appendChild(Object.assign(document.createElement("th"), { scope: "row", className: "plain number" })).textContent = this.kind === "along" ? number(x) : elapsed(x, 0.1);
      for (const [, values] of columns) {
        const value = values[place];
        Object.assign(row.insertCell(), { className: "number" }).textContent = value === undefined || value === null ? "" : number(value);
      }
    });
    return scroll;
  }

  laps() {
    for (const [name, field] of [["best", "best_lap_s"], ["theoretical", "theoretical_best_s"]]) {
      const row = document.querySelector(`[data-laps=${name}]`);
      if (!row || this.found.runs.every((run) => run[field] === null)) continue;
      this.found.runs.forEach((run, place) => { row.cells[place + 1].textContent = run[field] === null ? "" : elapsed(run[field], 0.01); });
      row.hidden = false;
    }
    const all = document.querySelector("[data-laps=all]");
    if (!all || this.found.theoretical_best_s === null) return;
    all.textContent = `${all.dataset.text} ${elapsed(this.found.theoretical_best_s, 0.01)}.`;
    all.hidden = false;
  }
}

async function compare(element) {
  await dress();
  const { runs, channel, align } = element.dataset;
  element.ariaBusy = "true";
  try {
    const comparison = new Comparison(element, await ask(`api/v1/runs/compare?${new URLSearchParams({ runs, channel, align })}`));
    comparison.draw();
    new ResizeObserver(() => comparison.layers.forEach((layer) => layer.plot.setSize({ width: comparison.width, height: HEIGHT }))).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      comparison.colours.read();
      comparison.layers.forEach((layer) => layer.plot.redraw(false, true));
    });
  } catch (error) {
    const wrong = element.appendChild(Object.assign(document.createElement("p"), { className: "wrong", role: "alert" }));
    wrong.textContent = `${say("failed")} ${error.message}`;
  }
  element.ariaBusy = "false";
}

for (const element of document.querySelectorAll("[data-compare]")) compare(element);
