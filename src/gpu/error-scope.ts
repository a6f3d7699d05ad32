import { FeaturemapError } from "../base/errors.ts";
import { type LiveDevice, orLost } from "./lost.ts";

/** Kinds of errors that calls can cause that make, write or submit. */
const FILTERS = ["validation", "out-of-memory"] as const satisfies readonly GPUErrorFilter[];

/** Makes GPU calls, all at once, and gives the device's errors: `undefined` if there are none. */
export function errorIn(live: LiveDevice, calls: () => void): Promise<GPUError | undefined> {
  const { device } = live;
  for (const filter of FILTERS) device.pushErrorScope(filter);
  let popped: Promise<GPUError | null>[] = [];
  try {
    calls();
  } finally {
    // Without an `await`: a scope that the app or another call pushes meanwhile must not be popped here.
    popped = FILTERS.map(() => device.popErrorScope());
    for (const error of popped) error.catch(() => {}); // Nobody waits for it where a call throws.
  }
  return orLost(live, Promise.all(popped)).then((errors) => errors.find((error) => error !== null) ?? undefined);
}

/**
 * Makes GPU calls, all at once, under error scopes, and tells whether the device took them. Errors of the app's own calls do not come
 * here.
 *
 * @param where Beginning of the message. The device's own words name the buffer or kernel.
 * @returns a promise that nobody has to wait for. It is rejected with `device` where the device refuses a call, with `lost` or
 *   `state` where it is gone.
 */
export function inErrorScope(live: LiveDevice, where: string, calls: () => void): Promise<void> {
  const done = errorIn(live, calls).then((error) => {
    if (error) throw new FeaturemapError("device", `${where}: the GPU refused what it was given: ${error.message}`);
  });
  done.catch(() => {});
  return done;
}
