import { FeaturemapError } from "../src/index.ts";
import { showMessage } from "./page.ts";

const WEBGPU =
  "Current versions of Chrome, Edge and Safari have WebGPU, and so has Firefox on Windows and macOS. The page must come " +
  "over https or from localhost.";

/** Says in the page what went wrong and what to do about it. */
export function showFailure(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  const code = error instanceof FeaturemapError ? error.code : undefined;
  if (code === "device" && !("gpu" in navigator && navigator.gpu)) {
    showMessage("This browser offers no WebGPU here, so nothing can be trained.", WEBGPU);
  } else if (code === "device") {
    showMessage("The graphics adapter is not available.", text);
  } else if (code === "data") {
    showMessage(
      "MNIST could not be loaded.",
      text,
      "Is the server still running? Under npm run dev, the files come with npm install.",
    );
  } else if (code === "limit") {
    showMessage("The adapter has no room for this.", text, "Choose fewer training images.");
  } else {
    showMessage("That went wrong.", text);
  }
}
