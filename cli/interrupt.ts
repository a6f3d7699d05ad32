/** Exit status of a run that SIGINT or SIGTERM stopped, as shells report Ctrl-C. */
export const INTERRUPTED = 130;

// One Ctrl-C in a terminal can arrive two or three times: the terminal signals the whole process group, and npm and tsx
// pass on what they get. Signals this close together are one.
const SAME_KEYPRESS_MS = 500;

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Takes the handlers away. */
  dispose(): void;
}

/** The first SIGINT or SIGTERM aborts the signal; a later one ends the process at once, and Playwright its browser. */
export function listenForInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  let first = 0;
  const handle = () => {
    if (!controller.signal.aborted) {
      first = performance.now();
      onFirst();
      controller.abort();
    } else if (performance.now() - first > SAME_KEYPRESS_MS) {
      process.exit(INTERRUPTED);
    }
  };
  process.on("SIGINT", handle).on("SIGTERM", handle);
  return {
    signal: controller.signal,
    dispose: () => process.off("SIGINT", handle).off("SIGTERM", handle),
  };
}
