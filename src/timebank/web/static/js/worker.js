// Keeps a page where there is no network: the page itself and the files it is made of, under a name
// that is the digest of them all. What is sent before this file says which they are. With
// `isFallback` the page stands in for others of its folder that the network does not bring.
const { name, family, shell, files, extras, isFallback } = KEPT;
const PATIENCE_MS = 6000;

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(name);
      await cache.addAll([shell, ...files].map((url) => new Request(url, { cache: "reload", credentials: "same-origin" })));
      // The large reader helps with hard codes only; without it the page works.
      await Promise.allSettled(extras.map((url) => cache.add(url)));
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const other of await caches.keys()) {
        if (other.startsWith(family) && other !== name) await caches.delete(other);
      }
      await self.clients.claim();
    })(),
  );
});

async function orShell(request) {
  const slow = new Promise((_, reject) => setTimeout(reject, PATIENCE_MS));
  try {
    return await Promise.race([fetch(request), slow]);
  } catch {
    return (await (await caches.open(name)).match(shell)) ?? Response.error();
  }
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  const isPage = event.request.mode === "navigate" && url.pathname === shell;
  if (!isPage && isFallback && event.request.mode === "navigate") {
    event.respondWith(orShell(event.request));
    return;
  }
  if (!isPage && !files.includes(url.pathname) && !extras.includes(url.pathname)) return;
  event.respondWith(
    (async () => {
      const cache = await caches.open(name);
      const kept = await cache.match(isPage ? shell : url.pathname);
      return kept ?? fetch(event.request);
    })(),
  );
});
