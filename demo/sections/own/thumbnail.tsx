import { useEffect, useRef } from "preact/hooks";
import { colorOf, endsOf } from "../../ui/palette.ts";

const SIDE = 28;
const RANGE = { min: 0, max: 1 };

/** An image of 28 x 28, small. */
export function Thumbnail({ pixels }: { pixels: Float32Array }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const ends = endsOf("plain", canvas.current!);
    const image = context.createImageData(SIDE, SIDE);
    pixels.forEach((value, i) => {
      image.data.set([...colorOf(value, RANGE, ends), 255], 4 * i);
    });
    context.putImageData(image, 0, 0);
  }, [pixels]);
  return <canvas ref={canvas} width={SIDE} height={SIDE} />;
}
