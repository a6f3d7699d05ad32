import { Thumbnail } from "./thumbnail.tsx";

const BYTES = { min: 0, max: 255 };

/** A handwritten digit, small. */
export function Digit({ pixels, label }: { readonly pixels: Uint8Array; readonly label: string }) {
  return <Thumbnail values={pixels} range={BYTES} palette="plain" label={label} />;
}
