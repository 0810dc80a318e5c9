// A code on the wall that was read where there is no network: kept in this phone, signed with its own
// key, and sent once the network is back. The page that a scan opens and the volunteer's first page
// both send what is kept.
const { kind, url, device, worker, folder, serverMs } = document.getElementById("seen").dataset;
const STORE = "codes";
const OFFSET = "timebank-clock";
const utf8 = new TextEncoder();

function word(name, values = {}) {
  const text = document.querySelector(`[data-word="${name}"]`)?.textContent ?? name;
  return text.replace(/\{(\w+)\}/g, (all, key) => String(values[key] ?? all));
}

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function openStore() {
  const request = indexedDB.open("timebank-seen", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(STORE, { keyPath: "number", autoIncrement: true });
  };
  return asked(request);
}

const store = await openStore();

// Resolves once the disk has it.
function write(act) {
  return new Promise((resolve, reject) => {
    const transaction = store.transaction(STORE, "readwrite", { durability: "strict" });
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    act(transaction.objectStore(STORE));
  });
}

async function kept() {
  return asked(store.transaction(STORE).objectStore(STORE).getAll());
}

function tell(sentence, state) {
  const words = document.getElementById("seen-words");
  words.textContent = sentence;
  const notice = document.getElementById("seen-notice");
  notice.hidden = !sentence;
  notice.dataset.state = state;
}

// What the server's clock was ahead of this phone's when they last spoke.
function offset() {
  return Number(localStorage.getItem(OFFSET) ?? 0);
}

// A code on the wall has 28 characters.
const CODE = /^[A-Za-z0-9_-]{28}$/;

async function keep(code) {
  if (!CODE.test(code)) return;
  const all = await kept();
  if (all.some((each) => each.code === code)) return; // The page was loaded again.
  const seen = { code, at: Math.round(Date.now() + offset()), nonce: base64url(crypto.getRandomValues(new Uint8Array(16))) };
  await write((codes) => {
    codes.add(seen).onsuccess = (event) => Object.assign(seen, { number: event.target.result });
  });
  const key = await ownKey();
  if (key === null) return;
  const proof = await signed(key, utf8.encode(`timebank scan v1\n${code} ${seen.at} ${seen.number}\n`));
  Object.assign(seen, { kind: key.kind, key: key.public, signature: base64url(proof) });
  await write((codes) => codes.put(seen));
}

// Sending is tried again by itself: at once when the phone says that it has network or somebody looks
// at the page, otherwise after two seconds, four, and so on up to a minute. Whoever asks while an
// attempt still hangs in a network that is gone ends it. The server takes a code once, however often.
const PATIENCE_MS = 15000;
const WAIT_MS = { first: 2000, longest: 60000 };
let attempt = null;
let isWanted = false;
let wait = WAIT_MS.first;
let timer = 0;

async function send() {
  isWanted = true;
  clearTimeout(timer);
  if (attempt) {
    attempt.abort();
    return;
  }
  while (isWanted) {
    isWanted = false;
    const mine = (attempt = new AbortController());
    const patience = setTimeout(() => mine.abort(), PATIENCE_MS);
    try {
      await sendNow(mine.signal);
      wait = WAIT_MS.first;
    } catch {
      if (!isWanted) await waitAgain();
    } finally {
      clearTimeout(patience);
    }
  }
  attempt = null;
}

async function waitAgain() {
  await tellKept();
  timer = setTimeout(send, wait);
  wait = Math.min(2 * wait, WAIT_MS.longest);
}

function sendAtOnce() {
  wait = WAIT_MS.first;
  send();
}

async function tellKept() {
  const open = (await kept()).length;
  if (open) tell(word(navigator.onLine && attempt ? "unsteady" : "kept", { count: open }), "waiting");
}

async function sendNow(signal) {
  const codes = await kept();
  if (!codes.length) return;
  const answer = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ codes: codes.slice(0, 100) }),
    signal,
  });
  if (answer.status === 401) {
    tell(word("sign-in"), "waiting");
    document.getElementById("seen-way").hidden = false;
    return;
  }
  if (!answer.ok) throw new Error(String(answer.status));
  const { outcomes } = await answer.json();
  const answered = codes.filter((each) => outcomes[each.nonce]);
  await write((table) => {
    for (const each of answered) table.delete(each.number);
  });
  const refused = answered.filter((each) => outcomes[each.nonce].is_conflict);
  const last = answered.at(-1);
  if (refused.length) tell(word("refused", { reason: outcomes[refused[0].nonce].sentence }), "refused");
  else if (last) tell(word("sent", { outcome: outcomes[last.nonce].sentence }), "sent");
  const way = document.getElementById("seen-way");
  if (way) way.hidden = false;
}

const { base64url, ownKey, signed } = await import(device);
if (serverMs) localStorage.setItem(OFFSET, String(Number(serverMs) - Date.now()));
window.addEventListener("online", sendAtOnce);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && sendAtOnce());
navigator.serviceWorker?.register(worker, { scope: folder }).then((registration) => {
  const ready = registration.active ?? registration.installing ?? registration.waiting;
  const done = () => ready.state === "activated" && (document.getElementById("seen").dataset.ready = "yes");
  ready.addEventListener("statechange", done);
  done();
});
if (kind === "scan") {
  const code = location.pathname.split("/").at(-1);
  try {
    if (code !== "kept") await keep(code);
    await tellKept();
  } catch {
    tell(word("full"), "refused");
  }
}
await send();
