"""`neurotome morphology`: what shape has this neuron, which others are like it, and does the shape tell its type?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from neurotome.cli.progress import Bars
from neurotome.cli.reconstruct import Overwrite, Voxel, parsed

app = typer.Typer(
    help="What shape has this neuron? Embed neurons, group them, find the like, test their types, rebuild them.",
    no_args_is_help=True,
)

Shapes = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES...",
        help="SWC files; point clouds (.npz, .npy, .ply, .csv); meshes (.obj, .ply, .stl); label volumes; folders or .zip of "
        "such files; the folder of a `reconstruct` or `trace` run.",
    ),
]
Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for the result; an interrupted run goes on there.")]
Folder = Annotated[Path, typer.Argument(metavar="OUT", help="Folder that `morphology embed` has written.")]
Unit = Annotated[str | None, typer.Option(help="Of coordinates in files that do not state theirs: um, nm or voxel.")]
LabelTable = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        help="CSV with a column name (or neuron_id) and columns to colour and classify by [default: labels.csv beside them].",
    ),
]
SomaTable = Annotated[Path | None, typer.Option("--somata", help="CSV neuron_id, soma_z, soma_y, soma_x, in nm.")]
GridSetting = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="How a shape is put on the grid, e.g. centring=mean; repeatable."),
]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave out neurons that cannot be used, and list them.")]
Model = Annotated[str | None, typer.Option(help="Encoder from the zoo, or a model folder [default: neuron-shape-64].")]
By = Annotated[str, typer.Option(help="Column of labels.")]


@app.command()
def embed(
    shapes: Shapes,
    out: Out,
    labels: LabelTable = None,
    unit: Unit = None,
    voxel_nm: Voxel = None,
    somata: SomaTable = None,
    model: Model = None,
    train: Annotated[bool, typer.Option("--train", help="Train an encoder on these neurons first, in OUT/model.")] = False,
    minutes: Annotated[float, typer.Option(help="How long to train, with --train.")] = 60.0,
    pooling: Annotated[
        str | None, typer.Option(help="How a network's answer becomes one vector; a wrong name lists all.")
    ] = None,
    clusters: Annotated[int | None, typer.Option(help="How many groups [default: as many as the data show].")] = None,
    split: Annotated[Path | None, typer.Option(help="CSV neuron_id, split (train, val, test).")] = None,
    colour: Annotated[list[str] | None, typer.Option("--color", help="Column to colour the maps by; repeat for several.")] = None,
    set_: GridSetting = None,
    skip_bad: SkipBad = False,
    overwrite: Overwrite = False,
) -> None:
    """Neurons -> one vector each, maps, groups, nearest neighbours, outliers, a test of the types, a page.

    Example: `neurotome morphology embed neurons/*.swc -o out`
    """
    from neurotome.flows.shapes import EmbedJob, embed_shapes

    job = EmbedJob(
        shapes=tuple(shapes),
        labels=labels,
        unit=unit,
        voxel_nm=voxel_nm,
        somata=somata,
        model=model,
        train_minutes=minutes if train else None,
        pooling=pooling,
        clusters=clusters,
        split=split,
        options=parsed(set_),
        skip_bad=skip_bad,
    )
    console = Console(highlight=False)
    with Bars(console) as bars:
        facts = embed_shapes(job, out, colour=tuple(colour or ()), overwrite=overwrite, progress=bars)
    _tell(console, facts)
    console.print(f"Look at it: open {out / 'report.html'}", markup=False, soft_wrap=True)


@app.command()
def report(
    out: Folder,
    colour: Annotated[list[str] | None, typer.Option("--color", help="Column to colour the maps by; repeat for several.")] = None,
    labels: Annotated[Path | None, typer.Option("--labels", help="CSV of labels to add, or to take instead.")] = None,
) -> None:
    """The page anew: coloured by other columns, or with a table of labels that was not there before.

    Example: `neurotome morphology report out --color cell_type`
    """
    from neurotome.flows.shapes import report_shapes

    console = Console(highlight=False)
    with Bars(console) as bars:
        page, notes = report_shapes(out, colour=tuple(colour or ()), labels=labels, progress=bars)
    for note in notes:
        console.print(note, markup=False, soft_wrap=True)
    console.print(f"Look at it: open {page}", markup=False, soft_wrap=True)


@app.command()
def train(
    out: Annotated[Path, typer.Option("-o", "--out", help="Model folder; an interrupted training goes on there.")],
    shapes: Annotated[list[str], typer.Argument(metavar="FILES...", help="Neurons, as for `morphology embed`.")],
    network: Annotated[str, typer.Option(help="cubes (ours), dense or nlat (the autoencoders of VoxelMorph).")] = "cubes",
    grid: Annotated[int, typer.Option(help="Voxels along a side: 64 or 128; another multiple of 8 with cubes.")] = 64,
    minutes: Annotated[float, typer.Option(help="How long to train; 0 for no limit.")] = 60.0,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps [default: of the network's recipe].")] = None,
    batch: Annotated[
        int | None, typer.Option(help="Neurons in a step [default: of the recipe, 50 for dense]; fewer take less memory.")
    ] = None,
    parity: Annotated[bool, typer.Option("--parity", help="As the reference does it: its voxel rule, no variation.")] = False,
    unit: Unit = None,
    split: Annotated[Path | None, typer.Option(help="CSV neuron_id, split; only train is trained on, val chooses.")] = None,
    set_: GridSetting = None,
    device: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = "auto",
    logger: Annotated[list[str], typer.Option(help="csv, tensorboard, wandb (offline); repeat for several.")] = ("csv",),  # type: ignore[assignment]
) -> None:
    """Train an encoder of shapes on your own neurons; leaves weights, a card and the learning curve.

    Example: `neurotome morphology train neurons/*.swc -o my-encoder`, then `embed --model my-encoder`
    """
    from neurotome.flows.shapes import train_encoder

    console = Console(highlight=False)
    options = {"steps": steps, "batch": batch, "minutes": minutes, "device": device, "loggers": tuple(logger)}
    with Bars(console) as bars:
        card = train_encoder(
            shapes,
            out,
            network=network,
            grid=grid,
            parity=parity,
            unit=unit,
            split=split,
            options=parsed(set_),
            fit=options,
            progress=bars,
        )
    for score in card.scores:
        console.print(f"  {score['metric']:<24} {score['value']:.4f}", markup=False)
    console.print(f"Encoder '{card.name}' in {out}: use it with --model {out}", markup=False, soft_wrap=True)


@app.command()
def rebuild(
    shapes: Shapes,
    out: Out,
    model: Model = None,
    threshold: Annotated[float | None, typer.Option(help="What counts as occupied [default: on the encoder's card].")] = None,
    unit: Unit = None,
    meshes: Annotated[bool, typer.Option("--meshes/--no-meshes", help="Write surfaces as .obj.")] = True,
    skip_bad: SkipBad = False,
    overwrite: Overwrite = False,
) -> None:
    """What the encoder remembers of each neuron: decoded back to SWC and mesh, in place and in nanometres, with scores.

    Example: `neurotome morphology rebuild neurons/*.swc -o rebuilt`
    """
    from neurotome.flows.shapes import rebuild_shapes

    console = Console(highlight=False)
    with Bars(console) as bars:
        facts = rebuild_shapes(
            shapes,
            out,
            model=model,
            threshold=threshold,
            unit=unit,
            meshes=meshes,
            skip_bad=skip_bad,
            overwrite=overwrite,
            progress=bars,
        )
    for note in facts.get("notes", ()):
        console.print(f"  {note}", markup=False, soft_wrap=True)
    said = f"{facts['neurons']} neurons in {out}: F1 {facts['f1']:.3f}, IoU {facts['iou']:.3f} (medians)"
    console.print(said, markup=False, soft_wrap=True)


@app.command()
def classify(
    out: Folder,
    by: By,
    features: Annotated[str, typer.Option(help="embedding, morphometrics, persistence, sholl, density, or all.")] = "embedding",
    folds: Annotated[int, typer.Option(help="Outer and inner folds.")] = 10,
    group: Annotated[str | None, typer.Option(help="Column, such as the animal: its neurons are never on both sides.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A few settings of each classifier instead of all.")] = False,
    small: Annotated[str, typer.Option(help="Types with fewer members than folds: refuse, drop or merge.")] = "drop",
) -> None:
    """Does the shape tell the type? Support vectors, random forest and logistic regression, nested cross-validation.

    Example: `neurotome morphology classify out --by cell_type --quick`
    """
    from neurotome.flows.shapes import classify_shapes

    console = Console(highlight=False)
    with Bars(console) as bars:
        facts = classify_shapes(out, by, features=features, folds=folds, group=group, quick=quick, small=small, progress=bars)
    console.print(
        f"{facts['measure']} {facts['value']:.3f} ± {facts['sd']:.3f} over {facts['folds']} folds; chance {facts['chance']:.3f}; "
        f"{facts['n']} neurons, {facts['classes']} types"
    )
    console.print(f"written: {facts['folder']}", markup=False, soft_wrap=True)


@app.command()
def search(
    out: Folder,
    neuron: Annotated[str, typer.Argument(help="Id of a neuron in OUT, or a file.")],
    top: Annotated[int, typer.Option(help="How many.")] = 10,
    unit: Unit = None,
) -> None:
    """The neurons that are most like this one.

    Example: `neurotome morphology search out 207375`
    """
    from neurotome.flows.shapes import search_shapes

    rows = search_shapes(out, neuron, top=top, unit=unit)
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False)
    for column in rows[0]:
        table.add_column(column)
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    console.print(table)


def _tell(console: Console, facts: dict[str, Any]) -> None:
    console.print(f"{facts['neurons']} neurons, {facts['clusters']}", markup=False, soft_wrap=True)
    for note in facts.get("notes", ()):
        console.print(f"  {note}", markup=False, soft_wrap=True)
    for line in facts.get("headline", ()):
        console.print(f"  {line}", markup=False, soft_wrap=True)


def _cell(value: Any) -> str:
    if value is None or value != value:  # a neuron without this label
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)
