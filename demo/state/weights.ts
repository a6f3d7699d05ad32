import { signal } from "@preact/signals";

/** Goes up whenever the network's weights have changed: what shows what it makes of an image looks again. */
export const weightsVersion = signal(0);
