"""How many groups there are: the evidence for every number of them, as charts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from neurotome.report.charts import Curve, line_chart
from neurotome.report.results import Row

__all__ = ["choice_charts", "chosen", "finite"]


def chosen(choice: Sequence[Row]) -> Row | None:
    """The row of choice.csv that was taken."""
    return next((row for row in choice if row.get("chosen") in (True, 1)), None)


def choice_charts(choice: Sequence[Row], *, row: str) -> tuple[tuple[str, str, str], ...]:
    """Title, SVG and a sentence for silhouette with stability, and for the elbow; lines that were not made are left out.

    row: what a row is called, in singular.
    """
    taken = chosen(choice)
    marked = float(taken["k"]) if taken else None
    names = {"silhouette": "silhouette", "stability": "stability"}
    curves = [curve for kind, (key, name) in enumerate(names.items(), 1) if (curve := _curve(choice, key, name, kind))]
    found = []
    if curves:
        low = min(0.0, *(math.floor(10 * y) / 10 for curve in curves for y in curve.y))
        svg = line_chart(curves, "number of clusters", "score", "Choice of the number", marked, mark="chosen", bottom=low)
        said = []
        if any(curve.name == "silhouette" for curve in curves):
            said.append(
                f"Silhouette: how much nearer a {row} is to its own cluster than to the next (1: far apart, 0: no border)."
            )
        if any(curve.name == "stability" for curve in curves):
            said.append(f"Stability: how alike the clusters of resampled {row}s are (adjusted Rand index, 1: the same).")
        found.append(("Choice of the number", svg, " ".join(said)))
    if elbow := _curve(choice, "inertia", "spread inside clusters", 3):
        most = max(elbow.y) or 1.0
        elbow = Curve(elbow.name, elbow.x, [y / most for y in elbow.y], 3)
        svg = line_chart([elbow], "number of clusters", "spread, relative", "Elbow", marked, mark="chosen")
        found.append(("Elbow", svg, "Sum of squared distances to the middle of the own cluster, as a share of the largest."))
    return tuple(found)


def _curve(choice: Sequence[Row], key: str, name: str, kind: int) -> Curve | None:
    points = [(float(row["k"]), value) for row in choice if (value := finite(row.get(key))) is not None]
    return Curve(name, [x for x, _ in points], [y for _, y in points], kind) if len(points) > 1 else None


def finite(value: object) -> float | None:
    """The number, None for what is none."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
