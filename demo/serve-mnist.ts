import { createReadStream, readFileSync, statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import type { Plugin } from "vite";
import { findMnist, MNIST_FILES } from "../cli/mnist.ts";

/** Puts MNIST's four files under `mnist/`: served as they lie in development, copied into a build. */
export function serveMnist(): Plugin {
  return {
    name: "featuremap-mnist",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = MNIST_FILES.find((file) => request.url?.split("?")[0] === `/mnist/${file}`);
        if (!name) return next();
        try {
          sendFile(join(findMnist(), name), response);
        } catch (error) {
          const { message } = error as Error;
          server.config.logger.error(message);
          response.writeHead(404, { "content-type": "text/plain" }).end(message);
        }
      });
    },
    generateBundle() {
      const folder = findMnist();
      for (const name of MNIST_FILES) {
        this.emitFile({ type: "asset", fileName: `mnist/${name}`, source: readFileSync(join(folder, name)) });
      }
    },
  };
}

function sendFile(file: string, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": statSync(file).size });
  createReadStream(file)
    .on("error", (error) => response.destroy(error))
    .pipe(response);
}
