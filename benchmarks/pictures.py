"""Make the pictures of the docs from a real run of the demo.

python benchmarks/pictures.py        (writes docs/pictures/demo.png)
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from neurotome.boundary import inside_map
from neurotome.flows import demo
from neurotome.report import read_results
from neurotome.report.pictures import grey, overlay

TARGET = Path(__file__).parents[1] / "docs" / "pictures" / "demo.png"


def main() -> None:
    out = Path(tempfile.mkdtemp()) / "demo"
    demo(out)
    results = read_results(out)
    assert results.image and results.probability and results.neurons
    z = results.image.grid.shape[0] // 2
    tissue = grey(results.image.read()[z])
    boundary = np.repeat((255 * inside_map(results.probability)[z]).astype(np.uint8)[..., None], 3, -1)
    gap = np.full((tissue.shape[0], 6, 3), 255, np.uint8)
    # The last row and column have no neighbour, hence no affinity.
    boundary[-1], boundary[:, -1] = boundary[-2], boundary[:, -2]
    panels = np.hstack([tissue, gap, boundary, gap, overlay(tissue, results.neurons.read()[z])])
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    imageio.imwrite(TARGET, panels.repeat(2, 0).repeat(2, 1))
    print(TARGET)


if __name__ == "__main__":
    main()
