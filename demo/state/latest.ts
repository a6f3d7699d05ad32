/**
 * Calls one at a time, and of those that wait only the newest: a knob that is turned quickly asks for what it shows last.
 * What was overtaken never resolves.
 */
export function latest<A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) {
  let running = false;
  let waiting: (() => void) | undefined;
  return (...args: A): Promise<R> =>
    new Promise((resolve, reject) => {
      const run = () => {
        running = true;
        call(...args)
          .then(resolve, reject)
          .finally(() => {
            running = false;
            const next = waiting;
            waiting = undefined;
            next?.();
          });
      };
      if (running) waiting = run;
      else run();
    });
}
