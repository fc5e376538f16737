// What the benches share: the CPU time of workerd, medians, tables.

import { readFileSync, readdirSync } from "node:fs";

/** The runtime's process is the newest workerd child of this one; a new isolate may be a new process. */
function workerd() {
  const children = readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const [command, rest] = readFileSync(`/proc/${name}/stat`, "utf8").split(") ");
      return command.endsWith("(workerd") && Number(rest.split(" ")[1]) === process.pid;
    } catch {
      return false;
    }
  });
  return Math.max(...children.map(Number));
}

/** ms that all threads of workerd have run so far, to the microsecond. Linux only. */
export function workerdCpu() {
  const tasks = `/proc/${workerd()}/task`;
  return readdirSync(tasks).reduce((sum, id) => sum + Number(readFileSync(`${tasks}/${id}/schedstat`, "utf8").split(" ")[0]) / 1e6, 0);
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
