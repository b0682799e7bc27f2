// Puts a chart into each element that asks for one: <div class="chart" data-chart data-device=…> or data-run=… data-start=….

import * as address from "./address.js";
import { channelsOf } from "./channel.js";
import { Chart } from "./chart.js";
import { sourceOf } from "./series.js";
import { View } from "./view.js";
import { say } from "./words.js";

const here = (path) => new URL(path, import.meta.url);
const mounted = new WeakMap();

function dress() {
  for (const sheet of ["../../uplot/uPlot.min.css", "./chart.css"]) {
    const address = here(sheet).href;
    if ([...document.querySelectorAll("link[rel=stylesheet]")].some((link) => link.href === address)) continue;
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: address }));
  }
}

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

function viewOf(element, source, isAlong) {
  if (element.dataset.run) {
    const end = element.dataset.end ? Date.parse(element.dataset.end) / 1000 - source.origin : Date.now() / 1000 - source.origin;
    const isGrowing = "open" in element.dataset;
    const margin = isAlong ? 0 : Math.max(end * 0.02, 0.5);
    return { from: -margin, to: end + (isGrowing ? 0 : margin), isGrowing, isLive: isGrowing };
  }
  const home = homeOf(Date.parse(element.dataset.last) / 1000);
  return home.range ? following(home.range) : home;
}

// `data-device` or `data-run` with `data-start`, `data-end` (and `data-open` while it goes on); `data-channels`, `data-part`,
// `data-last` (the device's last reading), `data-title`, `data-zone`.
export async function mount(element) {
  if (mounted.has(element)) return mounted.get(element);
  dress();
  element.classList.add("chart");
  const making = make(element);
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

async function make(element) {
  const source = sourceOf(element);
  const channels = await channelsOf(element);
  const view = new View(viewOf(element, source, false), source.origin);
  const asked = address.read(source.origin);
  if (asked?.range) view.follow(address.RANGES.get(asked.range), asked.range, false);
  else if (asked) view.show(asked.from, asked.to, { keep: false });
  const { device, run, title, zone } = element.dataset;
  const settings = {
    title: title ?? "", zone, mayFollow: Boolean(device) || "open" in element.dataset, fileName: run ? `run-${run}` : `device-${device}`,
  };
  const chart = new Chart(element, source, channels, view, settings);
  await chart.start();
  return chart;
}

for (const element of document.querySelectorAll("[data-chart]")) mount(element).catch((error) => console.warn(error));
