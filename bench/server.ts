import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin, preview } from "vite";
import { MNIST_FILES } from "../cli/mnist.ts";
import { sendFile } from "../cli/mnist-server.ts";
import { publishedLibrary } from "./bundle.ts";
import { hasBorch } from "./wheel.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BUILT = join(ROOT, "build/bench/page");

/** With these a page may share memory between threads, which jax-js's wasm device uses. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** The page as a bundler ships it: minified, a chunk for each system. Wants `buildLibrary` before. */
export async function buildPage(): Promise<void> {
  await build({
    root: join(ROOT, "bench/page"),
    base: "./",
    configFile: false,
    logLevel: "error",
    publicDir: false,
    plugins: [publishedLibrary()],
    build: {
      outDir: BUILT,
      emptyOutDir: true,
      target: "es2022",
      modulePreload: false,
      chunkSizeWarningLimit: 1e5,
      // Who measures other systems needs no borch: its chunk is built without the library, and is not loaded.
      rolldownOptions: { external: hasBorch() ? [] : ["borch"] },
    },
  });
}

export interface BenchServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the built page, cross-origin isolated, and MNIST, to this machine only, on a free port. */
export async function startServer(mnistFolder: string, built = BUILT): Promise<BenchServer> {
  const mnist: Plugin = {
    name: "featuremap-bench",
    configurePreviewServer({ middlewares }) {
      middlewares.use("/mnist/", (request, response, next) => {
        const name = MNIST_FILES.find((file) => request.url === `/${file}`);
        if (!name) return next();
        for (const [header, value] of Object.entries(ISOLATION)) response.setHeader(header, value);
        sendFile(join(mnistFolder, name), "application/octet-stream", response);
      });
    },
  };
  const server = await preview({
    root: ROOT,
    configFile: false,
    logLevel: "silent",
    plugins: [mnist],
    build: { outDir: built },
    preview: { host: "127.0.0.1", port: await freePort(), strictPort: true, headers: ISOLATION },
  });
  const { port } = server.httpServer.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
