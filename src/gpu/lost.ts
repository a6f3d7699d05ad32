/** A device that refuses something may say so late, in ms, that it is lost. */
const LOST_MS = 100;

/** A device, and what throws `lost` or `state` where it is gone: a `Runtime` is one. */
export interface LiveDevice {
  readonly device: GPUDevice;
  /** Resolves when it is gone. Default: `device.lost`. */
  readonly lost?: Promise<unknown>;
  /** Whether the library made the device, and so asked for all that its adapter allows. */
  readonly ownsDevice?: boolean;
  assertLive(): void;
}

/**
 * What a promise of the device's becomes. A lost device also refuses what is in flight, each in words of its own and often before
 * it says that it is lost. So where the promise is rejected we wait for that a moment.
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
