// The row above a chart: ranges, from and to, live, back, and the buttons that a hand without a wheel needs.

import { RANGES } from "./address.js";
import { fromField, toField } from "./clock.js";
import { say } from "./words.js";

export function button(text, act, { label = "", kind = "" } = {}) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `button quiet small ${kind}`.trim();
  made.textContent = text;
  if (label) [made.ariaLabel, made.title] = [label, label];
  made.addEventListener("click", act);
  return made;
}

function field(name, form) {
  const label = form.appendChild(document.createElement("label"));
  label.textContent = say(name);
  const input = label.appendChild(document.createElement("input"));
  input.type = "datetime-local";
  input.step = "1";
  input.required = true;
  return input;
}

function custom(chart) {
  const fold = document.createElement("details");
  fold.className = "chart-custom";
  fold.appendChild(document.createElement("summary")).textContent = say("custom");
  const form = fold.appendChild(document.createElement("form"));
  const [from, to] = [field("from", form), field("to", form)];
  form.appendChild(Object.assign(button(say("show"), () => {}), { type: "submit" }));
  fold.addEventListener("toggle", () => {
    from.value = toField(chart.view.from + chart.origin, chart.zone);
    to.value = toField(chart.view.to + chart.origin, chart.zone);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const span = [from, to].map((input) => fromField(input.value, chart.zone) - chart.origin);
    to.setCustomValidity(span[0] < span[1] ? "" : say("to"));
    if (!(span[0] < span[1])) return;
    fold.open = false;
    chart.view.show(...span);
  });
  to.addEventListener("input", () => to.setCustomValidity(""));
  return fold;
}

export function toolbar(chart) {
  const bar = document.createElement("div");
  bar.className = "chart-bar";
  bar.role = "group";
  bar.ariaLabel = say("range");
  const ranges = new Map();
  if (chart.isClock) {
    for (const [name, length] of RANGES) {
      ranges.set(name, bar.appendChild(button(say(name), () => chart.view.follow(length, name))));
    }
  }
  const all = chart.isClock ? null : bar.appendChild(button(say("all"), () => chart.view.show(chart.view.home.from, chart.view.home.to)));
  if (chart.axis !== "along") bar.append(custom(chart));
  const hand = bar.appendChild(document.createElement("span"));
  hand.className = "chart-hand";
  hand.append(
    button("←", () => chart.view.pan(-0.5), { label: say("earlier") }),
    button("→", () => chart.view.pan(0.5), { label: say("later") }),
    button("+", () => chart.view.zoom(0.5), { label: say("closer") }),
    button("−", () => chart.view.zoom(2), { label: say("wider") }),
    button("↺", () => chart.view.back(), { label: say("back") }),
  );
  const live = chart.mayFollow ? bar.appendChild(button(say("live"), () => chart.live(), { kind: "chart-live" })) : null;
  return {
    element: bar,
    show() {
      for (const [name, each] of ranges) each.ariaPressed = String(chart.view.mark === name);
      if (live) live.ariaPressed = String(chart.view.isLive);
      if (all) all.ariaPressed = String(chart.isHome);
    },
  };
}
