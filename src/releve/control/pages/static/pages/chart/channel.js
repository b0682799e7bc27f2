// The channels of a chart: what they are called, their units, and which stand in one panel.

import { ask } from "./ask.js";
import { language } from "./words.js";

export const CURVE = "curve", BAND = "band", PLAIN = "plain"; // a line; colours of states; values without a picture
const DRAWN_AS = new Map([["gauge", CURVE], ["state", BAND], ["counter", PLAIN], ["text", PLAIN]]);
const MOST_LINES = 4;
const IDENTITY = /(^|_)id$/i; // a number that only names something has no curve

function channel(told) {
  const name = typeof told === "string" ? told : told.name;
  const rest = typeof told === "string" ? {} : told;
  return {
    name,
    label: rest.display_name?.[language] || rest.label || name,
    unit: rest.unit ?? "",
    scale: rest.scale ?? 1,
    offset: rest.offset ?? 0,
    decimals: rest.decimals ?? null,
    drawnAs: IDENTITY.test(name) ? BAND : (DRAWN_AS.get(rest.kind ?? "gauge") ?? CURVE),
    isCounter: rest.kind === "counter",
    isHidden: rest.hidden ?? false,
  };
}

// `data-channels` is a JSON array of names or of what `/api/v1/devices/{id}/channels` says; without it all of the device's.
export async function channelsOf(element) {
  const written = element.dataset.channels ? JSON.parse(element.dataset.channels) : null;
  const isTold = written?.every((each) => typeof each !== "string");
  const device = element.dataset.device;
  if (isTold || !device) return (written ?? []).map(channel);
  const told = new Map((await ask(`api/v1/devices/${device}/channels`)).data.map((each) => [each.name, each]));
  if (written) return written.map((each) => channel(told.get(each) ?? each));
  return [...told.values()].map(channel).filter((each) => !each.isHidden);
}

const A_FEW = 32;

// A channel that nobody described is judged by what it holds; whether anything changed.
export function judge(channels, lines) {
  let changed = false;
  for (const each of channels) {
    const line = lines.get(each.name);
    if (each.drawnAs !== CURVE || !line?.value?.length) continue;
    const states = new Set(line.value);
    if ([...states].some((one) => typeof one === "number")) continue;
    each.drawnAs = states.size <= A_FEW ? BAND : PLAIN;
    changed = true;
  }
  return changed;
}

// Channels of one unit share a panel, up to four; one without a unit has a panel of its own.
export function panels(channels) {
  const found = [];
  const open = new Map();
  for (const each of channels) {
    if (each.drawnAs !== CURVE || !each.unit) {
      found.push([each]);
      continue;
    }
    const panel = open.get(each.unit);
    if (panel && panel.length < MOST_LINES) {
      panel.push(each);
    } else {
      found.push([each]);
      open.set(each.unit, found.at(-1));
    }
  }
  return found;
}
