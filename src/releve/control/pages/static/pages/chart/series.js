// A chart's numbers: asked from the server for the span that is seen, as fine as it can be drawn.

import { ask, Refused } from "./ask.js";
import { BAND } from "./channel.js";
import { secondsOf } from "./clock.js";

const MOST_CHANNELS = 32; // of one question to the server
const STATES_EVERY = 6; // pixels: finer colours are not told apart
const A_SECOND = 1e6;

// What a source is: where its series is, and how its axis lies to the seconds since 1970.
export function sourceOf(element) {
  const { device, run, part, start } = element.dataset;
  if (run) {
    return { path: `api/v1/runs/${run}`, query: new URLSearchParams({ run }), origin: secondsOf(start), by: "" };
  }
  return { path: `api/v1/devices/${device}`, query: new URLSearchParams({ device }), origin: 0, part: part ?? "", by: "" };
}

// A little more than is seen, so that lines go on to the edges and a small move shows something at once.
const BEYOND = 0.06;

function parameters(source, channels, view, points, extra) {
  const found = new URLSearchParams(channels.map((name) => ["channel", name]));
  if (source.by) found.set("by", source.by);
  else {
    const beyond = (view.to - view.from) * BEYOND;
    found.set("from", String(Math.floor((view.from - beyond + source.origin) * A_SECOND)));
    found.set("to", String(Math.ceil((view.to + beyond + source.origin) * A_SECOND)));
  }
  if (source.part) found.set("part", source.part);
  found.set("points", String(points));
  for (const [name, value] of Object.entries(extra)) found.set(name, value);
  return found;
}

async function documentsOf(source, channels, view, points, signal, extra = {}) {
  const parts = [];
  for (let first = 0; first < channels.length; first += MOST_CHANNELS) {
    const some = channels.slice(first, first + MOST_CHANNELS).map((each) => each.name);
    parts.push(ask(`${source.path}/series?${parameters(source, some, view, points, extra)}`, { signal }));
  }
  return Promise.all(parts);
}

const COLUMNS = ["mean", "low", "high", "n", "last", "value"];

function lineOf(series, source) {
  const x = series.at ?? series.time.map((time) => (time - source.origin * A_SECOND) / A_SECOND);
  const line = { x };
  for (const name of COLUMNS) if (series[name]) line[name] = series[name];
  return series.at ? sorted(line) : line;
}

// Along a channel readings come in the order of time, and a car may roll back.
function sorted(line) {
  const order = line.x.map((_, place) => place).sort((one, other) => line.x[one] - line.x[other] || one - other);
  return Object.fromEntries(Object.entries(line).map(([name, column]) => [name, order.map((place) => column[place])]));
}

export function isNumbers(line) {
  if (!line) return false;
  return line.value ? line.value.some((each) => typeof each === "number") : line.x.length > 0;
}

// Of a bucket the state that it was in for the longest.
function statesOf(series, source) {
  const line = lineOf({ ...series, value: [] }, source);
  const states = Object.entries(series.duration);
  line.value = line.x.map((_, place) => {
    let best = null, longest = 0;
    for (const [state, held] of states) if (held[place] > longest) [best, longest] = [state, held[place]];
    return best;
  });
  return line;
}

async function stateLine(source, channel, view, points, signal) {
  try {
    const [document] = await documentsOf(source, [channel], view, points, signal);
    if (document.raw) return lineOf(document.series[0], source);
    const coarse = Math.max(10, Math.round(points / STATES_EVERY));
    const [summed] = await documentsOf(source, [channel], view, coarse, signal, { fn: "duration" });
    return statesOf(summed.series[0], source);
  } catch (error) {
    if (error instanceof Refused && error.status === 400) return { x: [], value: [], isTooMuch: true }; // too many states
    throw error;
  }
}

// Everything that the panels draw: by channel a line, and what they share.
export async function load(source, channels, view, points, signal) {
  if (!channels.length) return { lines: new Map(), gaps: [], units: new Map(), isRaw: true, width: 0, from: view.from };
  const documents = await documentsOf(source, channels, view, points, signal);
  const lines = new Map();
  for (const document of documents) {
    for (const series of document.series) lines.set(series.channel, lineOf(series, source));
  }
  const isRaw = documents.every((document) => document.raw);
  const isOpen = (each) => !isRaw && !source.by && !isNumbers(lines.get(each.name));
  const open = channels.filter(isOpen);
  for (const each of channels) { // a number that is a state: the last of each bucket
    const line = lines.get(each.name);
    if (each.drawnAs === BAND && line?.last) lines.set(each.name, { x: line.x, value: line.last });
  }
  const states = await Promise.all(open.map((each) => stateLine(source, each, view, points, signal)));
  open.forEach((each, place) => lines.set(each.name, states[place]));
  const first = documents[0];
  const gaps = source.by ? [] : first.gaps.map((gap) => gap.map((edge) => edge / A_SECOND - source.origin));
  const units = new Map(documents.flatMap((document) => document.series.map((each) => [each.channel, each.unit])));
  const widthS = isRaw ? 0 : source.by ? first.width : first.width_us / A_SECOND;
  return { lines, gaps, units, isRaw, width: widthS, from: first.from === null ? view.from : first.from / A_SECOND - source.origin };
}

// A reading that came live, put where the server would have put it; false where only the server can.
export function add(data, channels, x, values) {
  for (const channel of channels) {
    const line = data.lines.get(channel.name);
    let value = Object.hasOwn(values, channel.name) ? values[channel.name] : undefined;
    if (value === undefined || line === undefined) continue;
    const last = line.x.length - 1;
    if (last >= 0 && x < line.x[last]) return false;
    if (typeof value === "number") value = value * channel.scale + channel.offset;
    if (line.value) {
      line.x.push(x);
      line.value.push(value);
    } else if (typeof value === "number") {
      fold(line, x, value, data);
    }
  }
  return true;
}

function fold(line, x, value, data) {
  const start = data.from + Math.floor((x - data.from) / data.width) * data.width;
  const last = line.x.length - 1;
  if (last < 0 || start > line.x[last] + data.width / 2) {
    line.x.push(start);
    for (const name of ["mean", "low", "high", "last"]) line[name]?.push(value);
    line.n?.push(1);
    return;
  }
  const n = line.n[last];
  line.mean[last] = (line.mean[last] * n + value) / (n + 1);
  line.low[last] = Math.min(line.low[last], value);
  line.high[last] = Math.max(line.high[last], value);
  line.last[last] = value;
  line.n[last] = n + 1;
}
