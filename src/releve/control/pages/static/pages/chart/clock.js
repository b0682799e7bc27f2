// How instants, lengths of time and numbers are written, in the page's language and the viewer's clock.

import { language, say } from "./words.js";

const LOCALE = language === "fr" ? "fr-FR" : "en-GB";
const NUMBERS = document.body.dataset.locale || LOCALE; // as the account writes them
const MINUTE = 60, HOUR = 3600, DAY = 86400;
const formats = new Map();

function format(options, zone) {
  const key = JSON.stringify([options, zone]);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: zone, hourCycle: "h23" }));
  return formats.get(key);
}

// The account's clock, or where it has said none the browser's.
const { zone: said, zoneUnsaid: unsaid } = document.body.dataset;
export const ownZone = (unsaid === undefined && said) || Intl.DateTimeFormat().resolvedOptions().timeZone;

// Where on the axis one second is 1, each label as short as its neighbours allow.
export function tick(seconds, step, zone) {
  const at = new Date(seconds * 1000);
  if (step >= 300 * DAY) return format({ year: "numeric" }, zone).format(at);
  if (step >= 27 * DAY) return format({ month: "short", year: "2-digit" }, zone).format(at);
  if (step >= DAY) return format({ day: "numeric", month: "short" }, zone).format(at);
  if (step >= MINUTE) return format({ hour: "2-digit", minute: "2-digit" }, zone).format(at);
  if (step >= 1) return format({ hour: "2-digit", minute: "2-digit", second: "2-digit" }, zone).format(at);
  return format({ minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 }, zone).format(at);
}

export function day(seconds, zone) {
  return format({ day: "numeric", month: "short" }, zone).format(new Date(seconds * 1000));
}

export function instant(seconds, zone, precise = false) {
  const parts = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" };
  return format(precise ? { ...parts, fractionalSecondDigits: 3 } : parts, zone).format(new Date(seconds * 1000));
}

// A length of time since the start: 1:05, 1:01:05, 0:05.250 where the steps are that small.
export function elapsed(seconds, step = 1) {
  const sign = seconds < 0 ? "−" : "";
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : 3;
  const rounded = Number(Math.abs(seconds).toFixed(digits));
  const whole = Math.floor(rounded);
  const hours = Math.floor(whole / HOUR), minutes = Math.floor((whole % HOUR) / MINUTE);
  const rest = (rounded - hours * HOUR - minutes * MINUTE).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  const text = hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
  return sign + (language === "fr" ? text.replace(".", ",") : text);
}

export function width(seconds) {
  const short = (count) => number(Number(count.toPrecision(2)));
  if (seconds >= DAY) return `${short(seconds / DAY)} ${language === "fr" ? "j" : "d"}`;
  if (seconds >= HOUR) return `${short(seconds / HOUR)} h`;
  if (seconds >= MINUTE) return `${short(seconds / MINUTE)} min`;
  if (seconds >= 1) return `${short(seconds)} s`;
  return `${short(seconds * 1000)} ms`;
}

const numbers = new Map();

export function number(value, decimals = null) {
  if (!numbers.has(decimals)) {
    const digits = decimals === null
      ? { maximumSignificantDigits: 6 }
      : { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    numbers.set(decimals, new Intl.NumberFormat(NUMBERS, digits));
  }
  return numbers.get(decimals).format(value);
}

const LONGEST_TEXT = 60;

// Any value of a reading, as text and never as anything else.
export function value(content, decimals = null) {
  if (content === null || content === undefined) return say("none");
  if (typeof content === "number") return number(content, decimals);
  if (typeof content === "boolean") return say(content ? "yes" : "no");
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}

// Seconds since 1970 of what the API writes, with its microseconds.
export function secondsOf(text) {
  const [, whole, fraction = "", zone] = /^(.*?)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  return Date.parse(whole + zone) / 1000 + Number(`0${fraction}`);
}

// An instant as a field of a form has it, on the wall's clock of the zone, and back.
export function toField(seconds, zone) {
  const parts = new Map(
    new Intl.DateTimeFormat("en-GB", {
      year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: zone,
    }).formatToParts(new Date(seconds * 1000)).map((part) => [part.type, part.value]),
  );
  return `${parts.get("year").padStart(4, "0")}-${parts.get("month")}-${parts.get("day")}T${parts.get("hour")}:${parts.get("minute")}:${parts.get("second")}`;
}

export function fromField(text, zone) {
  const wall = Date.parse(`${text}Z`) / 1000;
  let found = wall;
  for (let round = 0; round < 2; round += 1) found += wall - Date.parse(`${toField(found, zone)}Z`) / 1000;
  return found;
}
