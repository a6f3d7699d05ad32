import { createReadStream, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import type { Plugin } from "vite";
import { findMnist, MNIST_FILES } from "./mnist.ts";

/** Serves MNIST's four files under /mnist/, out of a folder or, by default, wherever `findMnist` finds them. */
export function serveMnist(folder?: string): Plugin {
  return {
    name: "featuremap-mnist",
    configureServer(server) {
      server.middlewares.use("/mnist", (request, response) => sendMnist(folder ?? findMnist(), request, response));
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

function sendMnist(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const name = MNIST_FILES.find((file) => request.url === `/${file}`);
  if (name) sendFile(join(folder, name), "application/octet-stream", response);
  else response.writeHead(404).end();
}
