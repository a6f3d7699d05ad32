import { useEffect, useRef } from "preact/hooks";
import { colorOf, endsOf, type Palette, type Range } from "./palette.ts";
import { scheme } from "./scheme.ts";

interface ThumbnailProps {
  /** Row by row. */
  readonly values: ArrayLike<number>;
  /** Of the picture, in cells. Default 28. */
  readonly rows?: number;
  readonly columns?: number;
  readonly range: Range;
  readonly palette: Palette;
  /** What one sees, where what is around it does not say so. */
  readonly label?: string;
}

/** A matrix of numbers as a small picture, a pixel a number; the style sheet makes it larger. */
export function Thumbnail({ values, rows = 28, columns = 28, range, palette, label }: ThumbnailProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = scheme.value;
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const ends = endsOf(palette, canvas.current!);
    const image = context.createImageData(columns, rows);
    for (let i = 0; i < values.length; i++) image.data.set([...colorOf(values[i]!, range, ends), 255], 4 * i);
    context.putImageData(image, 0, 0);
  }, [values, rows, columns, range, palette, drawn]);
  return <canvas ref={canvas} width={columns} height={rows} {...(label && { role: "img", "aria-label": label })} />;
}
