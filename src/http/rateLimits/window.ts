/** Slices that a window is cut into: it slides by one of them at a time. */
export const SLOTS = 60;

/** So many requests in so many seconds. */
export type Limit = { readonly most: number; readonly seconds: number };

/** How a bucket stands: what the `X-RateLimit` headers say. */
export type Standing = {
  readonly limit: number;
  readonly remaining: number;
  /** Whole seconds until the oldest counted requests leave the window. */
  readonly reset: number;
};

/** The slice of time that an instant (milliseconds) lies in. */
export const slotAt = (now: number, seconds: number): number => Math.floor((now * SLOTS) / (seconds * 1000));

/** Whole seconds from now until a slot leaves the window. */
export const secondsLeft = (slot: number, now: number, seconds: number): number =>
  Math.max(1, Math.ceil(((slot + SLOTS) * seconds) / SLOTS - now / 1000));

/**
 * Requests of one caller in a sliding window: per slice what all processes were known to have counted at the last
 * exchange, and what this one has counted since. Exact in number; a request leaves the window up to one slice early.
 */
export class Window {
  /** Of the youngest slice. */
  #slot: number;
  readonly #shared = new Uint32Array(SLOTS);
  readonly #pending = new Uint32Array(SLOTS);
  #total = 0;
  constructor(slot: number) {
    this.#slot = slot;
  }

  /** Lets slices that have passed out of the window go. */
  #slideTo(slot: number): void {
    if (slot <= this.#slot) return;
    const steps = Math.min(slot - this.#slot, SLOTS);
    for (let step = 1; step <= steps; step++) this.#drop((this.#slot + step) % SLOTS);
    this.#slot = slot;
  }

  #drop(at: number): void {
    this.#total -= (this.#shared[at] ?? 0) + (this.#pending[at] ?? 0);
    this.#shared[at] = 0;
    this.#pending[at] = 0;
  }

  /** Requests in the window that ends with this slot. */
  countAt(slot: number): number {
    this.#slideTo(slot);
    return this.#total;
  }

  add(slot: number): void {
    this.#slideTo(slot);
    const at = this.#slot % SLOTS;
    this.#pending[at] = (this.#pending[at] ?? 0) + 1;
    this.#total += 1;
  }

  /** The oldest slice with a request in it; the youngest slice when there is none. */
  oldest(): number {
    for (let slot = this.#slot - SLOTS + 1; slot < this.#slot; slot++) {
      const at = slot % SLOTS;
      if ((this.#shared[at] ?? 0) + (this.#pending[at] ?? 0) > 0) return slot;
    }
    return this.#slot;
  }

  /** Takes out what was counted here since the last call; it counts on as shared. */
  takePending(): { readonly slot: number; readonly count: number }[] {
    const taken: { slot: number; count: number }[] = [];
    for (let slot = this.#slot - SLOTS + 1; slot <= this.#slot; slot++) {
      const at = slot % SLOTS;
      const count = this.#pending[at] ?? 0;
      if (count === 0) continue;
      taken.push({ slot, count });
      this.#shared[at] = (this.#shared[at] ?? 0) + count;
      this.#pending[at] = 0;
    }
    return taken;
  }

  /** What all processes have counted in a slice, this one's exchanged share included. */
  learn(slot: number, count: number): void {
    if (slot > this.#slot || slot <= this.#slot - SLOTS) return;
    const at = slot % SLOTS;
    // Another exchange may have been slower: a count never falls.
    if (count <= (this.#shared[at] ?? 0)) return;
    this.#total += count - (this.#shared[at] ?? 0);
    this.#shared[at] = count;
  }
}
