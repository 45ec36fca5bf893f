"""`neurotome data list | fetch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from neurotome.cli.progress import Bars

app = typer.Typer(help="Public data sets, and synthetic tissue with known truth.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """The data sets neurotome knows, and whether they are here."""
    from neurotome import datasets

    table = Table("name", "shape", "voxel nm (z, y, x)", "here", "licence", "what", box=None, pad_edge=False)
    for name in datasets.known():
        facts = datasets.facts(name)
        here = "yes" if datasets.local(name) else "no"
        shape, voxel = " x ".join(map(str, facts.shape)), ", ".join(f"{v:g}" for v in facts.voxel_nm)
        table.add_row(name, shape, voxel, here, facts.licence, facts.summary)
    table.add_row("phantom", "any", "any", "yes", "MIT", "synthetic EM with exact truth: `neurotome data phantom`")
    Console(highlight=False).print(table)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="Name from `neurotome data list`.")],
    folder: Annotated[Path | None, typer.Option("-o", "--out", help="Where to put it [default: the data folder].")] = None,
) -> None:
    """Download a data set from its official address and check it."""
    from neurotome import datasets

    console = Console(highlight=False)
    with Bars(console) as bars:
        received = datasets.fetch(name, folder, progress=bars)
    for key, value in vars(received).items():
        console.print(f"[bold]{key}[/bold] {value}")


@app.command()
def phantom(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for image.ome.tif, truth.ome.tif, organelles.ome.tif.")],
    shape: Annotated[tuple[int, int, int], typer.Option(metavar="Z Y X", help="Sections, height, width.")] = (64, 512, 512),
    voxel_nm: Annotated[tuple[float, float, float], typer.Option("--voxel-nm", metavar="Z Y X")] = (30.0, 6.0, 6.0),
    seed: Annotated[int, typer.Option(help="Another seed is another tissue.")] = 0,
    misaligned: Annotated[int, typer.Option(help="Sections that are shifted.")] = 0,
    missing: Annotated[int, typer.Option(help="Sections that are black.")] = 0,
    blurred: Annotated[int, typer.Option(help="Sections out of focus.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Make synthetic EM with its exact truth."""
    from neurotome.datasets.phantom import PhantomSpec
    from neurotome.flows import write_phantom

    spec = PhantomSpec(shape=shape, voxel_nm=voxel_nm, seed=seed, misaligned=misaligned, missing=missing, blurred=blurred)
    console = Console(highlight=False)
    with Bars(console) as bars:
        for path in write_phantom(spec, out, overwrite=overwrite, progress=bars):
            console.print(str(path))
