"""`neurotome info | convert | export | score | view`: commands about files and finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from neurotome.cli.progress import Bars
from neurotome.cli.reconstruct import ColourChannel, Voxel
from neurotome.cli.workers import Scheduler, Slurm, Workers, parsed_slurm
from neurotome.core import InputError, Scores, UnknownNameError

KINDS = ("image", "labels", "probability")


def info(path: Annotated[str, typer.Argument(help="Any file or folder neurotome can read.")]) -> None:
    """What a file holds: format, shape, type, voxel size, channels, chunks."""
    from neurotome.io import describe

    description = describe(path)
    table = Table(show_header=False, box=None, pad_edge=False)
    for key, value in vars(description).items():
        if value not in (None, (), ""):
            table.add_row(f"[bold]{key}", _readable(value))
    Console(highlight=False).print(table)


def convert(
    source: Annotated[str, typer.Argument(metavar="IN", help="File or folder to read; it is never changed.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="What to write; the suffix decides the format, or --sections.")],
    kind: Annotated[str | None, typer.Option("--as", help="image, labels or probability [default: what the file says].")] = None,
    voxel_nm: Voxel = None,
    channel: ColourChannel = None,
    sections: Annotated[
        str | None, typer.Option("--sections", help="png or tif: make OUT a folder with one such file per section.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it exists.")] = False,
) -> None:
    """Convert between TIFF, section folders, HDF5, OME-Zarr and Neuroglancer precomputed; units are kept.

    Example: `neurotome convert stack.tif stack.ome.zarr --voxel-nm 30 6 6`
    """
    from neurotome.io import open_volume, save, save_sections

    if kind is not None and kind not in KINDS:
        raise UnknownNameError("kind of volume", kind, KINDS)
    console = Console(highlight=False)
    volume = open_volume(source, kind=kind, voxel_nm=voxel_nm, channel=channel)
    with Bars(console) as bars:
        if sections is None:
            save(volume, target, overwrite=overwrite, progress=bars)
        else:
            save_sections(volume, target, sections, overwrite=overwrite, progress=bars)
    what = type(volume).__name__.lower()
    console.print(f"{target}: {what}, {_readable(volume.grid.shape)} voxels of {_readable(volume.grid.voxel_nm)} nm")


def export(
    source: Annotated[str, typer.Argument(metavar="RUN_OR_VOLUME", help="Folder of a run, or any volume.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write, by custom FOLDER.precomputed.")],
    meshes: Annotated[bool, typer.Option("--meshes/--no-meshes", help="Write the surface of every object.")] = True,
    mesh_level: Annotated[
        int | None,
        typer.Option(help="Scale to make surfaces of, 0 is the finest [default: the coarsest with voxels up to 40 nm]."),
    ] = None,
    voxel_nm: Voxel = None,
    channel: ColourChannel = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    slurm: Slurm = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Throw away what is in the folder.")] = False,
) -> None:
    """Write image, labels and surfaces as sharded Neuroglancer precomputed, for any web server or bucket.

    The same command again goes on where it stopped. Example: `neurotome export out -o out.precomputed`
    """
    from neurotome.flows import Workforce
    from neurotome.flows import export as write

    console = Console(highlight=False)
    with Bars(console) as bars:
        folders = write(
            source,
            out,
            voxel_nm=voxel_nm,
            channel=channel,
            meshes=meshes,
            mesh_level=mesh_level,
            overwrite=overwrite,
            workforce=Workforce(workers, scheduler, parsed_slurm(slurm)),
            progress=bars,
        )
    for folder in folders:
        console.print(f"written: {folder} (in neuroglancer: precomputed://ADDRESS/{folder.name})")


def score(
    prediction: Annotated[str, typer.Argument(metavar="PRED", help="Label volume, or SWC file of trees, to judge.")],
    truth: Annotated[str, typer.Argument(metavar="TRUTH", help="Label volume, or SWC file, to believe.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="scores.json; errors.csv and objects.csv go beside it.")] = Path(
        "scores.json"
    ),
    convention: Annotated[list[str], typer.Option(help="isbi, snemi, cremi, skimage or singletons; repeat for several.")] = (
        "isbi",
    ),  # type: ignore[assignment]
    support: Annotated[str, typer.Option(help="full or snemi_crop.")] = "full",
    components: Annotated[bool, typer.Option("--components", help="Cut truth objects into their connected parts first.")] = False,
    border_nm: Annotated[float | None, typer.Option(help="Ignore truth within this distance of a border (CREMI).")] = None,
    voxel_nm: Voxel = None,
    force: Annotated[
        bool, typer.Option("--force", help="Allow --support snemi_crop on another shape than the challenge's.")
    ] = False,
    unit: Annotated[str | None, typer.Option(help="Of SWC files that do not state theirs: um, nm or voxel.")] = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    slurm: Slurm = None,
) -> None:
    """Score a segmentation: adapted Rand error, VOI, splits and merges, and where the worst errors are.

    Two SWC files: precision, recall, F1, ESA, DSA, PDS, branch points, DIADEM-like and run length, in voxels and um, and which
    branches are missing or too many.
    """
    from neurotome.flows import Workforce, score_files
    from neurotome.flows.score_trees import are_trees, score_trees

    console = Console(highlight=False)
    for_volumes = {
        "--convention": tuple(convention) != ("isbi",),
        "--support": support != "full",
        "--components": components,
        "--border-nm": border_nm is not None,
        "--force": force,
    }
    if are_trees(prediction, truth):
        _refuse([name for name, given in for_volumes.items() if given], "label volumes")
        _show_scores(console, score_trees(prediction, truth, out, unit=unit, voxel_nm=voxel_nm), out)
        return
    _refuse(["--unit"] if unit is not None else [], "SWC files")
    with Bars(console) as bars:
        scores = score_files(
            prediction,
            truth,
            out,
            voxel_nm=voxel_nm,
            conventions=tuple(convention),
            support=support,
            truth_parts="components" if components else "as given",
            border_nm=border_nm,
            force=force,
            workforce=Workforce(workers, scheduler, parsed_slurm(slurm)),
            progress=bars,
        )
    _show_scores(console, scores, out)


def _refuse(options: list[str], belongs_to: str) -> None:
    """An option that would do nothing is a mistake to point out."""
    if options:
        raise InputError(f"{', '.join(options)} was given", f"it for {belongs_to} only", "leave it out")


def _show_scores(console: Console, scores: Scores, out: Path) -> None:
    table = Table("metric", "value", "unit", "better", "convention", box=None, pad_edge=False)
    for s in scores:
        table.add_row(s.metric, f"{s.value:.4f}" if isinstance(s.value, float) else str(s.value), s.unit, s.better, s.convention)
    console.print(table)
    console.print(f"written: {out}, {out.with_name('errors.csv')}, {out.with_name('objects.csv')}")


def view(
    run: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of a run.")],
    port: Annotated[int, typer.Option(help="Port to serve on; 0 takes a free one.")] = 0,
    at: Annotated[tuple[int, int, int] | None, typer.Option(metavar="Z Y X", help="Voxel to look at first.")] = None,
) -> None:
    """Open the result of a run in neuroglancer: image, probability, neurons, truth and errors. Stop with Ctrl-C."""
    from neurotome.view import open_view

    running = open_view(run, port=port, at=at, block=False)
    Console(highlight=False).print(f"{running.url}\nStop with Ctrl-C.")
    running.wait()


def _readable(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_readable(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
