"""The pictures of rendered neurons in the docs.

    python benchmarks/tracing_pictures.py phantom                    docs/pictures/tracing-phantom.png
    python benchmarks/tracing_pictures.py dimmed [--model FOLDER]    docs/pictures/tracing-dimmed.png
    python benchmarks/tracing_pictures.py real [--model FOLDER]      docs/pictures/tracing-real.png, and a table

phantom: three neurons, each at five noise levels and with its true tree. dimmed: one stack whose stored values are multiplied by
1, 0.8 ... 0.05 and rounded, traced at each step by the network and above the raw threshold that is right for the first.
real: `neurotome trace` on the two stacks of the data folder, with the network and --raw, against their reference tracings. Their
voxel size is not stated; 300 nm are given, which decides only what is too short to keep and too far to bridge.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from neurotome import datasets
from neurotome.core import Image, Skeleton
from neurotome.core.geometry import Nm3
from neurotome.datasets.fluorescence import FluorescencePhantom, FluorescenceSpec, fluorescence
from neurotome.flows import TraceJob
from neurotome.flows import trace as trace_file
from neurotome.io import open_image, read_swc
from neurotome.measure.trees import compare_trees
from neurotome.nn import load_card
from neurotome.tracing.predict import DEFAULT_NEURITE_MODEL
from neurotome.tracing.trace import TraceSettings
from tracing_rendered import LEVELS, VOXEL_NM, neurons, probability_of, rendered, traced

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
ZOOM, GAP, TITLE = 1.5, 6, 22
TRUTH, OTHER, FOUND = (255, 150, 40), (70, 190, 255), (70, 235, 120)
STEPS = (1.0, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1, 0.05)
REAL_NM = (300.0, 300.0, 300.0)
STACK = 2, 7.0
"""Which test neuron is dimmed, and at what SNR."""


def phantom() -> None:
    archives = neurons("test")
    grown = FluorescenceSpec(
        voxel_nm=VOXEL_NM, psf_nm=(800.0, 400.0, 400.0), seed=21, radius_vox=(1.0, 2.5), gaps=4, neighbours=2
    )
    rows = []
    for place in (2, 54, None):
        stacks = [
            fluorescence(replace(grown, snr=level)) if place is None else rendered(*archives[place], level)
            for level in LEVELS[::-1]
        ]
        panels = [_panel(_stretched(stack), title=f"SNR {stack.spec.snr:g}") for stack in stacks]
        trees = [(stacks[0].skeleton, TRUTH), *((n, OTHER) for n in stacks[0].neighbours)]
        rows.append(_row([*panels, _panel(_stretched(stacks[0]) // 3, trees, "truth")]))
    _save(_column(rows), "tracing-phantom.png")


def dimmed(model: str) -> None:
    archive, level = STACK
    stack = rendered(*neurons("test")[archive], level)
    seen = stack.image.data
    limits = float(np.percentile(seen.max(0), 1)), float(np.percentile(seen.max(0), 99.8))
    threshold = _best_threshold(stack)
    settled = load_card(model or DEFAULT_NEURITE_MODEL)[0].segmentation.get("threshold", TraceSettings().threshold)
    rows: list[list[Picture.Image]] = [[], [], []]
    for step in STEPS:
        values = np.rint(seen * step).astype(np.uint8)
        rows[0].append(_panel(_grey(values.max(0), 0.0, limits[1]), title=f"x {step:g}"))
        shown = _grey(values.max(0), limits[0] * step, limits[1] * step) // 3
        network = traced(probability_of(Image(values, stack.image.grid), model), settled)
        for row, tree, name in ((rows[1], network, "network"), (rows[2], traced(values, threshold), f"intensity >= {threshold}")):
            trees = [(stack.neurites, TRUTH)] + ([(tree, FOUND)] if tree is not None else [])
            row.append(_panel(shown, trees, f"{name}: F1 {_f1(tree, stack):.3f}"))
    _save(_column([_row(row) for row in rows]), "tracing-dimmed.png")


def real(model: str) -> None:
    print("| stack | traced by | trees | F1 at 2 voxels | P | R | ESA, voxels | PDS |")
    print("|---|---|---|---|---|---|---|---|")
    rows = []
    for name in ("fly_neuron", "fly_neuron_small"):
        stack, truth = (datasets.data_root() / "tracing" / f"{name}.{suffix}" for suffix in ("tif", "swc"))
        image = open_image(stack, voxel_nm=REAL_NM)
        reference = read_swc(truth, unit="voxel", voxel_nm=REAL_NM).skeleton
        panels = []
        for how, options in (("network", {"model": model or None}), ("raw", {"raw": True})):
            with TemporaryDirectory() as folder:
                job = TraceJob(str(stack), REAL_NM, truth=str(truth), truth_unit="voxel", **options)
                facts = trace_file(job, Path(folder) / "out")
                tree = read_swc(Path(folder) / "out" / facts["swc"]).skeleton
            found = facts["scores"]
            figures = " | ".join(f"{found[metric]:.3f}" for metric in ("f1", "precision", "recall", "esa", "pds"))
            print(f"| {name} | {how} | {facts['trees']} | {figures} |")
            mip = image.read().max(0)
            shown = _grey(mip, 0, float(np.percentile(mip[mip > 0], 90))) // 2
            panels.append(_panel(shown, [(reference, TRUTH), (tree, FOUND)], f"{how}: F1 {found['f1']:.3f}", REAL_NM))
        rows.append(panels)
    small = [_fitted(panel, rows[0][0].size) for panel in rows[1]]
    _save(_row([*rows[0], *small]), "tracing-real.png")


def _fitted(panel: Picture.Image, size: tuple[int, int]) -> Picture.Image:
    """As large as the others, on white."""
    scale = min(size[0] / panel.width, size[1] / panel.height)
    page = Picture.new("RGB", size, "white")
    page.paste(panel.resize((round(panel.width * scale), round(panel.height * scale)), Picture.Resampling.LANCZOS))
    return page


def _best_threshold(stack: FluorescencePhantom) -> int:
    """Of the stack as it is: the raw threshold of the highest F1, which no user knows."""
    # Below, a stack is noise in thousands of pieces, which takes minutes and is never the best.
    low, high = np.percentile(stack.image.data, (97, 99.9)).astype(int)
    return max(range(low + 1, high, max(1, (high - low) // 24)), key=lambda t: _f1(traced(stack.image.data, t), stack))


def _f1(tree: Skeleton | None, stack: FluorescencePhantom) -> float:
    return 0.0 if tree is None else compare_trees(tree, stack.neurites, voxel_nm=VOXEL_NM).voxel.agreement.f1


def _stretched(stack: FluorescencePhantom) -> np.ndarray:
    mip = stack.image.data.max(0)
    return _grey(mip, *np.percentile(mip, (2, 99.8)))


def _grey(mip: np.ndarray, low: float, high: float) -> np.ndarray:
    return (255 * np.clip((mip - low) / max(1e-9, high - low), 0, 1)).astype(np.uint8)


def _panel(
    mip: np.ndarray,
    trees: Sequence[tuple[Skeleton, tuple[int, int, int]]] = (),
    title: str = "",
    voxel_nm: Nm3 = VOXEL_NM,
) -> Picture.Image:
    """A projection along z with the trees over it and a title above."""
    height, width = (round(n * ZOOM) for n in mip.shape)
    panel = Picture.new("RGB", (width, height + TITLE), "white")
    panel.paste(Picture.fromarray(mip).resize((width, height), Picture.Resampling.BICUBIC).convert("RGB"), (0, TITLE))
    pen = ImageDraw.Draw(panel)
    for tree, colour in trees:
        places = (tree.points_nm[:, :0:-1] / voxel_nm[:0:-1] + 0.5) * ZOOM + (0, TITLE)
        for row, above in enumerate(tree.parent_rows):
            if above >= 0:
                pen.line([*places[above], *places[row]], fill=colour, width=2)
    pen.rectangle((0, 0, width, TITLE - 1), fill="white")
    pen.text((2, 2), title, fill="black", font=ImageFont.load_default(15))
    return panel


def _row(panels: list[Picture.Image]) -> Picture.Image:
    row = Picture.new("RGB", (sum(p.width + GAP for p in panels) - GAP, panels[0].height), "white")
    for n, panel in enumerate(panels):
        row.paste(panel, (n * (panel.width + GAP), 0))
    return row


def _column(rows: list[Picture.Image]) -> Picture.Image:
    column = Picture.new("RGB", (rows[0].width, sum(r.height + GAP for r in rows) - GAP), "white")
    for n, row in enumerate(rows):
        column.paste(row, (0, n * (row.height + GAP)))
    return column


def _save(picture: Picture.Image, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture.quantize(96, Picture.Quantize.MAXCOVERAGE).save(PICTURES / name, optimize=True)
    print(PICTURES / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", choices=("phantom", "dimmed", "real"))
    parser.add_argument("--model", default="", help="zoo model or model folder (default: the package's default)")
    run = parser.parse_args()
    if run.picture == "phantom":
        phantom()
    else:
        {"dimmed": dimmed, "real": real}[run.picture](run.model)


if __name__ == "__main__":
    main()
