"""What each way to segment makes of perfect maps: the ceiling of the overlap route on SNEMI3D, measured beside the table.

    python benchmarks/oracle.py                 # a quarter of an hour on one core; --part c: quadrant c alone, two minutes

Maps are made from the truth (70 labelled sections), so nothing here depends on a network. `floor` is the truth cut into its
6-connected components: no method that connects voxels can do better. Adapted Rand error by the convention isbi.
The table (tests/neurons/oracle.csv) is what tests/neurons/test_snemi3d.py holds the package to.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np

from neurotome import boundary, measure, neurons
from neurotome.core import Grid, Probability
from neurotome.datasets import load, quadrants

TABLE = Path(__file__).parents[1] / "tests" / "neurons" / "oracle.csv"
COLUMNS = ("are", "are_components", "splits", "merges", "voi_split", "voi_merge", "ari_all_voxels")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("all", "c"), help="only the rows of the whole volume, or of quadrant c")
    wanted = parser.parse_args().part
    truth = load("snemi3d", "labelled").labels
    boxes = {"all": truth.grid.box, "c": quadrants(truth.grid.shape)["c"]}
    print("| part | segmentation | s | " + " | ".join(f"{c}, table" for c in COLUMNS) + " |")
    print("|---" * (len(COLUMNS) + 3) + "|")
    with TABLE.open(newline="") as file:
        for row in csv.DictReader(file):
            if wanted in (None, row["part"]):
                _print_row(row, truth.read(boxes[row["part"]]))


def _print_row(row: dict[str, str], ids: np.ndarray) -> None:
    components = measure.equal_label_components(ids)
    started = time.process_time()
    labels = components if row["segmentation"] == "floor" else _linked(row, ids)
    seconds = time.process_time() - started
    found = _scores(ids, components, labels)
    cells = [_number(found[c]) + f", {row[c] or '-'}" for c in COLUMNS]
    print(f"| {row['part']} | {_name(row)} | {seconds:.0f} | " + " | ".join(cells) + " |", flush=True)


def _linked(row: dict[str, str], ids: np.ndarray) -> np.ndarray:
    maps, _ = boundary.targets(ids, ("cytoplasm", "overlap"))
    probability = Probability(maps.astype(np.uint8) * np.uint8(255), Grid(ids.shape, (30, 6, 6)), ("cytoplasm", "overlap"))
    settings = neurons.LinkSettings(erosions=int(row["erosions"]), skeletonise=row["skeletonise"] == "1", grow=float(row["grow"]))
    return np.asarray(neurons.segment(probability, "link", settings=settings).labels.data)


def _scores(ids: np.ndarray, components: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    table = measure.contingency(ids, labels)
    voi, errors = measure.variation_of_information(table), measure.split_merge_errors(table)
    return {
        "are": measure.adapted_rand(table).error,
        "are_components": measure.adapted_rand(measure.contingency(components, labels)).error,
        "splits": errors.splits,
        "merges": errors.merges,
        "voi_split": voi.split,
        "voi_merge": voi.merge,
        "ari_all_voxels": measure.adjusted_rand_index(table),
    }


def _name(row: dict[str, str]) -> str:
    name = row["segmentation"]
    if row["skeletonise"] == "1":
        name += f", {row['erosions']} erosions + skeleton"
    return name + (f", grow {row['grow']}" if row["grow"] != "0" else "")


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.5f}"


if __name__ == "__main__":
    main()
