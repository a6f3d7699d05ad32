/** Bytes that no adapter has: to ask for them would be no help. */
const MOST_BYTES = 2 ** 40;

/**
 * What helps where a device's limit is below what is needed. A device that the library made has all that its adapter allows; an
 * app's has what the app asked for.
 */
export function limitRemedy(names: readonly string[], needed: number, ownsDevice = false): string {
  const smaller = "Use a smaller batch size, data set or network";
  if (needed > MOST_BYTES) return `${smaller}.`;
  const limits = names.map((name) => `${name}: ${needed}`).join(", ");
  const more = ownsDevice
    ? "an adapter that allows more"
    : `make the device by requestDevice({ requiredLimits: { ${limits} } }), if its adapter allows that`;
  return `${smaller}, or ${more}.`;
}
