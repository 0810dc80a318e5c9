// Puts the newest numbers in their place while people scan; asks again by itself after a break.
const place = document.querySelector("[data-live-url]");
if (place && window.EventSource) {
  const source = new EventSource(place.dataset.liveUrl);
  // An answer ends after some seconds and is asked for again: only a longer silence is one.
  let silent = 0;
  source.onopen = () => {
    clearTimeout(silent);
    place.hidden = false;
  };
  source.onerror = () => {
    clearTimeout(silent);
    silent = setTimeout(() => (place.hidden = true), 5000);
  };
  source.onmessage = (message) => {
    for (const [name, text] of Object.entries(JSON.parse(message.data))) {
      for (const each of document.querySelectorAll(`[data-live="${name}"]`)) {
        if (each.textContent !== text) each.textContent = text;
      }
    }
  };
  addEventListener("pagehide", () => source.close());
}
