"""`neurotome tracing select`: which images to label and train on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from neurotome.cli.progress import Bars
from neurotome.cli.reconstruct import Overwrite, Voxel

__all__ = ["select"]

SHOWN = 20


def select(
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="Folder of stacks, of any format.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for table, names and picture.")],
    labels: Annotated[
        Path | None, typer.Option(help="Folder of their labels (> 0 is neurite), same file names: the DHPR rule.")
    ] = None,
    probability: Annotated[
        Path | None, typer.Option(help="Without labels: folder of probability maps of a network; what it is unsure of counts.")
    ] = None,
    count: Annotated[int, typer.Option(help="How many to choose at most.")] = 300,
    voxel_nm: Voxel = None,
    seed: Annotated[int, typer.Option(help="Of the background voxels that the DHPR rule looks at.")] = 0,
    overwrite: Overwrite = False,
) -> None:
    """Choose the images that a network learns most from: rich in neurites, noisy, faint; without labels also unlike each other.

    Writes selection.csv (density d, noise n, hardness h, score r of every image), selected.txt and selection.png.

    Example: `neurotome tracing select stacks -o chosen --count 20`
    """
    from neurotome.flows.select_images import select_images

    console = Console(highlight=False)
    with Bars(console) as bars:
        table = select_images(
            images,
            out,
            labels=labels,
            probability=probability,
            count=count,
            voxel_nm=voxel_nm,
            seed=seed,
            overwrite=overwrite,
            progress=bars,
        )
    chosen = table[table["selected"]]
    shown = Table("name", "d", "n", "h", "r", box=None, pad_edge=False)
    for row in chosen.head(SHOWN).itertuples(index=False):
        shown.add_row(str(row.name), *(f"{value:.3f}" for value in (row.d, row.n, row.h, row.r)))
    console.print(shown)
    if len(chosen) > SHOWN:
        console.print(f"and {len(chosen) - SHOWN} more")
    for row in table[table["note"] != ""].itertuples(index=False):
        console.print(f"[yellow]left out[/yellow] {row.name}: {row.note}", soft_wrap=True)
    console.print(f"[bold]{len(chosen)}[/bold] of {len(table)} images chosen: {out}/selection.csv, selected.txt, selection.png")
