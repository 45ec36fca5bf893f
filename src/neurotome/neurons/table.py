"""The table of neurons: how large each is, where it lies, whether it leaves the volume.

A volume is counted box by box, in one process or as block steps; counts of boxes add up to the same table however it was cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import fastremap
import numpy as np
import pandas as pd
from numba import njit

from neurotome.core import Block, Box, Grid, Labels, Progress, silent
from neurotome.core.geometry import Int3, Nm3
from neurotome.io import load_arrays, open_labels, save_arrays
from neurotome.measure import block_file, boxes_of

__all__ = ["NEURON_COLUMNS", "TableBlock", "neuron_table", "table_from"]

NEURON_COLUMNS = (
    "id", "voxels", "volume_um3", "z0", "y0", "x0", "z1", "y1", "x1", "z", "y", "x", "touches_border", "sections",
)  # fmt: skip

_FEW_ROWS = 1 << 20


@dataclass(frozen=True, eq=False)
class _Counts:
    """What is known of each id above 0 in some boxes; grows with the ids, and with one word for every 64 sections that one spans.

    ids: (n,) uint64, rising. sums: (n, 4) int64, voxels and sums of z, y, x. low, high: (n, 3) int64, the bounding box, half
    open. on_border: (n,) bool. section_ids, section_words, section_bits: (m,), bit b of word w says that the id is in section
    64 w + b. A section belongs to several boxes, so that numbers of sections would not add up; bits do.
    """

    ids: np.ndarray
    sums: np.ndarray
    low: np.ndarray
    high: np.ndarray
    on_border: np.ndarray
    section_ids: np.ndarray
    section_words: np.ndarray
    section_bits: np.ndarray

    def __len__(self) -> int:
        return len(self.ids) + len(self.section_ids)

    @classmethod
    def merge(cls, parts: Sequence[_Counts]) -> _Counts:
        """All boxes together."""
        joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__}
        order = np.argsort(joined["ids"], kind="stable")
        ids, first = _starts(joined["ids"][order])
        by_section = np.lexsort((joined["section_words"], joined["section_ids"]))
        section_ids, words = joined["section_ids"][by_section], joined["section_words"][by_section]
        opens = np.ones(len(words), bool)
        opens[1:] = (section_ids[1:] != section_ids[:-1]) | (words[1:] != words[:-1])
        return cls(
            ids,
            _reduced(np.add, joined["sums"][order], first),
            _reduced(np.minimum, joined["low"][order], first),
            _reduced(np.maximum, joined["high"][order], first),
            _reduced(np.logical_or, joined["on_border"][order], first),
            section_ids[opens],
            words[opens],
            _reduced(np.bitwise_or, joined["section_bits"][by_section], np.flatnonzero(opens)),
        )


@dataclass(frozen=True)
class TableBlock:
    """The work on one block: count the neurons of its write box into one file in `folder`; see `table_from`.

    labels_path: anything `io.open_labels` opens. voxel_nm: for a file that states none.
    """

    labels_path: Path
    folder: Path
    voxel_nm: Nm3 | None = None

    def __call__(self, block: Block) -> list[Path]:
        """The file written."""
        labels = open_labels(self.labels_path, voxel_nm=self.voxel_nm)
        path = block_file(self.folder, block)
        save_arrays(path, compress=True, **vars(_count_box(labels, block.write)))
        return [path]

    def files(self, blocks: Sequence[Block]) -> list[Path]:
        """What these blocks write."""
        return [block_file(self.folder, block) for block in blocks]


def neuron_table(labels: Labels, *, boxes: Iterable[Box] | None = None, progress: Progress = silent) -> pd.DataFrame:
    """One row per label above 0, by rising id; the volume is read box by box. Memory grows with the neurons.

    Columns: id; voxels; volume_um3; z0, y0, x0, z1, y1, x1, the bounding box in voxels, half open; z, y, x, the centroid in
    voxels; touches_border, whether a voxel lies on a face of the volume; sections, the number of sections it appears in.
    boxes: any that cover the volume once (default: along the storage chunks); no value depends on them.

    >>> ids = np.array([[[1, 1, 0, 2]], [[1, 0, 0, 0]]], np.uint64)
    >>> table = neuron_table(Labels(ids, Grid((2, 1, 4), (100, 100, 100))))
    >>> table[["id", "voxels", "volume_um3", "x0", "x1", "sections"]].values.tolist()
    [[1.0, 3.0, 0.003, 0.0, 2.0, 2.0], [2.0, 1.0, 0.001, 3.0, 4.0, 1.0]]
    """

    def counted() -> Iterable[_Counts]:
        done = 0
        for box in boxes_of(labels.grid.box, labels.data) if boxes is None else boxes:
            progress("table of neurons", done, labels.grid.size)
            yield _count_box(labels, box)
            done += box.size
        progress("table of neurons", labels.grid.size, labels.grid.size)

    return _table(counted(), labels.grid)


def table_from(files: Iterable[Path], grid: Grid) -> pd.DataFrame:
    """The table of a volume on `grid` from the files that a `TableBlock` wrote for all its blocks, in any order.

    The same as `neuron_table`; one file is in memory at a time.
    """
    return _table((_Counts(**load_arrays(path, *_Counts.__dataclass_fields__)) for path in files), grid)


def _table(counts: Iterable[_Counts], grid: Grid) -> pd.DataFrame:
    whole = _merged(counts)
    _, first = _starts(whole.section_ids)
    voxels = whole.sums[:, 0]
    columns = {"id": whole.ids, "voxels": voxels, "volume_um3": voxels * grid.voxel_um3}
    columns |= {f"{name}0": whole.low[:, axis] for axis, name in enumerate("zyx")}
    columns |= {f"{name}1": whole.high[:, axis] for axis, name in enumerate("zyx")}
    columns |= {name: whole.sums[:, 1 + axis] / voxels for axis, name in enumerate("zyx")}
    columns["touches_border"] = whole.on_border
    columns["sections"] = _reduced(np.add, np.bitwise_count(whole.section_bits).astype(np.int64), first)
    return pd.DataFrame(columns)[list(NEURON_COLUMNS)]


def _merged(counts: Iterable[_Counts]) -> _Counts:
    """All together, with never more than as many rows waiting (or a million) as there are in the end."""
    whole = _counted(np.zeros((1, 1, 1), np.uint64), Box((0, 0, 0), (1, 1, 1)), (1, 1, 1))  # background: no rows
    waiting: list[_Counts] = []
    rows = 0
    for part in counts:
        waiting.append(part)
        rows += len(part)
        if rows > max(_FEW_ROWS, len(whole)):
            whole, waiting, rows = _Counts.merge([whole, *waiting]), [], 0
    return _Counts.merge([whole, *waiting])


def _count_box(labels: Labels, box: Box) -> _Counts:
    return _counted(labels.read(box), box, labels.grid.shape)


def _counted(labels: np.ndarray, box: Box, shape: Int3) -> _Counts:
    """Counts of one box; ids are numbered first, so that any 64-bit ids will do."""
    dense, names = fastremap.renumber(np.ascontiguousarray(labels), preserve_zero=True, in_place=False)
    ids = np.zeros(max(names.values(), default=0) + 1, np.uint64)
    for name, number in names.items():
        ids[number] = name
    start_word = box.start[0] // 64
    words = (box.stop[0] - 1) // 64 - start_word + 1
    sums = np.zeros((len(ids), 4), np.int64)
    low, high = np.full((len(ids), 3), np.iinfo(np.int64).max), np.zeros((len(ids), 3), np.int64)
    bits = np.zeros((len(ids), words), np.uint64)
    _count(dense, box.start, sums, low, high, bits)
    low, high = low[1:], high[1:]
    on_border = ((low == 0) | (high == np.array(shape))).any(axis=1)
    row, word = np.nonzero(bits[1:])
    return _Counts(ids[1:], sums[1:], low, high, on_border, ids[1:][row], word + start_word, bits[1:][row, word])


def _starts(rising: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values, and where each begins."""
    return np.unique(rising, return_index=True)


def _reduced(how: np.ufunc, rows: np.ndarray, first: np.ndarray) -> np.ndarray:
    return how.reduceat(rows, first, axis=0) if len(first) else rows


@njit(cache=True)
def _count(ids, corner, sums, low, high, bits):
    depth, height, width = ids.shape
    for k in range(depth):
        z = corner[0] + k
        word, bit = z // 64 - corner[0] // 64, np.uint64(1) << np.uint64(z % 64)
        for j in range(height):
            y, line = corner[1] + j, ids[k, j]
            i = 0
            while i < width:
                start, label = i, line[i]
                while i < width and line[i] == label:
                    i += 1
                if label == 0:
                    continue
                voxels, x, stop = i - start, corner[2] + start, corner[2] + i
                sums[label, 0] += voxels
                sums[label, 1] += voxels * z
                sums[label, 2] += voxels * y
                sums[label, 3] += voxels * (x + stop - 1) // 2
                low[label, 0], high[label, 0] = min(low[label, 0], z), max(high[label, 0], z + 1)
                low[label, 1], high[label, 1] = min(low[label, 1], y), max(high[label, 1], y + 1)
                low[label, 2], high[label, 2] = min(low[label, 2], x), max(high[label, 2], stop)
                bits[label, word] |= bit
