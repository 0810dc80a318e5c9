// A form is sent once: the second tap of an impatient thumb does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  // A form that answers with a file leaves the page open, and may be sent again.
  if (form.method !== "post" || "repeats" in form.dataset) return;
  // What another script holds back is not sent yet.
  if (event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
});
// A page brought back from memory may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.forms) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});
