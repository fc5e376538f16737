// A writer of tiled TIFFs with a pyramid by page, classic and BigTIFF, little-endian RGB or YCbCr of 8 bits.

const ASCII = 2;
const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;
const LONG8 = 16;
const SIZES = { [ASCII]: 1, [SHORT]: 2, [LONG]: 4, [UNDEFINED]: 1, [LONG8]: 8 };
/** The tags of the tables of tiles, or of strips. */
const OFFSETS = [273, 324];
const COUNTS = [279, 325];
const COMPRESSIONS = { jpeg: 7, deflate: 8 };

/**
 * `levels` are `{ width, height, tiles }`, the largest first, and with `page` the largest of a further page; the tiles are encoded and lie row by row. A buffer that occurs again is stored once, unless `apart`.
 * With `strip` the only tile is a strip; `description` is the ImageDescription.
 *
 * `order` is that of the file: "cog" has all directories first, then their tables of tiles, then the tiles of the smallest level up to the largest, each between its
 * length and its last four bytes, and says so in GDAL's words; "chain" is what libvips writes, who makes one level after the other: the tiles of a level, its directory, its tables, then the next. `tables` are the JPEGTables.
 */
export function tiff(levels, { tile = 512, compression = "deflate", order = "chain", big = false, apart = false, tables } = {}) {
  const file = sections(big, apart, order === "cog");
  const pages = levels.map((level, index) => ({ tiles: level.tiles, offsets: [], directory: directory(big, entries(level, index, { tile, compression, tables, big })) }));
  const placeTiles = (page) => (page.offsets = page.tiles.map(file.placeTile));
  if (order === "cog") {
    for (const { directory } of pages) directory.place(file);
    for (const { directory } of pages) directory.placeTables(file);
    [...pages].reverse().forEach(placeTiles);
  } else {
    for (const page of pages) {
      placeTiles(page);
      page.directory.place(file);
      page.directory.placeTables(file);
    }
  }
  for (const [index, { tiles, offsets, directory }] of pages.entries()) {
    directory.fill(OFFSETS, offsets);
    directory.fill(COUNTS, tiles.map((each) => each.length));
    directory.link(pages[index + 1]?.directory.offset ?? 0);
  }
  return file.end(pages[0].directory.offset);
}

/** [tag, type, count, values]; of the tables of tiles only the number is known yet. */
function entries({ width, height, tiles, page, strip, description }, index, { tile, compression, tables, big }) {
  const jpeg = compression === "jpeg";
  return [
    [254, LONG, 1, [index === 0 || page ? 0 : 1]],
    [256, LONG, 1, [width]],
    [257, LONG, 1, [height]],
    [258, SHORT, 3, [8, 8, 8]],
    [259, SHORT, 1, [COMPRESSIONS[compression]]],
    [262, SHORT, 1, [jpeg ? 6 : 2]],
    [277, SHORT, 1, [3]],
    [284, SHORT, 1, [1]],
    ...(strip ? [[278, LONG, 1, [height]]] : []),
    ...(strip
      ? []
      : [
          [322, LONG, 1, [tile]],
          [323, LONG, 1, [tile]],
        ]),
    [strip ? 273 : 324, big ? LONG8 : LONG, tiles.length, []],
    [strip ? 279 : 325, LONG, tiles.length, []],
    ...(tables ? [[347, UNDEFINED, tables.length, [...tables]]] : []),
    ...(jpeg ? [[530, SHORT, 2, [2, 2]]] : []),
    ...(description === undefined ? [] : [[270, ASCII, description.length + 1, [...Buffer.from(`${description}\0`)]]]),
  ].sort(([a], [b]) => a - b);
}

/** A directory; values that do not fit into their entries lie after it, the tables of tiles where they are placed. */
function directory(big, all) {
  const [head, entry, word] = big ? [8, 20, 8] : [2, 12, 4];
  const bytes = Buffer.alloc(head + entry * all.length + word);
  const valueAt = (row) => head + entry * row + (big ? 12 : 8);
  if (big) bytes.writeUInt32LE(all.length, 0);
  else bytes.writeUInt16LE(all.length, 0);
  const values = new Map();
  for (const [row, [tag, type, count, given]] of all.entries()) {
    const at = head + entry * row;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    const size = SIZES[type];
    const inside = count * size <= word;
    const held = inside ? bytes.subarray(valueAt(row), valueAt(row) + word) : Buffer.alloc(count * size);
    const fill = (numbers) => numbers.forEach((value, index) => write(held, index * size, value, size));
    fill(given);
    values.set(tag, { row, held, inside, fill });
  }
  const outside = (ofTiles) => [...values].filter(([tag, { inside }]) => !inside && [...OFFSETS, ...COUNTS].includes(tag) === ofTiles).map(([, value]) => value);
  const placeAll = (file, some) => {
    for (const { row, held } of some) write(bytes, valueAt(row), file.place(held), word);
  };
  return {
    offset: 0,
    place(file) {
      this.offset = file.place(bytes);
      placeAll(file, outside(false));
    },
    placeTables: (file) => placeAll(file, outside(true)),
    fill: (tags, numbers) => values.get(tags.find((tag) => values.has(tag))).fill(numbers),
    link: (next) => write(bytes, bytes.length - word, next, word),
  };
}

const SAYS = "LAYOUT=IFDS_BEFORE_DATA\nBLOCK_LEADER=SIZE_AS_UINT4\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n ";
const GHOST = Buffer.from(`GDAL_STRUCTURAL_METADATA_SIZE=${String(SAYS.length).padStart(6, "0")} bytes\n${SAYS}`);

/** The file from its header on; what is placed may be written to until the end. All lies at even offsets. */
function sections(big, apart, led) {
  const header = Buffer.from(big ? [0x49, 0x49, 43, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] : [0x49, 0x49, 42, 0, 0, 0, 0, 0]);
  const parts = [header];
  const offsets = new Map();
  let end = header.length;
  const place = (bytes) => {
    const at = end;
    parts.push(bytes);
    if (bytes.length % 2) parts.push(Buffer.alloc(1));
    end += bytes.length + (bytes.length % 2);
    return at;
  };
  const placeBlock = (bytes) => {
    const leader = Buffer.alloc(4);
    leader.writeUInt32LE(bytes.length);
    return place(Buffer.concat([leader, bytes, bytes.subarray(-4)])) + leader.length;
  };
  if (led) place(GHOST);
  return {
    place,
    placeTile(bytes) {
      if (apart || !offsets.has(bytes)) offsets.set(bytes, led ? placeBlock(bytes) : place(bytes));
      return offsets.get(bytes);
    },
    end(first) {
      write(header, big ? 8 : 4, first, big ? 8 : 4);
      return Buffer.concat(parts);
    },
  };
}

function write(buffer, at, value, size) {
  if (size === 8) buffer.writeBigUInt64LE(BigInt(value), at);
  else buffer.writeUIntLE(value, at, size);
}
