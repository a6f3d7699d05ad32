import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Image } from "../engine/lab.ts";
import { openCamera } from "./camera-images.ts";

type Status =
  | { readonly kind: "asking" }
  | { readonly kind: "on" }
  | { readonly kind: "failed"; readonly message: string };

/** On while it is shown: leaving it turns the camera off. */
export function Camera({ onImage }: { onImage: (image: Image) => void }) {
  const status = useSignal<Status>({ kind: "asking" });
  const attempt = useSignal(0);
  const listener = useRef(onImage);
  listener.current = onImage;
  useEffect(() => {
    const left = new AbortController();
    status.value = { kind: "asking" };
    openCamera(left.signal, (image) => listener.current(image)).then(
      () => {
        if (!left.signal.aborted) status.value = { kind: "on" };
      },
      (error: Error) => {
        if (!left.signal.aborted) status.value = { kind: "failed", message: error.message };
      },
    );
    return () => left.abort();
  }, [attempt.value]);
  if (status.value.kind !== "failed") {
    return (
      <p class="answers" role="status" data-camera={status.value.kind}>
        {status.value.kind === "on"
          ? "The camera is on: 28 × 28 grey pixels, which stay on this machine. Another input turns it off."
          : "Your browser asks whether this page may use the camera."}
      </p>
    );
  }
  return (
    <div class="message problem" role="alert" data-camera="failed">
      <p>{status.value.message}</p>
      <p class="buttons">
        <button type="button" class="quiet" onClick={() => attempt.value++}>
          Try again
        </button>
      </p>
    </div>
  );
}
