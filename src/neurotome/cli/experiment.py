"""`neurotome experiment`: a named experiment in one command, from two stacks to a score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from neurotome.cli.progress import Bars
from neurotome.cli.reconstruct import Overwrite, Voxel


def experiment(
    recipe: Annotated[Path, typer.Argument(help="YAML with stages, segmentation and split (see recipes/experiment_8.yaml).")],
    image: Annotated[str, typer.Option("--image", help="EM stack.")],
    truth: Annotated[str, typer.Option("--truth", help="Label volume of the same stack.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Run folder; an interrupted experiment goes on there.")],
    budget: Annotated[float, typer.Option(help="Factor on the training steps of every stage, for example 0.01.")] = 1.0,
    minutes: Annotated[
        float | None, typer.Option(help="Training time of all stages together, shared by their steps; instead of --budget.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="The recipe's small variant, for minutes on a CPU.")] = False,
    sections: Annotated[str, typer.Option(metavar="FIRST:LAST", help="Only these sections of the stack, half-open.")] = "",
    voxel_nm: Voxel = None,
    device: Annotated[str, typer.Option(help="auto, cpu or gpu, for training.")] = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Train, predict, segment and score as a recipe says: on quadrants of one annotated stack, one of them for the score.

    Example: `neurotome experiment recipes/experiment_8.yaml --image em.tif --truth labels.tif -o exp8 --budget 0.01`
    """
    from neurotome.flows import ExperimentSettings
    from neurotome.flows import experiment as run

    settings = ExperimentSettings(recipe, image, truth, voxel_nm, budget, minutes, quick, sections, device)
    console = Console(highlight=False)
    with Bars(console) as bars:
        scores = run(settings, out, overwrite=overwrite, progress=bars)
    _print_scores(console, scores)
    console.print(f"Look at it: open {out / 'report.html'}, or run: neurotome view {out}", soft_wrap=True)


def _print_scores(console: Console, scores: list[dict[str, Any]]) -> None:
    """One line per metric: against the truth as it was given, and against its connected parts."""
    table = Table(box=None, pad_edge=False)
    for column in ("metric", "truth as given", "its connected parts", "convention"):
        table.add_column(column, no_wrap=column == "metric")
    for metric in dict.fromkeys(s["metric"] for s in scores):
        found = {"components" in s["support"]: s for s in scores if s["metric"] == metric}
        values = (f"{s['value']:.4f}" if isinstance(s["value"], float) else str(s["value"]) for s in (found[False], found[True]))
        table.add_row(metric, *values, found[False]["convention"])
    console.print(table)
