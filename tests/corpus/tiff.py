"""Writes the first page of a TIFF as one of 16 unsigned bits, for samples that libvips and libtiff do not scale to a picture: signed ones, floating point, odd depths.

python3 tiff.py SOURCE TARGET      needs tifffile, imagecodecs and numpy
The range is that of SMinSampleValue and SMaxSampleValue (MinSampleValue and MaxSampleValue); else 0 to 1 for floating point, and that of the type for integers.
"""

import sys

import numpy
import tifffile

source, target = sys.argv[1:]
with tifffile.TiffFile(source) as file:
    page = file.pages[0]
    samples = page.asarray().astype(numpy.float64)
    tags = {tag.name: tag.value for tag in page.tags}
    profile, signed, floating = tags.get("InterColorProfile"), page.sampleformat == 2, page.sampleformat == 3
    bits, photometric, planes, extra = page.bitspersample, page.photometric.name, page.samplesperpixel, page.extrasamples
    separate = page.planarconfig == 2 and planes > 1

if separate:
    samples = numpy.moveaxis(samples, 0, -1)
samples = samples.reshape(*samples.shape[:2], planes)
low, high = (0, 1) if floating else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
for prefix in ("S", ""):
    pair = [tags.get(f"{prefix}{name}SampleValue") for name in ("Min", "Max")]
    if None not in pair:
        low, high = (float(numpy.ravel(value)[0]) for value in pair)
        break
scaled = numpy.clip((samples - low) / (high - low), 0, 1)
if photometric == "MINISWHITE":
    scaled, photometric = 1 - scaled, "MINISBLACK"
if extra and extra[0] == 1:
    alpha = scaled[..., -1:]
    scaled[..., :-1] = numpy.clip(scaled[..., :-1] / numpy.where(alpha > 0, alpha, 1), 0, 1)
names = {"MINISBLACK": "minisblack", "RGB": "rgb", "SEPARATED": "separated"}
tifffile.imwrite(
    target,
    numpy.rint(scaled * 65535).astype(numpy.uint16)[..., 0 if planes == 1 else slice(None)],
    photometric=names[photometric],
    planarconfig="contig",
    extrasamples=["unassalpha"] if extra else None,
    iccprofile=profile,
    metadata=None,
)
