// Offers the time zones that the browser knows to every field with the list "zones", and its own where one is proposed.

const list = document.getElementById("zones");
for (const name of Intl.supportedValuesOf?.("timeZone") ?? []) list?.append(new Option(name, name));

const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const button of document.querySelectorAll("button[data-propose-zone]")) {
  if (!own) continue;
  button.hidden = false;
  button.append(` ${own}`);
  button.addEventListener("click", () => { document.getElementById(button.dataset.proposeZone).value = own; });
}
