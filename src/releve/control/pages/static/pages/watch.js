// Asks for a JSON answer again and again while somebody looks, and says whether it still comes.

const LOST_AFTER = 2; // answers in a row that failed
const ENDED = new Set([401, 403, 404]);
const SOONEST_MS = 700; // between two questions, however many readings come

/** Ask every so many milliseconds until `close()`; `soon()` asks earlier, `again()` at once.

    answer(json), state("open" | "lost"). */
export function watch(address, { every, answer, state }) {
  let [failed, timer, due, asked, busy, isEnded] = [0, 0, Infinity, 0, false, false];

  async function ask() {
    clearTimeout(timer);
    due = Infinity;
    if (busy || isEnded) return;
    [busy, asked] = [true, performance.now()];
    try {
      const response = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      isEnded = ENDED.has(response.status);
      if (!response.ok) throw new Error(String(response.status));
      answer(await response.json());
      failed = 0;
      state("open");
    } catch {
      failed += 1;
      if (failed >= LOST_AFTER || isEnded) state("lost");
    }
    busy = false;
    wait(every * Math.min(8, 2 ** Math.max(0, failed - 1)));
  }

  function wait(ms) {
    const wanted = performance.now() + ms;
    if (document.hidden || isEnded || busy || wanted >= due) return;
    clearTimeout(timer);
    due = wanted;
    timer = setTimeout(ask, ms);
  }

  function look() {
    if (!document.hidden) return ask();
    clearTimeout(timer);
    due = Infinity;
  }

  document.addEventListener("visibilitychange", look);
  ask();
  return {
    again: ask,
    soon: () => wait(Math.max(0, asked + SOONEST_MS - performance.now())),
    close() {
      isEnded = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    },
  };
}
