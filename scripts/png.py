"""Small PNG files out of a browser's pictures, with NumPy and zlib alone.

A page has few colours, but a browser writes three bytes for each point. Here a picture gets a
palette of at most 256 colours, those that it has where it has no more, and one byte for each point.
"""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["encode", "palette_of", "pixels", "size_of", "write"]

Colours = npt.NDArray[np.uint8]

_ROUNDS = 6  # of moving the palette to the middle of what it stands for
_FIXED = 24  # of the commonest colours stay as they are: grounds, lines, text
# The browser itself unpacks its picture: five kinds of row filters are its business.
_JS_PIXELS = """async source => {
  const image = new Image();
  image.src = 'data:image/png;base64,' + source;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const bytes = context.getImageData(0, 0, image.width, image.height).data;
  const blob = new Blob([bytes]);
  const url = await new Promise(done => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(blob);
  });
  return [image.width, image.height, url.slice(url.indexOf(',') + 1)];
}"""


def pixels(page: Page, png: bytes) -> Colours:
    """A PNG as an array of (height, width, 3), unpacked by a page of the browser."""
    width, height, packed = page.evaluate(_JS_PIXELS, base64.b64encode(png).decode())
    rows = np.frombuffer(base64.b64decode(packed), np.uint8)
    return rows.reshape(height, width, 4)[:, :, :3]


def write(path: Path, picture: Colours) -> int:
    """Write a picture with a palette, and return the size of the file."""
    path.write_bytes(encode(picture))
    return path.stat().st_size


def encode(picture: Colours) -> bytes:
    """A picture of (height, width, 3) as a PNG with a palette."""
    height, width, _ = picture.shape
    packed = picture.astype(np.uint32) @ np.array([65_536, 256, 1], np.uint32)
    found, places, counts = np.unique(packed.ravel(), return_inverse=True, return_counts=True)
    colours = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1).astype(np.uint8)
    palette, nearest = palette_of(colours, counts)
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with its filter, which is none
    rows[:, 1:] = nearest[places.ravel()].reshape(height, width)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    if png[:8] != b"\x89PNG\r\n\x1a\n" or png[12:16] != b"IHDR":
        raise ValueError("this is no PNG")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def palette_of(colours: Colours, counts: npt.NDArray[np.int64]) -> tuple[Colours, Colours]:
    """At most 256 colours for those given, and which of them stands for each."""
    if len(colours) <= 256:
        return colours, np.arange(len(colours), dtype=np.uint8)
    # Rare colours count too: a thin line in a colour of its own must keep it.
    weights = np.sqrt(counts.astype(float))
    common = np.argsort(-counts, kind="stable")[:_FIXED]
    points = colours.astype(float)
    centres = np.vstack([points[common], _boxes(points, weights, 256 - _FIXED)])
    nearest = _nearest(points, centres)
    for _ in range(_ROUNDS):
        for place in range(_FIXED, len(centres)):
            own = nearest == place
            if own.any():
                centres[place] = np.average(points[own], axis=0, weights=weights[own])
        nearest = _nearest(points, centres)
    return np.rint(centres).astype(np.uint8), nearest


def _boxes(points: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], n: int) -> object:
    """The middles of `n` boxes: time and again, the widest one is cut at its median."""
    boxes = [np.arange(len(points))]
    while len(boxes) < n:
        spans = [np.ptp(points[box], axis=0).max() * weights[box].sum() ** 0.5 for box in boxes]
        box = boxes.pop(int(np.argmax(spans)))
        if len(box) < 2:
            boxes.append(box)
            break
        axis = int(np.argmax(np.ptp(points[box], axis=0)))
        box = box[np.argsort(points[box, axis], kind="stable")]
        heights = np.cumsum(weights[box])
        cut = min(max(int(np.searchsorted(heights, heights[-1] / 2)), 1), len(box) - 1)
        boxes += [box[:cut], box[cut:]]
    return np.array([np.average(points[b], axis=0, weights=weights[b]) for b in boxes])


def _nearest(points: npt.NDArray[np.float64], centres: npt.NDArray[np.float64]) -> Colours:
    best = np.empty(len(points), np.uint8)
    for start in range(0, len(points), 8_192):  # a table of all distances at once would be large
        some = points[start : start + 8_192]
        far = (centres**2).sum(axis=1) - 2 * some @ centres.T
        best[start : start + len(some)] = far.argmin(axis=1)
    return best


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)
