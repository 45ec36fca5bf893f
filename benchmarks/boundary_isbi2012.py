"""V_rand and V_info of the ISBI-2012 network on labelled sections it never saw, against the floor without learning.

    python benchmarks/boundary_isbi2012.py [--model isbi2012-membrane-2d] [--averaging 1 8] [--write]

The shipped network trained on sections 0-17 and its last weights were kept; the networks it started from were kept by their loss
on sections 18-23 (see its card). The official scores of published networks are on the 30 test sections with secret labels:
near, not equal, in meaning. --write puts the scores of the last averaging on the card of the model.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from scipy import ndimage

from neurotome import boundary, datasets
from neurotome.core import Probability
from neurotome.io import atomic_write_json
from neurotome.measure import isbi_scores
from neurotome.nn import load_card


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="isbi2012-membrane-2d")
    parser.add_argument("--averaging", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--write", action="store_true", help="store the scores in the card")
    options = parser.parse_args()
    held_out = datasets.load("isbi2012", "validation")
    inside = held_out.labels.read() > 0
    grey = held_out.image.read() / 255.0
    rows = {"everything inside (constant)": np.ones_like(grey), "grey values": grey}
    rows["grey values, Gaussian 2.5 px"] = np.clip(np.stack([ndimage.gaussian_filter(s, 2.5) for s in grey]), 0, 1)
    for variants in options.averaging:
        probability: Probability = boundary.predict(held_out.image, options.model, averaging=variants)
        rows[f"{options.model}, {variants} variant{'s' * (variants > 1)}"] = boundary.inside_map(probability)
    print("| map | V_rand | V_info | threshold | V_rand per section, mean +- SD |\n|---|---|---|---|---|")
    for name, p in rows.items():
        scores = isbi_scores(p, inside)
        best = scores.best_threshold()
        at_best = np.array([r["v_rand"] for r in scores.to_rows() if abs(r["threshold"] - best) < 1e-9])
        spread = f"{at_best.mean():.4f} +- {at_best.std(ddof=1):.4f} (n = {len(at_best)})"
        print(f"| {name} | {scores.v_rand:.4f} | {scores.v_info:.4f} | {best:.1f} | {spread} |")
    if options.write:
        write(options.model, rows, inside, options.averaging[-1])
    print("| U-Net, official test set (as published) | 0.9728 | 0.9866 | | |")


def write(model: str, rows: dict[str, np.ndarray], inside: np.ndarray, averaging: int) -> None:
    card, folder = load_card(model)
    scores = isbi_scores(list(rows.values())[-1], inside)
    about = {"support": "ISBI-2012 sections 18-23", "averaging": averaging, "convention": "isbi, after thinning"}
    found = tuple({"metric": m, "value": round(float(getattr(scores, m)), 4), **about} for m in ("v_rand", "v_info"))
    atomic_write_json(folder / "card.json", replace(card, scores=found).to_json())


if __name__ == "__main__":
    main()
