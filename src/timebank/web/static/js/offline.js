// The organizer's page without network. It shows the codes of a shift, reads people, and keeps every
// reading in this device until the server has answered for it. Nothing is shown as stored before the
// device has it on disk, and nothing is dropped: what cannot be kept is said aloud and held.
const page = document.getElementById("offline");
const { kitsUrl, readingsUrl, signInUrl, scannerUrl, pictureUrl, workerUrl, scope } = page.dataset;

const WINDOW_SECONDS = 10;
const SEND_EVERY_MS = 15000;
const SEND_MAX = 100;
const AGAIN_MS = 4000; // the same code before the camera is one reading
const utf8 = new TextEncoder();

function word(name, values = {}) {
  const text = document.querySelector(`[data-word="${name}"]`)?.textContent ?? name;
  return text.replace(/\{(\w+)\}/g, (all, key) => String(values[key] ?? all));
}

function by(id) {
  return document.getElementById(id);
}

// --- What this device keeps ---------------------------------------------------------------------

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function openStore() {
  const request = indexedDB.open("timebank-offline", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("keys");
    request.result.createObjectStore("kits", { keyPath: "id" });
    request.result.createObjectStore("readings", { keyPath: "nonce" });
  };
  return asked(request);
}

const store = await openStore();

async function all(name) {
  return asked(store.transaction(name).objectStore(name).getAll());
}

// Resolves once the disk has it: a crash after that loses nothing.
function write(name, act) {
  return new Promise((resolve, reject) => {
    const transaction = store.transaction(name, "readwrite", { durability: "strict" });
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
    act(transaction.objectStore(name));
  });
}

let kits = [];
let readings = [];
let unkept = []; // what the disk refused: held here until it takes it, or the server has it
let kit = null;
let direction = "arrive";
let problem = "";
let signInNeeded = false;

function waiting() {
  return [...readings, ...unkept].filter((each) => !each.outcome);
}

// --- Keys -----------------------------------------------------------------------------------------

function base64url(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function bytesOf(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
}

const WRAPPING = { name: "RSA-OAEP", hash: "SHA-256" };
const SIGNING = { name: "HMAC", hash: "SHA-256" };

// The private half cannot leave the browser; what is wrapped for it is opened into a key that cannot either.
async function wrappingKey() {
  const kept = await asked(store.transaction("keys").objectStore("keys").get("wrapping"));
  if (kept) return kept;
  const made = await crypto.subtle.generateKey(
    { ...WRAPPING, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
    false,
    ["unwrapKey"],
  );
  await write("keys", (keys) => keys.put(made, "wrapping"));
  return made;
}

function unwrapped(text, pair) {
  return crypto.subtle.unwrapKey("raw", bytesOf(text), pair.privateKey, WRAPPING, SIGNING, false, ["sign"]);
}

async function takeKit(book, shift) {
  const pair = await wrappingKey();
  const spki = await crypto.subtle.exportKey("spki", pair.publicKey);
  const asked_ = Date.now();
  const answer = await fetch(kitsUrl, {
    method: "POST",
    credentials: "same-origin",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ book, shift, key: base64url(spki) }),
    signal: AbortSignal.timeout(15000),
  });
  if (answer.status === 401) signInNeeded = true;
  if (!answer.ok) throw new Error(String(answer.status));
  const given = await answer.json();
  const taken = {
    id: given.kit,
    shift: `${book}-${shift}`,
    book,
    number: shift,
    title: given.title,
    time: given.time,
    place: given.place,
    opensAt: given.opens_ms,
    closesAt: given.closes_ms,
    codeUrl: given.code_url,
    people: given.people,
    // Half of the way there and back lies between the server's clock and ours.
    offset: given.server_ms - (asked_ + Date.now()) / 2,
    count: 0,
    codeKey: await unwrapped(given.code_key, pair),
    readingKey: await unwrapped(given.reading_key, pair),
  };
  const former = kits.filter((each) => each.shift === taken.shift && !readings.some((one) => one.kit === each.id));
  await write("kits", (kept) => {
    kept.put(taken);
    for (const each of former) kept.delete(each.id);
  });
  await navigator.storage?.persist?.();
  kits = await all("kits");
  return taken;
}

function serverNow() {
  return Date.now() + (kit?.offset ?? 0);
}

// --- The code on this screen -------------------------------------------------------------------

let draw = null;
let shownWindow = "";

async function codeText(window_) {
  const body = new DataView(new ArrayBuffer(13));
  body.setUint8(0, (1 << 1) | (direction === "leave" ? 1 : 0));
  body.setUint32(1, kit.book);
  body.setUint32(5, kit.number);
  body.setUint32(9, window_);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", kit.codeKey, body)).slice(0, 8);
  return base64url(new Uint8Array([...new Uint8Array(body.buffer), ...mac]));
}

async function showCode() {
  const wall = by("wall");
  if (kit === null || wall.hidden) return;
  const now = serverNow();
  if (now < kit.opensAt || now > kit.closesAt) {
    by("code").replaceChildren();
    by("code-words").textContent = word(now < kit.opensAt ? "not-yet" : "over");
    shownWindow = "";
    return;
  }
  const window_ = Math.floor(now / 1000 / WINDOW_SECONDS);
  const name = `${kit.id}${direction}${window_}`;
  by("code-words").textContent = word("seconds", { seconds: WINDOW_SECONDS - (Math.floor(now / 1000) % WINDOW_SECONDS) });
  if (name === shownWindow) return;
  draw ??= (await import(pictureUrl)).picture;
  const text = `${kit.codeUrl}${await codeText(window_)}`;
  const { side, path } = draw(text);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", word("code"));
  svg.setAttribute("class", "qr");
  svg.setAttribute("shape-rendering", "crispEdges");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  by("code").replaceChildren(svg);
  shownWindow = name;
}

// --- Readings -------------------------------------------------------------------------------------

// Personal codes and cards have 28 characters, a phone's signed code 103; nothing else is kept.
const CODE = /^[A-Za-z0-9_-]{28,120}$/;

function keyOfCode(text) {
  if (!CODE.test(text)) return "";
  try {
    const view = new DataView(bytesOf(text).buffer);
    return view.byteLength >= 13 ? `${view.getUint32(1)}-${view.getUint32(5)}` : "";
  } catch {
    return "";
  }
}

function keyOfNumber(text) {
  return /^\d{15}$/.test(text) ? `${Number(text.slice(0, 6))}-${Number(text.slice(6, 14))}` : "";
}

function nameOf(reading) {
  const key = reading.code ? keyOfCode(reading.code) : keyOfNumber(reading.named);
  return kits.find((each) => each.id === reading.kit)?.people[key] ?? "";
}

let chain = Promise.resolve();

// One after the other, so that the device's count is the order in which people came.
function keepReading(fields) {
  chain = chain.then(() => keepNow(fields)).catch((error) => {
    problem = word("broken", { reason: String(error) });
    render();
  });
  return chain;
}

async function keepNow({ code = "", named = "" }) {
  kit.count += 1;
  const reading = {
    kit: kit.id,
    nonce: base64url(crypto.getRandomValues(new Uint8Array(16))),
    number: kit.count,
    at: Math.round(serverNow()),
    direction,
    code,
    named,
    outcome: null,
  };
  const message = ["timebank offline reading v1", reading.nonce, reading.number, reading.at, direction, code, named].join("\n");
  reading.mac = base64url(await crypto.subtle.sign("HMAC", kit.readingKey, utf8.encode(message)));
  try {
    // The count first: if the reading is lost with the page, no two readings have one number.
    await write("kits", (kept) => kept.put(kit));
    await write("readings", (kept) => kept.put(reading));
    readings.push(reading);
    problem = "";
  } catch {
    unkept.push(reading);
    problem = word("full");
  }
  const name = nameOf(reading);
  const known = name || (named ? named : word("not-listed"));
  by("last").textContent = word(direction === "arrive" ? "read-arrive" : "read-leave", { name: known });
  by("last").className = `offline-last ${unkept.includes(reading) ? "is-unkept" : "is-kept"}`;
  navigator.vibrate?.(80);
  render();
  send();
}

async function keepAgain() {
  for (const reading of [...unkept]) {
    try {
      await write("readings", (kept) => kept.put(reading));
      unkept = unkept.filter((each) => each !== reading);
      readings.push(reading);
      problem = "";
    } catch {
      return; // Still full; the server may take it meanwhile.
    }
  }
}

// --- Sending --------------------------------------------------------------------------------------

let sending = false;
let isWanted = false; // somebody asked while it was being sent: the network may only just be back

async function send() {
  if (!navigator.onLine) return;
  isWanted = sending;
  if (sending) return;
  sending = true;
  try {
    for (const each of kits) await sendOf(each);
    await eraseDone();
  } catch {
    // The network says yes and means no: the next round tries again.
  } finally {
    sending = false;
    render();
    if (isWanted) send();
  }
}

// Writes down what became of readings; what the disk does not take is held in the page.
async function settle(answered, outcomeOf) {
  for (const each of answered) each.outcome = outcomeOf(each);
  await keepAgain();
  // What the disk still refuses is with the server now: it stays in sight, and nothing waits for it.
  const held = unkept.filter((each) => each.outcome);
  unkept = unkept.filter((each) => !each.outcome);
  const kept = answered.filter((each) => readings.includes(each));
  readings.push(...held);
  await write("readings", (table) => {
    for (const each of kept) table.put(each);
  });
}

async function sendOf(owner) {
  let atOnce = SEND_MAX;
  for (;;) {
    const batch = waiting()
      .filter((each) => each.kit === owner.id)
      .slice(0, atOnce);
    if (!batch.length) return;
    const answer = await fetch(readingsUrl, {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        kit: owner.id,
        readings: batch.map(({ nonce, number, at, direction: way, code, named, mac }) => ({ nonce, number, at, direction: way, code, named, mac })),
      }),
      signal: AbortSignal.timeout(20000),
    });
    signInNeeded = answer.status === 401;
    if (answer.status === 404 || answer.status === 403) problem = word("not-yours");
    if (answer.status === 400 && batch.length > 1) {
      // One of them cannot be read there: the others are not to wait for it.
      atOnce = 1;
      continue;
    }
    if (answer.status === 400) {
      await settle(batch, () => ({ code: "error.400", is_conflict: true, sentence: word("unreadable") }));
      continue;
    }
    if (!answer.ok) return;
    const { outcomes } = await answer.json();
    const answered = batch.filter((each) => outcomes[each.nonce]);
    await settle(answered, (each) => outcomes[each.nonce]);
    if (!answered.length) return;
  }
}

// The keys go once the shift is over and everything is with the server.
async function eraseDone() {
  for (const each of kits) {
    const isOver = Date.now() + each.offset > each.closesAt;
    if (isOver && !waiting().some((one) => one.kit === each.id)) await eraseKit(each);
  }
}

async function eraseKit(gone) {
  const ours = readings.filter((each) => each.kit === gone.id);
  await write("kits", (kept) => kept.delete(gone.id));
  await write("readings", (kept) => {
    for (const each of ours) kept.delete(each.nonce);
  });
  readings = readings.filter((each) => each.kit !== gone.id);
  kits = kits.filter((each) => each.id !== gone.id);
  if (kit?.id === gone.id) {
    kit = null;
    stopCamera();
  }
}

// --- The camera -----------------------------------------------------------------------------------

let camera = null;
let looking = 0;
const seen = new Map();

async function startCamera() {
  try {
    camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  } catch {
    by("camera-words").textContent = word("no-camera");
    return;
  }
  const video = by("video");
  video.srcObject = camera;
  await video.play();
  by("camera-words").textContent = word("aim");
  const { detect } = await import(scannerUrl);
  const round = (looking += 1);
  const look = async () => {
    if (round !== looking || camera === null) return;
    try {
      for (const { rawValue } of await detect(video)) readCode(rawValue);
    } catch {
      // A frame that cannot be read is followed by the next one.
    }
    setTimeout(look, 150);
  };
  look();
}

function stopCamera() {
  looking += 1;
  for (const track of camera?.getTracks() ?? []) track.stop();
  camera = null;
  by("video").srcObject = null;
}

function readCode(text) {
  const code = text.trim().split("/").at(-1);
  const name = `${kit.id}${direction}${keyOfCode(code)}`;
  const now = performance.now();
  if (!keyOfCode(code)) {
    by("camera-words").textContent = word("foreign");
    return;
  }
  const isSame = now - (seen.get(name) ?? -Infinity) < AGAIN_MS;
  seen.set(name, now);
  if (isSame) return;
  keepReading({ code });
}

// --- What is shown --------------------------------------------------------------------------------

function line(text, side, className) {
  const item = document.createElement("li");
  item.className = "line";
  const main = document.createElement("span");
  main.className = "line-main";
  main.textContent = text;
  const chip = document.createElement("span");
  chip.className = `chip ${className}`;
  chip.textContent = side;
  item.append(main, chip);
  return item;
}

function clock(milliseconds) {
  return new Intl.DateTimeFormat("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" }).format(milliseconds);
}

function render() {
  const open = waiting().length;
  const parts = [word(navigator.onLine ? "online" : "offline")];
  if (readings.length) parts.push(word("kept", { count: readings.length }));
  if (unkept.length) parts.push(word("unkept", { count: unkept.length }));
  if (open) parts.push(word("waiting", { count: open }));
  else if (readings.length) parts.push(word("sent"));
  by("state-words").textContent = parts.join(" · ");
  by("state").className = `offline-state ${navigator.onLine ? "" : "is-offline"} ${open ? "is-waiting" : ""} ${unkept.length ? "is-unkept" : ""}`;
  by("problem").hidden = !problem && !signInNeeded;
  by("problem-words").textContent = signInNeeded ? word("sign-in") : problem;
  by("sign-in").hidden = !signInNeeded;

  by("shelf").hidden = kit !== null;
  by("door").hidden = kit === null;
  by("away").hidden = kit !== null;
  by("back").hidden = kit === null;
  by("title").textContent = kit === null ? by("title").dataset.title : kit.title;
  by("empty").hidden = kits.length > 0;
  by("kits").replaceChildren(
    ...kits.map((each) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button offline-kit";
      const title = document.createElement("strong");
      title.textContent = each.title;
      const facts = document.createElement("span");
      facts.className = "soft small";
      facts.textContent = `${each.time} · ${each.place}`;
      button.append(title, facts);
      button.addEventListener("click", () => openKit(each));
      item.append(button);
      return item;
    }),
  );
  if (kit === null) return;
  by("facts").textContent = `${kit.time} · ${kit.place}`;
  for (const each of document.querySelectorAll("[data-direction]")) each.setAttribute("aria-pressed", String(each.dataset.direction === direction));
  const ours = [...readings, ...unkept].filter((each) => each.kit === kit.id).sort((a, b) => b.number - a.number);
  by("count").textContent = String(new Set(ours.filter((each) => each.direction === "arrive").map((each) => (each.code ? keyOfCode(each.code) : keyOfNumber(each.named) || each.named))).size);
  by("readings").replaceChildren(
    ...ours.map((each) => {
      const who = nameOf(each) || (each.named ? each.named : word("not-listed"));
      const what = `${who} ${clock(each.at)} ${word(each.direction)}`;
      if (unkept.includes(each)) return line(what, word("state-unkept"), "chip-act");
      if (!each.outcome) return line(what, word("state-waiting"), "chip-waiting");
      if (each.outcome.is_conflict) return line(what, each.outcome.sentence, "chip-act");
      return line(what, each.outcome.sentence, "chip-proven");
    }),
  );
}

function show(part) {
  for (const each of ["wall", "reader", "list"]) by(each).hidden = each !== part;
  for (const each of document.querySelectorAll("[data-part]")) each.setAttribute("aria-pressed", String(each.dataset.part === part));
  shownWindow = "";
  if (part === "reader") startCamera();
  else stopCamera();
  showCode();
}

function openKit(each) {
  kit = each;
  direction = serverNow() < (kit.opensAt + kit.closesAt) / 2 ? "arrive" : "leave";
  show("wall");
  render();
}

for (const each of document.querySelectorAll("[data-part]")) each.addEventListener("click", () => show(each.dataset.part));
for (const each of document.querySelectorAll("[data-direction]")) {
  each.addEventListener("click", () => {
    direction = each.dataset.direction;
    shownWindow = "";
    render();
    showCode();
  });
}
by("name-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = by("named").value.trim();
  if (!text) return;
  by("named").value = "";
  if (/^\d{15}$/.test(text)) keepReading({ named: text });
  else readCode(text);
});
by("send").addEventListener("click", send);
by("back").addEventListener("click", () => {
  kit = null;
  stopCamera();
  render();
});
by("forget").addEventListener("click", async () => {
  if (waiting().some((each) => each.kit === kit.id)) {
    problem = word("still-waiting");
    render();
    return;
  }
  await eraseKit(kit);
  render();
});

window.addEventListener("online", send);
window.addEventListener("offline", render);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && send());
window.addEventListener("beforeunload", (event) => {
  if (unkept.length) event.preventDefault();
});
setInterval(showCode, 250);
setInterval(async () => {
  if (unkept.length) await keepAgain();
  if (waiting().length) send();
  render();
}, SEND_EVERY_MS);

kits = await all("kits");
readings = await all("readings");
navigator.serviceWorker?.register(workerUrl, { scope }).then(() => navigator.serviceWorker.ready).then(() => (page.dataset.ready = "yes"));

// The page of a shift leads here with its number: take it along while there is network.
const wanted = location.hash.match(/^#take=(\d+)-(\d+)$/);
if (wanted) {
  history.replaceState(null, "", location.pathname);
  const [book, shift] = [Number(wanted[1]), Number(wanted[2])];
  const here = kits.find((each) => each.book === book && each.number === shift);
  try {
    openKit(here ?? (await takeKit(book, shift)));
  } catch {
    problem = word("not-taken");
  }
}
render();
send();
page.dataset.started = "yes";
