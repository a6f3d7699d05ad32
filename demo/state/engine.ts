// The engine, as the page holds it: a worker in which the library runs, so that no shader, plan or readback ever
// holds up the page.

import { signal } from "@preact/signals";
import { type Remote, wrap } from "comlink";
import type { AdapterInfo, Engine } from "../engine/engine.ts";
import { trustOwnScripts } from "../trusted.ts";
import { notify, notifyError, withdraw } from "./notices.ts";

export type EngineStatus =
  | { readonly kind: "starting" }
  | { readonly kind: "ready"; readonly adapter: AdapterInfo }
  | { readonly kind: "unsupported" };

export const engineStatus = signal<EngineStatus>({ kind: "starting" });

trustOwnScripts();
const worker = new Worker(new URL("../engine/worker.ts", import.meta.url), { type: "module", name: "engine" });

/** Calls wait until the worker has loaded; those that need a GPU reject where there is none. */
export const engine: Remote<Engine> = wrap<Engine>(worker);

worker.addEventListener("error", () => {
  if (engineStatus.peek().kind !== "starting") return; // What it throws later, `watchErrors` hears of.
  engineStatus.value = { kind: "unsupported" };
  notify({
    topic: "adapter",
    kind: "problem",
    about: "page",
    title: "The part of this page that computes did not load.",
    text: "Reload the page. If that does not help, the browser is older than this page, or files are missing on the server.",
  });
});

/** For tests, and for who is curious: `?hooks`, then `await engine.loseDevice()` in the console. */
if (new URLSearchParams(location.search).has("hooks")) Object.assign(globalThis, { engine });

/** Resolves where there is a GPU, or a processor that stands in for it. Never rejects: a page without one goes on waiting. */
export const engineReady: Promise<AdapterInfo> = start();

function start(): Promise<AdapterInfo> {
  return new Promise((resolve) => {
    engine.start().then(
      (adapter) => {
        engineStatus.value = { kind: "ready", adapter };
        withdraw("adapter");
        if (adapter.software) notifySoftware();
        resolve(adapter);
      },
      (error: unknown) => {
        engineStatus.value = { kind: "unsupported" };
        notifyError(
          "adapter",
          "This page needs WebGPU, the browser's way to the GPU, and did not get it.",
          error,
          "page",
        );
      },
    );
  });
}

function notifySoftware(): void {
  notify({
    topic: "software",
    kind: "information",
    about: "page",
    title: "No GPU was found: your processor does the computing.",
    text: "Everything works, but far more slowly. Training takes minutes where a GPU takes seconds, so it begins with fewer images.",
  });
}
