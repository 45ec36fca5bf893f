"""What the script of the page needs, as one JSON object: the map with its neighbours, and the drawings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurotome.report.atlas.columns import Column
from neurotome.report.atlas.page_data import Atlas, safe_json
from neurotome.report.morphology.drawings import Drawings
from neurotome.report.morphology.run import ShapeRun

__all__ = ["first_shown", "page_json"]


def page_json(
    run: ShapeRun, columns: Sequence[Column], others: Sequence[Column], label: Column | None, drawings: Drawings, pinned: int
) -> str:
    """JSON that is safe inside a script element. others: told of a neuron only. pinned: the row shown when the page opens."""
    widths = drawings.widths * run.extent_um / 2
    atlas = Atlas("neuron", run.ids, run.maps, columns, others, label, run.neighbours, run.quality, pinned)
    shown = {
        "drawings": drawings.to_json(),
        # The side of each drawing in um, for its scale bar; a dot has none.
        "widths": [round(w, 3) if np.isfinite(w) and w > 0 else None for w in widths.tolist()],
    }
    return safe_json(atlas.to_json() | shown)


def first_shown(run: ShapeRun, label: Column | None, examples: Sequence[int]) -> int:
    """The row that is shown first: of `examples` the first that has neighbours and is not the only one of its label."""

    def has_company(row: int) -> bool:
        return bool(run.neighbours[row]) and (label is None or label.counts[label.values[row]] > 1)

    return next((row for row in examples if has_company(row)), next(iter(examples), 0))
