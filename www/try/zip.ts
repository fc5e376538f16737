// A ZIP archive, written while its files are made (PKWARE APPNOTE 6.3). Stored and not deflated: pictures do not get smaller, an info.json hardly matters.
// Written here because it is this short: each file is whole before it is written, so neither data descriptors nor compression are needed.

export interface Entry {
  /** With slashes between folders. */
  readonly path: string;
  /** Less than 4 GiB. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** 1980-01-01 00:00: the same files give the same archive. */
const DATE = 0x00210000;
/** Names are UTF-8. */
const UTF8 = 0x0800;
const MOST16 = 0xffff;
const MOST32 = 0xffffffff;

/** The archive, piece by piece. With more than 65 534 files or 4 GiB its directory is that of Zip64. `start` is how much stands before it in its file. */
export async function* zip(entries: AsyncIterable<Entry> | Iterable<Entry>, start = 0): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let at = start;
  for await (const { path, bytes } of entries) {
    const name = new TextEncoder().encode(path);
    const shared: Field[] = [[UTF8, 2], [0, 2], [DATE, 4], [crc32(bytes), 4], [bytes.length, 4], [bytes.length, 4], [name.length, 2]];
    // 4.3.7: a file's own header
    yield record([[0x04034b50, 4], [20, 2], ...shared, [0, 2]], name);
    yield bytes;
    directory.push(central(shared, name, at));
    at += 30 + name.length + bytes.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  yield* directory;
  const count = directory.length;
  if (count >= MOST16 || at >= MOST32 || size >= MOST32) {
    // 4.3.14 and 4.3.15: the end of a Zip64 directory, and where that is
    yield record([[0x06064b50, 4], [44, 8], [45, 2], [45, 2], [0, 4], [0, 4], [count, 8], [count, 8], [size, 8], [at, 8]]);
    yield record([[0x07064b50, 4], [0, 4], [at + size, 8], [1, 4]]);
  }
  const few = Math.min(count, MOST16);
  yield record([[0x06054b50, 4], [0, 2], [0, 2], [few, 2], [few, 2], [Math.min(size, MOST32), 4], [Math.min(at, MOST32), 4], [0, 2]]);
}

/** 4.3.12: a file's entry in the directory; where it lies is in a field of Zip64 (4.5.3) beyond 4 GiB. */
function central(shared: readonly Field[], name: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const far = at >= MOST32;
  const extra = far ? record([[1, 2], [8, 2], [at, 8]]) : new Uint8Array();
  const version: Field = [far ? 45 : 20, 2];
  const rest: Field[] = [[extra.length, 2], [0, 2], [0, 2], [0, 2], [0, 4], [far ? MOST32 : at, 4]];
  return record([[0x02014b50, 4], version, version, ...shared, ...rest], name, extra);
}

type Field = readonly [value: number, bytes: 2 | 4 | 8];

/** Numbers, little-endian, and what stands after them. */
function record(fields: readonly Field[], ...tails: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const head = fields.reduce((sum, [, bytes]) => sum + bytes, 0);
  const all = new Uint8Array(tails.reduce((sum, { length }) => sum + length, head));
  const view = new DataView(all.buffer);
  let at = 0;
  for (const [value, bytes] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  for (const tail of tails) {
    all.set(tail, at);
    at += tail.length;
  }
  return all;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The checksum of ZIP and PNG. */
export function crc32(bytes: Uint8Array): number {
  let crc = MOST32;
  for (let at = 0; at < bytes.length; at++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[at]!) & 0xff]!;
  return (crc ^ MOST32) >>> 0;
}
