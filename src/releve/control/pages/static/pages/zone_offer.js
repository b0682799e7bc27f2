// Offers the browser's time zone to whoever has chosen none yet, where its clock shows another time than the pages do.

const offer = document.getElementById("zone-offer");
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const shown = document.body.dataset.zone;

function clock(timeZone, instant) {
  return new Intl.DateTimeFormat("en", { timeZone, dateStyle: "short", timeStyle: "short" }).format(instant);
}

// In winter and in summer: zones of different names may be one.
function differ(one, other) {
  const year = new Date().getFullYear();
  return [new Date(year, 0, 15), new Date(year, 6, 15)].some((instant) => clock(one, instant) !== clock(other, instant));
}

if (own && differ(own, shown)) {
  document.getElementById("zone-own").textContent = own;
  document.getElementById("zone-take").value = own;
  offer.hidden = false;
}
