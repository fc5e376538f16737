// What the benches share: the CPU time of workerd, medians, tables.

import { readFileSync, readdirSync } from "node:fs";

/** The runtimes' processes: workerd's that are children of this one. */
function workerds() {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const [command, rest] = readFileSync(`/proc/${name}/stat`, "utf8").split(") ");
      return command.endsWith("(workerd") && Number(rest.split(" ")[1]) === process.pid;
    } catch {
      return false;
    }
  });
}

/** ms that all threads of workerd have run so far, to the microsecond; where several of it run, of all, as only one is asked at a time. Linux only. */
export function workerdCpu() {
  const threads = workerds().flatMap((id) => readdirSync(`/proc/${id}/task`).map((thread) => `/proc/${id}/task/${thread}/schedstat`));
  return threads.reduce((sum, path) => sum + Number(readFileSync(path, "utf8").split(" ")[0]) / 1e6, 0);
}

export const median = (values) => quantile(values, 0.5);

/** How many times the one is the other: the median of the rounds' ratios, as what is measured one after the other shares the machine's mood. */
export const ratioOf = (some, others) => median(some.map((value, round) => value / others[round]));

/** The value that this part of them is below. */
export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

/** The same in another order each round, lest anything always comes after the same. */
export const rotated = (list, round) => list.map((_, index) => list[(index + Math.max(0, round) * 3) % list.length]);

/** What `Server-Timing` tells under a name. */
export const told = (timing, name) => new RegExp(`${name};desc="([^"]+)"`).exec(timing)?.[1] ?? "";

/** A number of ms with three digits. */
export const ms = (value) => (value === undefined || Number.isNaN(value) ? "–" : value >= 100 ? value.toFixed(0) : value >= 0.1 ? value.toPrecision(3) : value.toPrecision(2));

/** A ratio. */
export const times = (value) => (value === undefined || !Number.isFinite(value) ? "–" : `${value >= 100 ? value.toFixed(0) : value.toPrecision(value >= 10 ? 3 : 2)}×`);

/** A table in Markdown, all but the first column right-aligned. */
export function table(columns, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(columns), `|---|${"--:|".repeat(columns.length - 1)}`, ...rows.map(line)].join("\n");
}
