// Before a reading is confirmed, this phone signs it: then the record says that it was made here.
// Whatever a browser cannot do, the reading counts.

import { base64url, bind, ownKey, signed, utf8, whereabouts } from "../src/timebank/web/static/js/device.js";

function late(promise, milliseconds, fallback) {
  return Promise.race([promise, new Promise((resolve) => setTimeout(resolve, milliseconds, fallback))]);
}

const form = document.querySelector("form[data-receipt]");
if (form) {
  const { bindUrl, challenge, csrfField, latitude, longitude, radius } = form.dataset;
  const csrfToken = form.elements.namedItem(csrfField)?.value ?? "";
  const binding = bind({ url: bindUrl, challenge, csrfField, csrfToken });
  form.addEventListener("submit", async (event) => {
    if (form.dataset.proof === "made") return;
    event.preventDefault();
    if (form.dataset.proof) return;
    form.dataset.proof = "asked";
    form.setAttribute("aria-busy", "true");
    try {
      const place = radius ? await late(whereabouts({ latitude: Number(latitude), longitude: Number(longitude), radius: Number(radius) }), 6000, "") : "";
      form.elements.namedItem("place").value = place;
      // A phone is bound once; a slow network is waited for, not for ever.
      await late(binding, 8000, null);
      const key = await late(ownKey(), 4000, null);
      if (key !== null) {
        const receipt = form.elements.namedItem("receipt").value;
        const proof = await signed(key, utf8.encode(`timebank scan v1\n${receipt}\n${place}`));
        form.elements.namedItem("kind").value = key.kind;
        form.elements.namedItem("key").value = key.public;
        form.elements.namedItem("signature").value = base64url(proof);
      }
    } catch {
      // Whatever a browser cannot do, the reading counts.
    }
    form.dataset.proof = "made";
    if (form.requestSubmit) form.requestSubmit();
    else form.submit();
  });
  window.addEventListener("pageshow", () => delete form.dataset.proof);
  form.dataset.ready = "yes";
}
