// A camera on a page that reads codes. The box around it holds the picture, its buttons and its
// words: `video`, `[data-camera=start|torch|flip]`, and `[data-camera=state]`, whose data says each
// state in the reader's language.

import { detect } from "./scanner.js";

const FRAME_MS = 120; // between two pictures: an old phone's processor stays cool
const SIDE_MAX = 1000; // of the picture that is read; a camera gives more than a reader needs
const SAME_CODE_MS = 4000; // the same code again within this time is the same showing of it

const PROBLEMS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "none",
  OverconstrainedError: "none",
  NotReadableError: "busy",
  AbortError: "busy",
};

export class Camera {
  constructor(box, onText) {
    this.box = box;
    this.onText = onText;
    this.video = box.querySelector("video");
    this.canvas = document.createElement("canvas");
    this.facing = box.dataset.facing || "environment";
    this.stream = null;
    this.last = { text: "", at: 0 };
    for (const [name, act] of [["start", () => this.open()], ["torch", () => this.toggleTorch()], ["flip", () => this.flip()]]) {
      this.part(name)?.addEventListener("click", act);
    }
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.close("idle");
      else if (this.wasOpen) this.open();
    });
    window.addEventListener("pagehide", () => this.close("idle"));
  }

  part(name) {
    return this.box.querySelector(`[data-camera="${name}"]`);
  }

  say(state) {
    this.box.dataset.state = state;
    const words = this.part("state");
    const sentence = words?.dataset[state] ?? "";
    if (words && words.textContent !== sentence) words.textContent = sentence;
    const start = this.part("start");
    if (start) start.hidden = state === "running" || state === "asking";
  }

  // Opens by itself where the person has said yes before; else waits for the button.
  async openIfAllowed() {
    if (!navigator.mediaDevices?.getUserMedia) return this.say("insecure");
    try {
      const { state } = await navigator.permissions.query({ name: "camera" });
      if (state === "granted") return this.open();
      if (state === "denied") return this.say("refused");
    } catch {
      // Not every browser tells; then the button asks.
    }
    this.say("idle");
  }

  async open() {
    if (this.stream) return;
    if (!navigator.mediaDevices?.getUserMedia) return this.say("insecure");
    this.say("asking");
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: { ideal: this.facing }, width: { ideal: 1280 }, height: { ideal: 720 } },
      });
    } catch (error) {
      return this.say(PROBLEMS[error.name] ?? "broken");
    }
    this.wasOpen = true;
    this.video.srcObject = this.stream;
    this.video.classList.toggle("is-mirrored", this.track().getSettings().facingMode === "user");
    await this.video.play().catch(() => {});
    this.say("running");
    this.showTools();
    this.loop();
  }

  track() {
    return this.stream.getVideoTracks()[0];
  }

  async showTools() {
    const torch = this.part("torch");
    if (torch) torch.hidden = !this.track().getCapabilities?.().torch;
    const flip = this.part("flip");
    if (flip) {
      const devices = await navigator.mediaDevices.enumerateDevices();
      flip.hidden = devices.filter(({ kind }) => kind === "videoinput").length < 2;
    }
  }

  async toggleTorch() {
    const torch = this.part("torch");
    const on = torch.getAttribute("aria-pressed") !== "true";
    try {
      await this.track().applyConstraints({ advanced: [{ torch: on }] });
      torch.setAttribute("aria-pressed", String(on));
    } catch {
      torch.hidden = true;
    }
  }

  flip() {
    this.facing = this.facing === "user" ? "environment" : "user";
    this.close("idle");
    return this.open();
  }

  close(state) {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    if (this.stream) this.say(state);
    this.stream = null;
  }

  async loop() {
    const stream = this.stream;
    while (stream && this.stream === stream) {
      const started = performance.now();
      try {
        await this.look();
      } catch {
        // One picture that cannot be read is nothing: the next one comes.
      }
      const wait = Math.max(20, FRAME_MS - (performance.now() - started));
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  async look() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width || !height) return;
    const scale = Math.min(1, SIDE_MAX / Math.max(width, height));
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.context ??= this.canvas.getContext("2d", { willReadFrequently: true });
    this.context.drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    for (const { rawValue } of await detect(this.canvas)) {
      const now = performance.now();
      if (rawValue === this.last.text && now - this.last.at < SAME_CODE_MS) {
        this.last.at = now;
        continue;
      }
      this.last = { text: rawValue, at: now };
      await this.onText(rawValue);
    }
  }
}

const TONES = { arrived: [880, 1320], left: [1320, 880], known: [660], "walk-up": [660, 660], refused: [220, 180] };
const BUZZES = { arrived: [60], left: [60, 40, 60], known: [30], "walk-up": [40, 40, 40], refused: [250] };

let audio = null;

// A short sound and a buzz for each outcome: nobody looks at a screen all the time.
export function signal(outcome) {
  try {
    navigator.vibrate?.(BUZZES[outcome] ?? []);
    audio ??= new AudioContext();
    let at = audio.currentTime;
    for (const pitch of TONES[outcome] ?? []) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.25, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + 0.12);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.13);
      at += 0.14;
    }
  } catch {
    // A browser without sound is silent.
  }
}

export async function keepAwake() {
  try {
    if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen");
  } catch {
    // The screen's own setting then decides.
  }
}

// Posts a form's fields and returns the piece of a page that answers, or null without network.
export async function posted(url, fields) {
  try {
    const answer = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      redirect: "error",
      body: new URLSearchParams(fields),
      signal: AbortSignal.timeout(10000),
    });
    if (answer.status >= 500) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
  } catch {
    return null;
  }
}
