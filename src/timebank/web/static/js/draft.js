// The examples run while one types; without this file they run when the draft is saved.
const form = document.querySelector("[data-draft]");
let waiting = 0;
let asked = null;

async function look() {
  asked?.abort();
  asked = new AbortController();
  const data = new URLSearchParams(new FormData(form));
  data.set("act", "try");
  try {
    const answer = await fetch(form.action, { method: "POST", body: data, signal: asked.signal });
    if (!answer.ok) return;
    const part = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = part.getElementById("tried");
    if (fresh) document.getElementById("tried").replaceWith(fresh);
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(look, 400);
});
