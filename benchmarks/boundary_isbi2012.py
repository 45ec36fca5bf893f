"""V_rand and V_info of the ISBI-2012 network on labelled sections it never saw, against the floor without learning.

    python benchmarks/boundary_isbi2012.py [--model isbi2012-membrane-2d] [--averaging 8]

The network trained on sections 0-17; 18-23 were used to keep the best of its checkpoints (by loss, not by these scores). The
official scores of published networks are on the 30 test sections with secret labels: near, not equal, in meaning.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import ndimage

from neurotome import boundary, datasets
from neurotome.core import Probability
from neurotome.measure import isbi_scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="isbi2012-membrane-2d")
    parser.add_argument("--averaging", type=int, nargs="+", default=[1, 8])
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
    print("| U-Net, official test set (as published) | 0.9728 | 0.9866 | | |")


if __name__ == "__main__":
    main()
