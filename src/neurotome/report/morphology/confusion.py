"""Which class is taken for which: a confusion matrix as a picture and on paper."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from neurotome.io import atomic_target
from neurotome.report.atlas.shares import FULL, shares_picture

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FULL", "write_confusion"]

SAID = "down: true, across: predicted; share of each true class in percent"


def write_confusion(path: Path, shares: pd.DataFrame, *, title: str) -> list[Path]:
    """Write PATH.png and PATH.pdf: true classes down, predicted ones across, the share of each true class. Returns the paths."""
    picture = shares_picture(shares, title=title, said=SAID)
    written = []
    for kind in ("PNG", "PDF"):
        stored = io.BytesIO()
        picture.save(stored, kind, **({"resolution": 200.0} if kind == "PDF" else {}))
        target = path.with_name(f"{path.name}.{kind.lower()}")
        with atomic_target(target, overwrite=True) as temporary:
            temporary.write_bytes(stored.getvalue())
        written.append(target)
    return written
