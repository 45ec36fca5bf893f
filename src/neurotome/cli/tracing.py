"""`neurotome tracing train | select`: networks that see neurites, and the stacks that they should learn from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from neurotome.cli.progress import Bars
from neurotome.cli.recipe_or_files import require_recipe_or_files
from neurotome.cli.reconstruct import Voxel
from neurotome.cli.tracing_select import select
from neurotome.core import InputError

if TYPE_CHECKING:
    from neurotome.tracing.training import NeuriteRecipe

app = typer.Typer(help="Where do neurites run in light-microscopy stacks? Train networks for it.", no_args_is_help=True)


@app.command()
def train(
    out: Annotated[Path, typer.Option("-o", "--out", help="Model folder; an interrupted training goes on there.")],
    recipe: Annotated[
        Path | None,
        typer.Argument(help="YAML with images, network and fit (see recipes/neurite_*.yaml); or --image and --labels."),
    ] = None,
    image: Annotated[Path | None, typer.Option(help="Folder of stacks, at least two; one is kept to validate on.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Folder of their labels (> 0 is neurite), same file names.")] = None,
    voxel_nm: Voxel = None,
    patch: Annotated[int | None, typer.Option(help="Side of a patch in voxels, a multiple of 8 [default: 120].")] = None,
    init: Annotated[str | None, typer.Option(help="What to begin with: zoo network, model folder, checkpoint file.")] = None,
    freeze: Annotated[
        str | None, typer.Option(help="What of it stays as it is: none, stage1, stages1-2, all_but_heads [default: none].")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps, instead of the recipe's.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = "auto",
    logger: Annotated[list[str], typer.Option(help="csv, tensorboard, wandb (offline); repeat for several.")] = (
        "csv",
        "tensorboard",
    ),  # type: ignore[assignment]
) -> None:
    """Train a network that finds neurites; leaves weights, a card, the learning curve and pictures of every epoch.

    Example: `neurotome tracing train --image stacks --labels masks --init neurite-voxresnet -o my-model`
    """
    from neurotome.flows.train_tracing import train_neurites

    chosen = _recipe_or_folders(recipe, image, labels, voxel_nm, patch, init, freeze, name=out.name)
    console = Console(highlight=False)
    with Bars(console) as bars:
        card = train_neurites(chosen, out, steps=steps, device=device, loggers=tuple(logger), progress=bars)
    told = card.training
    if "dice_before" in told:
        console.print(f"Dice of the validation patches: {told['dice_before']:.4f} before, {told['dice_after']:.4f} after")
    console.print(f"Model '{card.name}' in {out}: use it with --model {out}")


def _recipe_or_folders(
    recipe: Path | None,
    image: Path | None,
    labels: Path | None,
    voxel_nm: tuple[float, float, float] | None,
    patch: int | None,
    init: str | None,
    freeze: str | None,
    *,
    name: str,
) -> Path | NeuriteRecipe:
    """The recipe, or what takes its place; options that belong to the other one are refused, never dropped."""
    from neurotome.tracing.training.recipe import InitConfig, recipe_of_folders

    options = {"--image": image, "--labels": labels, "--voxel-nm": voxel_nm, "--patch": patch, "--init": init, "--freeze": freeze}
    require_recipe_or_files(recipe, options)
    if recipe is not None:
        return recipe
    if image is None or labels is None:
        raise InputError("--image without --labels", "both", "name the folder of the labels")
    if freeze is not None and init is None:
        raise InputError(f"--freeze {freeze} without --init", "a network to begin with", "give --init, or leave it out")
    try:
        begin = None if init is None else InitConfig(model=init, freeze=freeze or "none")  # type: ignore[arg-type]
    except ValueError as error:
        raise InputError(f"--freeze {freeze}", "none, stage1, stages1-2 or all_but_heads") from error
    return recipe_of_folders(
        image, labels, name=name, voxel_nm=voxel_nm, init=begin, **({} if patch is None else {"patch": patch})
    )


app.command()(select)
