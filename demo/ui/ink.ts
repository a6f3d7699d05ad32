// What is drawn on a pad, apart from how it looks on the screen.

/** Of the picture, in pixels. */
export const PAD_SIDE = 280;
const PEN = PAD_SIDE / 12;

/** In pixels of the picture. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Ink {
  readonly empty: boolean;
  /** A round stroke; from a point to itself it is a dot. */
  line(from: Point, to: Point): void;
  clear(): void;
  /** White on black, whatever the screen's colours; `undefined` where nothing is drawn. */
  picture(): ImageData | undefined;
  /** In a colour of the style sheet, on nothing. */
  paint(canvas: HTMLCanvasElement, color: string): void;
}

export function createInk(): Ink {
  const canvas = document.createElement("canvas");
  canvas.width = PAD_SIDE;
  canvas.height = PAD_SIDE;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.lineCap = "round";
  context.lineWidth = PEN;
  context.strokeStyle = "#fff";
  let empty = true;
  return {
    get empty() {
      return empty;
    },
    line(from, to) {
      empty = false;
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
      context.stroke();
    },
    clear() {
      empty = true;
      context.clearRect(0, 0, PAD_SIDE, PAD_SIDE);
    },
    picture() {
      if (empty) return undefined;
      const picture = context.getImageData(0, 0, PAD_SIDE, PAD_SIDE);
      const { data } = picture;
      for (let i = 0; i < data.length; i += 4) {
        data.fill(data[i + 3]!, i, i + 3);
        data[i + 3] = 255;
      }
      return picture;
    },
    paint(screen, color) {
      const on = screen.getContext("2d")!;
      on.clearRect(0, 0, PAD_SIDE, PAD_SIDE);
      on.globalCompositeOperation = "source-over";
      on.drawImage(canvas, 0, 0);
      on.globalCompositeOperation = "source-in";
      on.fillStyle = color;
      on.fillRect(0, 0, PAD_SIDE, PAD_SIDE);
      on.globalCompositeOperation = "source-over";
    },
  };
}
