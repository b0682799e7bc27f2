// Waits for a device's first reading and shows it, as the server writes it.

import { follow } from "./live.js";

const EVERY_MS = 3000; // for what was kept aside, which is not live
const place = document.getElementById("first-reading");
let shown = "";
const { latest, device } = document.getElementById("first").dataset;
let timer = 0;

async function look() {
  const response = await fetch(latest, { headers: { Accept: "text/html" } });
  if (response.redirected || !response.ok) throw new Error(String(response.status));
  const text = await response.text();
  if (text !== shown) place.innerHTML = shown = text; // a change alone is read aloud
  return place.querySelector("dl") !== null; // what was kept aside is shown, and the first that is stored after it
}

async function wait() {
  clearTimeout(timer);
  try {
    if (await look()) return stream.close();
  } catch {
    // the server is away for a moment, or the session ended: asked again
  }
  timer = setTimeout(wait, EVERY_MS);
}

const stream = follow(new URLSearchParams({ device }), { reading: wait });
wait();
