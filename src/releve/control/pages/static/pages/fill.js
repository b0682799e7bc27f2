// Writes a JSON answer into a page: each element says which part of it it shows, and how.

const language = document.documentElement.lang;
const manner = document.body.dataset.locale || language; // of numbers, as the account wants them
const timers = new Map();

export function fill(root, answer) {
  const zone = root.closest("[data-zone]")?.dataset.zone;
  for (const list of own(root, "[data-each]")) repeat(list, at(answer, list.dataset.each) ?? [], answer);
  for (const element of own(root, "[data-none]")) element.hidden = (at(answer, element.dataset.none) ?? []).length > 0;
  for (const element of own(root, "[data-show]")) element.hidden = !at(answer, element.dataset.show);
  for (const element of own(root, "[data-choice]")) choose(element, at(answer, element.dataset.choice));
  for (const element of own(root, "[data-value]")) write(element, at(answer, element.dataset.value), zone);
  for (const element of own(root, "[data-timer]")) time(element, at(answer, element.dataset.timer));
  for (const element of own(root, "[data-sign]")) element.dataset.is = sign(at(answer, element.dataset.sign));
  for (const element of own(root, "[data-href]")) link(element, at(answer, element.dataset.href), "/");
  for (const element of own(root, "[data-query]")) link(element, at(answer, element.dataset.query), "");
}

export function number(value, digits = 2) {
  return new Intl.NumberFormat(manner, { maximumFractionDigits: digits }).format(value);
}

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const tail = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

// What lies in a row that is repeated, or in another page's part, is not this one's.
function own(root, selector) {
  const inner = (element) => element.parentElement?.closest("[data-each], [data-watch]");
  return [...root.querySelectorAll(selector)].filter((element) => {
    const above = inner(element);
    return !above || above === root || !root.contains(above);
  });
}

function at(answer, path) {
  return path.split(".").reduce((found, name) => (found !== null && typeof found === "object" && Object.hasOwn(found, name) ? found[name] : null), answer);
}

// A row sees the whole answer as `above`.
function repeat(list, rows, above) {
  const template = list.querySelector(":scope > template");
  const known = [...list.children].filter((child) => child !== template);
  rows.forEach((row, place) => {
    const element = known[place] ?? list.appendChild(template.content.firstElementChild.cloneNode(true));
    fill(element, { ...row, above });
  });
  for (const extra of known.slice(rows.length)) extra.remove();
}

function choose(element, value) {
  const wanted = value === null ? "none" : String(value);
  for (const choice of element.querySelectorAll(":scope > [data-when]")) choice.hidden = !choice.dataset.when.split(" ").includes(wanted);
}

// A figure without its value is not shown; what stands aside of the value, such as a unit, may be missing.
function write(element, value, zone) {
  const text = value === null || value === undefined ? "" : shown(value, element.dataset, zone);
  if (element.textContent !== text) element.textContent = text;
  const figure = "aside" in element.dataset ? null : element.closest("[data-figure]");
  if (figure) figure.hidden = text === "";
}

function shown(value, { format, digits }, zone) {
  if (format === "clock") return clock(value);
  if (format === "lap") return lap(value);
  if (format === "delta") return new Intl.NumberFormat(manner, { signDisplay: "exceptZero", minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value);
  if (format) return instant(value, format, zone);
  return typeof value === "number" ? number(value, digits === undefined ? 2 : Number(digits)) : String(value);
}

function lap(seconds) {
  const hundredths = Math.round(seconds * 100);
  const decimal = new Intl.NumberFormat(manner).formatToParts(0.5).find((part) => part.type === "decimal").value;
  return clock(hundredths / 100) + decimal + String(hundredths % 100).padStart(2, "0");
}

function sign(value) {
  if (value === null || Math.abs(value) < 0.005) return "even";
  return value < 0 ? "quicker" : "slower";
}

// The day is told only where it is another one than today.
function instant(value, format, zone) {
  const when = new Date(value);
  const say = (options) => new Intl.DateTimeFormat(language, { timeZone: zone, ...options }).format(when);
  const hours = { hour: "2-digit", minute: "2-digit", hour12: false };
  if (format === "time") return say({ ...hours, second: "2-digit" });
  if (format === "day") return new Intl.DateTimeFormat(language, { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" }).format(when);
  const day = (date) => new Intl.DateTimeFormat("sv", { timeZone: zone }).format(date);
  if (format === "since" && day(when) === day(new Date())) return say(hours);
  return say({ day: "numeric", month: "short", ...hours });
}

function time(element, seconds) {
  if (seconds === null) timers.delete(element);
  else timers.set(element, performance.now() - 1000 * seconds);
  tick(element);
  const figure = element.closest("[data-figure]");
  if (figure) figure.hidden = seconds === null;
}

function tick(element) {
  const text = timers.has(element) ? clock((performance.now() - timers.get(element)) / 1000) : "";
  if (element.textContent !== text) element.textContent = text;
}

function link(element, value, end) {
  if (value === null) element.removeAttribute("href");
  else element.href = `${element.dataset.prefix}${encodeURIComponent(value)}${end}`;
  if (element.classList.contains("button")) element.hidden = value === null;
}

setInterval(() => {
  for (const element of timers.keys()) {
    if (element.isConnected) tick(element);
    else timers.delete(element);
  }
}, 250);
