// Draws a code: a text becomes rows of dark and light modules, without asking anybody.

import encodeQR from "qr";

/**
 * Draws the code of a text as an SVG path on a grid of modules.
 *
 * Error correction is the lowest: on a screen nothing covers a code, and fewer, larger modules are
 * read from further away.
 *
 * @param {string} text
 * @returns {{side: number, path: string}} Modules along one side with the quiet zone of four, and
 *   the dark ones.
 */
export function picture(text) {
  const rows = encodeQR(text, "raw", { ecc: "low", border: 4 });
  let path = "";
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; x += 1) {
      let width = 0;
      while (row[x + width]) width += 1;
      if (width) path += `M${x} ${y}h${width}v1h-${width}z`;
      x += width;
    }
  });
  return { side: rows.length, path };
}
