// States in place of a curve: a coloured stretch for as long as each lasts, with its name where there is room.

import { value } from "./clock.js";

const ROOM = 14; // pixels around a name

const NO = 7; // the colour of what is off

// Each state keeps its colour while the page is open.
export function stateColours(line, found = new Map()) {
  for (const state of line.value ?? []) {
    if (state === null || found.has(stateText(state))) continue;
    found.set(stateText(state), String(state) === "false" ? NO : found.size);
  }
  return found;
}

export function stateText(state) {
  return state === "true" || state === "false" ? value(state === "true") : value(state);
}

// [from, to, state]: a state lasts until the next one, or until a gap begins.
export function stretches(line, gaps, end) {
  const found = [];
  let gap = 0;
  for (let place = 0; place < line.x.length; place += 1) {
    const from = line.x[place];
    let to = place + 1 < line.x.length ? line.x[place + 1] : end;
    while (gap < gaps.length && gaps[gap][1] <= from) gap += 1;
    if (gap < gaps.length && gaps[gap][0] < to) to = Math.max(from, gaps[gap][0]);
    if (line.value[place] === null) continue;
    const state = stateText(line.value[place]);
    const last = found.at(-1);
    if (last && last[2] === state && last[1] >= from) last[1] = to;
    else found.push([from, to, state]);
  }
  return found;
}

export function drawStates(plot, line, chart, colours) {
  if (!line.value) return;
  const { ctx, bbox } = plot;
  const end = Math.min(chart.view.to, chart.view.now, Math.max(chart.heardTo ?? -Infinity, (line.x.at(-1) ?? 0) + (chart.data?.width ?? 0)));
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  for (const [from, to, state] of stretches(line, chart.breaks, end)) {
    const left = Math.max(plot.valToPos(from, "x", true), bbox.left);
    const right = Math.min(Math.max(plot.valToPos(to, "x", true), left + devicePixelRatio), bbox.left + bbox.width);
    if (right < bbox.left || left > bbox.left + bbox.width) continue;
    ctx.fillStyle = chart.colours.faint(colours.get(state) ?? 0, 34);
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.fillStyle = chart.colours.line(colours.get(state) ?? 0);
    ctx.fillRect(left, bbox.top + bbox.height - 3 * devicePixelRatio, right - left, 3 * devicePixelRatio);
    if (ctx.measureText(state).width + ROOM * devicePixelRatio > right - left) continue;
    ctx.fillStyle = chart.colours.names.ink;
    ctx.fillText(state, left + (ROOM / 2) * devicePixelRatio, bbox.top + bbox.height / 2);
  }
  ctx.restore();
}
