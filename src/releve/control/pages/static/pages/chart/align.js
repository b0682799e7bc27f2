// Puts lines with instants of their own onto one axis, as uPlot takes them: undefined is passed over, null breaks a line.

const UNTOLD = undefined, BREAK = null;

// One array of places and, for each line, its low, high and mean; a place in the middle of each gap breaks all of them.
export function aligned(lines, gaps, width) {
  const places = new Set();
  for (const line of lines) for (const x of line.x) places.add(x + width / 2);
  const breaks = new Set();
  for (const [from, to] of gaps) {
    const middle = (from + to) / 2;
    if (!places.has(middle)) breaks.add(middle);
  }
  const x = Float64Array.from([...places, ...breaks]).sort();
  const columns = lines.flatMap((line) => columnsOf(line, x, breaks, width / 2));
  return [Array.from(x), ...columns];
}

function columnsOf(line, x, breaks, half) {
  const found = [new Array(x.length), new Array(x.length), new Array(x.length)];
  const [low, high, mean] = found;
  let next = 0;
  for (let place = 0; place < x.length; place += 1) {
    if (breaks.has(x[place])) {
      low[place] = high[place] = mean[place] = BREAK;
      continue;
    }
    low[place] = high[place] = mean[place] = UNTOLD;
    while (next < line.x.length && line.x[next] + half <= x[place]) {
      if (line.value) put(found, place, line.value[next]);
      else {
        low[place] = line.low[next];
        high[place] = line.high[next];
        mean[place] = line.mean[next];
      }
      next += 1;
    }
  }
  return found;
}

// Several readings of one instant are a band of their own.
function put([low, high, mean], place, value) {
  if (typeof value !== "number") return;
  low[place] = Math.min(low[place] ?? value, value);
  high[place] = Math.max(high[place] ?? value, value);
  mean[place] = value;
}

// Where in a line the reading nearest to a place is; -1 of none.
export function nearest(line, x) {
  let low = 0, high = line.x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (line.x[middle] < x) low = middle + 1;
    else high = middle;
  }
  if (low === line.x.length) return low - 1;
  return low > 0 && x - line.x[low - 1] <= line.x[low] - x ? low - 1 : low;
}
