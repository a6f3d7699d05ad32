import { FeaturemapError } from "../base/errors.ts";
import { type LiveDevice, orLost } from "./lost.ts";

/** What a device can have against calls that make, write or submit. */
const FILTERS = ["validation", "out-of-memory"] as const satisfies readonly GPUErrorFilter[];

/** Makes GPU calls, all at once, and gives what the device has against them: `undefined` where it has nothing. */
export function errorOf(live: LiveDevice, calls: () => void): Promise<GPUError | undefined> {
  const { device } = live;
  for (const filter of FILTERS) device.pushErrorScope(filter);
  let popped: Promise<GPUError | null>[] = [];
  try {
    calls();
  } finally {
    // At once: what is pushed during an `await`, by the app or another call, must not be popped here.
    popped = FILTERS.map(() => device.popErrorScope());
    for (const error of popped) error.catch(() => {}); // Nobody waits for it where a call throws.
  }
  return orLost(live, Promise.all(popped)).then((errors) => errors.find((error) => error !== null) ?? undefined);
}

/**
 * Makes GPU calls, all at once, and tells what becomes of them. Errors of the app's own calls do not come here.
 *
 * @param where Opens the message; the device's own words name the buffer or kernel.
 * @returns rejected with `device` where the device refuses a call, with `lost` or `state` where it is gone. Nobody has to wait for it.
 */
export function checked(live: LiveDevice, where: string, calls: () => void): Promise<void> {
  const done = errorOf(live, calls).then((error) => {
    if (error) throw new FeaturemapError("device", `${where}: the GPU refused what it was given: ${error.message}`);
  });
  done.catch(() => {});
  return done;
}
