// The camera as small grey images.

import type { Image } from "../engine/lab.ts";
import { createShrinker, SIDE } from "./as-pixels.ts";

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
  try {
    await video.play();
  } catch (error) {
    stop();
    throw new Error(reasonOf(error as DOMException), { cause: error });
  }
  const mirrored = stream.getVideoTracks()[0]?.getSettings().facingMode !== "environment";
  const shrink = createShrinker({ mirrored });
  if (signal.aborted) return;
  const read = () => shrink(video, video.videoWidth, video.videoHeight);
  const show = () => onImage({ rows: SIDE, columns: SIDE, values: read() });
  const timer = setInterval(show, 1000 / IMAGES_PER_SECOND);
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
      return `The camera did not start (${message || name}). Try again, or choose another input.`;
  }
}
