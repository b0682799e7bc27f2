// Waits for a device's first reading and shows it, as the server writes it.

const EVERY_MS = 1500;
const place = document.getElementById("first-reading");
let shown = "";
const { latest } = document.getElementById("first").dataset;

async function look() {
  const response = await fetch(latest, { headers: { Accept: "text/html" } });
  if (response.redirected || !response.ok) throw new Error(String(response.status));
  const text = await response.text();
  if (text !== shown) place.innerHTML = shown = text; // a change alone is read aloud
  return place.querySelector("dl") !== null; // what was kept aside is shown, and the first that is stored after it
}

async function wait() {
  try {
    if (await look()) return;
  } catch {
    // the server is away for a moment, or the session ended: asked again
  }
  setTimeout(wait, EVERY_MS);
}

wait();
