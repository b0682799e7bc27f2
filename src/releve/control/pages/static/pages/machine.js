// The sets of today and the records change when a set begins or ends: they are asked for again then.

const machine = document.getElementById("machine");
const slow = ["series", "bests"].map((id) => document.getElementById(id));
let before = null;

machine.addEventListener("releve:answer", ({ detail }) => {
  const now = `${detail.phase} ${detail.set?.run} ${detail.phase === "working" ? "" : detail.set?.repetitions}`;
  if (before !== null && now !== before) for (const part of slow) part.dispatchEvent(new CustomEvent("releve:again"));
  before = now;
});
