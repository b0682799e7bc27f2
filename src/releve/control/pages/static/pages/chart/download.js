// What is seen as a file: the readings of the span as the server writes them, or the picture.

import { fetched } from "./ask.js";
import { button } from "./range.js";
import { say } from "./words.js";

const FORMATS = [["CSV", "csv"], ["NDJSON", "ndjson"], ["Parquet", "parquet"]];
const LINE = 22, MARGIN = 14;

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function readings(chart, format) {
  const { view, source, origin } = chart;
  const asked = new URLSearchParams({ format });
  if (!source.by) {
    asked.set("from", String(Math.floor((view.from + origin) * 1e6)));
    asked.set("to", String(Math.ceil((view.to + origin) * 1e6)));
  }
  const response = await fetched(`${source.path}/export?${asked}`);
  save(await response.blob(), `${chart.fileName}.${format}`);
}

// The panels below each other, each with the line of text above it.
export async function picture(chart) {
  const scale = devicePixelRatio, style = getComputedStyle(chart.element);
  const shown = chart.panels.filter((panel) => panel.plot);
  const canvas = document.createElement("canvas");
  canvas.width = chart.width * scale;
  canvas.height = scale * (2 * MARGIN + LINE + shown.reduce((sum, panel) => sum + LINE + panel.height, 0));
  const ink = canvas.getContext("2d");
  ink.fillStyle = chart.colours.names.surface;
  ink.fillRect(0, 0, canvas.width, canvas.height);
  ink.scale(scale, scale);
  ink.font = `13px ${style.fontFamily}`;
  ink.fillStyle = chart.colours.names.ink;
  ink.textBaseline = "middle";
  ink.fillText(`${chart.title} · ${chart.status.textContent}`, MARGIN, MARGIN + LINE / 2, chart.width - 2 * MARGIN);
  let top = MARGIN + LINE;
  for (const panel of shown) {
    let left = MARGIN;
    panel.channels.forEach((channel, place) => {
      ink.fillStyle = panel.isBand ? chart.colours.names.ink : chart.colours.line(panel.firstColour + place);
      const text = channel.unit ? `${channel.label} (${channel.unit})` : channel.label;
      ink.fillText(text, left, top + LINE / 2);
      left += ink.measureText(text).width + 2 * MARGIN;
    });
    ink.drawImage(panel.plot.ctx.canvas, 0, top + LINE, chart.width, panel.height);
    top += LINE + panel.height;
  }
  const blob = await new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
  save(blob, `${chart.fileName}.png`);
}

export function downloads(chart) {
  const row = document.createElement("div");
  row.className = "chart-bar";
  row.role = "group";
  row.ariaLabel = say("download");
  const wrong = document.createElement("p");
  wrong.className = "wrong";
  wrong.role = "alert";
  wrong.hidden = true;
  const each = (act) => async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    wrong.hidden = true;
    try {
      await act();
    } catch (error) {
      wrong.textContent = `${say("failedFile")} ${error.message}`;
      wrong.hidden = false;
    }
    pressed.disabled = false;
  };
  for (const [name, format] of FORMATS) row.append(button(name, each(() => readings(chart, format)), { label: `${say("download")}: ${name}` }));
  row.append(button("PNG", each(() => picture(chart)), { label: say("picture") }));
  row.append(wrong);
  return row;
}
