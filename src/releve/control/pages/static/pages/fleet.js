// Keeps the list of devices as it is: fetched again for another search and every half minute, and live in between.

import { follow } from "./live.js";

const EVERY_MS = 30_000;
const TYPING_MS = 250;
const list = document.getElementById("fleet");
const find = document.getElementById("find");
const locale = document.body.dataset.locale || document.documentElement.lang;
let stream = null;
let formats = {};
let asked = 0;
let timer = 0;
let typing = 0;

const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 3, useGrouping: false });

// As the server writes a value: at most three decimals, or as many as were said.
function shown(value, format) {
  if (typeof value !== "number") return String(value).slice(0, 40);
  const number = value * (format?.scale ?? 1) + (format?.offset ?? 0);
  const decimals = format?.decimals ?? null;
  return decimals === null ? plain.format(number) : plain.format(Number(number.toFixed(decimals)));
}

function hear({ device_id: device, channels }) {
  const card = list.querySelector(`[data-device="${device}"]`);
  if (!card) return;
  for (const term of card.querySelectorAll(".readout dt")) {
    const value = Object.hasOwn(channels, term.title) ? channels[term.title] : null;
    const place = term.nextElementSibling?.querySelector("span");
    if (value === null || typeof value === "boolean" || !place) continue;
    place.textContent = shown(value, formats[device]?.[term.title]);
  }
}

function begin() {
  stream?.close();
  formats = JSON.parse(document.getElementById("formats")?.textContent ?? "{}");
  const devices = [...list.querySelectorAll("[data-device]")].map((card) => ["device", card.dataset.device]);
  stream = devices.length ? follow(new URLSearchParams(devices), { reading: hear, state: (word) => { list.dataset.live = word; } }) : null;
}

async function fetchList() {
  clearTimeout(timer);
  const number = ++asked;
  try {
    const answer = await fetch(`${list.dataset.cards}${location.search}`, { headers: { Accept: "text/html" } });
    const text = await answer.text();
    if (number !== asked) return; // another search was begun meanwhile
    if (answer.redirected) return location.reload(); // to the sign-in
    if (!answer.ok) throw new TypeError(String(answer.status));
    const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    list.innerHTML = text;
    if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    begin();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // the network's; others are ours
    const note = Object.assign(document.createElement("p"), { className: "wrong", textContent: list.dataset.failed });
    if (!list.querySelector(":scope > .wrong")) list.prepend(note);
  }
  timer = setTimeout(fetchList, EVERY_MS);
}

function search() {
  const wanted = new URLSearchParams([...new FormData(find)].filter(([, value]) => value));
  history.replaceState(null, "", wanted.size ? `?${wanted}` : location.pathname);
  return fetchList();
}

find?.querySelector("button")?.remove(); // what is typed is searched
find?.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(search, TYPING_MS);
});
find?.addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});

if (list.querySelector(":scope > .waiting")) fetchList();
else {
  begin();
  timer = setTimeout(fetchList, EVERY_MS);
}
