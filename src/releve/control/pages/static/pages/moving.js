// Lets every part of a page that names an answer show it as it changes: by itself, and as soon as a reading is committed.

import { fill } from "./fill.js";
import { follow } from "./live.js";
import { watch } from "./watch.js";

for (const root of document.querySelectorAll("[data-watch]")) {
  const lost = root.querySelector("[data-link]");
  const watched = watch(root.dataset.watch, {
    every: Number(root.dataset.every),
    answer(found) {
      fill(root, found);
      root.dataset.filled = "";
      root.dispatchEvent(new CustomEvent("releve:answer", { detail: found }));
    },
    state(word) {
      if (lost) lost.hidden = word === "open";
    },
  });
  root.addEventListener("releve:again", () => watched.again());
  if (root.dataset.follow) follow(new URLSearchParams(root.dataset.follow), { reading: () => watched.soon() });
}
