"""What rows of a table can be coloured by: its columns, as groups or as numbers, with colours that everybody can tell apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from neurotome.report.facts import number

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLOURS", "OTHERS", "SCALE", "Column", "column_of", "offered", "title_of"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d")
"""Okabe and Ito (2008), apart for every common kind of colour blindness; without yellow, which white paper swallows."""
SYMBOLS = ("circle", "square", "diamond", "triangle-up")
OTHERS = "#b4bcc4"
"""Of groups that come after all pairs of a colour and a symbol are used up, and of rows that are in no group."""
SCALE = (
    "#440154", "#482475", "#414487", "#355f8d", "#2a788e", "#21918c", "#22a884", "#44bf70", "#7ad151", "#bddf26", "#fde725",
)  # fmt: skip
"""Viridis (van der Walt and Smith 2015) in eleven equal steps: even to every eye, and in grey print."""

TITLES = {
    "length_um": "length of cable (µm)",
    "extent_um": "side of the frame (µm)",
    "clipped_fraction": "share outside the grid",
    "reconstruction_f1": "F1 of the reconstruction",
    "kind": "kind of input",
    "cluster_other": "cluster with the other correction",
    "centre": "centre of the frame",
}
UNITS = {
    "_per_um3": "per µm³", "_per_um": "per µm", "_um3": "µm³", "_um2": "µm²", "_um": "µm", "_nm": "nm",
    "_percent_crop": "% of the crop",
}  # fmt: skip
"""Ends of names, and the units they mean; the first that fits."""
NOISE = "-1"
"""Of rows that a search for dense groups leaves outside all of them."""
SHOWN_RANGE = (2.0, 98.0)
"""Percentiles between which the colours of numbers run: one neuron of ten times the length would leave one colour to the rest."""


@dataclass(frozen=True, eq=False)
class Column:
    """A column as groups (values: int codes, -1 for none, and the names of the groups) or as numbers (values: float, NaN).

    palette: colours of the groups where they are wanted otherwise.
    """

    name: str
    values: np.ndarray
    groups: tuple[str, ...] = ()
    palette: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return title_of(self.name)

    @property
    def is_number(self) -> bool:
        return self.values.dtype.kind == "f"

    @cached_property
    def counts(self) -> list[int]:
        """Rows in each group."""
        return [int(count) for count in np.bincount(self.values[self.values >= 0], minlength=len(self.groups))]

    @property
    def missing(self) -> str:
        """What is said of a row without a value."""
        return "in no cluster" if self.name == "cluster" else "not known"

    @property
    def unknown(self) -> int:
        """Rows without a value."""
        return int((~np.isfinite(self.values) if self.is_number else self.values < 0).sum())

    @property
    def colours(self) -> list[str]:
        if self.palette:
            return [self.palette[k % len(self.palette)] for k in range(len(self.groups))]
        return [COLOURS[k % len(COLOURS)] if k < len(COLOURS) * len(SYMBOLS) else OTHERS for k in range(len(self.groups))]

    @property
    def symbols(self) -> list[str]:
        if self.palette:
            return [SYMBOLS[0]] * len(self.groups)
        return [SYMBOLS[k // len(COLOURS)] if k < len(COLOURS) * len(SYMBOLS) else SYMBOLS[0] for k in range(len(self.groups))]

    @cached_property
    def limits(self) -> tuple[float, float]:
        """The numbers that have the first and the last colour."""
        known = self.values[np.isfinite(self.values)]
        low, high = np.percentile(known, SHOWN_RANGE) if len(known) else (0.0, 1.0)
        if low == high and len(known):
            low, high = known.min(), known.max()
        return float(low), float(high if high > low else low + 1)

    def text(self, row: int) -> str:
        """The value of a row in words."""
        value = self.values[row].item()
        if self.is_number:
            return number(value) if np.isfinite(value) else self.missing
        return self.groups[value] if value >= 0 else self.missing


def offered(columns: Sequence[Column], colour: Sequence[str] = ()) -> tuple[Column, ...]:
    """The columns to colour by: those of `colour`, and all that tell rows apart.

    A column tells nothing where all rows have one value, or each a name of its own.
    """
    return tuple(column for column in columns if column.name in colour or _tells_apart(column))


def title_of(name: str) -> str:
    """
    >>> title_of("cell_type"), title_of("depth_um"), title_of("soma_z_um"), title_of("vesicle_density_per_um3")
    ('cell type', 'depth (µm)', 'soma z (µm)', 'vesicle density (per µm³)')
    """
    if name in TITLES:
        return TITLES[name]
    end = next((end for end in UNITS if name.endswith(end)), "")
    words = name.removesuffix(end).replace("_", " ")
    return f"{words} ({UNITS[end]})" if end else words


def column_of(name: str, series: pd.Series) -> Column:
    """A column of a table: numbers as they are, all else as groups."""
    if series.dtype.kind in "iuf":
        return Column(name, series.to_numpy(np.float64, na_value=np.nan))
    nothing = {"", NOISE} if name == "cluster" else {""}
    texts = ["" if missing or str(value) in nothing else str(value) for value, missing in zip(series, series.isna(), strict=True)]
    counts = Counter(text for text in texts if text)
    # Numbered groups keep their order; of others the largest come first, as they need the clearest colours.
    numbered = all(text.isdigit() for text in counts)
    groups = sorted(counts, key=lambda text: _natural(text) if numbered else (-counts[text], *_natural(text)))
    codes = {text: code for code, text in enumerate(groups)}
    return Column(name, np.array([codes.get(text, -1) for text in texts], np.int64), tuple(groups))


def _natural(text: str) -> tuple[object, ...]:
    """
    >>> sorted(["T10", "T2", "L1"], key=_natural)
    ['L1', 'T2', 'T10']
    """
    return tuple(f"{int(part):020d}" if part.isdigit() else part for part in re.split(r"(\d+)", text))


def _tells_apart(column: Column) -> bool:
    if column.is_number:
        return len(np.unique(column.values[np.isfinite(column.values)])) > 1
    return len(column.groups) + bool(column.unknown) > 1 and len(column.groups) < len(column.values)
