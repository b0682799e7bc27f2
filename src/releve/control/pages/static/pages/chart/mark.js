// What lies behind and above the lines of a panel: gaps, spans that are left out, a run's start and end.

const HATCH = 7;

function edges(plot, span) {
  const { left, width } = plot.bbox;
  const at = span.map((x) => plot.valToPos(x, "x", true));
  const from = Math.max(left, at[0]), to = Math.min(left + width, at[1]);
  return to < from ? null : [from, Math.max(to, from + devicePixelRatio)];
}

export function drawGaps(plot, gaps, colours) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = colours.names.gap;
  for (const span of gaps) {
    const found = edges(plot, span);
    if (found) ctx.fillRect(found[0], bbox.top, found[1] - found[0], bbox.height);
  }
  ctx.restore();
}

export function drawOut(plot, spans, colours) {
  const { ctx, bbox } = plot;
  const step = HATCH * devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colours.names.out;
  ctx.lineWidth = devicePixelRatio;
  for (const span of spans) {
    const found = edges(plot, span);
    if (!found) continue;
    const [from, to] = found;
    ctx.save();
    ctx.beginPath();
    ctx.rect(from, bbox.top, to - from, bbox.height);
    ctx.clip();
    ctx.globalAlpha = 0.55;
    ctx.beginPath();
    for (let x = from - bbox.height - (from % step); x < to; x += step) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.strokeRect(from, bbox.top, to - from, bbox.height);
    ctx.restore();
  }
  ctx.restore();
}

// The run's start and end as posts; what lies beyond them is dimmed.
export function drawBounds(plot, bounds, colours) {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const [place, x] of bounds.entries()) {
    const at = plot.valToPos(x, "x", true);
    const clamped = Math.min(Math.max(at, bbox.left), bbox.left + bbox.width);
    ctx.globalAlpha = 0.6;
    ctx.fillStyle = colours.names.surface;
    if (place === 0) ctx.fillRect(bbox.left, bbox.top, clamped - bbox.left, bbox.height);
    else ctx.fillRect(clamped, bbox.top, bbox.left + bbox.width - clamped, bbox.height);
    ctx.globalAlpha = 1;
    if (clamped !== at) continue;
    ctx.fillStyle = colours.names.accent;
    ctx.fillRect(at - devicePixelRatio, bbox.top, 2 * devicePixelRatio, bbox.height);
    ctx.fillRect(at - 5 * devicePixelRatio, bbox.top + bbox.height / 2 - 12 * devicePixelRatio, 10 * devicePixelRatio, 24 * devicePixelRatio);
  }
  ctx.restore();
}
