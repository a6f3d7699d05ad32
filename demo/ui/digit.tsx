import { useEffect, useRef } from "preact/hooks";
import { IMAGE_PIXELS } from "../network.ts";
import { colorOf, endsOf } from "./palette.ts";
import { scheme } from "./scheme.ts";

const SIDE = Math.sqrt(IMAGE_PIXELS);
const BYTES = { min: 0, max: 255 };

/** A handwritten digit, small. */
export function Digit({ pixels, label }: { readonly pixels: Uint8Array; readonly label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = scheme.value;
  useEffect(() => {
    const image = new ImageData(SIDE, SIDE);
    const ends = endsOf("plain", canvas.current!);
    for (let i = 0; i < IMAGE_PIXELS; i++) image.data.set([...colorOf(pixels[i]!, BYTES, ends), 255], 4 * i);
    canvas.current!.getContext("2d")!.putImageData(image, 0, 0);
  }, [pixels, drawn]);
  return <canvas ref={canvas} class="digit" width={SIDE} height={SIDE} role="img" aria-label={label} />;
}
