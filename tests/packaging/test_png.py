"""The pictures' files: what a page showed, in few bytes."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from scripts import png


def decoded(data: bytes) -> np.ndarray:
    """A PNG with a palette and no row filters, by the words of its specification."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        name, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        (check,) = struct.unpack(">I", data[place + 8 + length : place + 12 + length])
        assert check == zlib.crc32(name + body)
        chunks[name] = body
        place += 12 + length
    assert list(chunks) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    width, height, depth, kind, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, kind, rest) == (8, 3, [0, 0, 0])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[rows[:, 1:]]


def test_a_picture_of_few_colours_is_kept_point_by_point() -> None:
    rng = np.random.default_rng(1)
    colours = rng.integers(0, 256, (256, 3)).astype(np.uint8)
    picture = colours[rng.integers(0, 256, (40, 30))]
    assert np.array_equal(decoded(png.encode(picture)), picture)


def test_width_and_height_are_those_of_the_picture() -> None:
    picture = np.zeros((7, 11, 3), np.uint8)
    assert png.size_of(png.encode(picture)) == (11, 7)


def test_what_is_no_png_is_refused() -> None:
    with pytest.raises(ValueError, match="no PNG"):
        png.size_of(b"GIF89a" + bytes(30))


def test_of_many_colours_the_common_ones_stay_and_the_others_move_little() -> None:
    # 60 x 60 points: half of them one blue, the rest a ramp of 1,800 colours.
    ramp = np.stack([np.arange(1_800) % 256, np.arange(1_800) // 8, np.full(1_800, 90)], axis=1)
    picture = np.concatenate([np.full((1_800, 3), [0, 114, 178]), ramp]).astype(np.uint8)
    picture = picture.reshape(60, 60, 3)
    kept = decoded(png.encode(picture))
    assert len(np.unique(kept.reshape(-1, 3), axis=0)) <= 256
    assert np.array_equal(kept[:30], picture[:30])
    # The ramp fills a square of 256 x 225 colours: 232 of them stand 15.8 apart in the mean.
    assert np.abs(kept.astype(int) - picture.astype(int)).mean() < 8


def test_a_rare_colour_far_from_all_others_is_kept() -> None:
    rng = np.random.default_rng(2)
    picture = (200 + rng.integers(0, 20, (200, 200, 3))).astype(np.uint8)
    picture[100, 50:90] = [255, 0, 0]  # a thin red line among 8,000 greys
    kept = decoded(png.encode(picture))
    assert np.abs(kept[100, 50:90].astype(int) - [255, 0, 0]).max() <= 2
