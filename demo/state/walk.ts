// A window that walks over an image, place by place, by itself, step by step or where it is put.

import { computed, type ReadonlySignal, signal } from "@preact/signals";

export type Speed = "slow" | "medium" | "fast";

const PLACES_PER_SECOND: Readonly<Record<Speed, number>> = { slow: 3, medium: 12, fast: 120 };

export interface Walk {
  /** Of its places, row by row. */
  readonly count: ReadonlySignal<number>;
  readonly at: ReadonlySignal<number>;
  readonly playing: ReadonlySignal<boolean>;
  /** How many places have been visited, in order: all where it was put somewhere. */
  readonly visited: ReadonlySignal<number>;
  readonly speed: ReadonlySignal<Speed>;
  /** From where it is, or from the start where it is at the end. */
  play(): void;
  pause(): void;
  step(): void;
  goTo(place: number): void;
  /** Stays where it is, all places visited. */
  showAll(): void;
  setSpeed(speed: Speed): void;
}

export function createWalk(count: ReadonlySignal<number>): Walk {
  const place = signal(0);
  const playing = signal(false);
  const growing = signal(false);
  const speed = signal<Speed>("medium");
  const at = computed(() => Math.max(0, Math.min(place.value, count.value - 1)));
  const visited = computed(() => (growing.value ? at.value + 1 : count.value));
  let last = 0;
  let owed = 0;

  function frame(now: number): void {
    if (!playing.peek()) return;
    owed += ((now - last) / 1000) * PLACES_PER_SECOND[speed.peek()];
    last = now;
    const steps = Math.floor(owed);
    owed -= steps;
    const end = count.peek() - 1;
    if (steps > 0) place.value = Math.min(end, at.peek() + steps);
    if (at.peek() >= end) pause();
    else requestAnimationFrame(frame);
  }

  function pause(): void {
    playing.value = false;
  }

  function showAll(): void {
    pause();
    growing.value = false;
  }

  return {
    count,
    at,
    playing,
    visited,
    speed,
    play() {
      if (playing.peek()) return;
      if (at.peek() >= count.peek() - 1) place.value = 0;
      growing.value = true;
      playing.value = true;
      owed = 0;
      last = performance.now();
      requestAnimationFrame(frame);
    },
    pause,
    step() {
      pause();
      growing.value = true;
      place.value = at.peek() >= count.peek() - 1 ? 0 : at.peek() + 1;
    },
    goTo(next) {
      showAll();
      place.value = next;
    },
    showAll,
    setSpeed(next) {
      speed.value = next;
    },
  };
}
