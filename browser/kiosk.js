// A tablet at the door: whoever shows a code is answered, and the next one can come.

import { Camera, keepAwake, posted, signal } from "./camera.js";

const page = document.querySelector("[data-kiosk]");
const { base, csrfField } = page.dataset;
const token = page.querySelector(`[name="${csrfField}"]`).value;
const place = document.getElementById("read");
const SHOWN_MS = 5000;
const HOLD_MS = 2000;

let clearing = 0;
let busy = false;

async function send(code) {
  if (busy) return;
  busy = true;
  const purpose = page.querySelector("input[name=purpose]:checked").value;
  const read = await posted(`${base}/scans`, { code, purpose, [csrfField]: token });
  busy = false;
  page.classList.toggle("is-offline", read === null);
  if (read === null) {
    signal("refused");
    return;
  }
  place.replaceChildren(document.adoptNode(read));
  signal(read.dataset.outcome);
  clearTimeout(clearing);
  // The next person does not read the last one's name.
  clearing = setTimeout(() => place.replaceChildren(), SHOWN_MS);
}

new Camera(page.querySelector("[data-camera-box]"), send).openIfAllowed();

const whole = document.getElementById("whole-screen");
if (document.documentElement.requestFullscreen) {
  whole.hidden = false;
  whole.addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  });
}

// A child's finger does not end it: the button is held.
const end = page.querySelector("form[data-end]");
let held = 0;
end.addEventListener("submit", (event) => {
  if (!end.dataset.held) event.preventDefault();
});
const button = end.querySelector("button");
const press = () => {
  button.classList.add("is-held");
  held = setTimeout(() => {
    end.dataset.held = "yes";
    end.requestSubmit();
  }, HOLD_MS);
};
const release = () => {
  button.classList.remove("is-held");
  clearTimeout(held);
};
button.addEventListener("pointerdown", press);
for (const name of ["pointerup", "pointerleave", "pointercancel"]) button.addEventListener(name, release);
button.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.repeat) press();
});
button.addEventListener("keyup", release);

document.addEventListener("visibilitychange", keepAwake);
keepAwake();
