import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

/** Training data is large, and kept by the page itself once it was loaded. */
const KEPT_ELSEWHERE = /^mnist\/.*-ubyte$/;

export interface BuiltFile {
  /** Its path in the built folder. */
  readonly name: string;
  readonly content: string | Uint8Array;
}

/** Adds a service worker to the built page that keeps all of its files. */
export function offline(): Plugin {
  return {
    name: "featuremap-offline",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const files = Object.values(bundle).map((file) => ({
          name: file.fileName,
          content: file.type === "chunk" ? file.code : file.source,
        }));
        this.emitFile({ type: "asset", fileName: "service-worker.js", source: serviceWorkerOf(files) });
      },
    },
  };
}

/** The text of the service worker that keeps these files: it names them, each with the hash that it must have. */
export function serviceWorkerOf(files: readonly BuiltFile[]): string {
  const kept = files
    .filter(({ name }) => !KEPT_ELSEWHERE.test(name))
    .map(({ name, content }) => [name === "index.html" ? "./" : `./${name}`, `sha256-${sha256(content, "base64")}`])
    .sort(([a], [b]) => (a! < b! ? -1 : 1));
  const list = JSON.stringify(kept);
  return readFileSync(new URL("./service-worker.js", import.meta.url), "utf8")
    .replace('["FILES"]', () => list)
    .replace("BUILD", sha256(list, "hex").slice(0, 12))
    .replaceAll(/^ *(\/\/|\/\*\*).*\n/gm, "");
}

function sha256(content: string | Uint8Array, encoding: "base64" | "hex"): string {
  return createHash("sha256").update(content).digest(encoding);
}
