// The strong reader: zxing as WebAssembly, from this site. Its loader would ask a public network
// for the program unless it is told where ours is.

import { BarcodeDetector, prepareZXingModule } from "barcode-detector/ponyfill";
import program from "zxing-wasm/reader/zxing_reader.wasm";

const address = new URL(program, import.meta.url).href;
prepareZXingModule({ overrides: { locateFile: () => address } });

export function reader(options) {
  return new BarcodeDetector(options);
}
