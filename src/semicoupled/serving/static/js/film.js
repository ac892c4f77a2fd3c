// The pictures of a video: JPEG images that lie packed on the server, decoded as they are shown.

import { request } from "./api.js";

const KEPT = 48;
const AHEAD = 6;

export class Film {
  /** `about` is what the server says of it: {width, height, every, pack, sizes}. */
  constructor(job, about) {
    this.about = about;
    this.job = job;
    this.packs = [];
    this.places = [];
    this.decoded = new Map();
    about.sizes.forEach((size, index) => {
      const offset = index % about.pack === 0 ? 0 : this.places[index - 1].offset + this.places[index - 1].size;
      this.places.push({ pack: Math.floor(index / about.pack), offset, size });
    });
  }

  get count() { return this.about.sizes.length; }

  /** Fetch the first pictures, and the rest one file after the other behind that. */
  async load(signal) {
    const count = Math.ceil(this.count / this.about.pack);
    const fetchPack = async (index) => {
      const name = `film_${String(index).padStart(3, "0")}.jpgs`;
      return (await request(`/jobs/${this.job}/files/${name}`, { signal })).arrayBuffer();
    };
    const first = fetchPack(0);
    this.packs[0] = first;
    let before = first;
    for (let index = 1; index < count; index += 1) {
      before = before.then(() => fetchPack(index));
      before.catch(() => {}); // whoever asks for a picture of it hears of it
      this.packs[index] = before;
    }
    await first;
  }

  /** Give a picture, decoded; of the last few ones at once. */
  picture(index) {
    const kept = this.decoded.get(index);
    if (kept) { this.decoded.delete(index); this.decoded.set(index, kept); return kept; }
    const { pack, offset, size } = this.places[index];
    const found = this.packs[pack].then((buffer) => createImageBitmap(new Blob([new Uint8Array(buffer, offset, size)], { type: "image/jpeg" })));
    found.catch(() => this.decoded.delete(index));
    this.decoded.set(index, found);
    while (this.decoded.size > KEPT) {
      const [oldest, picture] = this.decoded.entries().next().value;
      this.decoded.delete(oldest);
      picture.then((bitmap) => bitmap.close(), () => {});
    }
    return found;
  }

  /** Decode what comes next. */
  prepare(index) {
    for (let next = index + 1; next <= Math.min(index + AHEAD, this.count - 1); next += 1) this.picture(next).catch(() => {});
  }

  close() {
    for (const picture of this.decoded.values()) picture.then((bitmap) => bitmap.close(), () => {});
    this.decoded.clear();
    this.packs = [];
  }
}
