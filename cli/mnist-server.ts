import { createReadStream, readFileSync, statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import type { Plugin } from "vite";
import { findMnist, MNIST_FILES, sampleDigits } from "./mnist.ts";

/** Under mnist/ too, for who cannot wait for the files: see `sampleDigits`. */
const SAMPLE = "sample-digits";
const BINARY = "application/octet-stream";

/** Serves MNIST's four files and the sample digits under /mnist/, out of a folder or, by default, wherever `findMnist` finds them. */
export function serveMnist(folder?: string): Plugin {
  return {
    name: "featuremap-mnist-server",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const asked = request.url?.split("?")[0];
        const name = [...MNIST_FILES, SAMPLE].find((file) => asked === `/mnist/${file}`);
        if (!name) return next();
        try {
          const from = folder ?? findMnist();
          if (name === SAMPLE) sendBytes(sampleDigits(from), response);
          else sendFile(join(from, name), BINARY, response);
        } catch (error) {
          const { message } = error as Error;
          server.config.logger.error(message);
          response.writeHead(404, { "content-type": "text/plain" }).end(message);
        }
      });
    },
  };
}

/** Copies the four files and the sample digits into a build. */
export function bundleMnist(): Plugin {
  return {
    name: "featuremap-mnist-bundle",
    apply: "build",
    generateBundle() {
      const folder = findMnist();
      for (const name of MNIST_FILES) {
        this.emitFile({ type: "asset", fileName: `mnist/${name}`, source: readFileSync(join(folder, name)) });
      }
      this.emitFile({ type: "asset", fileName: `mnist/${SAMPLE}`, source: sampleDigits(folder) });
    },
  };
}

/** Answers with a file as it stands. */
export function sendFile(file: string, type: string, response: ServerResponse): void {
  response.writeHead(200, { "content-type": type, "content-length": statSync(file).size });
  createReadStream(file)
    .on("error", (error) => response.destroy(error))
    .pipe(response);
}

function sendBytes(bytes: Uint8Array, response: ServerResponse): void {
  response.writeHead(200, { "content-type": BINARY, "content-length": bytes.length }).end(bytes);
}
