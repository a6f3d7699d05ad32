// Keeps the page, so that it opens without a network. `offline.ts` writes the built files and their hashes into it.
//
// A build's files stay together: they are fetched past the HTTP cache, checked by hash and kept all or not at all. A newer
// build waits until no tab shows the older one, or until a reader asks for it (`register.ts`).

/** Names of this deployment's caches begin so. Other caches of the origin are not ours. No path has a space in it. */
const OURS = `featuremap page ${new URL(registration.scope).pathname} `;
const CACHE = `${OURS}BUILD`;
/** Addresses, each with its hash. */
const FILES = ["FILES"];
/** Caches of the first versions of this page. They said nothing of where the page is. */
const NAMELESS = /^featuremap-[0-9a-f]{12}$/;

/** The tab that asked for the newer build, and reloads once it has it. */
let asker;

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(tidy().then(() => clients.claim())));
addEventListener("message", ({ data, source }) => {
  if (data !== "take over") return;
  asker = source?.id;
  skipWaiting();
});
addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET") event.respondWith(kept(request).then((response) => response ?? fetch(request)));
});

/** Where a file is missing or of another build, this build is not installed, and the one before works on. */
async function install() {
  const known = await caches.has(CACHE);
  const cache = await caches.open(CACHE);
  try {
    await cache.addAll(FILES.map(([address, integrity]) => new Request(address, { cache: "reload", integrity })));
  } catch (error) {
    if (!known) await caches.delete(CACHE);
    throw error;
  }
}

/** Deletes older builds, unless a tab still shows one. */
async function tidy() {
  const tabs = await clients.matchAll();
  if (tabs.some(({ id }) => id !== asker)) return;
  for (const name of await caches.keys()) {
    const nameless = NAMELESS.test(name) && (await caches.match(registration.scope, { cacheName: name }));
    if (name !== CACHE && (name.startsWith(OURS) || nameless)) await caches.delete(name);
  }
}

/** A file of this build. Else, for a tab that shows an older build, one of that: names with a hash mean one content. */
async function kept(request) {
  const page = request.mode === "navigate";
  const { origin, pathname } = new URL(request.url);
  const address = page && origin + pathname === `${registration.scope}index.html` ? registration.scope : request;
  const options = { ignoreVary: true, ignoreSearch: page };
  try {
    const older = (await caches.keys()).filter((name) => name.startsWith(OURS) && name !== CACHE);
    for (const cacheName of [CACHE, ...older]) {
      const response = await caches.match(address, { cacheName, ...options });
      if (response) return response;
    }
  } catch {
    // The browser's storage fails: the server answers.
  }
  return undefined;
}
