// The partner's camera: each voucher that is read is redeemed at once. A code that was read stays in
// view for a while, so the same text is not sent again until another one was read.

import { Camera, keepAwake, posted, signal } from "./camera.js";

const page = document.querySelector("[data-partner]");
const { redeem, csrfField } = page.dataset;
const token = page.querySelector(`[name="${csrfField}"]`).value;

let busy = false;
let sent = "";

async function send(text) {
  if (busy || text === sent) return;
  busy = true;
  const read = await posted(`${redeem}?part=1`, { code: text, [csrfField]: token });
  busy = false;
  if (read === null) {
    page.classList.add("is-offline");
    signal("refused");
    return;
  }
  sent = text;
  page.classList.remove("is-offline");
  document.getElementById("read").replaceChildren(document.adoptNode(read));
  signal(read.dataset.outcome);
}

const camera = new Camera(page.querySelector("[data-camera-box]"), send);
camera.openIfAllowed();
document.addEventListener("visibilitychange", keepAwake);
keepAwake();
