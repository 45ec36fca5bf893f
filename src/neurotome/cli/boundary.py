"""`neurotome boundary train | preview | predict | score | submission | onnx`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from neurotome.cli.progress import Bars
from neurotome.cli.recipe_or_files import require_recipe_or_files
from neurotome.cli.reconstruct import Channels, ColourChannel, Overwrite, Voxel
from neurotome.cli.workers import Scheduler, Slurm, Workers, parsed_slurm
from neurotome.core import InputError

if TYPE_CHECKING:
    from neurotome.boundary import FilePairs

app = typer.Typer(help="Where are the membranes? Train, apply and judge boundary networks.", no_args_is_help=True)

Recipe = Annotated[
    Path | None, typer.Argument(help="YAML with volumes, channels, network and fit (see recipes/); or --image and --labels.")
]
ImageFiles = Annotated[list[Path] | None, typer.Option("--image", help="EM stack; repeat for several.")]
LabelFiles = Annotated[list[Path] | None, typer.Option("--labels", help="Its labels; one for each --image, in the same order.")]
LabelsAre = Annotated[
    str | None,
    typer.Option(help="What the values mean: instances (one object each), inside or membrane (high = that), classes."),
]
ClassMasks = Annotated[
    list[str] | None,
    typer.Option("--class", metavar="NAME=FILE", help="A further two-valued mask, e.g. mitochondria=m.tif; repeatable."),
]
ClassValues = Annotated[
    list[str] | None,
    typer.Option("--class-value", metavar="NAME=VALUE", help="What a value of the labels means, e.g. membrane=1; repeatable."),
]
Learnt = Annotated[
    list[str] | None,
    typer.Option("--channel", help="What is learnt, e.g. membrane, affinity:0,0,1, class:NAME [default: what the labels offer]."),
]
Validate = Annotated[
    str | None, typer.Option(help="Share of each stack held back at its end, or sections first:last [default: 0.2].")
]
StartFrom = Annotated[str | None, typer.Option(help="Network to start from: from the zoo, or a model folder.")]
Crop = Annotated[int | None, typer.Option(help="Side of a patch in pixels [default: 256, less for small sections].")]


@app.command()
def train(
    out: Annotated[Path, typer.Option("-o", "--out", help="Model folder; an interrupted training goes on there.")],
    recipe: Recipe = None,
    image: ImageFiles = None,
    labels: LabelFiles = None,
    labels_are: LabelsAre = None,
    class_: ClassMasks = None,
    class_value: ClassValues = None,
    channel: Learnt = None,
    validate: Validate = None,
    voxel_nm: Voxel = None,
    model: StartFrom = None,
    crop: Crop = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps, instead of the recipe's.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = "auto",
    logger: Annotated[list[str], typer.Option(help="csv, tensorboard, wandb (offline); repeat for several.")] = (
        "csv",
        "tensorboard",
    ),  # type: ignore[assignment]
) -> None:
    """Train a network by a recipe, or on images and labels of your own; leaves weights, a card, pictures and the learning curve.

    Example: `neurotome boundary train --image a.tif --labels b.tif --labels-are membrane -o my-model`
    """
    from neurotome.flows import train_from_recipe

    chosen = _recipe_or_files(
        recipe, image, labels, labels_are, class_, class_value, channel, validate, voxel_nm, model, crop, name=out.name
    )
    console = Console(highlight=False)
    with Bars(console) as bars:
        card = train_from_recipe(chosen, out, steps=steps, device=device, loggers=tuple(logger), progress=bars)
    console.print(f"Model '{card.name}' in {out}: use it with --model {out}")


@app.command()
def preview(
    out: Annotated[Path, typer.Option("-o", "--out", help="Picture to write, a PNG.")],
    recipe: Recipe = None,
    image: ImageFiles = None,
    labels: LabelFiles = None,
    labels_are: LabelsAre = None,
    class_: ClassMasks = None,
    class_value: ClassValues = None,
    channel: Learnt = None,
    validate: Validate = None,
    voxel_nm: Voxel = None,
    crop: Crop = None,
    patches: Annotated[int, typer.Option(help="How many patches to show.")] = 6,
    seed: Annotated[int | None, typer.Option(help="Other patches [default: the recipe's, so the first of the training].")] = None,
) -> None:
    """Show what a network would see in training, after augmentation, with its targets: look at it before you train.

    Example: `neurotome boundary preview --image a.tif --labels b.tif --labels-are membrane -o preview.png`
    """
    from neurotome.flows import preview_training

    chosen = _recipe_or_files(recipe, image, labels, labels_are, class_, class_value, channel, validate, voxel_nm, None, crop)
    path = preview_training(chosen, out, patches=patches, seed=seed)
    Console(highlight=False).print(f"{patches} patches in {path}")


@app.command()
def predict(
    image: Annotated[str, typer.Argument(help="EM stack.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Run folder; boundary.ome.zarr goes there.")],
    voxel_nm: Voxel = None,
    model: Annotated[str | None, typer.Option(help="Network from the zoo, or a model folder.")] = None,
    averaging: Annotated[int, typer.Option(help="Symmetries to average over: 1, 2, 4 or 8.")] = 4,
    rescale: Annotated[
        bool, typer.Option("--rescale", help="Resample to the network's pixel size; the result stays there.")
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
    truth_is: Annotated[
        str, typer.Option(help="instances, inside (high = cell), membrane (high = membrane), or classes (values, or one mask).")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="File for the scores.")] = Path("scores.json"),
    voxel_nm: Voxel = None,
    channel: Channels = None,
    class_value: ClassValues = None,
    threshold: Annotated[float, typer.Option(help="For classes: a voxel belongs to a class above this.")] = 0.5,
) -> None:
    """V_rand and V_info after thinning, as in the ISBI-2012 challenge; for classes Jaccard, Dice and conformity of each.

    Example: `neurotome boundary score PRED m.tif --truth-is classes --channel class:mitochondria`
    """
    from neurotome.flows import score_boundary_file

    console = Console(highlight=False)
    for s in score_boundary_file(
        probability,
        truth,
        out,
        truth_is=truth_is,
        voxel_nm=voxel_nm,
        channels=tuple(channel) if channel else None,
        class_values=_values(class_value),
        threshold=threshold,
    ):
        console.print(f"  {s.metric:<24} {s.value:.4f}" + (f"  {s.convention}" if truth_is == "classes" else ""))


@app.command()
def submission(
    probability: Annotated[str, typer.Argument(metavar="PRED", help="Probability volume.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="TIFF to write.")],
    voxel_nm: Voxel = None,
    channel: Channels = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Write P(inside) as the ISBI-2012 challenge takes it: a TIFF of 32-bit numbers in [0, 1], one page per section.

    Example: `neurotome boundary submission out/boundary.ome.zarr -o submission.tif`
    """
    from neurotome.flows import write_submission

    console = Console(highlight=False)
    channels = tuple(channel) if channel else None
    with Bars(console) as bars:
        shape = write_submission(probability, out, voxel_nm=voxel_nm, channels=channels, overwrite=overwrite, progress=bars)
    console.print(
        f"{out}: {' x '.join(map(str, shape))}, P(inside) in 32 bits (the challenge has 30 x 512 x 512)", soft_wrap=True
    )


@app.command()
def onnx(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Network from the zoo, or a model folder.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write, NAME.onnx.")],
) -> None:
    """Write a network in the exchange format ONNX, for programs that do not have PyTorch.

    Example: `neurotome boundary onnx my-model -o my-model.onnx`
    """
    from neurotome.flows import write_onnx

    card = write_onnx(model, out)
    Console(highlight=False).print(f"Network '{card.name}' in {out}: input normalised by {card.normalization}, output logits")


def _recipe_or_files(
    recipe: Path | None,
    image: list[Path] | None,
    labels: list[Path] | None,
    labels_are: str | None,
    class_: list[str] | None,
    class_value: list[str] | None,
    channel: list[str] | None,
    validate: str | None,
    voxel_nm: tuple[float, float, float] | None,
    model: str | None,
    crop: int | None,
    *,
    name: str = "own-network",
) -> Path | FilePairs:
    """The recipe, or what takes its place; options that belong to the other one are refused, never dropped."""
    from neurotome.boundary import FilePairs

    options = {
        "--image": image,
        "--labels": labels,
        "--labels-are": labels_are,
        "--class": class_,
        "--class-value": class_value,
        "--channel": channel,
        "--validate": validate,
        "--voxel-nm": voxel_nm,
        "--model": model,
        "--crop": crop,
    }
    require_recipe_or_files(recipe, options)
    if recipe is not None:
        return recipe
    return FilePairs(
        images=tuple(image or ()),
        labels=tuple(labels or ()),
        labels_are=labels_are,
        classes=_masks(class_),
        class_values=_values(class_value),
        channels=tuple(channel or ()),
        voxel_nm=voxel_nm,
        model=model,
        crop=crop,
        name=name,
        **({} if validate is None else {"validate": validate}),
    )


def _masks(words: list[str] | None) -> dict[str, tuple[Path, ...]]:
    """NAME=FILE words, a name's files in the order given."""
    masks: dict[str, tuple[Path, ...]] = {}
    for name, path in _named("--class", words, "mitochondria=m.tif"):
        masks[name] = (*masks.get(name, ()), Path(path))
    return masks


def _values(words: list[str] | None) -> dict[str, int]:
    """NAME=VALUE words; each name and each value once."""
    values: dict[str, int] = {}
    for name, text in _named("--class-value", words, "membrane=1"):
        if not text.isdigit() or name in values:
            raise InputError(f"--class-value {name}={text}", "a whole number for each name, once", "for example membrane=1")
        values[name] = int(text)
    return values


def _named(option: str, words: list[str] | None, example: str) -> list[tuple[str, str]]:
    found = [word.partition("=") for word in words or []]
    for name, equals, value in found:
        if not (name and equals and value):
            raise InputError(f"{option} {name}{equals}{value}", "NAME=...", f"for example {option} {example}")
    return [(name, value) for name, _, value in found]
