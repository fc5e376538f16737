// Ways out of this page: snippets to paste, and public viewers to open the image in.

import { el, need, say } from "./dom.js";

/** What the snippets and links are made of; addresses are absolute. */
export interface Shared {
  readonly name: string;
  readonly service: string;
  readonly version: string;
  readonly width: number;
  readonly height: number;
}

/** An `<img>` for the picture at `uri`, with its dimensions when they are known. */
export function imageSnippet(uri: string, name: string, size: { width: number; height: number } | null): string {
  return `<img src="${escaped(uri)}"${size ? ` width="${size.width}" height="${size.height}"` : ""} alt="${escaped(name)}">`;
}

/** A page fragment with an OpenSeadragon viewer on the info document. */
export function viewerSnippet(service: string): string {
  return `<div id="viewer" style="height: 600px"></div>
<script src="https://cdn.jsdelivr.net/npm/openseadragon@6.1.1/build/openseadragon/openseadragon.min.js"></script>
<script>
  OpenSeadragon({ id: "viewer", showNavigationControl: false, tileSources: [${JSON.stringify(`${service}/info.json`).replaceAll("<", "\\u003c")}] });
</script>`;
}

/** Fills the list of viewers elsewhere, and says so when they have no way to this address. */
export function showElsewhere(shared: Shared): void {
  const info = encodeURIComponent(`${shared.service}/info.json`);
  const manifest = encodeURIComponent(manifestAddress(shared));
  const viewers = [
    ["Mirador", `https://projectmirador.org/embed/?iiif-content=${manifest}`, "Compare and annotate. The link carries a manifest of this one image."],
    ["Universal Viewer", `https://universalviewer.dev/#?iiifManifestId=${manifest}`, "Zoom and download. The link carries a manifest of this one image."],
    ["Allmaps Editor", `https://editor.allmaps.org/images?url=${info}`, "Put an old map onto today's. Opens the info document."],
  ] as const;
  need("elsewhere", HTMLUListElement).replaceChildren(
    ...viewers.map(([name, href, use]) => el("li", {}, el("a", { href, target: "_blank", rel: "noopener noreferrer" }, name), el("p", {}, use))),
  );
  const { hostname, protocol } = new URL(shared.service);
  const reason = isPrivate(hostname)
    ? `${hostname} is an address only you can reach.`
    : protocol === "http:"
      ? "Pages on https may not load images from plain http."
      : "";
  say(
    need("local", HTMLElement),
    reason && `${reason} These viewers live on the public web: they will show the image once the service has a public https address.`,
  );
}

/** A Presentation 3 manifest of this one image, as a data: address, since the viewers open manifests and not images. */
function manifestAddress({ name, service, version, width, height }: Shared): string {
  const base = `${service}/manifest`;
  const type = version === "3" ? "ImageService3" : "ImageService2";
  const body = {
    id: `${service}/full/max/0/default.jpg`,
    type: "Image",
    format: "image/jpeg",
    width,
    height,
    service: [
      version === "3" ? { id: service, type, profile: "level2" } : { "@id": service, "@type": type, profile: "http://iiif.io/api/image/2/level2.json" },
    ],
  };
  const canvas = `${base}/canvas`;
  const annotation = { id: `${canvas}/image`, type: "Annotation", motivation: "painting", target: canvas, body };
  return `data:application/json,${encodeURIComponent(
    JSON.stringify({
      "@context": "http://iiif.io/api/presentation/3/context.json",
      id: base,
      type: "Manifest",
      label: { none: [name] },
      items: [{ id: canvas, type: "Canvas", width, height, items: [{ id: `${canvas}/page`, type: "AnnotationPage", items: [annotation] }] }],
    }),
  )}`;
}

function isPrivate(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|\[|0\.0\.0\.0)|\.(local|localhost|internal|test)$/.test(hostname) ||
    !hostname.includes(".")
  );
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
