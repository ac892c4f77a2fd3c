// Scales of color that color-blind eyes can read: lookup tables of 256 entries for canvases.

const ANCHORS = {
  viridis: ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"],
  gray: ["#000000", "#ffffff"],
  // too little: blue; right: white; too much: red-brown
  error: ["#053061", "#2166ac", "#67a9cf", "#d1e5f0", "#ffffff", "#fddbc7", "#ef8a62", "#b2182b", "#67001f"],
  coolwarm: ["#3b4cc0", "#6f91f2", "#a9c5fc", "#f2f2f2", "#f6b89c", "#e36b54", "#b40426"],
  // space: brown; time: purple
  share: ["#7f3b08", "#b35806", "#e08214", "#fdb863", "#f0ebe4", "#b2abd2", "#8073ac", "#542788", "#2d004b"],
  chance: ["#ffffff", "#e3eef8", "#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08519c", "#08306b"],
};

const parse = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const pack = ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r; // little-endian RGBA
export const MISSING = pack(parse("#d8d8d8"));

export function color(name, share) {
  const anchors = ANCHORS[name].map(parse);
  const place = Math.min(1, Math.max(0, share)) * (anchors.length - 1);
  const low = Math.min(anchors.length - 2, Math.floor(place));
  return anchors[low].map((part, index) => Math.round(part + (anchors[low + 1][index] - part) * (place - low)));
}

export function table(name, count = 256) {
  return Uint32Array.from({ length: count }, (_, index) => pack(color(name, index / (count - 1))) >>> 0);
}

/** Bytes of dBZ times `steps` to the colors of the server's legend; 255 is missing. */
export function dbzTable(legend, steps) {
  const lut = new Uint32Array(256);
  for (let byte = 0; byte < 255; byte += 1) {
    const dbz = byte / steps;
    let index = -1;
    while (index + 1 < legend.levels.length && dbz >= legend.levels[index + 1]) index += 1;
    const hex = index < 0 ? "#ffffff" : index >= legend.colors.length ? legend.above : legend.colors[index];
    lut[byte] = pack(parse(hex)) >>> 0;
  }
  lut[255] = pack(parse(legend.missing)) >>> 0;
  return lut;
}

/** Bytes of 0 to 1 times `steps`; 255 is missing. */
export function shareTable(name, steps, missing = "#d8d8d8") {
  const lut = new Uint32Array(256);
  for (let byte = 0; byte < 255; byte += 1) lut[byte] = pack(color(name, byte / steps)) >>> 0;
  lut[255] = pack(parse(missing)) >>> 0;
  return lut;
}
