// The colours of a chart, from the page's own variables, by day and by night.

const LINES = 8;

export class Colours {
  constructor(element) {
    this.element = element;
    this.read();
  }

  read() {
    const style = getComputedStyle(this.element);
    const named = (name) => style.getPropertyValue(name).trim();
    this.lines = Array.from({ length: LINES }, (_, place) => named(`--chart-${place + 1}`));
    this.names = { soft: "--soft", grid: "--line", gap: "--warn-wash", out: "--fault", ink: "--ink", surface: "--surface", accent: "--accent" };
    for (const [name, variable] of Object.entries(this.names)) this.names[name] = named(variable);
  }

  line(place) {
    return this.lines[place % LINES];
  }

  faint(place, share) {
    return this.line(place) + Math.round(share * 2.55).toString(16).padStart(2, "0"); // the variables are written #rrggbb
  }

  // For uPlot, which asks at each drawing.
  get soft() { return () => this.names.soft; }
  get grid() { return () => this.names.grid; }
}
