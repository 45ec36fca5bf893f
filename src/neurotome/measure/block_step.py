"""Scoring as a block step: each block counts its box into a file, in any process, and one process unites the files.

    blocks (any executor)                        one process
    CompareBlock(box 0) -> z0_y0_x0.npz      \
    CompareBlock(box 1) -> z0_y0_x1024.npz    >  merged_comparison -> Comparison -> scores, errors.csv, objects.csv
    ...                                      /
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurotome.core import Block, Box, Labels, Progress, silent
from neurotome.core.geometry import Nm3
from neurotome.io import load_arrays, open_labels, save_arrays
from neurotome.measure.box_count import BoxCount, PieceFaces, Rules, count_box
from neurotome.measure.boxes import require_tiling
from neurotome.measure.comparison import Comparison, ComparisonBuilder
from neurotome.measure.contingency import Contingency
from neurotome.measure.planes import Plane, ThreePlanes

__all__ = ["CompareBlock", "LabelFile", "block_file", "merged_comparison"]

_ARRAYS = ("box", "truth", "segmentation", "voxels", "ignored", "truth_border", "segmentation_border")
_RUNS = tuple(f"{side}_{axis}_{what}" for side in ("lower", "upper") for axis in "zyx" for what in ("starts", "values"))
_PIECE_ARRAYS = ("first", "labels", *_RUNS)


@dataclass(frozen=True)
class LabelFile:
    """Labels by path, so that any process can open them. voxel_nm: for a file that states none."""

    path: str
    voxel_nm: Nm3 | None = None

    def open(self) -> Labels:
        return open_labels(self.path, voxel_nm=self.voxel_nm)


@dataclass(frozen=True)
class CompareBlock:
    """The work on one block: count its write box, as far as it lies in the support, into one file in `folder`.

    Reads the write box and, for border_nm, what lies within that distance in its sections; a block needs no halo of its own.
    """

    segmentation: LabelFile
    truth: LabelFile
    rules: Rules
    folder: Path

    def __call__(self, block: Block) -> list[Path]:
        """The file written; none where the block lies outside the support."""
        box = block.write.intersect(self.rules.box)
        if not box.size:
            return []
        path = block_file(self.folder, block)
        count = count_box(self.segmentation.open(), self.truth.open(), self.rules, box)
        save_arrays(path, compress=True, **_arrays(count))
        return [path]

    def files(self, blocks: Sequence[Block]) -> list[Path]:
        """What these blocks write."""
        return [block_file(self.folder, block) for block in blocks if block.write.intersect(self.rules.box).size]


def merged_comparison(
    files: Iterable[Path], segmentation: Labels, truth: Labels, rules: Rules, *, progress: Progress = silent
) -> Comparison:
    """The comparison from the files of all blocks, the same as `compare` gives; one file is in memory at a time.

    The blocks must be those of a lattice. Memory grows with the pairs that meet and the pieces of truth components in blocks.
    Raises ShapeError where the blocks do not cover the support exactly once; InputError as `compare`.
    """
    placed = sorted(((_box(path), path) for path in files), key=lambda pair: pair[0].start)
    require_tiling([box for box, _ in placed], rules.box)
    with ComparisonBuilder(rules) as builder:
        for done, (_, path) in enumerate(placed):
            builder.add(_count(path, with_pieces=rules.truth_parts == "components"))
            progress("merge tables", done + 1, len(placed))
        return builder.comparison(segmentation, truth)


def block_file(folder: Path, block: Block) -> Path:
    """The file of a block, named by the first voxel that it writes."""
    z, y, x = block.write.start
    return folder / f"z{z}_y{y}_x{x}.npz"


def _arrays(count: BoxCount) -> dict[str, np.ndarray]:
    table = count.table
    arrays = {
        "box": np.array([count.box.start, count.box.stop]),
        "truth": table.truth,
        "segmentation": table.segmentation,
        "voxels": table.voxels,
        "ignored": np.array(table.ignored),
        "truth_border": count.border[0],
        "segmentation_border": count.border[1],
    }
    if count.pieces is not None:
        arrays |= {"first": count.pieces.first, "labels": count.pieces.labels}
        for side, planes in (("lower", count.pieces.lower), ("upper", count.pieces.upper)):
            for axis, plane in zip("zyx", planes, strict=True):
                arrays |= {f"{side}_{axis}_starts": plane.starts, f"{side}_{axis}_values": plane.values}
    return arrays


def _count(path: Path, *, with_pieces: bool) -> BoxCount:
    stored = load_arrays(path, *_ARRAYS, *(_PIECE_ARRAYS if with_pieces else ()))
    box = Box(*stored["box"].tolist())
    table = Contingency(stored["truth"], stored["segmentation"], stored["voxels"], int(stored["ignored"]))
    pieces = None
    if with_pieces:
        pieces = PieceFaces(stored["first"], stored["labels"], _planes(stored, "lower", box), _planes(stored, "upper", box))
    return BoxCount(box, table, (stored["truth_border"], stored["segmentation_border"]), pieces)


def _planes(stored: dict[str, np.ndarray], side: str, box: Box) -> ThreePlanes:
    depth, height, width = box.shape
    z, y, x = (
        Plane(shape, stored[f"{side}_{axis}_starts"], stored[f"{side}_{axis}_values"])
        for axis, shape in zip("zyx", ((height, width), (depth, width), (depth, height)), strict=True)
    )
    return z, y, x


def _box(path: Path) -> Box:
    return Box(*load_arrays(path, "box")["box"].tolist())
