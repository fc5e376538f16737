// What azulejo wants to reach, and what of it this run has found. The worst case counts.

import { flatness } from "./ladder.mjs";
import { ms, ratioOf, times } from "./measure.mjs";

const MIB = 1 << 20;
const KEPT = "azulejo";
const ANEW = "azulejo, opening each time";
const KINDS = ["photograph.jpg", "text.jpg", "map.jpg"];

/** Rows of [goal, wanted, found, met]. */
export function goals({ measured, ladder, workerd }) {
  const { results, encoded, memory } = measured;
  const of = (id) => results.find(({ job }) => job.id === id)?.of ?? {};
  /** How many times less than sharp it takes; 0 if it cannot. */
  const ratio = (id, name = KEPT, against = "sharp") => (of(id)[name]?.cpu ? ratioOf(of(id)[against].samples, of(id)[name].samples) : 0);
  const rows = [];
  const goal = (what, wanted, found, met) => rows.push([what, wanted, found, met ? "yes" : "**no**"]);
  const span = (found) => {
    const [low, high] = [Math.min(...found), Math.max(...found)];
    return high === 0 ? "refused" : low === 0 ? `refused; else up to ${times(high)}` : found.length > 1 ? `${times(low)} to ${times(high)}` : times(low);
  };
  const faster = (what, least, ids, name) => {
    const found = ids.map((id) => ratio(id, name));
    goal(what, `≥ ${times(least)}`, span(found), Math.min(...found) >= least);
  };
  /** What is told without a goal: most of it is to inflate, which native code does in less time. */
  const told = (what, ids) => rows.push([what, "–", span(ids.map((id) => ratio(id))), "–"]);
  const jpeg = (name) => KINDS.map((file) => `${file}: ${name}`);
  const tiff = (file, ...names) => names.map((name) => `${file}: ${name}`);
  const scaled = ["2048² → 512²", "thumbnail, 400 px"];

  const passed = of("pyramid-jpeg.tif: aligned tile, 512²")[KEPT]?.passthrough;
  const passing = ratio("pyramid-jpeg.tif: aligned tile, 512²");
  goal("TIFF of JPEG tiles, an aligned one passed through", "≥ 300×", `${times(passing)}${passed ? "" : ", decoded"}`, passed && passing >= 300);
  faster("TIFF of JPEG tiles, aligned, cut to 511², by its bits", 2.5, tiff("pyramid-jpeg.tif", "aligned, cut to 511²"));
  faster("TIFF of JPEG tiles, aligned, decoded and encoded anew (512² → 384²)", 2.5, tiff("pyramid-jpeg.tif", "aligned, 512² → 384²"));
  faster("TIFF of JPEG tiles, unaligned 512²", 2.5, tiff("pyramid-jpeg.tif", "unaligned, 512²"));
  const by = (file, against) => tiff(file, ...scaled).map((id) => ratio(id, KEPT, against));
  const scaling = (what, file, against) => goal(what, "≥ 3.0×", by(file, against).map(times).join(" and "), Math.min(...by(file, against)) >= 3);
  scaling("TIFF of JPEG tiles, 2048² → 512² and thumbnail, against sharp by itself", "pyramid-jpeg.tif", "sharp, first page");
  scaling("TIFF of JPEG tiles, 2048² → 512² and thumbnail, against sharp told which page to read", "pyramid-jpeg.tif", "sharp");
  scaling("TIFF of Deflate tiles, 2048² → 512² and thumbnail, against sharp by itself", "pyramid-deflate.tif", "sharp, first page");
  told("TIFF of Deflate tiles, an aligned one", tiff("pyramid-deflate.tif", "aligned tile, 512²", "aligned, cut to 511²", "aligned, 512² → 384²"));
  told("TIFF of Deflate tiles, unaligned 512²", tiff("pyramid-deflate.tif", "unaligned, 512²"));
  told("TIFF of Deflate tiles, 2048² → 512² and thumbnail, against sharp told which page to read", tiff("pyramid-deflate.tif", ...scaled));
  const largest = (test) => Math.max(...Object.entries(memory).filter(([id]) => test(id)).map(([, bytes]) => bytes)) / MIB;
  const tiffs = largest((id) => id.startsWith("pyramid"));
  goal("TIFF, wasm memory of each job", "≤ 16 MiB", `at most ${tiffs.toFixed(1)} MiB`, tiffs <= 16);
  const flat = (what, found) => goal(what, "≤ 1.20×", `${Math.min(...found).toFixed(2)}× to ${Math.max(...found).toFixed(2)}×`, Math.max(...found) <= 1.2);
  const curves = ladder && flatness(ladder);
  if (curves) {
    const kinds = (known) => curves.map((curve) => curve[known]);
    flat("A tile of 10 GP against one of 10 MP, CPU of workerd with its bindings: warm", kinds("warm"));
    flat("The same in an isolate that is new to an image which others have opened", kinds("new"));
    flat("The same cold, with a page of a table to be read as well", kinds("cold"));
  }

  const vast = (name) => [`vast.jpg: ${name}`];
  faster("JPEG, 512² cold, near and far, three kinds", 2.5, [...jpeg("near, 512²"), ...jpeg("far, 512²")], ANEW);
  faster("JPEG, 512² cold, near and far, 100 MP", 2.5, [...vast("near, 512²"), ...vast("far, 512²")], ANEW);
  faster("JPEG, 512² of an opened image, near", 8, [...jpeg("near, 512²"), ...vast("near, 512²")]);
  faster("JPEG, 512² of an opened image, far", 10, [...jpeg("far, 512²"), ...vast("far, 512²")]);
  faster("JPEG, 512² of an opened image, aligned to blocks", 12, [...jpeg("near, aligned to blocks, 512²"), ...jpeg("far, aligned to blocks, 512²")]);
  faster("JPEG, 2048² → 512²", 2.8, [...jpeg("2048² → 512²"), ...vast("2048² → 512²")]);
  faster("JPEG, thumbnail", 1.8, [...jpeg("thumbnail, 400 px"), ...vast("thumbnail, 400 px")]);
  faster("JPEG, all of it decoded and encoded", 0.9, ["photograph.jpg: all of it"]);
  faster("JPEG, progressive: tile, 2048² → 512², thumbnail", 1, ["near, 512²", "2048² → 512²", "thumbnail, 400 px"].map((name) => `progressive.jpg: ${name}`));
  faster("Encoding of 512²", 2, ["tile.tif: 512² of plain pixels"]);
  const [mine, theirs] = [KEPT, "sharp"].map((name) => encoded.find((row) => row.name === name));
  if (mine && theirs) {
    const more = (mine.bytes / theirs.bytes - 1) * 100;
    goal("Its bytes and its nearness to the pixels", "≤ +2 %, equal PSNR", `${more >= 0 ? "+" : ""}${more.toFixed(1)} %, ${(mine.psnr - theirs.psnr).toFixed(2).replace("-0.00", "0.00")} dB`, more <= 2 && mine.psnr > theirs.psnr - 0.05);
  }
  const over = results.filter(({ job }) => KINDS.includes(job.file) && job.size).map(({ job }) => (memory[job.id] ?? Infinity) / MIB - job.bytes / MIB);
  goal("JPEG, wasm memory of each tile beyond the file's bytes", "≤ 8 MiB", `at most ${Math.max(...over).toFixed(1)} MiB`, Math.max(...over) <= 8);
  const { tile, whole, ratio: dearer } = workerd?.pair ?? {};
  if (tile) {
    const alone = `${times((whole.cpu - whole.floor) / (tile.cpu - tile.floor))} without what the runtime takes for as many bytes`;
    goal("In workerd, a tile of an opened 12 MP JPEG against all of it", "≥ 20×", `${times(dearer)} (${ms(tile.cpu)} against ${ms(whole.cpu)} ms; ${alone}, ${ms(tile.floor)} and ${ms(whole.floor)})`, dearer >= 20);
  }
  const { part, trouble } = workerd?.visit ?? {};
  if (workerd) goal("In workerd, a tile of a 100 MP JPEG that has been visited: read of the file", "≤ 3 %", trouble ? "refused" : `${(part * 100).toFixed(2)} %`, part <= 0.03);
  return rows;
}
