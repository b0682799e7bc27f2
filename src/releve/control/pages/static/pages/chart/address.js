// The span that is seen, in the page's address: a link to it shows the same, and reloading keeps it.

export const RANGES = new Map([["5m", 300], ["1h", 3600], ["24h", 86400], ["7d", 604800], ["30d", 2592000], ["1y", 31536000]]);

const iso = (seconds) => new Date(Math.round(seconds * 1000)).toISOString();

// What the address says, null where it says nothing that makes sense.
export function read(origin, isPlace = false) {
  const asked = new URLSearchParams(location.search);
  const range = asked.get("range");
  if (RANGES.has(range)) return { range };
  const edges = ["from", "to"].map((name) => asked.get(name) ?? "");
  const [from, to] = edges.map((text) => (isPlace ? Number.parseFloat(text) : Date.parse(text) / 1000 - origin));
  return from < to ? { from, to } : null;
}

export function write(view, origin, isPlace, isHome) {
  const address = new URL(location.href);
  for (const name of ["range", "from", "to"]) address.searchParams.delete(name);
  if (view.mark && RANGES.has(view.mark)) address.searchParams.set("range", view.mark);
  else if (!isHome) {
    for (const name of ["from", "to"]) {
      address.searchParams.set(name, isPlace ? String(view[name]) : iso(view[name] + origin));
    }
  }
  history.replaceState(history.state, "", address);
}
