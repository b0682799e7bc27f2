/* Puts each reading on top of the table as it is committed; no more rows are kept than a person looks at. */

import { follow } from "./live.js";

const table = document.getElementById("message-table");
const body = table.tBodies[0];
const shownState = document.getElementById("live-state");
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });
const MOST = 100;

function cell(row, kind) {
  return row.appendChild(document.createElement(kind));
}

function reading({ time, channels }) {
  if (Date.parse(time) === Date.parse(table.dataset.last)) return; // the stream opens with it, and it stands here already
  const row = document.createElement("tr");
  const head = cell(row, "th");
  head.scope = "row";
  head.textContent = clock.format(new Date());
  const verdict = cell(row, "td");
  const state = cell(verdict, "span");
  state.className = "state live";
  state.textContent = table.dataset.stored;
  cell(verdict, "br");
  cell(verdict, "span").textContent = clock.format(new Date(time));
  const code = cell(cell(row, "td"), "code");
  code.className = "raw";
  code.textContent = JSON.stringify(channels);
  body.prepend(row);
  while (body.rows.length > MOST) body.deleteRow(-1);
}

function state(what) {
  shownState.hidden = false;
  shownState.textContent = shownState.dataset[what];
  shownState.classList.toggle("live", what === "open");
}

follow(new URLSearchParams({ device: table.dataset.device }), { reading, state });
