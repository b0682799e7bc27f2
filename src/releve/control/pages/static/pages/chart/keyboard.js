// Everything that the pointer does, by the keyboard: point, move, zoom, take a span, go back.

import { say } from "./words.js";

const A_STEP = 0.01, A_MOVE = 0.25, CLOSER = 0.5;

export function watchKeyboard(chart) {
  let x = null, began = null;

  function point(to) {
    const { view } = chart;
    x = Math.min(Math.max(to, view.from), view.to);
    chart.point(x, true);
    if (began !== null) chart.select([began, x]);
  }

  function stop() {
    began = null;
    chart.select(null);
  }

  function taken() {
    if (x === null) point((chart.view.from + chart.view.to) / 2);
    if (chart.mode.drag === "place") {
      chart.mode.chosen(x);
    } else if (chart.mode.drag === "bound") {
      const away = chart.marks.bounds.map((each) => Math.abs(each - x));
      chart.mode.dropped(away.indexOf(Math.min(...away)), x);
    } else if (began === null) {
      began = x;
      chart.announce(say("marking", { at: chart.written(x) }));
    } else {
      const span = [Math.min(began, x), Math.max(began, x)];
      began = null;
      chart.spanned(...span);
    }
  }

  const arrow = (sign) => (event) => {
    if (event.shiftKey) chart.view.pan(sign * A_MOVE);
    else point((x ?? (chart.view.from + chart.view.to) / 2) + sign * chart.view.length * A_STEP * (event.ctrlKey ? 10 : 1));
  };
  const keys = new Map([
    ["ArrowLeft", arrow(-1)], ["ArrowRight", arrow(1)],
    ["Home", () => point(chart.view.from)], ["End", () => point(chart.view.to)],
    ["+", () => chart.view.zoom(CLOSER, x ?? undefined)], ["=", () => chart.view.zoom(CLOSER, x ?? undefined)],
    ["-", () => chart.view.zoom(1 / CLOSER, x ?? undefined)],
    ["Enter", taken], ["Escape", stop],
    ["Backspace", () => { stop(); chart.view.back(); }],
    ["l", () => chart.live()],
  ]);
  chart.body.addEventListener("keydown", (event) => {
    if (event.target !== chart.body || event.altKey || event.metaKey) return;
    const act = keys.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!act) return;
    event.preventDefault();
    act(event);
  });
}
