"""Every reconstruction of eight BigNeuron neurons against gold: our ranking of the algorithms beside the published one.

    python benchmarks/bigneuron.py [--picture docs/pictures/bigneuron.png]

Data: `bigneuron/gold_and_rivals.zip` under NEUROTOME_DATA, or ../shared/data beside the checkout (Manubens-Gil et al. 2023).
Per algorithm the median over the eight neurons of ESA, DSA and PDS in voxels, by length. A missing or empty reconstruction has
PDS 1 and F1 0; ESA and DSA are medians over what there is. Published: medians over 41 to 99 images of that project's own table,
missing results left out there, so algorithms that finished few look better than they are. Prints Markdown.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import tempfile
import zipfile
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pandas as pd
import tifffile
from PIL import Image, ImageDraw, ImageFont
from scipy.stats import spearmanr

from neurotome.core import InputError, Skeleton
from neurotome.io.swc import read_swc
from neurotome.measure.trees import TreeComparison, compare_trees, tree_errors

VOXEL_NM = (1000.0, 1000.0, 1000.0)
"""The files are in voxels, whose size is not stated; only voxel scores are used."""

PUBLISHED_PDS = {
    "consensus": 0.24, "nctuTW_GD": 0.27, "pyzh": 0.27, "neutube_updated": 0.30, "MST_Tracing": 0.31, "smartTracing": 0.31,
    "snake": 0.31, "Advantra": 0.33, "app2": 0.40, "TReMap": 0.40, "NeuroGPSTree": 0.42, "Rivulet": 0.44, "MOST": 0.55,
    "app1": 0.55, "Rollerball": 0.71,
}  # fmt: skip
PUBLISHED_DISTANCES = {"consensus": (2.42, 6.47), "neutube_updated": (3.53, 8.00), "app2": (8.45, 15.20)}

WORST = {"pds": 1.0, "vaa3d_pds": 1.0, "f1": 0.0}
"""What a missing result scores."""

DRAWN = "1"
PANELS = ("consensus", "axis_analyzer_updated", "neutube_updated", "app2", "Rollerball")
GOLD, MISSING, EXTRA, RIGHT = (120, 200, 255), (255, 130, 0), (255, 60, 200), (60, 220, 120)
SCALE = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path, help="also draw one neuron with five reconstructions into this PNG")
    options = parser.parse_args()
    logging.getLogger("neurotome").setLevel(logging.ERROR)  # half of the files need small repairs
    root = Path(os.environ.get("NEUROTOME_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))
    with zipfile.ZipFile(root / "bigneuron" / "gold_and_rivals.zip") as archive, tempfile.TemporaryDirectory() as folder:
        archive.extractall(folder)
        table = scored(Path(folder))
        report(table)
        if options.picture:
            draw(Path(folder) / DRAWN, table, options.picture)


def algorithm(path: Path) -> str:
    """The algorithm a file is of: without leading number, neuron, start point; `_updated` versions are algorithms of their own.

    >>> algorithm(Path("1/09_1_x315_y254_z136_app2.swc")), algorithm(Path("1/14_1_XY_3D_TreMap.swc"))
    ('app2', 'TReMap')
    """
    name = re.sub(r"^\d+_\d+_", "", path.stem)
    name = re.sub(r"^x\d+_y\d+_z\d+_", "", name)
    name = re.sub(r"^tubularity_model_S\.v3draw_MST_Tracing_Ws_21_", "tubularity_MST_", name)
    return {"XY_3D_TreMap": "TReMap"}.get(name, name)


def scored(folder: Path) -> pd.DataFrame:
    """One row per reconstruction: neuron, algorithm, path, esa, dsa, pds, vaa3d_pds, f1; no distances where there is no tree."""
    rows = []
    for neuron in sorted((p for p in folder.iterdir() if p.is_dir()), key=lambda p: int(p.name)):
        gold = tree(neuron / "gold.swc")
        for path in sorted(neuron.glob("*.swc")):
            if path.stem == "gold":
                continue
            rows.append({"neuron": neuron.name, "algorithm": algorithm(path), "path": path, **numbers(path, gold)})
    return pd.DataFrame(rows)


def tree(path: Path) -> Skeleton:
    return read_swc(path, unit="voxel", voxel_nm=VOXEL_NM).skeleton


def numbers(path: Path, gold: Skeleton) -> dict:
    try:
        found = compare_trees(tree(path), gold, voxel_nm=VOXEL_NM).voxel
    except InputError as error:
        print(f"<!-- {path.parent.name}/{path.name}: worst case. {error} -->")
        return dict(WORST)
    apart = found.apart
    return {
        "esa": apart.esa, "dsa": apart.dsa, "pds": apart.pds,
        "vaa3d_pds": found.vaa3d.pds, "f1": found.agreement.f1,
    }  # fmt: skip


def ranking(table: pd.DataFrame) -> pd.DataFrame:
    """Medians per algorithm, best PDS first (ties by F1); missing neurons count as the worst case."""
    neurons = table["neuron"].unique()
    rows = []
    for name, group in table.groupby("algorithm"):
        every = group.drop_duplicates("neuron").set_index("neuron").reindex(neurons)
        medians = every[[*WORST]].fillna(WORST).median()
        rows.append({"algorithm": name, "neurons": len(group), **every[["esa", "dsa"]].median(), **medians})
    return pd.DataFrame(rows).sort_values(["pds", "f1"], ascending=[True, False], ignore_index=True)


def report(table: pd.DataFrame) -> None:
    ranked = ranking(table)
    neurons = table["neuron"].nunique()
    print(f"{len(table)} reconstructions of {neurons} neurons by {len(ranked)} algorithms, voxel units, medians.\n")
    print("| | algorithm | neurons | ESA | DSA | **PDS** | PDS, vaa3d | F1 @ 2 voxels | published PDS (ESA, DSA) |")
    print("|---|---|---|---|---|---|---|---|---|")
    for rank, row in enumerate(ranked.itertuples(), 1):
        print(
            f"| {rank} | {row.algorithm} | {row.neurons} | {row.esa:.2f} | {row.dsa:.2f} | **{row.pds:.3f}** "
            f"| {row.vaa3d_pds:.3f} | {row.f1:.3f} | {published(row.algorithm)} |"
        )
    automatic = table[table["algorithm"] != "consensus"]
    best = automatic.groupby("neuron")["pds"].min().median()
    print(f"\nBest automatic reconstruction of each neuron (oracle): median PDS {best:.3f}; published, over all images: 0.21.")
    compare_rankings(ranked)
    far = (table["pds"] > 0.5).mean()
    print(f"Finished results with PDS above 0.5: {far:.1%}; published: 42.6 %.")


def compare_rankings(ranked: pd.DataFrame) -> None:
    known = ranked[ranked["algorithm"].isin(PUBLISHED_PDS)]
    for what, rows in (("all", known), ("with at least 7 of the 8 neurons", known[known["neurons"] >= 7])):
        theirs = [PUBLISHED_PDS[name] for name in rows["algorithm"]]
        found = spearmanr(rows["pds"], theirs)
        print(f"Spearman correlation of PDS, ours and published, {len(rows)} algorithms ({what}): {found.statistic:.2f}.")


def published(name: str) -> str:
    if name not in PUBLISHED_PDS:
        return ""
    more = "({:.2f}, {:.2f})".format(*PUBLISHED_DISTANCES[name]) if name in PUBLISHED_DISTANCES else ""
    return f"{PUBLISHED_PDS[name]:.2f} {more}".strip()


def draw(neuron: Path, table: pd.DataFrame, target: Path) -> None:
    """The gold tree, and five reconstructions with what they miss and what they invent, over the projection of the image."""
    image = tifffile.imread(neuron / f"{neuron.name}.tif")
    gold = tree(neuron / "gold.swc")
    low, high = (np.array(f(gold.points_nm[:, 1:] / 1000, 0)) for f in (np.min, np.max))
    corner = np.maximum(np.floor(low) - 15, 0).astype(int)
    stop = np.minimum(np.ceil(high) + 15, image.shape).astype(int)
    back = 255 * (image[corner[0] : stop[0], corner[1] : stop[1]] / 255.0) ** 0.6 * 0.8
    panels = [panel(back, corner, "gold (green: right, orange: missing, magenta: extra)", [(gold, GOLD)], [])]
    for name in PANELS:
        path = table[(table["neuron"] == neuron.name) & (table["algorithm"] == name)]["path"].iloc[0]
        comparison = compare_trees(tree(path), gold, voxel_nm=VOXEL_NM)
        panels.append(panel(back, corner, title(name, comparison), [(comparison.test, RIGHT)], wrong(comparison)))
    framed = [np.pad(one, ((0, 6), (0, 6), (0, 0)), constant_values=255) for one in panels]
    target.parent.mkdir(parents=True, exist_ok=True)
    imageio.imwrite(target, np.vstack([np.hstack(framed[:3]), np.hstack(framed[3:])])[:-6, :-6])
    print(f"\nwritten: {target}")


def title(name: str, comparison: TreeComparison) -> str:
    found = comparison.voxel
    return f"{name}: F1 {found.agreement.f1:.2f}, PDS {found.apart.pds:.2f}"


def wrong(comparison: TreeComparison) -> list:
    errors = tree_errors(comparison, unit="voxel")
    colours = {"missing": MISSING, "extra": EXTRA}
    return [(line, colours[row.kind]) for row in errors.itertuples() for line in row.lines_nm]


def panel(back: np.ndarray, corner: np.ndarray, text: str, trees: list, lines: list) -> np.ndarray:
    grey = Image.fromarray(np.repeat(back.astype(np.uint8)[..., None], 3, -1))
    canvas = grey.resize((back.shape[1] * SCALE, back.shape[0] * SCALE), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(canvas)
    for skeleton, colour in trees:
        for row in np.flatnonzero(skeleton.parent_rows >= 0):
            stroke(pen, skeleton.points_nm[[skeleton.parent_rows[row], row]], corner, colour)
    for line, colour in lines:
        stroke(pen, line, corner, colour)
    font = ImageFont.load_default(18)
    pen.rectangle((0, 0, *pen.textbbox((10, 8), text, font=font)[2:]), fill=(0, 0, 0))
    pen.text((6, 4), text, fill=(255, 255, 255), font=font)
    return np.asarray(canvas)


def stroke(pen: ImageDraw.ImageDraw, points_nm: np.ndarray, corner: np.ndarray, colour: tuple) -> None:
    places = (points_nm[:, 1:] / 1000 - corner + 0.5) * SCALE
    pen.line([(float(x), float(y)) for y, x in places], fill=colour, width=2)


if __name__ == "__main__":
    main()
