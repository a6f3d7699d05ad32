import { signal } from "@preact/signals";

/** Counts changes of light and dark: canvases are drawn anew. */
export const scheme = signal(0);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  scheme.value++;
});
