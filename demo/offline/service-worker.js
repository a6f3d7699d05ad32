// Keeps the page, so that it opens without a network. `offline.ts` writes the names of the built files into it.

/** Of the files' contents: a page that was built anew has another cache, and the old one goes. */
const CACHE = "featuremap-VERSION";
const FILES = ["FILES"];

addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
  self.skipWaiting();
});

addEventListener("activate", (event) => {
  const outdated = (name) => name.startsWith("featuremap-") && name !== CACHE && !name.endsWith("-data");
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(outdated).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  event.respondWith(
    caches
      .open(CACHE)
      .then((cache) =>
        cache.match(event.request, { ignoreVary: true, ignoreSearch: event.request.mode === "navigate" }),
      )
      .then((kept) => kept ?? fetch(event.request)),
  );
});
