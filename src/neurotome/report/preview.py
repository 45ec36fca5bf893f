"""One picture of training patches: what the network sees, and what it should say about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from neurotome.boundary import PreviewPatch
from neurotome.core import FormatError
from neurotome.io import atomic_target
from neurotome.report.pictures import grey

__all__ = ["preview_picture", "write_preview"]

YES, NOT_COUNTED = np.array((255, 120, 0), np.float32), np.array((60, 110, 200), np.float32)
MOST_CHANNELS = 4
GAP, LINE, SMALLEST = 6, 16, 96
KEY = "orange: the target is 1; blue: does not count"


def write_preview(patches: Sequence[PreviewPatch], out: Path) -> None:
    """Save `preview_picture` as PNG, whatever was there before. Raises FormatError for another suffix."""
    if out.suffix.lower() != ".png":
        raise FormatError(f"Preview '{out}'", "a name that ends in .png", "choose another --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    # A table of 256 colours is enough for grey tissue in three tints, and a third of the size.
    picture = Picture.fromarray(preview_picture(patches)).quantize(256, dither=Picture.Dither.NONE)
    with atomic_target(out, overwrite=True) as temporary:
        picture.save(temporary, format="PNG", optimize=True)


def preview_picture(patches: Sequence[PreviewPatch]) -> np.ndarray:
    """A row per patch: the input, then the target of each channel (at most four) over it, captions below; (y, x, 3) uint8."""
    rows = [_row(p) for p in patches]
    names = patches[0].channels[:MOST_CHANNELS]
    side = max(SMALLEST, patches[0].image.shape[1])
    captions = [[p.origin, ", ".join(p.done)] for p in patches]
    width = max(rows[0].shape[1], *(_width(text) for pair in captions for text in pair), _width(_key(patches[0]))) + 2 * GAP
    parts = [_text(["input", *names], width, side + GAP)]
    for row, lines in zip(rows, captions, strict=True):
        padding = ((GAP, GAP), (GAP, width - GAP - row.shape[1]), (0, 0))
        parts += [np.pad(row, padding, constant_values=255), *(_text([line], width) for line in lines)]
    return np.vstack([*parts, _text([_key(patches[0])], width)])


def _row(patch: PreviewPatch) -> np.ndarray:
    tissue = grey(patch.image)
    cells = [tissue]
    for name, target, valid in list(zip(patch.channels, patch.target, patch.valid, strict=True))[:MOST_CHANNELS]:
        cells.append(grey(target, (0, 1)) if name == "grey" else _tinted(tissue, target, valid))
    # Channel names need room: small patches are shown larger, each pixel as a square.
    times = -(-SMALLEST // tissue.shape[1])
    wide = [cell.repeat(times, 0).repeat(times, 1) for cell in cells]
    gap = np.full((wide[0].shape[0], GAP, 3), 255, np.uint8)
    return np.hstack([part for cell in wide for part in (cell, gap)][:-1])


def _tinted(tissue: np.ndarray, target: np.ndarray, valid: np.ndarray) -> np.ndarray:
    share = np.where(valid, 0.55 * target, 0.35)[..., None]
    colour = np.where(valid[..., None], YES, NOT_COUNTED)
    return np.round(tissue * (1 - share) + colour * share).astype(np.uint8)


def _key(patch: PreviewPatch) -> str:
    hidden = len(patch.channels) - MOST_CHANNELS
    return KEY + (f"; {hidden} more channels are not shown" if hidden > 0 else "")


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(12)


def _width(text: str) -> int:
    return int(_font().getlength(text)) + 1


def _text(words: Sequence[str], width: int, step: int = 0) -> np.ndarray:
    """A line of black words on white, `step` pixels from one to the next."""
    line = Picture.new("RGB", (width, LINE), "white")
    pen = ImageDraw.Draw(line)
    for k, word in enumerate(words):
        pen.text((GAP + k * step, 1), word, fill="black", font=_font())
    return np.asarray(line)
