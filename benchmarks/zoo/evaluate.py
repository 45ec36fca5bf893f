"""Choose the agglomeration settings of a network on validation data, report on data not used for choosing, write the card.

    python benchmarks/zoo/evaluate.py MODEL_FOLDER [--averaging 4] [--whole PREDICTION] [--write]

The network never saw sections 60-69 of SNEMI3D. Merges spread with depth, and five sections give them little room: a threshold
tuned on a thin block merges half of a deep one (0.25 scores 0.05 on ten sections and 0.21 on seventy). So a setting is judged by
the mean adapted Rand error (against the connected parts of the truth) of five unseen sections and of the sixty it was trained on,
which are deep; and a threshold counts as bad as the worse of its neighbours, because data will differ. Settings are chosen with
sections 60-64 and reported on 65-69, and the other way round; the shipped one is chosen with all ten, whose score is given too.

--whole: a prediction of all 70 sections that is there already (boundary.ome.zarr of a run with the same averaging).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurotome import boundary, datasets, neurons
from neurotome.core import Box, Labels, Probability
from neurotome.io import atomic_write_json, open_probability
from neurotome.measure import label_scores
from neurotome.nn import load_card

SEEN, UNSEEN, HALVES = (0, 60), (60, 70), ((60, 65), (65, 70))
SWEEP = {"smooth": (0.0, 1.0), "threshold": tuple(round(0.2 + 0.05 * i, 3) for i in range(13))}
FIXED = {"t_high": 250, "long_range": False, "min_voxels": 1000, "small": "zero"}
METRICS = ("adapted_rand_error", "voi_split", "voi_merge", "split_errors", "merge_errors")

Annotated = tuple[Probability, Labels]


def main() -> None:
    options = _options()
    volume = datasets.load("snemi3d", "labelled")
    if options.whole:
        probability = open_probability(options.whole)
    else:
        probability = boundary.predict(volume.image, options.model, channels=boundary.NEAREST, averaging=options.averaging)
    blocks = {block: cut(probability, volume.labels, block) for block in (SEEN, UNSEEN, *HALVES)}
    seen, rows = table(blocks[SEEN]), []
    for choose, report in (HALVES, HALVES[::-1]):
        settings = chosen(table(blocks[choose]), seen)
        rows.append({"chosen on": f"{name(choose)} and 0-59", "reported on": name(report), **judged(blocks[report], settings)})
    settings = chosen(table(blocks[UNSEEN]), seen)
    for block, remark in ((UNSEEN, "used for choosing"), (SEEN, "trained on")):
        where = f"{name(block)} ({remark})"
        rows.append({"chosen on": "60-69 and 0-59", "reported on": where, **judged(blocks[block], settings)})
    link = neurons.make_settings("link", {})
    rows.append({"chosen on": "reference `link`, defaults", "reported on": name(UNSEEN), **judged(blocks[UNSEEN], link)})
    show(rows)
    if options.write:
        write(options.model, settings, rows, options.averaging)


def table(volume: Annotated) -> pd.DataFrame:
    """The adapted Rand error of every setting, in a fixed order."""
    return neurons.tune(*volume, settings=neurons.make_settings("agglomerate", FIXED), sweep=SWEEP).table


def chosen(unseen: pd.DataFrame, seen: pd.DataFrame) -> neurons.SegmentSettings:
    error = 0.5 * (unseen["adapted_rand_error"] + seen["adapted_rand_error"])
    safe = error.groupby(unseen["smooth"]).transform(lambda e: e.rolling(3, center=True).max())
    best = int(np.nanargmin(safe))
    return neurons.make_settings("agglomerate", {**FIXED, **{key: unseen[key].tolist()[best] for key in SWEEP}})


def judged(volume: Annotated, settings: neurons.SegmentSettings) -> dict[str, Any]:
    labels = neurons.segment(volume[0], settings.method, settings=settings).labels
    scores = label_scores(labels, volume[1], truth_parts="components")
    return {key: getattr(settings, key, "") for key in SWEEP} | {metric: scores[metric] for metric in METRICS}


def show(rows: list[dict[str, Any]]) -> None:
    print("| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row.values()) + " |")


def write(model: Path, settings: neurons.SegmentSettings, rows: list[dict[str, Any]], averaging: int) -> None:
    card, folder = load_card(model)
    convention = "isbi, component truth"
    scores = tuple(
        {"metric": metric, "value": round(float(row[metric]), 4), "support": f"SNEMI3D sections {row['reported on']}"}
        | {"settings_chosen_on": row["chosen on"], "averaging": averaging, "convention": convention}
        for row in rows
        for metric in METRICS[:3]
    )
    tuned = {**FIXED, **{key: getattr(settings, key) for key in SWEEP}, "channels": boundary.NEAREST}
    atomic_write_json(folder / "card.json", replace(card, segmentation=tuned, scores=scores).to_json())


def cut(probability: Probability, truth: Labels, block: tuple[int, int]) -> Annotated:
    box = Box((block[0], 0, 0), (block[1], *truth.grid.shape[1:]))
    part = probability.crop(box)
    return Probability(part.read(boundary.NEAREST), part.grid, boundary.NEAREST), truth.crop(box)


def name(block: tuple[int, int]) -> str:
    return f"{block[0]}-{block[1] - 1}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--averaging", type=int, default=4)
    parser.add_argument("--whole", type=Path)
    parser.add_argument("--write", action="store_true", help="store settings and scores in the card")
    return parser.parse_args()


if __name__ == "__main__":
    main()
