import { IMAGE_PIXELS, type Split } from "./mnist.ts";
import { CLASSES, IMAGE_SHAPE } from "./network.ts";

/** A row of test digits with what the network takes them for. */
export interface Digits {
  readonly count: number;
  /** Draws the first images of a split, and forgets what was read before. */
  show(split: Split): void;
  /** Writes the likeliest class of each image beside it; returns how many are right. */
  judge(probabilities: Float32Array, labels: Uint8Array): number;
}

export function createDigits(list: HTMLOListElement, count: number): Digits {
  const cells = Array.from({ length: count }, () => createCell(list));
  return {
    count,
    show({ images }) {
      cells.forEach(({ canvas, say }, i) => {
        draw(canvas, images.subarray(i * IMAGE_PIXELS, (i + 1) * IMAGE_PIXELS));
        say("", "–", "not read yet");
      });
    },
    judge(probabilities, labels) {
      const right = cells.map(({ say }, i) => {
        const read = likeliest(probabilities.subarray(i * CLASSES, (i + 1) * CLASSES));
        const truth = labels[i]!;
        const correct = read === truth;
        if (correct) say("right", `✓ ${read}`, `${read}, right`);
        else say("wrong", `✗ ${read}`, `read as ${read}, wrong: it is ${truth}`);
        return correct;
      });
      return right.filter(Boolean).length;
    },
  };
}

function createCell(list: HTMLOListElement) {
  const item = list.appendChild(document.createElement("li"));
  const tile = item.appendChild(document.createElement("div"));
  const canvas = tile.appendChild(document.createElement("canvas"));
  [canvas.height = 0, canvas.width = 0] = IMAGE_SHAPE;
  const seen = item.appendChild(document.createElement("span"));
  const spoken = item.appendChild(document.createElement("span"));
  for (const silent of [tile, seen]) silent.setAttribute("aria-hidden", "true");
  spoken.className = "unseen";
  const say = (className: string, short: string, sentence: string) => {
    item.className = className;
    seen.textContent = short;
    spoken.textContent = sentence;
  };
  say("", "–", "not loaded yet");
  return { canvas, say };
}

/** Black ink, as opaque as the pixel is bright; the style sheet turns it for dark pages. */
function draw(canvas: HTMLCanvasElement, pixels: Uint8Array): void {
  const image = new ImageData(canvas.width, canvas.height);
  pixels.forEach((ink, i) => {
    image.data[4 * i + 3] = ink;
  });
  canvas.getContext("2d")!.putImageData(image, 0, 0);
}

function likeliest(probabilities: Float32Array): number {
  return probabilities.reduce((best, value, i) => (value > probabilities[best]! ? i : best), 0);
}
