// The span that is seen: zoomed, moved, taken back, following what comes; whoever draws is told of each change.

const SHORTEST = 0.001;
const LONGEST = 3.2e9; // a century, in seconds

export class View {
  // `home` is where there is nothing to go back to: {from, to, length} with a length that follows the present.
  constructor(home, origin = 0) {
    this.home = home;
    this.origin = origin;
    this.before = [];
    this.listeners = new Set();
    this.mark = home.range ?? "";
    this.isLive = Boolean(home.isLive);
    [this.from, this.to] = [home.from, home.to];
  }

  get length() {
    return this.to - this.from;
  }

  get now() {
    return Date.now() / 1000 - this.origin;
  }

  // Tells of each change whether more is to come at once (a finger that moves still).
  listen(listener) {
    this.listeners.add(listener);
  }

  tell(isPassing) {
    for (const listener of this.listeners) listener({ isPassing });
  }

  show(from, to, { isPassing = false, range = "", isLive = false, keep = true } = {}) {
    const length = Math.min(Math.max(to - from, SHORTEST), LONGEST);
    const middle = (from + to) / 2;
    if (keep && !isPassing) this.before.push([this.from, this.to, this.mark, this.isLive]);
    [this.from, this.to] = [middle - length / 2, middle + length / 2];
    [this.mark, this.isLive] = [range, isLive];
    this.tell(isPassing);
  }

  // A gesture that moves on is one step back, to where it began.
  remember() {
    this.before.push([this.from, this.to, this.mark, this.isLive]);
  }

  back() {
    const [from, to, range, isLive] = this.before.pop() ?? [this.home.from, this.home.to, this.home.range ?? "", Boolean(this.home.isLive)];
    if (isLive) this.follow(to - from, range, false);
    else this.show(from, to, { range, keep: false });
  }

  zoom(factor, around = (this.from + this.to) / 2, options = {}) {
    this.show(around - (around - this.from) * factor, around + (this.to - around) * factor, options);
  }

  pan(share, options = {}) {
    const by = this.length * share;
    this.show(this.from + by, this.to + by, options);
  }

  follow(length, range = "", keep = true) {
    this.show(this.now - length, this.now, { range, isLive: true, keep });
  }

  // The present goes on; the same span of it is seen.
  slide(to) {
    if (!this.isLive || to <= this.to) return;
    [this.from, this.to] = [this.home.isGrowing ? this.from : this.from + to - this.to, to];
    this.tell(true);
  }
}
