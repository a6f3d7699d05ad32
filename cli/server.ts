import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer as createViteServer, type Plugin } from "vite";
import { leanShaders } from "./lean-shaders.ts";
import { sendFile, serveMnist } from "./mnist-server.ts";
import { WEIGHTS_ROUTE } from "./train-page/protocol.ts";

/** The page's address under the server's url. */
export const PAGE = "/cli/train-page/index.html";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

export interface PageServer {
  /** `http://127.0.0.1:PORT`: an address of this machine only, and a secure context, as WebGPU asks. */
  readonly url: string;
  /** The last body that the page posted to WEIGHTS_ROUTE. */
  weights(): Uint8Array | undefined;
  close(): Promise<void>;
}

/** Serves the repository's modules, MNIST under /mnist/, and takes the trained weights; on a free port. */
export async function startServer(mnistFolder: string): Promise<PageServer> {
  let weights: Uint8Array | undefined;
  const routes: Plugin = {
    name: "featuremap-train",
    configureServer(server) {
      // Sent as it stands, since Vite would add its live-reload client.
      server.middlewares.use(PAGE, (_, response) => sendFile(join(ROOT, PAGE), "text/html", response));
      server.middlewares.use(WEIGHTS_ROUTE, (request, response) => {
        receive(request, response, (body) => (weights = body));
      });
    },
  };
  // In middleware mode Vite leaves SIGTERM to the command, which has files to write.
  const vite = await createViteServer({
    root: ROOT,
    appType: "custom",
    configFile: false,
    logLevel: "silent",
    plugins: [routes, leanShaders(), serveMnist(mnistFolder)],
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  });
  const server = createServer(vite.middlewares);
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await vite.close();
  };
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, weights: () => weights, close };
}

function receive(request: IncomingMessage, response: ServerResponse, done: (body: Uint8Array) => void): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    done(Buffer.concat(chunks));
    response.writeHead(204).end();
  });
}
