/* A shared page moves with what it shows, and shows nothing more once its link is over. */

import { follow } from "./live.js";

const shared = document.getElementById("shared");
const values = shared.querySelector("[data-values]");
const time = shared.querySelector("[data-time]");
const shownState = document.getElementById("shared-state");
const language = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });

function written(value, { scale = "1", offset = "0", decimals = "" }) {
  if (typeof value === "boolean") return value ? values.dataset.yes : values.dataset.no;
  if (typeof value !== "number") return String(value);
  const digits = decimals === "" ? 3 : Number(decimals);
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits, useGrouping: false }).format(value * Number(scale) + Number(offset));
}

function cellOf(channel) {
  const found = [...values.querySelectorAll("[data-channel]")].find((cell) => cell.dataset.channel === channel);
  if (found) return found;
  const readout = document.createElement("div");
  readout.className = "readout";
  const name = readout.appendChild(document.createElement("dt"));
  name.textContent = channel;
  const cell = readout.appendChild(document.createElement("dd")).appendChild(document.createElement("span"));
  cell.dataset.channel = channel;
  values.append(readout);
  return cell;
}

function reading({ time: at, channels }) {
  if (!values) return;
  shared.querySelector("[data-waiting]")?.remove();
  time.textContent = clock.format(new Date(at));
  const hidden = JSON.parse(values.dataset.hidden);
  for (const [channel, value] of Object.entries(channels)) {
    if (hidden.includes(channel)) continue;
    const cell = cellOf(channel);
    cell.textContent = written(value, cell.dataset);
  }
}

function state(what) {
  if (what === "ended") {
    shared.remove();
    document.getElementById("shared-over").hidden = false;
  } else if (shownState) {
    shownState.hidden = false;
    shownState.textContent = shownState.dataset[what];
    shownState.classList.toggle("live", what === "open");
  }
}

follow(new URLSearchParams(shared.dataset.query), { reading, state });
