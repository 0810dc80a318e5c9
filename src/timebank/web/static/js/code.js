// The page on the wall renews its code at every window and says when it cannot.
// Without this script the page reloads itself.
const frame = document.querySelector("[data-fragment]");
const state = document.getElementById("state");
const words = document.getElementById("state-words");
const DRIFT_SECONDS_MIN = 5; // below this nobody needs to know
const RETRY_MS = 2000;

let failures = 0;

function live() {
  return document.getElementById("live");
}

function driftWords(seconds) {
  if (seconds < 120) return state.dataset.drift.replace("{seconds}", seconds);
  return state.dataset.driftFar.replace("{minutes}", Math.round(seconds / 60));
}

function showState() {
  const drift = Math.round((Date.now() - Number(live().dataset.serverMs)) / 1000);
  const isDrifting = failures === 0 && Math.abs(drift) >= DRIFT_SECONDS_MIN;
  state.classList.toggle("is-stale", failures > 0);
  frame.classList.toggle("is-stale", failures > 1);
  state.classList.toggle("is-drifting", isDrifting);
  const sentence = failures > 0 ? state.dataset.stale
    : isDrifting ? driftWords(Math.abs(drift))
    : state.dataset.fresh;
  if (words.textContent !== sentence) words.textContent = sentence;
}

async function renew() {
  try {
    const answer = await fetch(frame.dataset.fragment, {
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(5000),
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    if (fresh === null) throw new Error("no code in the answer");
    live().replaceWith(document.adoptNode(fresh));
    failures = 0;
  } catch {
    failures += 1;
  }
  showState();
  schedule();
}

function schedule() {
  const wait = failures > 0 ? RETRY_MS : Math.max(250, Number(live().dataset.refreshMs) + 50);
  setTimeout(renew, wait);
}

async function keepAwake() {
  try {
    if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen");
  } catch {
    // The browser may refuse, for instance on battery; the screen's own setting then decides.
  }
}

const wholeScreen = document.getElementById("whole-screen");
if (document.documentElement.requestFullscreen) {
  wholeScreen.hidden = false;
  wholeScreen.addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  });
}
document.addEventListener("visibilitychange", keepAwake);
keepAwake();
showState();
schedule();
