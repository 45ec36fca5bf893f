"""`neurotome neurons segment | tune | score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from neurotome.cli.files import score
from neurotome.cli.progress import Bars
from neurotome.cli.reconstruct import Channels, Overwrite, Settings, Voxel, parsed
from neurotome.cli.workers import BlockShape, Scheduler, Slurm, Workers, parsed_slurm

app = typer.Typer(
    help="Which voxels are one neuron? Segment probabilities, choose the threshold, judge the result.", no_args_is_help=True
)
app.command()(score)


@app.command()
def segment(
    probability: Annotated[str, typer.Argument(help="Probability volume: affinities, or cytoplasm + overlap, or membrane.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Run folder.")],
    method: Annotated[str, typer.Option(help="agglomerate, components or link.")] = "agglomerate",
    threshold: Annotated[float | None, typer.Option(help="Where to stop, 0 to 1 [default: the method's].")] = None,
    min_voxels: Annotated[
        int | None, typer.Option(help="Smaller segments are merged or removed [default: the method's].")
    ] = None,
    set_: Settings = None,
    voxel_nm: Voxel = None,
    channel: Channels = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    slurm: Slurm = None,
    block: BlockShape = None,
    overwrite: Overwrite = False,
) -> None:
    """From probabilities to labelled neurons and a table; the same for any blocks and workers."""
    from neurotome.flows import Workforce, segment_file

    console = Console(highlight=False)
    with Bars(console) as bars:
        count = segment_file(
            probability,
            out,
            voxel_nm=voxel_nm,
            channels=tuple(channel) if channel else None,
            method=method,
            threshold=threshold,
            min_voxels=min_voxels,
            options=parsed(set_),
            workforce=Workforce(workers, scheduler, parsed_slurm(slurm), block),
            overwrite=overwrite,
            progress=bars,
        )
    console.print(f"[bold]{count}[/bold] neurons in {out}")


@app.command()
def cut(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run by `agglomerate`.")],
    threshold: Annotated[float, typer.Option(help="Where to stop merging, 0 to 1.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Run folder for the new neurons.")],
    workers: Workers = 1,
    scheduler: Scheduler = None,
    slurm: Slurm = None,
    overwrite: Overwrite = False,
) -> None:
    """The neurons at another threshold, from fragments and region graph of a run: nothing is predicted or cut up again."""
    from neurotome.flows import Workforce, cut_run

    console = Console(highlight=False)
    with Bars(console) as bars:
        count = cut_run(
            run,
            out,
            threshold=threshold,
            workforce=Workforce(workers, scheduler, parsed_slurm(slurm)),
            overwrite=overwrite,
            progress=bars,
        )
    console.print(f"[bold]{count}[/bold] neurons in {out}")


@app.command()
def tune(
    probability: Annotated[str, typer.Argument(help="Probabilities of a VALIDATION volume (never the test volume).")],
    truth: Annotated[str, typer.Argument(help="Its label volume.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Table of thresholds.")] = Path("threshold_curve.csv"),
    by: Annotated[str, typer.Option(help="are (adapted Rand error), voi, or merge_errors (needs --at-most).")] = "are",
    at_most: Annotated[int | None, typer.Option(help="Largest number of merge errors, with --by merge_errors.")] = None,
    model: Annotated[str | None, typer.Option(help="Network whose card gives the other settings.")] = None,
    set_: Settings = None,
    components: Annotated[bool, typer.Option("--components", help="Cut truth objects into their connected parts first.")] = False,
    voxel_nm: Voxel = None,
    channel: Channels = None,
) -> None:
    """Sweep the agglomeration threshold on validation data and say which is best."""
    from neurotome.flows import tune_file

    console = Console(highlight=False)
    with Bars(console) as bars:
        rows, best = tune_file(
            probability,
            truth,
            out,
            voxel_nm=voxel_nm,
            channels=tuple(channel) if channel else None,
            by=by,
            at_most=at_most,
            model=model,
            options=parsed(set_),
            truth_parts="components" if components else "as given",
            progress=bars,
        )
    table = Table(*rows[0].keys(), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row.values()))
    console.print(table)
    console.print(f"best: --threshold {best:g}   (written: {out})")
