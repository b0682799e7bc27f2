// Mouse, wheel and fingers on a chart: drag over a span, move it, zoom, point; what a drag does is the chart's mode.

const A_CLICK = 4; // pixels that a hand may tremble
const WHEEL = 1.0015; // a pixel of the wheel
const SCROLLING_MS = 350; // a page that is being scrolled is not stopped by a chart under the pointer
const HANDLE = { mouse: 10, touch: 26, pen: 14 };

export class Pointer {
  constructor(chart) {
    this.chart = chart;
    this.down = new Map();
    this.gesture = null;
    this.scrolledAt = -Infinity;
    const { body } = chart;
    body.addEventListener("pointerdown", (event) => this.begin(event));
    body.addEventListener("pointermove", (event) => this.move(event));
    body.addEventListener("pointerup", (event) => this.end(event));
    body.addEventListener("pointercancel", (event) => this.cancel(event));
    body.addEventListener("dblclick", (event) => this.over(event) && chart.view.back());
    body.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.scrolled = () => { this.scrolledAt = performance.now(); };
    addEventListener("scroll", this.scrolled, { passive: true });
  }

  over(event) {
    return event.target.closest?.(".u-over");
  }

  x(event) {
    const box = this.box ?? this.over(event).getBoundingClientRect();
    const { from, length } = this.chart.view;
    return from + ((event.clientX - box.left) / box.width) * length;
  }

  begin(event) {
    const over = this.over(event);
    if (!over || event.button) return;
    over.setPointerCapture(event.pointerId);
    this.box = over.getBoundingClientRect();
    this.down.set(event.pointerId, event);
    const { view, mode } = this.chart;
    if (this.down.size === 2) {
      this.chart.select(null);
      this.gesture = { kind: "pinch", from: view.from, to: view.to };
      view.remember();
    } else {
      const isMoving = event.shiftKey || (event.pointerType === "touch" && mode.kind === "zoom");
      this.gesture = { kind: isMoving ? "pan" : mode.drag, x: this.x(event), from: view.from, to: view.to, start: event.clientX };
      if (mode.drag === "bound" && !isMoving) this.gesture.bound = this.bound(event);
    }
  }

  // Which of the run's posts is under the pointer, -1 for none.
  bound(event) {
    const reach = ((HANDLE[event.pointerType] ?? 10) / this.box.width) * this.chart.view.length;
    const away = (this.chart.marks.bounds ?? []).map((x) => Math.abs(x - this.x(event)));
    const least = Math.min(...away);
    return least <= reach ? away.indexOf(least) : -1;
  }

  move(event) {
    if (!this.down.has(event.pointerId) || !this.gesture) return;
    const before = new Map(this.down);
    this.down.set(event.pointerId, event);
    const { gesture, chart } = this;
    if (gesture.kind === "pinch") {
      this.pinch(before, event);
      return;
    }
    if (!gesture.isDragged && Math.abs(event.clientX - gesture.start) < A_CLICK) return;
    if (!gesture.isDragged && gesture.kind === "pan") chart.view.remember();
    gesture.isDragged = true;
    if (gesture.kind === "pan") {
      const by = ((gesture.start - event.clientX) / this.box.width) * (gesture.to - gesture.from);
      chart.view.show(gesture.from + by, gesture.to + by, { isPassing: true });
    } else if (gesture.kind === "span") {
      chart.select([gesture.x, this.x(event)]);
    } else if (gesture.kind === "bound" && gesture.bound >= 0) {
      chart.mode.drags(gesture.bound, this.x(event));
    }
  }

  pinch(before, event) {
    const [one, other] = [...this.down.values()];
    const [was, beside] = [...before.values()];
    const apart = Math.max(Math.abs(one.clientX - other.clientX), 8), wasApart = Math.max(Math.abs(was.clientX - beside.clientX), 8);
    const middle = (one.clientX + other.clientX) / 2, wasMiddle = (was.clientX + beside.clientX) / 2;
    const { view } = this.chart;
    const around = view.from + ((wasMiddle - this.box.left) / this.box.width) * view.length;
    view.zoom(wasApart / apart, around, { isPassing: true });
    view.pan((wasMiddle - middle) / this.box.width, { isPassing: true });
    event.preventDefault();
  }

  end(event) {
    if (!this.down.has(event.pointerId)) return;
    this.down.delete(event.pointerId);
    const { gesture, chart } = this;
    if (!gesture) return;
    const x = this.x(event);
    if (this.down.size) return;
    this.gesture = this.box = null;
    if (gesture.kind === "pinch" || (gesture.kind === "pan" && gesture.isDragged)) {
      chart.view.tell(false);
    } else if (gesture.kind === "span" && gesture.isDragged) {
      chart.spanned(Math.min(gesture.x, x), Math.max(gesture.x, x));
    } else if (gesture.kind === "bound" && gesture.bound >= 0 && gesture.isDragged) {
      chart.mode.dropped(gesture.bound, x);
    } else if (gesture.kind === "place" && !gesture.isDragged) {
      chart.mode.chosen(x);
    }
  }

  cancel(event) {
    this.down.delete(event.pointerId);
    if (this.down.size) return;
    this.gesture = this.box = null;
    this.chart.select(null);
    this.chart.view.tell(false);
  }

  wheel(event) {
    if (!this.over(event)) return;
    const isScrolling = performance.now() - this.scrolledAt < SCROLLING_MS;
    if (isScrolling && !event.ctrlKey) return;
    event.preventDefault();
    const { view } = this.chart;
    const pixels = event.deltaMode === 1 ? 16 : 1;
    const aside = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.chart.later(() => view.pan((aside * pixels) / 600, { isPassing: true }));
    else this.chart.later(() => view.zoom(WHEEL ** (event.deltaY * pixels * (event.ctrlKey ? 4 : 1)), this.x(event), { isPassing: true }));
  }

  close() {
    removeEventListener("scroll", this.scrolled);
  }
}
