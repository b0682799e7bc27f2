/* Follows what is committed: `follow(query, {reading, state})`. It comes back by itself, to where it was.

   fetch is used in place of EventSource, which neither tells a refusal from a broken network nor can be told where to go
   on. A page that nobody sees for a while lets go, because a browser opens six connections to a server and no more, and
   comes back to where it was when it is looked at. */

const ADDRESS = "/api/v1/live";
const SOONEST_MS = 500;
const LATEST_MS = 20_000;
const SILENT_MS = 45_000; // three heartbeats
const HIDDEN_MS = 30_000;
const MOST_SEEN = 2_000;

/** Follow devices, assets, runs (URLSearchParams) until `close()`.

    reading({device, device_id, time, channels}): each reading once, the last of each device at first.
    state("open" | "lost" | "ended"): whether it follows, tries to, or may not any more. */
export function follow(query, { reading = () => {}, state = () => {} } = {}) {
  const follower = new Follower(query, reading, state);
  follower.begin();
  return { close: () => follower.close() };
}

class Follower {
  constructor(query, reading, state) {
    this.query = new URLSearchParams(query);
    this.reading = reading;
    this.state = state;
    this.said = "";
    this.lastId = "";
    this.seen = new Seen(MOST_SEEN);
    this.fails = 0;
    this.isClosed = false;
    this.timer = 0; // the one thing that is waited for: to try again, to give up, to let go
    this.hiding = 0;
    this.stop = null;
    this.onVisibility = () => this.look();
    this.onHide = () => this.letGo();
    this.onShow = () => this.look();
  }

  begin() {
    document.addEventListener("visibilitychange", this.onVisibility);
    window.addEventListener("pagehide", this.onHide);
    window.addEventListener("pageshow", this.onShow);
    if (document.hidden) this.look();
    this.open();
  }

  close() {
    this.isClosed = true;
    document.removeEventListener("visibilitychange", this.onVisibility);
    window.removeEventListener("pagehide", this.onHide);
    window.removeEventListener("pageshow", this.onShow);
    clearTimeout(this.hiding);
    this.letGo();
  }

  look() {
    clearTimeout(this.hiding);
    if (this.isClosed) return;
    if (document.hidden) this.hiding = setTimeout(() => this.letGo(), HIDDEN_MS);
    else if (!this.stop) {
      clearTimeout(this.timer);
      this.open();
    }
  }

  letGo() {
    clearTimeout(this.timer);
    this.stop?.abort();
    this.stop = null;
  }

  say(what) {
    if (what !== this.said) this.state((this.said = what));
  }

  async open() {
    const stop = (this.stop = new AbortController());
    try {
      const answer = await fetch(`${ADDRESS}?${this.query}`, {
        headers: { Accept: "text/event-stream", ...(this.lastId && { "Last-Event-ID": this.lastId }) },
        credentials: "same-origin",
        cache: "no-store",
        signal: stop.signal,
      });
      if (answer.ok) await this.read(answer, stop);
      else if (answer.status < 500 && answer.status !== 429) return this.end();
    } catch (error) {
      if (!(error instanceof TypeError) && error.name !== "AbortError") throw error; // the network's; others are ours
    }
    this.lost(stop);
  }

  async read(answer, stop) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new Parser((event) => this.hear(event));
    this.watch(stop);
    while (!this.isClosed) {
      const { value, done } = await reader.read();
      if (done || this.isClosed) return;
      this.watch(stop);
      this.fails = 0;
      this.say("open");
      parser.take(value);
    }
  }

  watch(stop) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => stop.abort(), SILENT_MS);
  }

  hear(event) {
    if (this.isClosed) return;
    if (event.type === "end") return this.end();
    if (event.type !== "message") return;
    if (event.id) this.lastId = event.id;
    if (!this.seen.isNew(event.data)) return;
    try {
      this.reading(JSON.parse(event.data));
    } catch (error) {
      reportError(error); // of whoever listens; the next reading is told all the same
    }
  }

  lost(stop) {
    clearTimeout(this.timer);
    if (this.isClosed || this.stop !== stop) return; // let go on purpose, or another has begun
    this.say("lost");
    const wait = Math.min(LATEST_MS, SOONEST_MS * 2 ** this.fails++);
    this.timer = setTimeout(() => this.open(), wait * (0.5 + Math.random() / 2));
  }

  end() {
    this.close();
    this.say("ended");
  }
}

/** The last few events: after a break some come twice. */
class Seen {
  constructor(most) {
    this.most = most;
    this.all = new Set();
  }

  isNew(text) {
    if (this.all.has(text)) return false;
    this.all.add(text);
    if (this.all.size > this.most) this.all.delete(this.all.values().next().value);
    return true;
  }
}

/** The event stream format: HTML standard, section 9.2.6, as our server writes it. */
class Parser {
  constructor(heard) {
    this.heard = heard;
    this.rest = "";
  }

  take(text) {
    const events = (this.rest + text).split("\n\n");
    this.rest = events.pop();
    for (const block of events) {
      const event = { type: "message", id: "", data: "" };
      for (const line of block.split("\n")) {
        const colon = line.indexOf(": ");
        const name = line.slice(0, colon);
        if (name === "event") event.type = line.slice(colon + 2);
        else if (name === "id" || name === "data") event[name] = line.slice(colon + 2);
      }
      if (event.data) this.heard(event);
    }
  }
}
