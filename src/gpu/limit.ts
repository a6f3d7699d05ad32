/** More bytes than any adapter has. A message that asks for more would be no help. */
const MAX_BYTES = 2 ** 40;

/**
 * Words the remedy for a limit that is too small. A device that the library made has all that its adapter allows; an app's device
 * has what the app asked for.
 */
export function limitRemedy(names: readonly string[], needed: number, ownsDevice = false): string {
  const smaller = "Use a smaller batch size, data set or network";
  if (needed > MAX_BYTES) return `${smaller}.`;
  const limits = names.map((name) => `${name}: ${needed}`).join(", ");
  const more = ownsDevice
    ? "an adapter that allows more"
    : `make the device by requestDevice({ requiredLimits: { ${limits} } }), if its adapter allows that`;
  return `${smaller}, or ${more}.`;
}
