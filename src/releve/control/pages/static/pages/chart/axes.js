// The axes of a panel: instants in the viewer's clock, time since a start, or places along a channel; values with their unit.

import { day, elapsed, number, tick } from "./clock.js";

const SPACE_X = 74, SPACE_Y = 34, LABELS_Y = 58; // pixels
const FONT = "12px system-ui, sans-serif";
const SECONDS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800,
  86400, 172800, 604800,
];

// `kind` is "clock", "elapsed" or "along".
export function xAxis(kind, zone, colours, hasLabels = true) {
  const axis = {
    stroke: colours.soft, font: FONT, space: SPACE_X, size: hasLabels ? 42 : 4,
    grid: { stroke: colours.grid, width: 1 }, ticks: { stroke: colours.grid, width: 1, size: 5 },
  };
  if (kind === "elapsed") axis.incrs = SECONDS;
  axis.values = (_, splits, __, ___, step) => (hasLabels ? labels(kind, zone, splits, step) : splits.map(() => ""));
  return axis;
}

function labels(kind, zone, splits, step) {
  if (kind === "along") return splits.map((place) => number(place));
  if (kind === "elapsed") return splits.map((place) => elapsed(place, step));
  let before = "";
  return splits.map((seconds, place) => {
    const text = tick(seconds, step, zone);
    const today = step < 86400 ? day(seconds, zone) : "";
    const isNew = today !== before && (place === 0 || before !== "");
    before = today;
    return isNew && today ? `${text}\n${today}` : text;
  });
}

export function yAxis(unit, colours) {
  return {
    stroke: colours.soft, font: FONT, space: SPACE_Y, size: LABELS_Y, gap: 4,
    grid: { stroke: colours.grid, width: 1 }, ticks: { show: false },
    values: (_, splits, __, ___, step) => {
      const decimals = digitsOf(step || 1);
      return splits.map((value) => (Math.abs(value) >= 1e6 ? value.toExponential(1) : number(value, decimals)));
    },
  };
}

const MOST_DIGITS = 9;

// As many digits behind the point as steps of this width need.
function digitsOf(step) {
  let digits = 0;
  while (digits < MOST_DIGITS && Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6) digits += 1;
  return digits;
}

// A line of equal values lies in the middle.
export function yRange(_, low, high) {
  if (low === null || high === null) return [0, 1];
  if (low === high) return [low - (Math.abs(low) * 0.1 || 1), high + (Math.abs(high) * 0.1 || 1)];
  const margin = (high - low) * 0.08;
  return [low - margin, high + margin];
}
