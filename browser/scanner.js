// Reads the code in a picture: the browser's own reader where there is one, else a small one of
// 15 kB, and after a while without a hit a slower one of 360 kB that reads what the others cannot.

import { BarcodeDetector as SmallReader } from "qr/decode.js";

// How long a camera is pointed at a code that a good reader would have read.
const LATE_MS = 1500;
// A pause this long is a new attempt: the camera was closed, or another code is held before it.
const PAUSE_MS = 3000;

const FORMATS = { formats: ["qr_code"] };

let quick = null;
let strong = null;
let strongState = "absent";
let triedSince = 0;
let triedLast = 0;

async function quickReader() {
  const Native = globalThis.BarcodeDetector;
  if (Native) {
    try {
      if ((await Native.getSupportedFormats()).includes("qr_code")) return new Native(FORMATS);
    } catch {
      // A phone may name the reader and not have it; the small one is always here.
    }
  }
  return new SmallReader(FORMATS);
}

function askForStrong() {
  strongState = "asked";
  import("./zxing.js").then(
    (loaded) => {
      strong = loaded.reader(FORMATS);
      strongState = "here";
    },
    // The next attempt asks again: a network that failed once may be back.
    () => {
      strongState = "absent";
    },
  );
}

/**
 * Reads the codes in one picture.
 *
 * Call it for each frame of a camera. The larger reader is asked for once no frame has been read
 * for a second and a half, and joins in when it has arrived; nobody waits for it.
 *
 * @param {ImageBitmapSource} source A video that plays, a canvas, an image, a bitmap or a blob.
 * @returns {Promise<{rawValue: string}[]>} What was read; empty where nothing was.
 */
export async function detect(source) {
  const now = performance.now();
  if (now - triedLast > PAUSE_MS) triedSince = now;
  triedLast = now;

  quick ??= await quickReader();
  let found = [];
  try {
    found = await quick.detect(source);
  } catch (error) {
    if (quick instanceof SmallReader) throw error;
    quick = new SmallReader(FORMATS);
    found = await quick.detect(source);
  }
  if (!found.length && strong) found = await strong.detect(source);
  if (found.length) triedSince = now;
  else if (strongState === "absent" && now - triedSince >= LATE_MS) askForStrong();
  return found.map(({ rawValue }) => ({ rawValue }));
}

/**
 * Reads the codes in one picture that does not move, such as a photograph: with every reader.
 *
 * @param {ImageBitmapSource} source
 * @returns {Promise<{rawValue: string}[]>}
 */
export async function detectStill(source) {
  const found = await detect(source);
  if (found.length) return found;
  const { reader } = await import("./zxing.js");
  return (await reader(FORMATS).detect(source)).map(({ rawValue }) => ({ rawValue }));
}
