// Dragging a number asks the server again while the hand is still on it; without this file the
// button does.
const form = document.querySelector("[data-what-if]");
const place = document.getElementById("outcome");
let waiting = 0;
let asked = null;

function gather() {
  const numbers = [...form.querySelectorAll(".lever-number")];
  form.querySelector("[data-values]").value = numbers.map((each) => each.value || "0").join(",");
}

async function ask() {
  gather();
  asked?.abort();
  asked = new AbortController();
  const address = `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`;
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { signal: asked.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("outcome");
    if (!fresh) throw new Error("no outcome");
    place.replaceChildren(...fresh.childNodes);
    const said = form.querySelector(".levers .error");
    const wrong = page.querySelector(".levers .error");
    said?.remove();
    if (wrong) form.querySelector(".levers").append(wrong);
    history.replaceState(null, "", address);
  } catch (error) {
    if (error.name === "AbortError") return;
    form.submit();
  }
  place.removeAttribute("aria-busy");
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(ask, 150);
}

for (const slide of form.querySelectorAll("[data-slides]")) {
  const number = document.getElementById(slide.dataset.slides);
  const say = () => slide.setAttribute("aria-valuetext", `${number.value} ${number.dataset.unit}`);
  slide.addEventListener("input", () => {
    number.value = slide.value;
    say();
    soon();
  });
  number.addEventListener("input", () => {
    slide.value = number.value;
    say();
    if (number.value) soon();
  });
}
for (const each of form.querySelectorAll("#span, #price, #budget")) each.addEventListener("input", soon);
form.querySelector("[data-again]").addEventListener("change", (event) => {
  // Another number has levers of its own.
  const url = new URL(form.action);
  url.searchParams.set("number", event.target.value);
  url.searchParams.set("span", form.elements.span.value);
  location.assign(url);
});
form.addEventListener("submit", gather);
