"""Networks on tissue, voxel sizes and grey values they were not made for: what happens, unchanged and with what softens it.

    python benchmarks/transfer.py [--averaging 4] [--picture FILE.png]

Nothing is trained or tuned here. Membrane maps are judged by V_rand and V_info after thinning (affinity networks by the smaller
of their two in-plane affinities), segmentations by the adapted Rand error. Ways to hand an image to a network of another voxel
size: "as is": voxel for voxel; "rescaled": brought to its pixel size, sections left alone (`--rescale`), and the answer brought
back; "sections mixed": brought to its voxel size along z as well. Each section is normalised by itself; "one scale" takes the
mean and spread of the whole stack instead.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy import ndimage

from neurotome import boundary, datasets, neurons
from neurotome.core import Grid, Image, Labels, Probability
from neurotome.datasets import phantom
from neurotome.measure import adapted_rand, contingency, isbi_scores
from neurotome.nn import load_card

MEMBRANES, AFFINITIES = "isbi2012-membrane-2d", "em-affinity-25d"
AS_IS, RESCALED, MIXED = WAYS = ("as is", "rescaled", "sections mixed")
SIZES_NM = (2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
PHANTOM_NM = (40.0, 8.0, 8.0)
PHANTOM_SHAPE = (24, 384, 384)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--averaging", type=int, default=4)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    tables(options.averaging, options.picture)


def tables(averaging: int, picture: Path | None = None) -> None:
    """Print all of them."""
    other_tissue(averaging, picture)
    other_voxels(averaging)
    other_greys(averaging)
    phantom_of_other_voxels(averaging)


def other_tissue(averaging: int, picture: Path | None) -> None:
    """Both networks on fly nerve cord (50 x 4.6 x 4.6 nm) that neither of them saw."""
    part = datasets.load("drosophila_vnc", "labelled")
    truth = part.labels.read() == 0
    floor = np.stack([ndimage.gaussian_filter(s / 255.0, 2.5) for s in part.image.read()])
    title("drosophila_vnc, 14 sections, never seen", "map", "V_rand", "V_info", "threshold", "V_rand per section")
    show("grey values, Gaussian 2.5 px (no network)", np.clip(floor, 0, 1), truth)
    maps = {}
    for model, ways in ((MEMBRANES, (AS_IS, RESCALED)), (AFFINITIES, WAYS)):
        for way in ways:
            name = f"{model}, {way}"
            maps[name] = inside(part.image, model, averaging, way)
            show(name, maps[name], truth)
    if picture is not None:
        draw(picture, part.image.read()[6], truth[6], {name: m[6] for name, m in maps.items()})


def other_voxels(averaging: int) -> None:
    """ISBI-2012 sections 18-23 resampled to other pixel sizes."""
    part = datasets.load("isbi2012", "validation")
    truth = part.labels.read() > 0
    columns = ("nm per pixel", "as is: V_rand", "V_info", "rescaled: V_rand", "V_info")
    title(f"ISBI-2012 sections 18-23 at other pixel sizes, {MEMBRANES}", *columns)
    for size in SIZES_NM:
        image = boundary.resampled_image(part.image, (50.0, size, size))
        row = []
        for way in (AS_IS, RESCALED):
            answer = Image(inside(image, MEMBRANES, averaging, way).astype(np.float32), image.grid)
            scores = isbi_scores(np.clip(on_grid(answer, part.image.grid), 0, 1), truth)
            row += [f"{scores.v_rand:.4f}", f"{scores.v_info:.4f}"]
        line(f"{size:g}", *row)


def greys() -> Iterator[tuple[str, Callable[[np.ndarray], np.ndarray]]]:
    """Ways a microscope changes grey values; each keeps the type's range. All take and give (z, y, x) uint8."""
    rng = np.random.default_rng(0)
    yield "unchanged", lambda a: a
    yield "contrast x 0.3", lambda a: a * 0.3 + 90
    yield "gamma 0.5", lambda a: 255 * (a / 255) ** 0.5
    yield "gamma 2", lambda a: 255 * (a / 255) ** 2
    yield "brightness jumps between sections, SD 40", lambda a: a * 0.6 + 50 + rng.normal(0, 40, (len(a), 1, 1))
    yield "a shade across the section, +- 60", lambda a: a * 0.5 + 64 + np.linspace(-60, 60, a.shape[2])
    yield "noise, SD 20", lambda a: a + rng.normal(0, 20, a.shape)
    yield "blur, 1.5 px", lambda a: ndimage.gaussian_filter(a, (0, 1.5, 1.5))
    yield "inverted", lambda a: 255 - a


def other_greys(averaging: int) -> None:
    part = datasets.load("isbi2012", "validation")
    truth = part.labels.read() > 0
    pixels = part.image.read().astype(np.float64)
    columns = ("change", "each section by itself: V_rand", "V_info", "one scale: V_rand", "V_info")
    title(f"ISBI-2012 sections 18-23 with other grey values, {MEMBRANES}", *columns)
    for name, change in greys():
        changed = np.clip(np.round(change(pixels)), 0, 255).astype(np.uint8)
        row = []
        for own_scale in (True, False):
            answer = inside(Image(changed, part.image.grid), MEMBRANES, averaging, AS_IS, own_scale=own_scale)
            scores = isbi_scores(answer, truth)
            row += [f"{scores.v_rand:.4f}", f"{scores.v_info:.4f}"]
        line(name, *row)


def phantom_of_other_voxels(averaging: int) -> None:
    """Synthetic tissue at 40 x 8 x 8 nm through the affinity network (30 x 6 x 6 nm), to segments."""
    title(f"Phantoms through {AFFINITIES}, adapted Rand error (3 phantoms each, mean +- SD)", "voxel", *WAYS)
    for voxel_nm in ((30.0, 6.0, 6.0), PHANTOM_NM):
        specs = [phantom.PhantomSpec(shape=PHANTOM_SHAPE, voxel_nm=voxel_nm, seed=seed) for seed in range(3)]
        tissues = [phantom.make(spec) for spec in specs]
        cells = []
        for way in WAYS:
            errors = [error_of(tissue, averaging, way) for tissue in tissues]
            cells.append(f"{np.mean(errors):.3f} +- {np.std(errors, ddof=1):.3f}")
        line(f"{' x '.join(f'{v:g}' for v in voxel_nm)} nm", *cells)


def error_of(tissue: phantom.Phantom, averaging: int, way: str) -> float:
    card, _ = load_card(AFFINITIES)
    seen = handed(tissue.image, card.voxel_nm, way)
    channels = tuple(card.segmentation["channels"])
    probability = boundary.predict(seen, AFFINITIES, channels=channels, averaging=averaging)
    options = {k: v for k, v in card.segmentation.items() if k != "channels"}
    labels = neurons.segment(probability, "agglomerate", settings=neurons.make_settings("agglomerate", options)).labels
    mine = boundary.labels_on_grid(Labels(labels.data, in_space_of(tissue.image, seen)), tissue.neurons.grid)
    return float(adapted_rand(contingency(tissue.neurons.read(), mine.read())).error)


def inside(image: Image, model: str, averaging: int, way: str, *, own_scale: bool = True) -> np.ndarray:
    """P(inside) on the image's own grid, whatever its voxel size."""
    card, _ = load_card(model)
    seen = handed(image, card.voxel_nm, way)
    channels = tuple(c for c in card.channels if c in ("membrane", "affinity:0,1,0", "affinity:0,0,1"))
    ready = boundary.predictor(seen, model, channels=channels, averaging=averaging)
    if not own_scale:
        pixels = seen.read()
        ready.scales = np.tile(np.array([pixels.mean(), 1 / pixels.std()], np.float32), (len(pixels), 1))
    answer = Probability(boundary.predict_box(ready, seen.grid.box), seen.grid, channels)
    p = Image(boundary.inside_map(answer).astype(np.float32), in_space_of(image, seen))
    return np.clip(on_grid(p, image.grid), 0, 1)


def handed(image: Image, voxel_nm: tuple[float, float, float], way: str) -> Image:
    """The image as the network is to see it, under the network's voxel size."""
    if way == RESCALED:
        image = boundary.resampled_image(image, (image.grid.voxel_nm[0], *voxel_nm[1:]))
    elif way == MIXED:
        image = boundary.resampled_image(image, voxel_nm)
    return Image(image.data, Grid(image.grid.shape, voxel_nm), image.name)


def in_space_of(image: Image, seen: Image) -> Grid:
    """The grid of what a network saw, over the space of the image it was made of."""
    size = tuple(n * v / m for n, v, m in zip(image.grid.shape, image.grid.voxel_nm, seen.grid.shape, strict=True))
    return boundary.resampled_grid(image.grid, size)  # type: ignore[arg-type]


def on_grid(image: Image, grid: Grid) -> np.ndarray:
    back = boundary.resampled_image(image, grid.voxel_nm).read() if image.grid.shape != grid.shape else image.read()
    assert back.shape == grid.shape, (back.shape, grid.shape)
    return back.astype(np.float64)


def title(text: str, *columns: str) -> None:
    print(f"\n### {text}\n")
    line(*columns)
    print("|" + "---|" * len(columns))


def line(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def show(name: str, p: np.ndarray, truth: np.ndarray) -> None:
    scores = isbi_scores(p, truth)
    best = scores.best_threshold()
    at_best = np.array([r["v_rand"] for r in scores.to_rows() if abs(r["threshold"] - best) < 1e-9])
    spread = f"{at_best.mean():.4f} +- {at_best.std(ddof=1):.4f} (n = {len(at_best)})"
    line(name, f"{scores.v_rand:.4f}", f"{scores.v_info:.4f}", f"{best:.1f}", spread)


def draw(path: Path, grey: np.ndarray, truth: np.ndarray, maps: dict[str, np.ndarray]) -> None:
    import imageio.v3 as imageio

    cut = (slice(0, 384), slice(0, 384))
    tiles = [grey[cut], truth[cut] * 255.0, *(m[cut] * 255 for m in maps.values())]
    tiles = [np.pad(tile, 4, constant_values=255) for tile in tiles] + [np.full((392, 392), 255.0)] * (-len(tiles) % 4)
    rows = [np.hstack(tiles[k : k + 4]) for k in range(0, len(tiles), 4)]
    imageio.imwrite(path, np.vstack(rows).round().astype(np.uint8))


if __name__ == "__main__":
    main()
