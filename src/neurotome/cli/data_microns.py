"""`neurotome data microns`: neurons of the MICrONS volume as SWC files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from neurotome.cli.progress import Bars


def microns(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for SWC files and labels.csv.")],
    id_: Annotated[list[str] | None, typer.Option("--id", help="Segment id; repeat for several.")] = None,
    type_: Annotated[list[str] | None, typer.Option("--type", help="Cell type, such as 23P; repeat for several.")] = None,
    most: Annotated[int | None, typer.Option(help="At most so many.")] = None,
    table: Annotated[str | None, typer.Option(help="Table of cell types at the service.")] = None,
    version: Annotated[int | None, typer.Option(help="Version of the tables; say which, to repeat your work.")] = None,
    url: Annotated[
        str | None, typer.Option(help="Precomputed volume with skeletons, a folder or in the cloud, instead of the services.")
    ] = None,
) -> None:
    """Neurons of MICrONS (mouse visual cortex) as SWC files with their cell types; needs `pip install neurotome[microns]`.

    The same command again goes on where it stopped. Example: `neurotome data microns --type 23P --most 100 -o neurons`
    """
    from neurotome.flows.microns import fetch_microns

    console = Console(highlight=False)
    with Bars(console) as bars:
        found = fetch_microns(
            out,
            ids=tuple(id_ or ()),
            cell_types=tuple(type_ or ()),
            most=most,
            table=table,
            version=version,
            url=url,
            progress=bars,
        )
    console.print(f"{len(found.files)} neurons in {out}; {len(found.missing)} are not there (now)")
    console.print(f"Next: neurotome morphology embed {out} -o shapes")
