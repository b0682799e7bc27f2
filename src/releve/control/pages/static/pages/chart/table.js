// The numbers of a chart as a table, made when somebody opens it.

import { BAND } from "./channel.js";
import { value } from "./clock.js";
import { stateText } from "./state.js";
import { say } from "./words.js";

const MOST_ROWS = 2000;

function cell(line, place, channel) {
  if (channel.drawnAs === BAND) return stateText(line.value[place]);
  if (line.value) return value(line.value[place], channel.decimals);
  if (channel.isCounter) return value(line.last[place], channel.decimals);
  const [mean, low, high] = [line.mean, line.low, line.high].map((column) => value(column[place], channel.decimals));
  return low === high ? mean : `${mean} (${say("lowhigh", { low, high })})`;
}

function rowsOf(chart) {
  const { from, to } = chart.view;
  const rows = new Map();
  chart.channels.forEach((channel, column) => {
    const line = chart.data?.lines.get(channel.name);
    line?.x.forEach((x, place) => {
      if (x < from || x > to) return;
      if (!rows.has(x)) rows.set(x, []);
      rows.get(x)[column] = cell(line, place, channel);
    });
  });
  return [...rows].sort((one, other) => one[0] - other[0]);
}

function headOf(chart, table) {
  const head = table.createTHead().insertRow();
  const names = [chart.axisName, ...chart.channels.map((each) => (each.unit ? `${each.label} (${each.unit})` : each.label))];
  names.forEach((name, place) => {
    const made = head.appendChild(document.createElement("th"));
    made.scope = "col";
    if (place) made.className = "number";
    made.appendChild(document.createElement("bdi")).textContent = name;
  });
}

function fill(chart, room) {
  const rows = rowsOf(chart);
  const table = document.createElement("table");
  headOf(chart, table);
  const body = table.createTBody();
  for (const [x, cells] of rows.slice(0, MOST_ROWS)) {
    const row = body.insertRow();
    const place = row.appendChild(document.createElement("th"));
    place.scope = "row";
    place.className = "plain";
    place.textContent = chart.written(x);
    for (let column = 0; column < chart.channels.length; column += 1) {
      const made = row.insertCell();
      made.className = "number";
      made.textContent = cells[column] ?? "";
    }
  }
  const scroll = document.createElement("div");
  scroll.className = "scroll tall";
  scroll.tabIndex = 0;
  scroll.role = "region";
  scroll.ariaLabel = say("table");
  scroll.append(table);
  room.replaceChildren(scroll);
  if (rows.length > MOST_ROWS) {
    const rest = room.appendChild(document.createElement("p"));
    rest.className = "hint";
    rest.textContent = say("first", { n: MOST_ROWS, all: rows.length });
  }
}

export function numbers(chart) {
  const fold = document.createElement("details");
  fold.className = "fold chart-table";
  fold.appendChild(document.createElement("summary")).textContent = say("table");
  const room = fold.appendChild(document.createElement("div"));
  const show = () => fold.open && fill(chart, room);
  fold.addEventListener("toggle", show);
  return { element: fold, show };
}
