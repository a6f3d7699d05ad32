// The camera as small grey images.

import type { Image } from "../../engine/lab.ts";

const SIDE = 28;
/** Shrunk in two steps: at once, pixels between the few that are read would be skipped. */
const BETWEEN = 4 * SIDE;
const IMAGES_PER_SECOND = 15;

/**
 * Calls `onImage` with images of 28x28 in [0, 1] until `signal` aborts, which turns the camera off.
 *
 * @throws Error that says what to do, where there is no camera or it is not allowed
 */
export async function openCamera(signal: AbortSignal, onImage: (image: Image) => void): Promise<void> {
  if (!navigator.mediaDevices) {
    throw new Error("This address is not secure, so the browser offers no camera. Open it by https or on localhost.");
  }
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 320 }, facingMode: "user" } });
  } catch (error) {
    throw new Error(reasonOf(error as DOMException), { cause: error });
  }
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
  };
  if (signal.aborted) return stop();
  signal.addEventListener("abort", stop);
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  await video.play();
  const mirrored = stream.getVideoTracks()[0]?.getSettings().facingMode !== "environment";
  const read = createReader(video, mirrored);
  const timer = setInterval(() => onImage(read()), 1000 / IMAGES_PER_SECOND);
  signal.addEventListener("abort", () => clearInterval(timer));
}

function reasonOf({ name, message }: DOMException): string {
  switch (name) {
    case "NotAllowedError":
      return "The camera is not allowed. Allow it where the browser shows this page's address, then try again.";
    case "NotFoundError":
    case "OverconstrainedError":
      return "No camera was found. Plug one in, then try again.";
    case "NotReadableError":
      return "The camera is in use by another program. Close that, then try again.";
    default:
      return `The camera did not start: ${message || name}`;
  }
}

/** The middle square of the video, as one sees oneself in a mirror. */
function createReader(video: HTMLVideoElement, mirrored: boolean): () => Image {
  const large = surface(BETWEEN);
  const small = surface(SIDE);
  if (mirrored) large.setTransform(-1, 0, 0, 1, BETWEEN, 0);
  return () => {
    const { videoWidth: width, videoHeight: height } = video;
    const side = Math.min(width, height);
    large.drawImage(video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, BETWEEN, BETWEEN);
    small.drawImage(large.canvas, 0, 0, SIDE, SIDE);
    const { data } = small.getImageData(0, 0, SIDE, SIDE);
    return {
      rows: SIDE,
      columns: SIDE,
      values: Float32Array.from({ length: SIDE * SIDE }, (_, i) => grey(data, 4 * i)),
    };
  };
}

function surface(side: number): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  return context;
}

/** Luma of ITU-R BT.601, in [0, 1]. */
function grey(data: Uint8ClampedArray, at: number): number {
  return (0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!) / 255;
}
