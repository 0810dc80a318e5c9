// The volunteer's camera: what it reads is opened like a link, if it is one of ours.

import { Camera, signal } from "./camera.js";

const box = document.querySelector("[data-camera-box]");
const words = document.getElementById("found");

function pathOf(text) {
  // Codes hold the address that phones know; whatever host they name, only our own path is opened.
  const found = text.trim().match(/\/c\/([A-Za-z0-9_-]{20,60})$/);
  return found ? `/c/${found[1]}` : null;
}

const camera = new Camera(box, (text) => {
  const path = pathOf(text);
  if (path === null) {
    words.textContent = /\/p\/[A-Za-z0-9_-]{20,}$/.test(text.trim()) ? words.dataset.personal : words.dataset.foreign;
    words.hidden = false;
    signal("refused");
    return;
  }
  words.textContent = words.dataset.good;
  words.hidden = false;
  signal("arrived");
  location.assign(path);
});
camera.openIfAllowed();
