"""`neurotome boundary train | predict | score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from neurotome.cli.progress import Bars
from neurotome.cli.reconstruct import Channels, ColourChannel, Overwrite, Voxel
from neurotome.cli.workers import Scheduler, Slurm, Workers, parsed_slurm

app = typer.Typer(help="Where are the membranes? Train, apply and judge boundary networks.", no_args_is_help=True)


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="YAML with volumes, channels, network and fit (see recipes/).")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Model folder; an interrupted training goes on there.")],
    steps: Annotated[int | None, typer.Option(help="Optimiser steps, instead of the recipe's.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = "auto",
    logger: Annotated[list[str], typer.Option(help="csv, tensorboard, wandb (offline); repeat for several.")] = (
        "csv",
        "tensorboard",
    ),  # type: ignore[assignment]
) -> None:
    """Train a network on annotated stacks; leaves weights, a card, a picture per epoch and the learning curve.

    Example: `neurotome boundary train recipes/em_affinity.yaml -o my-model`
    """
    from neurotome.flows import train_from_recipe

    console = Console(highlight=False)
    with Bars(console) as bars:
        card = train_from_recipe(recipe, out, steps=steps, device=device, loggers=tuple(logger), progress=bars)
    console.print(f"Model '{card.name}' in {out}: use it with --model {out}")


@app.command()
def predict(
    image: Annotated[str, typer.Argument(help="EM stack.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Run folder; boundary.ome.zarr goes there.")],
    voxel_nm: Voxel = None,
    model: Annotated[str | None, typer.Option(help="Network from the zoo, or a model folder.")] = None,
    averaging: Annotated[int, typer.Option(help="Symmetries to average over: 1, 2, 4 or 8.")] = 4,
    rescale: Annotated[
        bool, typer.Option("--rescale", help="Resample to the network's voxel size; the result stays there.")
    ] = False,
    channel: ColourChannel = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    slurm: Slurm = None,
    overwrite: Overwrite = False,
) -> None:
    """Apply a network to a stack, block by block; an interrupted prediction goes on."""
    from neurotome.flows import Workforce, predict_file

    console = Console(highlight=False)
    with Bars(console) as bars:
        path = predict_file(
            image,
            out,
            voxel_nm=voxel_nm,
            model=model,
            averaging=averaging,
            rescale=rescale,
            channel=channel,
            overwrite=overwrite,
            workforce=Workforce(workers, scheduler, parsed_slurm(slurm)),
            progress=bars,
        )
    console.print(f"Probabilities in {path}")


@app.command()
def score(
    probability: Annotated[str, typer.Argument(metavar="PRED", help="Probability volume.")],
    truth: Annotated[str, typer.Argument(metavar="TRUTH", help="Labels, or a two-valued membrane or inside map.")],
    truth_is: Annotated[str, typer.Option(help="instances, inside (high = cell) or membrane (high = membrane).")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File for the scores.")] = Path("scores.json"),
    voxel_nm: Voxel = None,
    channel: Channels = None,
) -> None:
    """V_rand and V_info after thinning, as in the ISBI-2012 challenge."""
    from neurotome.flows import score_boundary_file

    console = Console(highlight=False)
    for s in score_boundary_file(
        probability, truth, out, truth_is=truth_is, voxel_nm=voxel_nm, channels=tuple(channel) if channel else None
    ):
        console.print(f"  {s.metric:<24} {s.value:.4f}")
