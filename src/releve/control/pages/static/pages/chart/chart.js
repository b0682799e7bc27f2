// A chart: its panels over one span of time or places, what asks for their numbers, and what stands around them.

import * as address from "./address.js";
import { judge, panels as panelsOf } from "./channel.js";
import { ownZone, elapsed, instant, number, width as lengthOf } from "./clock.js";
import { Colours } from "./colour.js";
import { downloads } from "./download.js";
import { watchKeyboard } from "./keyboard.js";
import { Panel } from "./panel.js";
import { Pointer } from "./pointer.js";
import { toolbar } from "./range.js";
import { load } from "./series.js";
import { numbers } from "./table.js";
import { say } from "./words.js";

const SETTLED_MS = 140; // a hand that zooms on is not asked for after each step
const FEWEST_POINTS = 100, MOST_POINTS = 2000;
let made = 0;

export class Chart {
  // `source` says where the numbers are, `view` what is seen at first; `settings`: axis, mayFollow, title, zone.
  constructor(element, source, channels, view, settings = {}) {
    Object.assign(this, { element, source, channels, view, origin: view.origin });
    this.axis = settings.axis ?? (this.origin ? "elapsed" : "clock");
    this.mayFollow = settings.mayFollow ?? false;
    this.title = settings.title ?? "";
    this.zone = settings.zone || ownZone;
    this.fileName = settings.fileName ?? "chart";
    this.key = `chart-${(made += 1)}`;
    this.marks = { gaps: [], out: [], bounds: null };
    this.breaks = [];
    this.panels = [];
    this.mode = { kind: "zoom", drag: "span", spanned: (from, to) => view.show(from, to) };
    this.colours = new Colours(element);
    this.build();
  }

  get isClock() { return this.axis === "clock"; }
  get axisName() { return this.axis === "along" ? this.source.by : say(this.isClock ? "time" : "elapsed"); }
  get isHome() { return this.view.from === this.view.home.from && this.view.to === this.view.home.to; }

  build() {
    this.element.classList.add("is-mounted");
    this.bar = toolbar(this);
    this.status = document.createElement("p");
    this.status.className = "chart-status soft small";
    this.said = document.createElement("p");
    this.said.className = "unseen";
    this.said.ariaLive = "polite";
    this.wrong = Object.assign(document.createElement("p"), { className: "wrong", role: "alert", hidden: true });
    this.body = Object.assign(document.createElement("div"), { className: "chart-body", tabIndex: 0, role: "group" });
    this.body.ariaLabel = say("chart", { channels: this.channels.map((each) => each.label).join(", ") });
    this.table = numbers(this);
    const help = Object.assign(document.createElement("details"), { className: "fold chart-help" });
    help.appendChild(document.createElement("summary")).textContent = say("keys");
    help.appendChild(document.createElement("p")).textContent = say("help");
    this.tools = document.createElement("div");
    this.element.replaceChildren(this.bar.element, this.tools, this.status, this.wrong, this.body, this.said, downloads(this), this.table.element, help);
    this.pointer = new Pointer(this);
    watchKeyboard(this);
    this.view.listen((change) => this.seen(change));
    this.sized = new ResizeObserver(() => this.resize());
    this.sized.observe(this.body);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.repaint = () => { this.colours.read(); this.panels.forEach((panel) => panel.recolour()); };
    this.scheme.addEventListener("change", this.repaint);
    this.arrange();
  }

  get width() {
    return Math.max(this.body.clientWidth, 120);
  }

  // Panels for the channels as they are judged now.
  arrange() {
    let colour = 0;
    this.panels.forEach((panel) => panel.plot?.destroy());
    this.panels = panelsOf(this.channels).map((channels) => {
      const panel = new Panel(this, channels, colour);
      colour += channels.length;
      return panel;
    });
    this.body.replaceChildren(...this.panels.map((panel) => panel.element));
    this.panels.forEach((panel) => panel.draw());
  }

  async refresh() {
    this.asking?.abort();
    const asking = this.asking = new AbortController();
    this.element.ariaBusy = "true";
    const view = { from: this.view.from, to: this.view.to };
    const points = Math.round(Math.min(Math.max(this.width, FEWEST_POINTS), MOST_POINTS));
    try {
      const data = await load(this.source, this.channels, view, points, asking.signal);
      if (asking !== this.asking) return;
      this.take(data);
      this.wrong.hidden = true;
    } catch (error) {
      if (error.name === "AbortError") return;
      this.wrong.textContent = `${say("failed")} ${error.message}`;
      this.wrong.hidden = false;
    }
    if (asking === this.asking) this.element.ariaBusy = "false";
  }

  take(data) {
    this.data = data;
    const last = Math.max(...[...data.lines.values()].map((line) => line.x.at(-1) ?? -Infinity));
    this.askedAt = performance.now();
    this.heardTo = Math.max(this.heardTo ?? -Infinity, last);
    this.breaks = data.gaps;
    this.mark();
    if (judge(this.channels, data.lines)) this.arrange();
    this.put();
  }

  // What is known anew is drawn.
  put() {
    this.panels.forEach((panel) => panel.put(this.data));
    this.tell();
    this.describe();
    this.table.show();
  }

  // Gaps that a person made by leaving readings out are no gaps.
  mark() {
    const isOut = ([from, to]) => this.marks.out.some((span) => span[0] <= to && span[1] >= from);
    this.marks.gaps = this.breaks.filter((gap) => !isOut(gap));
  }

  redraw() {
    this.panels.forEach((panel) => panel.plot?.redraw(false, false));
  }

  seen({ isPassing }) {
    this.panels.forEach((panel) => panel.see());
    this.select(null);
    this.bar.show();
    this.describe();
    clearTimeout(this.waiting);
    if (this.view.isLive && isPassing) return; // it slides; the follower asks in its own time
    this.waiting = setTimeout(() => {
      address.write(this.view, this.origin, this.axis === "along", this.isHome);
      this.follower?.settle();
      if (this.axis !== "along") this.refresh();
    }, isPassing ? 2 * SETTLED_MS : SETTLED_MS);
  }

  // Many turns of the wheel in one frame are one change.
  later(act) {
    const isFirst = !this.pending?.length;
    this.pending = [...(this.pending ?? []), act];
    if (!isFirst) return;
    this.view.remember();
    requestAnimationFrame(() => {
      const acts = this.pending;
      this.pending = [];
      acts.forEach((each) => each());
    });
  }

  describe() {
    const { from, to } = this.view;
    const span = `${this.written(from)} – ${this.written(to)}`;
    const grain = !this.data ? say("loading") : this.data.isRaw ? say("raw") : this.axis === "along" ? "" : say("every", { width: lengthOf(this.data.width) });
    const clock = this.axis === "clock" ? say("clock", { zone: this.zone }) : this.axis === "along" ? say("along", { channel: this.source.by }) : say("since");
    const isEmpty = this.data && [...this.data.lines.values()].every((line) => !line.x.length);
    this.status.textContent = [span, grain, clock, isEmpty ? say("nothing") : ""].filter(Boolean).join(" · ");
  }

  // A place on the axis in words.
  written(x) {
    const step = this.view.length / 500;
    if (this.axis === "along") return number(x);
    return this.isClock ? instant(x, this.zone, step < 0.5) : elapsed(x, step < 0.05 ? 0.001 : step < 1 ? 0.1 : 1);
  }

  // The pointer is somewhere in a panel (pixels from the left), or nowhere; once a frame all channels say what they are there.
  pointed(panel, left) {
    this.at = left;
    if (this.isTelling) return;
    this.isTelling = true;
    requestAnimationFrame(() => {
      this.isTelling = false;
      this.tell();
    });
  }

  tell() {
    const plot = this.panels.find((each) => each.plot)?.plot;
    const x = plot && this.at >= 0 ? plot.posToVal(this.at, "x") : null;
    this.panels.forEach((each) => each.point(x));
  }

  point(x, isSaid = false) {
    const first = this.panels.find((panel) => panel.plot);
    if (!first) return;
    const left = first.plot.valToPos(x, "x");
    first.plot.setCursor({ left, top: first.plot.over.clientHeight / 2 }, true, true);
    this.at = left;
    this.tell();
    if (isSaid) {
      const values = this.panels.flatMap((panel) => panel.channels.map((each, place) => `${each.label} ${panel.shown[place].shown.textContent} ${each.unit}`));
      this.announce(`${this.written(x)}: ${values.join(", ")}`);
    }
  }

  announce(text) {
    this.said.textContent = text;
  }

  select(span) {
    for (const { plot } of this.panels) {
      if (!plot) continue;
      const [one, other] = (span ?? [0, 0]).map((x) => (span ? plot.valToPos(x, "x") : 0));
      plot.setSelect({ left: Math.min(one, other), width: Math.abs(other - one), top: 0, height: span ? plot.over.clientHeight : 0 }, false);
    }
  }

  spanned(from, to) {
    if (to > from) this.mode.spanned(from, to);
  }

  live() {
    if (!this.mayFollow) return;
    if (this.view.home.isGrowing) this.view.show(this.view.home.from, this.view.now, { isLive: true });
    else this.view.follow(this.view.length, address.RANGES.has(this.view.mark) ? this.view.mark : "");
  }

  resize() {
    const { width } = this;
    if (width === this.drawnWidth) return;
    const isWider = this.drawnWidth && width > this.drawnWidth * 1.3;
    this.drawnWidth = width;
    this.panels.forEach((panel) => panel.resize());
    if (isWider && this.data && this.axis !== "along") this.refresh();
  }

  async start() {
    this.bar.show();
    const following = this.mayFollow ? import("./follow.js") : null; // who looks at what is over needs none of it
    await this.refresh();
    if (!following) return;
    this.follower = new (await following).Follow(this);
    this.follower.settle();
  }

  close() {
    this.asking?.abort();
    this.follower?.close();
    this.pointer.close();
    this.sized.disconnect();
    this.scheme.removeEventListener("change", this.repaint);
    this.panels.forEach((panel) => panel.plot?.destroy());
    this.element.replaceChildren();
  }
}
