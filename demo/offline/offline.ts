import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

/** Training data is large, and kept by the page itself once it was loaded. */
const KEPT_ELSEWHERE = /^mnist\/.*-ubyte$/;

/** Adds a service worker to the built page that keeps all of its files. */
export function offline(): Plugin {
  return {
    name: "featuremap-offline",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const files = Object.values(bundle).filter(({ fileName }) => !KEPT_ELSEWHERE.test(fileName));
        const version = createHash("sha256");
        for (const file of files) version.update(file.type === "chunk" ? file.code : file.source);
        const names = ["./", ...files.map(({ fileName }) => `./${fileName}`)].filter((name) => name !== "./index.html");
        const source = readFileSync(new URL("./service-worker.js", import.meta.url), "utf8")
          .replace('["FILES"]', JSON.stringify(names))
          .replace("VERSION", version.digest("hex").slice(0, 12));
        this.emitFile({ type: "asset", fileName: "service-worker.js", source });
      },
    },
  };
}
