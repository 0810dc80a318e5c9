// This phone's own key: made here, kept here, never given away. It is bound to whoever is signed in
// and signs readings, so that a record can say on whose phone it was made. Without it everything
// works, and the record says less.
const STORE = "keys";

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("timebank-device", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export function base64url(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function made() {
  const uses = ["sign", "verify"];
  try {
    return { kind: 2, pair: await crypto.subtle.generateKey({ name: "Ed25519" }, false, uses) };
  } catch {
    return { kind: 1, pair: await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, uses) };
  }
}

// The key of this phone, made at the first call; null where the browser has none to give.
export async function ownKey() {
  if (!globalThis.crypto?.subtle || !globalThis.indexedDB) return null;
  try {
    const database = await opened();
    const read = () => asked(database.transaction(STORE).objectStore(STORE).get("own"));
    let key = await read();
    if (!key) {
      const fresh = await made();
      fresh.public = base64url(await crypto.subtle.exportKey("raw", fresh.pair.publicKey));
      // Two pages may make one at the same time: the first that is kept counts.
      const write = database.transaction(STORE, "readwrite");
      write.objectStore(STORE).add(fresh, "own").onerror = (event) => event.preventDefault();
      await new Promise((resolve) => {
        write.oncomplete = resolve;
        write.onabort = resolve;
      });
      key = await read();
    }
    return key ?? null;
  } catch {
    return null; // A private window may keep nothing.
  }
}

export async function signed(key, bytes) {
  const algorithm = key.kind === 2 ? { name: "Ed25519" } : { name: "ECDSA", hash: "SHA-256" };
  return new Uint8Array(await crypto.subtle.sign(algorithm, key.pair.privateKey, bytes));
}

export const utf8 = new TextEncoder();

// Binds this phone to whoever is signed in; resolves to {state, code, sentence}, or null offline.
export async function bind({ url, challenge, csrfField, csrfToken }) {
  const key = await ownKey();
  if (key === null) return null;
  const proof = await signed(key, utf8.encode(`timebank device v1\n${challenge}`));
  try {
    const answer = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      body: new URLSearchParams({ kind: key.kind, key: key.public, signature: base64url(proof), [csrfField]: csrfToken }),
      signal: AbortSignal.timeout(5000),
    });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

// Whether this phone is at the meeting point: it compares by itself, and tells the answer only.
export function whereabouts({ latitude, longitude, radius }) {
  return new Promise((resolve) => {
    if (!navigator.geolocation || !radius) return resolve("");
    const given = (position) => {
      const { coords } = position;
      const rad = Math.PI / 180;
      const x = (coords.longitude - longitude) * rad * Math.cos(((coords.latitude + latitude) / 2) * rad);
      const y = (coords.latitude - latitude) * rad;
      const metres = Math.hypot(x, y) * 6371008;
      if (metres <= radius) return resolve("within");
      // A poor fix says nothing against anybody.
      resolve(metres - coords.accuracy > radius ? "outside" : "");
    };
    navigator.geolocation.getCurrentPosition(given, () => resolve(""), { timeout: 5000, maximumAge: 30000, enableHighAccuracy: true });
  });
}
