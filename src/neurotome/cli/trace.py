"""`neurotome trace`: from a light-microscopy stack to SWC; `neurotome trace edit`: corrections, from a script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from neurotome.cli.progress import Bars
from neurotome.cli.reconstruct import ColourChannel, Overwrite, Voxel, parsed
from neurotome.cli.trace_edit import edit
from neurotome.cli.workers import BlockShape, Scheduler, Slurm, Workers, parsed_slurm

STACK = "stack"


class StackIfNothingElse(TyperGroup):
    """`trace FILE` is `trace stack FILE`: the common case needs no second word."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = [STACK, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=StackIfNothingElse, help="From a light-microscopy stack to SWC, and corrections.", rich_markup_mode="markdown"
)


@app.command(STACK)
def stack(
    image: Annotated[str, typer.Argument(help="Light-microscopy stack: TIFF, OME-Zarr, HDF5, NRRD, v3draw, v3dpbd.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the result.")],
    voxel_nm: Voxel = None,
    probability: Annotated[
        str | None, typer.Option(help="Trace this probability map, or mask, of the image instead of a network's.")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Trace the grey values as they are, without a network.")] = False,
    model: Annotated[str | None, typer.Option(help="Network from the zoo, or a model folder.")] = None,
    method: Annotated[
        str, typer.Option(help="scooping, fast_marching, back_tracking, spanning_tree, or consensus of them.")
    ] = "scooping",
    threshold: Annotated[
        float | None,
        typer.Option(
            help="What counts as neurite, 0 to 1 [default: the one on the network's card; of a map 0.5; with --raw its own]."
        ),
    ] = None,
    seed: Annotated[
        list[str] | None, typer.Option("--seed", metavar="Z,Y,X", help="Voxel on the neuron to trace; repeat for several.")
    ] = None,
    seeds: Annotated[
        str | None, typer.Option("--seeds", help="Such voxels in a file: CSV with columns z, y, x, JSON, or the roots of an SWC.")
    ] = None,
    truth: Annotated[str | None, typer.Option(help="SWC file to score against.")] = None,
    truth_unit: Annotated[
        str | None, typer.Option("--truth-unit", help="um, nm or voxel, where the SWC file does not say.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another setting, e.g. min_length_nm=5000, max_gap_nm=0; repeatable."),
    ] = None,
    channel: ColourChannel = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    slurm: Slurm = None,
    block: BlockShape = None,
    overwrite: Overwrite = False,
) -> None:
    """From a light-microscopy stack to trees with radii: probability, somata, trees, bridges, SWC, table, scores, report.

    Interrupted? The same command again goes on where it stopped. The trees are the same for any blocks and workers.
    Corrections: `neurotome trace edit --help`.

    Example: `neurotome trace my_stack.tif -o out --voxel-nm 300 300 300`
    """
    from neurotome.flows import TraceJob, Workforce
    from neurotome.flows import trace as run

    job = TraceJob(
        image=image,
        voxel_nm=voxel_nm,
        channel=channel,
        probability=probability,
        raw=raw,
        model=model,
        method=method,
        threshold=threshold,
        seed=tuple(seed or ()),
        seeds=seeds,
        truth=truth,
        truth_unit=truth_unit,
        options=parsed(set_),
    )
    console = Console(highlight=False)
    workforce = Workforce(workers, scheduler, parsed_slurm(slurm), block)
    with Bars(console) as bars:
        result = run(job, out, workforce=workforce, overwrite=overwrite, progress=bars)
    _tell(console, result, out)


app.command("edit")(edit)


def _tell(console: Console, result: dict[str, Any], out: Path) -> None:
    trees, length = result["trees"], result["length_um"]
    said = f"[bold]{trees}[/bold] {'tree' if trees == 1 else 'trees'}, {length:,.0f} µm, in {out / result['swc']}"
    console.print(said, soft_wrap=True)
    for note in result.get("notes", ()):
        console.print(f"  {note}", markup=False, soft_wrap=True)
    for name, value in result.get("scores", {}).items():
        console.print(f"  {name:<24} {value:.4f}")
    console.print(f"Look at it: open {out / 'report.html'}", soft_wrap=True)
