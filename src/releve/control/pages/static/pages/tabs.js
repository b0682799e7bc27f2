// Makes tabs of the sections of an element [data-tabs]; without this script they stand below each other.

function tabOf(section, title) {
  const tab = document.createElement("button");
  tab.type = "button";
  tab.role = "tab";
  tab.id = `tab-${section.id}`;
  tab.textContent = title.textContent;
  tab.setAttribute("aria-controls", section.id);
  section.role = "tabpanel";
  section.setAttribute("aria-labelledby", tab.id);
  title.remove();
  return tab;
}

function select(tabs, sections, index) {
  tabs.forEach((tab, at) => {
    tab.ariaSelected = String(at === index);
    tab.tabIndex = at === index ? 0 : -1;
    sections[at].hidden = at !== index;
  });
}

for (const element of document.querySelectorAll("[data-tabs]")) {
  const sections = [...element.querySelectorAll(":scope > section")];
  const tabs = sections.map((section) => tabOf(section, section.querySelector("h3")));
  const list = document.createElement("div");
  list.role = "tablist";
  list.className = "tabs";
  list.setAttribute("aria-labelledby", element.getAttribute("aria-labelledby"));
  list.append(...tabs);
  element.prepend(list);
  select(tabs, sections, 0);
  tabs.forEach((tab, at) => tab.addEventListener("click", () => select(tabs, sections, at)));
  list.addEventListener("keydown", (event) => {
    const now = tabs.indexOf(document.activeElement);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const at = (next + tabs.length) % tabs.length;
    select(tabs, sections, at);
    tabs[at].focus();
  });
}
