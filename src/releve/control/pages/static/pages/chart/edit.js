// Changes a run on its chart: leave a span out by dragging over it, drag its start or end, cut it at a click.

import { Refused, send } from "./ask.js";
import { button } from "./range.js";
import { say } from "./words.js";

const WIDER = 1.5; // so that there is something to drag a bound into
const MODES = [["zoom", "zooming", ""], ["leave", "leaving", "leaveHint"], ["bounds", "bounding", "boundHint"], ["split", "splitting", "splitHint"]];

// Instants are written with milliseconds, on the wall's clock of the chart.
class Field {
  constructor(chart, form, name) {
    this.chart = chart;
    const label = form.appendChild(document.createElement("label"));
    label.textContent = `${say(name)} (s)`;
    this.input = label.appendChild(document.createElement("input"));
    Object.assign(this.input, { type: "number", step: "any", required: true, inputMode: "decimal" });
    const unit = label.appendChild(document.createElement("span"));
    unit.className = "soft small";
    this.input.addEventListener("input", () => { unit.textContent = ""; });
    this.unit = unit;
  }

  set x(x) {
    this.input.value = x.toFixed(3);
    this.unit.textContent = this.chart.written(x);
  }

  get x() {
    return this.input.valueAsNumber;
  }

  get instant() {
    return new Date(Math.round((this.x + this.chart.origin) * 1000)).toISOString();
  }
}

export class Edit {
  // `run` says where the run is: path, state (its ETag), bounds in seconds since its start (the second null while it
  // goes on), around (the source of its device's readings).
  constructor(chart, run) {
    Object.assign(this, { chart, run });
    this.zoom = chart.mode;
    this.source = chart.source;
    this.element = document.createElement("div");
    const bar = this.element.appendChild(document.createElement("div"));
    bar.className = "chart-bar";
    bar.role = "group";
    bar.ariaLabel = say("mode");
    this.buttons = MODES.map(([kind, word]) => bar.appendChild(button(say(word), () => this.choose(kind))));
    this.room = this.element.appendChild(document.createElement("div"));
    chart.tools.append(this.element);
    this.choose("zoom");
  }

  choose(kind) {
    const place = MODES.findIndex(([name]) => name === kind);
    this.buttons.forEach((each, number) => { each.ariaPressed = String(number === place); });
    const { chart } = this;
    chart.select(null);
    chart.marks.bounds = null;
    if (chart.source !== this.source) this.draw(this.source);
    chart.mode = { zoom: () => this.zoom, leave: () => this.leaving(), bounds: () => this.bounding(), split: () => this.splitting() }[kind]();
    const hint = MODES[place][2];
    this.room.replaceChildren();
    if (hint) this.hint(say(hint));
    chart.redraw();
  }

  draw(source) {
    this.chart.source = source;
    this.chart.refresh();
  }

  hint(text) {
    const line = document.createElement("p");
    line.className = "hint";
    line.textContent = text;
    this.room.replaceChildren(line);
  }

  // A form that says what was dragged, to be looked at, corrected by the keyboard and sent.
  form(names, word, act, { reason = false } = {}) {
    const form = document.createElement("form");
    form.className = "chart-edit";
    const row = form.appendChild(document.createElement("div"));
    row.className = "inline";
    const fields = names.map((name) => new Field(this.chart, row, name));
    let why = null;
    if (reason) {
      const label = row.appendChild(document.createElement("label"));
      label.textContent = say("reason");
      why = label.appendChild(Object.assign(document.createElement("input"), { required: true, maxLength: 500 }));
    }
    const wrong = form.appendChild(Object.assign(document.createElement("p"), { className: "wrong", role: "alert", hidden: true }));
    const buttons = form.appendChild(document.createElement("div"));
    buttons.className = "actions";
    const go = Object.assign(button(say(word), () => {}), { type: "submit", className: "button small" });
    buttons.append(go, button(say("cancel"), () => this.choose("zoom")));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      go.disabled = true;
      try {
        await act(fields, why?.value);
        location.reload();
      } catch (error) {
        const isOld = error instanceof Refused && error.status === 412;
        wrong.textContent = isOld ? say("changed") : `${say("refused")} ${error.message}`;
        wrong.hidden = false;
        go.disabled = false;
      }
    });
    this.room.replaceChildren(form);
    return { fields, why };
  }

  send(method, path, body) {
    return send(method, `${this.run.path}${path}`, body, { "If-Match": this.run.state });
  }

  leaving() {
    const act = ([from, to], reason) => this.send("POST", "/exclusions", { since: from.instant, until: to.instant, reason });
    return {
      kind: "leave", drag: "span",
      spanned: (from, to) => {
        this.chart.select([from, to]);
        const { fields, why } = this.form(["from", "to"], "leave", act, { reason: true });
        [fields[0].x, fields[1].x] = [from, to];
        why.focus();
      },
    };
  }

  bounding() {
    const { chart, run } = this;
    const bounds = run.bounds.map((x) => x ?? chart.view.now);
    chart.marks.bounds = bounds;
    if (chart.isHome) chart.view.zoom(WIDER);
    this.draw(run.around); // what lies beyond the run is its device's
    const act = (fields, _) => this.send("PATCH", "", Object.fromEntries(fields.map((each) => [each.name, each.instant])));
    return {
      kind: "bounds", drag: "bound",
      drags: (which, x) => {
        bounds[which] = x;
        chart.redraw();
      },
      dropped: (which, x) => {
        bounds[which] = x;
        chart.redraw();
        const { fields } = this.form([which ? "end" : "start"], "move", act);
        fields[0].name = which ? "ended_at" : "started_at";
        fields[0].x = x;
        fields[0].input.focus();
      },
    };
  }

  splitting() {
    const act = ([at]) => this.send("POST", "/split", { at: at.instant });
    return {
      kind: "split", drag: "place",
      chosen: (x) => {
        this.chart.select([x, x + this.chart.view.length / 1000]);
        const { fields } = this.form(["at"], "split", act);
        fields[0].x = x;
        fields[0].input.focus();
      },
    };
  }
}
