/** Time in which a device that refuses something may still say that it is lost, in ms. Set by hand on 2026-11-24, not measured. */
const LOST_MS = 100;

/** Device with a function that throws `lost` or `state` if it is gone. A `Runtime` is one. */
export interface LiveDevice {
  readonly device: GPUDevice;
  /** Promise that resolves when the device is gone. Default: `device.lost`. */
  readonly lost?: Promise<unknown>;
  /** Whether the library made the device, with all of its adapter's limits. */
  readonly ownsDevice?: boolean;
  assertLive(): void;
}

/**
 * Awaits a promise of the device. A lost device refuses whatever is in flight, in various words, and often before it says that it is
 * lost. So after a rejection we wait a moment for that news.
 *
 * @throws FeaturemapError `lost` or `state` where the device is gone by then; else what the promise was rejected with
 */
export async function orLost<T>(live: LiveDevice, promise: PromiseLike<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LOST_MS);
    });
    await Promise.race([live.lost ?? live.device.lost, late]);
    clearTimeout(timer);
    live.assertLive();
    throw error;
  }
}
