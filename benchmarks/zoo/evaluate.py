"""Choose the agglomeration settings of a network on half of its validation sections, report the other half, write the card.

    python benchmarks/zoo/evaluate.py MODEL_FOLDER [--averaging 8] [--write]

The network never saw sections 60-69 of SNEMI3D. Settings (those of SWEEP) are chosen by adapted Rand error against
the connected parts of the truth on sections 60-64 and reported on 65-69, and the other way round; the shipped setting is the
one chosen on all ten, whose score is given beside the two honest ones.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neurotome import boundary, datasets, neurons
from neurotome.core import Box, Labels, ModelCard, Probability
from neurotome.io import atomic_write_json
from neurotome.measure import label_scores
from neurotome.nn import load_card

CHANNELS = ("affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1", "affinity:2,0,0", "affinity:0,9,0", "affinity:0,0,9")
SWEEP = {
    "long_range": (True, False),
    "t_high": (250, 253),
    "smooth": (0.0, 1.0),
    "threshold": tuple(round(0.1 + 0.025 * i, 3) for i in range(29)),
}
FIXED = {"min_voxels": 400, "small": "zero"}
METRICS = ("adapted_rand_error", "voi_split", "voi_merge", "split_errors", "merge_errors")


def part(volume: Any, first: int, last: int) -> Any:
    return volume.crop(Box((first, 0, 0), (last, *volume.grid.shape[1:])))


def chosen(probability: Probability, truth: Labels) -> neurons.AgglomerateSettings:
    settings = neurons.make_settings("agglomerate", FIXED)
    return neurons.tune(probability, truth, settings=settings, sweep=SWEEP).settings  # type: ignore[return-value]


def judged(probability: Probability, truth: Labels, settings: neurons.SegmentSettings) -> dict[str, float]:
    labels = neurons.segment(probability, settings.method, settings=settings).labels
    scores = label_scores(labels, truth, truth_parts="components")
    return {m: scores[m] for m in METRICS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--averaging", type=int, default=8)
    parser.add_argument("--write", action="store_true", help="store settings and scores in the card")
    options = parser.parse_args()
    held_out = datasets.load("snemi3d", "validation")
    truth = held_out.labels
    probability = boundary.predict(held_out.image, options.model, channels=CHANNELS, averaging=options.averaging)
    half = held_out.image.grid.shape[0] // 2
    rows, depth = [], held_out.image.grid.shape[0]
    for choose, report in (((0, half), (half, depth)), ((half, depth), (0, half))):
        settings = chosen(part(probability, *choose), part(truth, *choose))
        scores = judged(part(probability, *report), part(truth, *report), settings)
        rows.append({"chosen on": _sections(choose), "reported on": _sections(report), **_short(settings), **scores})
    settings = chosen(probability, truth)
    everything = judged(probability, truth, settings)
    rows.append({"chosen on": _sections((0, depth)), "reported on": "the same (optimistic)", **_short(settings), **everything})
    link = judged(probability, truth, neurons.make_settings("link", {}))
    rows.append({"chosen on": "reference method link, defaults", "reported on": _sections((0, depth)), **link})
    columns = list(rows[0])
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for row in rows:
        print(
            "| "
            + " | ".join(f"{row.get(c, ''):.4f}" if isinstance(row.get(c), float) else str(row.get(c, "")) for c in columns)
            + " |"
        )
    if options.write:
        write(options.model, settings, rows, options.averaging)


def write(model: Path, settings: neurons.SegmentSettings, rows: list[dict[str, Any]], averaging: int) -> None:
    card, folder = load_card(model)
    scores = tuple(
        {
            "metric": metric,
            "value": round(float(row[metric]), 4),
            "settings_chosen_on": row["chosen on"],
            "support": f"SNEMI3D {row['reported on']}",
            "averaging": averaging,
            "convention": "isbi, component truth",
        }
        for row in rows
        for metric in METRICS[:3]
    )
    used = CHANNELS if settings.long_range else boundary.NEAREST  # type: ignore[attr-defined]
    mine: ModelCard = replace(card, segmentation={**_short(settings), **FIXED, "channels": used}, scores=scores)
    atomic_write_json(folder / "card.json", json.loads(json.dumps(mine.to_json())))


def _short(settings: Any) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in SWEEP}


def _sections(block: tuple[int, int]) -> str:
    return f"sections {60 + block[0]}-{59 + block[1]}"


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
