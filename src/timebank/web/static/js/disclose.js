// A link to one line of a list opens it, and printing opens them all.
function openTarget() {
  const line = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (line instanceof HTMLDetailsElement) line.open = true;
}
window.addEventListener("hashchange", openTarget);
openTarget();

let closed = [];
window.addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  for (const line of closed) line.open = true;
});
window.addEventListener("afterprint", () => {
  for (const line of closed) line.open = false;
});
