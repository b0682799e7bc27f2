// Brings the sheets of style of a chart, once a page.

const here = (path) => new URL(path, import.meta.url);
let dressed = null;

// The sheets of style, which also say the colours: nothing is drawn before they are there.
export function dress() {
  dressed ??= Promise.all(["../../uplot/uPlot.min.css", "./chart.css"].map((sheet) => new Promise((resolve) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: here(sheet).href });
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
    document.head.append(link);
  })));
  return dressed;
}
