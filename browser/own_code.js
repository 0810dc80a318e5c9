// The volunteer's own code: signed by this phone every half minute, also without network. Until the
// phone is bound, the page shows the code that the server made.

import encodeQR from "qr";
import { base64url, bind, ownKey, signed, utf8 } from "../src/timebank/web/static/js/device.js";

const page = document.querySelector("[data-own-code]");
const { book, volunteer, url, windowSeconds, serverMs, bindUrl, challenge, csrfField } = page.dataset;
const token = page.querySelector(`[name="${csrfField}"]`).value;
const picture = page.querySelector(".qr");
const left = document.getElementById("seconds-left");
const words = document.getElementById("own-state");
const QUIET_ZONE = 4;
// The server's clock as this page knows it: what the phone's own clock says does not matter.
const begun = performance.now();
const now = () => (Number(serverMs) + performance.now() - begun) / 1000;

let key = null;

function body() {
  const bytes = new DataView(new ArrayBuffer(13));
  bytes.setUint8(0, 1 << 2);
  bytes.setUint32(1, Number(book));
  bytes.setUint32(5, Number(volunteer));
  bytes.setUint32(9, Math.floor(now() / Number(windowSeconds)));
  return new Uint8Array(bytes.buffer);
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function draw(text) {
  const rows = encodeQR(text, "raw", { ecc: "medium", border: QUIET_ZONE });
  const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  picture.setAttribute("viewBox", `0 0 ${rows.length} ${rows.length}`);
  const [ground, ink] = picture.children;
  ground.setAttribute("width", rows.length);
  ground.setAttribute("height", rows.length);
  ink.setAttribute("d", path);
}

let shown = -1;

async function renew() {
  const window = Math.floor(now() / Number(windowSeconds));
  const seconds = Number(windowSeconds) - Math.floor(now() % Number(windowSeconds));
  left.textContent = left.dataset.words.replace("{seconds}", seconds);
  if (window === shown) return;
  if (key === null) {
    // Only the server makes codes for this browser.
    if (shown !== -1) location.reload();
    shown = window;
    return;
  }
  const message = body();
  const purpose = utf8.encode("timebank personal code v1");
  const signature = await signed(key, joined(purpose, message));
  draw(`${url}/p/${base64url(joined(message, signature))}`);
  page.dataset.signed = "yes";
  shown = window;
}

async function begin() {
  const answer = await bind({ url: bindUrl, challenge, csrfField, csrfToken: token });
  if (answer?.state === "bound") {
    key = await ownKey();
    words.textContent = words.dataset.bound;
  } else if (answer?.sentence) {
    words.textContent = answer.sentence;
  }
  await renew();
  setInterval(renew, 500);
}

begin();
