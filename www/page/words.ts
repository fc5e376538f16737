// Numbers as people read them.

/** 528 kB, 1.2 MB: decimal units, as file managers and networks count. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = count / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** 1000 × 872 */
export function dimensions(width: number, height: number): string {
  return `${width} × ${height}`;
}

/** 24 megapixels, 0.44 megapixels */
export function megapixels(width: number, height: number): string {
  const value = (width * height) / 1e6;
  return `${value < 10 ? Number(value.toPrecision(2)) : Math.round(value)} megapixels`;
}

/** 320 ms, 1.4 s */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
