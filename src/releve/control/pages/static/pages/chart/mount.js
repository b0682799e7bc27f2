// Puts a chart into each element that asks for one: <div class="chart" data-chart data-device=…> or data-run=… data-start=….

import * as address from "./address.js";
import { channelsOf } from "./channel.js";
import { Chart } from "./chart.js";
import { secondsOf } from "./clock.js";
import { dress } from "./dress.js";
import { button } from "./range.js";
import { sourceOf } from "./series.js";
import { View } from "./view.js";
import { say } from "./words.js";

const mounted = new WeakMap();

// The shortest range that ends now and still shows the last reading; a device that is silent for long shows its last hour.
function homeOf(last) {
  const now = Date.now() / 1000;
  if (!Number.isFinite(last)) return { range: "1h", length: 3600 };
  for (const range of ["1h", "24h", "7d", "30d", "1y"]) {
    const length = address.RANGES.get(range);
    if (now - last < length / 2) return { range, length };
  }
  return { from: last - 3600, to: last + 60 };
}

function following(range) {
  const now = Date.now() / 1000, length = address.RANGES.get(range);
  return { from: now - length, to: now, range, isLive: true };
}

function viewOf(element, source) {
  if (element.dataset.run) {
    const isGrowing = "open" in element.dataset;
    const end = (isGrowing ? Date.now() / 1000 : secondsOf(element.dataset.end)) - source.origin;
    const margin = Math.max(end * 0.02, 0.5);
    return { from: -margin, to: end + (isGrowing ? 0 : margin), isGrowing, isLive: isGrowing };
  }
  const home = homeOf(Date.parse(element.dataset.last) / 1000);
  return home.range ? following(home.range) : home;
}

// `data-device`, with `data-last` (its last reading) and `data-part`; or `data-run` with `data-start`, `data-end` (or `data-open` while
// it goes on), `data-out` (spans left out, as JSON), and for who may change it `data-state` (its ETag) and `data-of` (its device). Both:
// `data-channels`, `data-part`, `data-title`, `data-zone`.
export async function mount(element) {
  if (mounted.has(element)) return mounted.get(element);
  element.classList.add("chart");
  const making = dress().then(() => make(element));
  mounted.set(element, making);
  try {
    return await making;
  } catch (error) {
    const wrong = Object.assign(document.createElement("p"), { className: "wrong", role: "alert" });
    wrong.textContent = `${say("failed")} ${error.message}`;
    element.replaceChildren(wrong);
    mounted.delete(element);
    throw error;
  }
}

// What is left out of a run, hatched; whoever edits it may drag.
async function dressRun(chart, element, source) {
  const { out, state, end, of, part } = element.dataset;
  const since = (text) => secondsOf(text) - source.origin;
  chart.marks.out = JSON.parse(out ?? "[]").map((span) => span.map(since));
  if (state === undefined) return;
  const { Edit } = await import("./edit.js");
  const around = { ...source, path: `api/v1/devices/${of}`, part: part ?? "" };
  new Edit(chart, { path: source.path, state, around, bounds: [0, "open" in element.dataset ? null : since(end)] });
}

// The buttons that put distance in the place of time: counters that the run has.
function chooser(chart, element, channels, by) {
  const counters = channels.filter((each) => each.isCounter).map((each) => [each.name, each.label]);
  if (!counters.length) return;
  const bar = chart.tools.appendChild(Object.assign(document.createElement("div"), { className: "chart-bar", role: "group" }));
  bar.ariaLabel = say("by");
  for (const [name, label] of [["", say("byTime")], ...counters]) {
    const each = bar.appendChild(button(label, () => {
      const to = new URL(location.href);
      for (const asked of ["from", "to", "range", "by"]) to.searchParams.delete(asked);
      if (name) to.searchParams.set("by", name);
      history.replaceState(history.state, "", to);
      chart.close();
      mounted.set(element, make(element));
    }));
    each.ariaPressed = String(name === by);
  }
}

async function along(element, source, channels, by) {
  source.by = by;
  const drawn = channels.filter((each) => each.name !== by);
  const view = new View({ from: 0, to: 1 });
  const chart = new Chart(element, source, drawn, view, { title: element.dataset.title, axis: "along", fileName: `run-${element.dataset.run}` });
  chooser(chart, element, channels, by);
  await chart.refresh();
  const places = [...chart.data?.lines.values() ?? []].flatMap((line) => [line.x[0], line.x.at(-1)]).filter(Number.isFinite);
  const home = { from: Math.min(...places), to: Math.max(...places) };
  if (home.from < home.to) {
    view.home = home;
    const asked = address.read(0, true);
    view.show(asked?.from ?? home.from, asked?.to ?? home.to, { keep: false });
  }
  chart.bar.show();
  return chart;
}

async function make(element) {
  const source = sourceOf(element);
  const channels = await channelsOf(element);
  const by = element.dataset.run ? (new URLSearchParams(location.search).get("by") ?? "") : "";
  if (channels.some((each) => each.name === by && each.isCounter)) return along(element, source, channels, by);
  const view = new View(viewOf(element, source), source.origin);
  const asked = address.read(source.origin);
  if (asked?.range) view.follow(address.RANGES.get(asked.range), asked.range, false);
  else if (asked) view.show(asked.from, asked.to, { keep: false });
  const { device, run, title, zone } = element.dataset;
  const settings = {
    title: title ?? "", zone, mayFollow: Boolean(device) || "open" in element.dataset, fileName: run ? `run-${run}` : `device-${device}`,
  };
  const chart = new Chart(element, source, channels, view, settings);
  if (run) {
    chooser(chart, element, channels, "");
    await dressRun(chart, element, source);
  }
  await chart.start();
  return chart;
}

for (const element of document.querySelectorAll("[data-chart]")) mount(element).catch((error) => console.warn(error));
