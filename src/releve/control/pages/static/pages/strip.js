// A capture drawn in stretches, one bar each, without a map: by time or by distance. The table below has the same numbers.

import { clock, fill, number } from "./fill.js";

const [WIDTH, HEIGHT, LOW, PAD] = [1000, 220, 70, 4];
const plate = document.getElementById("strip-plate");
const picture = document.getElementById("strip-picture");
const table = document.getElementById("strip-table");
const along = document.getElementById("along");
const words = picture.dataset;
let [run, asked, busy] = [null, 0, false];

document.getElementById("capture").addEventListener("releve:answer", ({ detail }) => {
  const capture = detail.capture;
  plate.hidden = !capture;
  if (!capture) return;
  along.hidden = capture.length === null;
  const isOld = capture.run === run && !capture.is_open;
  if (run !== capture.run) document.getElementById("earlier").dispatchEvent(new CustomEvent("releve:again"));
  run = capture.run;
  if (!isOld && performance.now() - asked > 2000) draw();
});
along.addEventListener("change", draw);

async function draw() {
  if (busy || run === null) return;
  [busy, asked] = [true, performance.now()];
  const by = along.querySelector(":checked").value;
  try {
    const address = plate.dataset.stretches.replace("/0/", `/${run}/`);
    const response = await fetch(`${address}?by=${by}`, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (response.ok) show(await response.json());
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // the network's; the page above says that it is lost
  }
  busy = false;
}

function show(strip) {
  const place = (value) => (strip.by === "time" ? clock(value) : `${number(value, 2)} ${strip.units.distance}`.trim());
  document.getElementById("strip-width").textContent = strip.by === "time" ? `${number(strip.width)} s` : place(strip.width);
  document.getElementById("strip-cut").hidden = !strip.is_cut_off;
  const shown = { ...strip, along: strip.by === "time" ? "min:s" : strip.units.distance, data: strip.data.map((each) => ({ ...each, place: place(each.begin) })) };
  fill(table, shown);
  const end = (strip.data.at(-1)?.begin ?? 0) + strip.width;
  picture.replaceChildren(
    ...[bars(strip, end, place), line(strip, end, "temperature"), line(strip, end, "humidity")].filter(Boolean),
    axis([0, end / 2, end].map(place)),
  );
}

function bars(strip, end, place) {
  const told = strip.data.filter((each) => each.rms !== null);
  if (!told.length) return null;
  const highest = told.reduce((best, each) => (each.peak > best.peak ? each : best));
  const [rms, unit] = [told.map((each) => each.rms), strip.units.profile];
  const span = [Math.min(...rms), Math.max(...rms)].map((value) => number(value, 3));
  const label = `${words.profile}, ${words.rms} ${words.from} ${span[0]} ${words.to} ${span[1]} ${unit}, ${words.highest} ${number(highest.peak, 3)} ${unit} ${words.at} ${place(highest.begin)}`;
  const svg = canvas(HEIGHT, label.replace(/ +/g, " ").replace(/ ,/g, ","));
  const y = (value) => HEIGHT - PAD - (value / (highest.peak || 1)) * (HEIGHT - 2 * PAD);
  for (const each of told) {
    const [x, width] = [(each.begin / end) * WIDTH, Math.max(1, (strip.width / end) * WIDTH - 1)];
    svg.append(part("rect", { x, y: y(each.rms), width, height: HEIGHT - PAD - y(each.rms), class: "rms" }));
    svg.append(part("line", { x1: x, x2: x + width, y1: y(each.peak), y2: y(each.peak), class: "peak" }));
  }
  return row(`${words.profile} · ${words.rms}, ${words.peak}`, `0 – ${number(highest.peak, 2)} ${unit}`, svg);
}

function line(strip, end, name) {
  const told = strip.data.filter((each) => each[name] !== null);
  if (told.length < 2) return null;
  const values = told.map((each) => each[name]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const range = `${number(low, 1)} – ${number(high, 1)} ${strip.units[name]}`;
  const svg = canvas(LOW, `${words[name]}, ${words.from} ${number(low, 1)} ${words.to} ${number(high, 1)} ${strip.units[name]}`);
  const y = (value) => (high === low ? LOW / 2 : LOW - PAD - ((value - low) / (high - low)) * (LOW - 2 * PAD));
  const points = told.map((each) => `${((each.begin + strip.width / 2) / end) * WIDTH},${y(each[name])}`);
  svg.append(part("polyline", { points: points.join(" ") }));
  return row(words[name], range, svg);
}

function canvas(height, label) {
  return part("svg", { viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label, class: `way h${height}` });
}

function part(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function row(title, range, svg) {
  const head = Object.assign(document.createElement("p"), { className: "way-head" });
  head.append(Object.assign(document.createElement("b"), { textContent: title }), Object.assign(document.createElement("span"), { textContent: range }));
  const whole = document.createElement("div");
  whole.append(head, svg);
  return whole;
}

function axis(labels) {
  const whole = Object.assign(document.createElement("p"), { className: "way-axis" });
  whole.append(...labels.map((label) => Object.assign(document.createElement("span"), { textContent: label })));
  return whole;
}
