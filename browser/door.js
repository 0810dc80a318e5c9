// The organizer's camera at the door: each code that is read is recorded at once, and the list of
// who is here renews itself.

import { Camera, keepAwake, posted, signal } from "./camera.js";

const page = document.querySelector("[data-door]");
const { base, purpose, csrfField } = page.dataset;
const token = page.querySelector(`[name="${csrfField}"]`).value;
const FAILED_MS = 5000;

let busy = false;

function show(read) {
  const place = document.getElementById("read");
  place.replaceChildren(document.adoptNode(read));
  page.classList.remove("is-offline");
  signal(read.dataset.outcome);
}

async function send(path, fields) {
  if (busy) return;
  busy = true;
  const read = await posted(`${base}/${path}?part=1`, { ...fields, [csrfField]: token });
  busy = false;
  if (read === null) {
    page.classList.add("is-offline");
    signal("refused");
    return;
  }
  show(read);
  renew();
}

const box = page.querySelector("[data-camera-box]");
if (box) {
  const camera = new Camera(box, (text) => send("scans", { code: text, purpose }));
  camera.openIfAllowed();
}

// The walk-up's button and the look-up answer in place; without this script they load the page.
document.addEventListener("submit", (event) => {
  const path = event.target.dataset?.inPlace;
  if (!path) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  send(path, Object.fromEntries(new FormData(event.target)));
}, true);

// Where the organizer stands is asked when they say that they stand there.
const point = page.querySelector("form[data-point]");
point?.querySelector("[data-here]").addEventListener("click", (event) => {
  event.preventDefault();
  navigator.geolocation?.getCurrentPosition(
    ({ coords }) => {
      point.elements.namedItem("latitude").value = coords.latitude.toFixed(6);
      point.elements.namedItem("longitude").value = coords.longitude.toFixed(6);
      point.submit();
    },
    () => signal("refused"),
    { enableHighAccuracy: true, timeout: 10000 },
  );
});

const people = () => document.getElementById("people");
let timer = 0;

async function renew() {
  clearTimeout(timer);
  let wait = Number(people().dataset.refreshMs);
  try {
    const answer = await fetch(`${base}/people?version=${people().dataset.version}`, {
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(5000),
    });
    if (!answer.ok) throw new Error(String(answer.status));
    if (answer.status === 200) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("people");
      // Whoever is about to press a button of the list keeps it until they have.
      if (fresh && !people().contains(document.activeElement)) people().replaceWith(document.adoptNode(fresh));
    }
    page.classList.remove("is-offline");
  } catch {
    page.classList.add("is-offline");
    wait = FAILED_MS;
  }
  timer = setTimeout(renew, wait);
}

document.addEventListener("visibilitychange", keepAwake);
keepAwake();
timer = setTimeout(renew, Number(people().dataset.refreshMs));
