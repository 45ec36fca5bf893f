"""What neurons can be coloured by: columns of the table, as groups or as numbers, with colours that everybody can tell apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from neurotome.core import UnknownNameError
from neurotome.report.facts import number
from neurotome.report.morphology.run import ShapeRun

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OTHERS", "SCALE", "Column", "columns_of", "label_of", "offered", "title_of"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d")
"""Okabe and Ito (2008), apart for every common kind of colour blindness; without yellow, which white paper swallows."""
SYMBOLS = ("circle", "square", "diamond", "triangle-up")
OTHERS = "#b4bcc4"
"""Of groups that come after all pairs of a colour and a symbol are used up, and of neurons that are in no group."""
SCALE = (
    "#440154", "#482475", "#414487", "#355f8d", "#2a788e", "#21918c", "#22a884", "#44bf70", "#7ad151", "#bddf26", "#fde725",
)  # fmt: skip
"""Viridis (van der Walt and Smith 2015) in eleven equal steps: even to every eye, and in grey print."""

MADE_HERE = (
    "kind", "centre", "trees", "nodes", "length_um", "extent_um", "clipped_fraction", "soma_z_um", "soma_y_um", "soma_x_um",
    "source", "split", "cluster", "cluster_probability", "outlier_score", "reconstruction_f1",
)  # fmt: skip
"""Columns that neurotome writes; all others are labels that the user gave."""
TITLES = {
    "length_um": "length of cable (µm)",
    "extent_um": "side of the frame (µm)",
    "clipped_fraction": "share outside the grid",
    "reconstruction_f1": "F1 of the reconstruction",
    "kind": "kind of input",
    "centre": "centre of the frame",
}
UNITS = {"_um": "µm", "_nm": "nm"}
NOISE = "-1"
"""Of neurons that a search for dense groups leaves outside all of them."""
SHOWN_RANGE = (2.0, 98.0)
"""Percentiles between which the colours of numbers run: one neuron of ten times the length would leave one colour to the rest."""


@dataclass(frozen=True, eq=False)
class Column:
    """A column as groups (values: int codes, -1 for none, and the names of the groups) or as numbers (values: float, NaN)."""

    name: str
    values: np.ndarray
    groups: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return title_of(self.name)

    @property
    def is_number(self) -> bool:
        return self.values.dtype.kind == "f"

    @cached_property
    def counts(self) -> list[int]:
        """Neurons in each group."""
        return [int(count) for count in np.bincount(self.values[self.values >= 0], minlength=len(self.groups))]

    @property
    def missing(self) -> str:
        """What is said of a neuron without a value."""
        return "in no cluster" if self.name == "cluster" else "not known"

    @property
    def unknown(self) -> int:
        """Neurons without a value."""
        return int((~np.isfinite(self.values) if self.is_number else self.values < 0).sum())

    @property
    def colours(self) -> list[str]:
        return [COLOURS[k % len(COLOURS)] if k < len(COLOURS) * len(SYMBOLS) else OTHERS for k in range(len(self.groups))]

    @property
    def symbols(self) -> list[str]:
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
        """The value of a neuron in words."""
        value = self.values[row].item()
        if self.is_number:
            return number(value) if np.isfinite(value) else self.missing
        return self.groups[value] if value >= 0 else self.missing


def columns_of(run: ShapeRun, colour: Sequence[str] = ()) -> tuple[Column, ...]:
    """All columns: those of `colour` first, then the labels, the clusters, and what was measured.

    Raises UnknownNameError for a name in `colour` that the table lacks.
    """
    obs = run.table.obs
    for name in colour:
        if name not in obs:
            raise UnknownNameError("column", name, obs.columns)
    labels = [str(name) for name in obs.columns if name not in MADE_HERE]
    made = [name for name in ("cluster", *MADE_HERE) if name in obs]
    return tuple(_column(name, obs[name]) for name in dict.fromkeys([*colour, *labels, *made]))


def offered(columns: Sequence[Column], colour: Sequence[str] = ()) -> tuple[Column, ...]:
    """The columns to colour by: those of `colour`, and all that tell neurons apart.

    A column tells nothing where all neurons have one value, or each a name of its own.
    """
    return tuple(column for column in columns if column.name in colour or _tells_apart(column))


def label_of(run: ShapeRun, columns: Sequence[Column], colour: Sequence[str] = ()) -> Column | None:
    """The groups that neighbours are compared by: the first of `colour` that is a label, else what was scored, else any label."""
    labels = {column.name: column for column in columns if not column.is_number and column.name not in MADE_HERE}
    wanted = (*colour, *(str(row["target"]) for row in run.scores), *labels)
    return next((labels[name] for name in wanted if name in labels), None)


def title_of(name: str) -> str:
    """
    >>> title_of("cell_type"), title_of("depth_um"), title_of("soma_z_um")
    ('cell type', 'depth (µm)', 'soma z (µm)')
    """
    if name in TITLES:
        return TITLES[name]
    unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), "")
    words = (name[: -len("_um")] if unit else name).replace("_", " ")
    return f"{words} ({unit})" if unit else words


def _column(name: str, series: pd.Series) -> Column:
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
