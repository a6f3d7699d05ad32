import { createReadStream, readFileSync, statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import type { Plugin } from "vite";
import { findMnist, MNIST_FILES } from "./mnist.ts";

/** Serves MNIST's four files under /mnist/, out of a folder or, by default, wherever `findMnist` finds them. */
export function serveMnist(folder?: string): Plugin {
  return {
    name: "featuremap-mnist-server",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = MNIST_FILES.find((file) => request.url?.split("?")[0] === `/mnist/${file}`);
        if (!name) return next();
        try {
          sendFile(join(folder ?? findMnist(), name), "application/octet-stream", response);
        } catch (error) {
          const { message } = error as Error;
          server.config.logger.error(message);
          response.writeHead(404, { "content-type": "text/plain" }).end(message);
        }
      });
    },
  };
}

/** Copies the four files into a build. */
export function bundleMnist(): Plugin {
  return {
    name: "featuremap-mnist-bundle",
    apply: "build",
    generateBundle() {
      const folder = findMnist();
      for (const name of MNIST_FILES) {
        this.emitFile({ type: "asset", fileName: `mnist/${name}`, source: readFileSync(join(folder, name)) });
      }
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
