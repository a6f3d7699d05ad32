// A host as bad as hosts are: every file may be kept for a year, and deployments take the place of each other at once.

import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

const TYPES = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript"],
  [".css", "text/css"],
]);

export interface StaticHost {
  readonly origin: string;
  /** Folders by the path under which they are served: `/first/`. May be changed at any time. */
  readonly folders: Map<string, string>;
  /** Answers to paths in place of the files'. A status without a text is an error's. */
  readonly instead: Map<string, { readonly status: number; readonly text?: string }>;
  close(): Promise<void>;
}

export async function startHost(): Promise<StaticHost> {
  const folders = new Map<string, string>();
  const instead: StaticHost["instead"] = new Map();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://localhost");
    const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    const headers = {
      "content-type": TYPES.get(extname(path)) ?? "application/octet-stream",
      "cache-control": "public, max-age=31536000",
    };
    const other = instead.get(pathname);
    if (other) return response.writeHead(other.status, headers).end(other.text ?? "an error");
    const [under, folder] = [...folders].find(([under]) => path.startsWith(under)) ?? ["/", "/nowhere"];
    const file = join(folder, path.slice(under.length));
    if (!existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end("not here");
    return createReadStream(file).pipe(response.writeHead(200, headers));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    folders,
    instead,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
