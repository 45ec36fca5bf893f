"""`neurotome data list | fetch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from neurotome.cli.data_microns import microns
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
    table.add_row(
        "phantom",
        "any",
        "any",
        "yes",
        "MIT",
        "synthetic EM, light microscopy of a neuron, or trees of neurons, with exact truth: `neurotome data phantom`",
    )
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
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the image and its truth.")],
    kind: Annotated[
        str, typer.Option(help="em (tissue), fluorescence (a neuron in a light microscope), neurons (trees).")
    ] = "em",
    shape: Annotated[
        tuple[int, int, int] | None,
        typer.Option(metavar="Z Y X", help="Sections, height, width [default: 64 512 512, fluorescence 64 192 192]."),
    ] = None,
    voxel_nm: Annotated[
        tuple[float, float, float] | None,
        typer.Option("--voxel-nm", metavar="Z Y X", help="[default: 30 6 6, fluorescence 1000 500 500]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is other tissue, or another neuron.")] = 0,
    misaligned: Annotated[int | None, typer.Option(help="em: sections that are shifted.")] = None,
    missing: Annotated[int | None, typer.Option(help="em: sections that are black.")] = None,
    blurred: Annotated[int | None, typer.Option(help="em: sections out of focus.")] = None,
    snr: Annotated[float | None, typer.Option(help="fluorescence: signal over noise, 2 (poor) to 10 (good).")] = None,
    gaps: Annotated[int | None, typer.Option(help="fluorescence: stretches without label.")] = None,
    neighbours: Annotated[int | None, typer.Option(help="fluorescence: other neurons that cross.")] = None,
    swc: Annotated[Path | None, typer.Option(help="fluorescence: a real neuron, in um, instead of a grown one.")] = None,
    each: Annotated[int | None, typer.Option(help="neurons: how many of each of twelve kinds [default: 5].")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Make synthetic EM, light microscopy, or neurons, with their exact truth.

    em: image, truth and organelles (OME-TIFF), synapses.csv. fluorescence: image and mask (OME-TIFF), truth.swc, neighbours.swc,
    radii.csv. neurons: an SWC file each, and labels.csv with their kinds, for `neurotome morphology embed`.
    """
    from neurotome.flows import phantom_spec, write_phantom

    asked: dict[str, object] = {
        "shape": shape,
        "voxel_nm": voxel_nm,
        "misaligned": misaligned,
        "missing": missing,
        "blurred": blurred,
    }
    asked |= {"snr": snr, "gaps": gaps, "neighbours": neighbours, "source": swc, "each": each}
    spec = phantom_spec(kind, seed=seed, **{key: value for key, value in asked.items() if value is not None})
    console = Console(highlight=False)
    with Bars(console) as bars:
        for path in write_phantom(spec, out, overwrite=overwrite, progress=bars):
            console.print(str(path), markup=False, soft_wrap=True)


app.command()(microns)
