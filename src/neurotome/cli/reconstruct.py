"""`neurotome reconstruct` and `neurotome demo`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from neurotome.cli.progress import Bars
from neurotome.cli.workers import BlockShape, Scheduler, Slurm, Workers, parsed_slurm
from neurotome.core import InputError

if TYPE_CHECKING:
    from neurotome.blocks import Plan

Voxel = Annotated[
    tuple[float, float, float] | None,
    typer.Option("--voxel-nm", help="Voxel size z y x in nm, where the file does not say.", metavar="Z Y X"),
]
ColourChannel = Annotated[
    str | None, typer.Option("--channel", help="Channel of a colour image: red, green or blue, or its number.")
]
Channels = Annotated[
    list[str] | None,
    typer.Option("--channel", help="Names of the channels, in order, where the file gives none; repeat for several."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Another setting of the method, e.g. fill_holes=500, grow=2; repeatable."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Delete what the output folder holds and start anew.")]


def reconstruct(
    image: Annotated[str, typer.Argument(help="EM stack: TIFF, folder of sections, file.h5:/dataset, OME-Zarr, precomputed.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the result.")],
    voxel_nm: Voxel = None,
    truth: Annotated[str | None, typer.Option(help="Label volume to score against.")] = None,
    truth_voxel_nm: Annotated[
        tuple[float, float, float] | None,
        typer.Option("--truth-voxel-nm", help="Voxel size of the truth, where its file does not say and it is not the image's."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Network from the zoo, or a model folder.")] = None,
    method: Annotated[str, typer.Option(help="agglomerate, components or link.")] = "agglomerate",
    threshold: Annotated[
        float | None,
        typer.Option(help="Where to stop merging, 0 to 1 [default: the one on the network's card, chosen on validation data]."),
    ] = None,
    averaging: Annotated[int, typer.Option(help="Symmetries to average over: 1, 2, 4 or 8. More is better and slower.")] = 4,
    min_voxels: Annotated[
        int | None,
        typer.Option(help="Smaller segments are merged or removed [default: the one on the network's card]."),
    ] = None,
    set_: Settings = None,
    rescale: Annotated[bool, typer.Option("--rescale", help="Resample to the network's pixel size and back.")] = False,
    channel: ColourChannel = None,
    skeletons: Annotated[bool, typer.Option("--skeletons/--no-skeletons", help="Write the middle line of every neuron.")] = True,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    slurm: Slurm = None,
    block: BlockShape = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what it would take, and do nothing.")] = False,
    overwrite: Overwrite = False,
) -> None:
    """From an EM stack to labelled neurons: probability, neurons, table, skeletons, scores, report, view.

    Interrupted? The same command again goes on where it stopped. The result is the same for any blocks and workers.

    Example: `neurotome reconstruct my_stack.tif -o out --voxel-nm 30 6 6`
    """
    from neurotome.flows import ReconstructSettings, Workforce, planned
    from neurotome.flows import reconstruct as run

    settings = ReconstructSettings(
        image=image,
        voxel_nm=voxel_nm,
        truth=truth,
        truth_voxel_nm=truth_voxel_nm,
        model=model,
        method=method,
        threshold=threshold,
        averaging=averaging,
        min_voxels=min_voxels,
        rescale=rescale,
        channel=channel,
        skeletons=skeletons,
        options=parsed(set_),
    )
    workforce = Workforce(workers, scheduler, parsed_slurm(slurm), block)
    console = Console(highlight=False)
    if plan:
        console.print(planned(settings, out, workforce).text(), soft_wrap=True)
        return
    with Bars(console) as bars:
        result = run(
            settings, out, workforce=workforce, overwrite=overwrite, progress=bars, announce=lambda p: _announce(console, p)
        )
    _tell(console, result, out)


def demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the result.")] = Path("out-demo"),
    size: Annotated[tuple[int, int, int], typer.Option(help="Sections, height and width of the phantom.", metavar="Z Y X")] = (
        24,
        256,
        256,
    ),
    seed: Annotated[int, typer.Option(help="Another seed is another tissue.")] = 0,
    overwrite: Overwrite = False,
) -> None:
    """The main job on synthetic tissue that comes with the package: no data needed, a minute or two, truth known exactly."""
    from neurotome.flows import demo as run

    console = Console(highlight=False)
    with Bars(console) as bars:
        result = run(out, shape=size, seed=seed, overwrite=overwrite, progress=bars)
    _tell(console, result, out)


def parsed(settings: list[str] | None) -> dict[str, object]:
    """NAME=VALUE words as a mapping, values read as YAML."""
    import yaml

    options = {}
    for word in settings or []:
        name, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"--set {word}", "NAME=VALUE", "for example --set grow=2")
        options[name] = yaml.safe_load(value)
    return options


def _announce(console: Console, plan: Plan) -> None:
    """One line before a run that is cut into blocks."""
    blocks = max(step.blocks for step in plan.steps)
    if blocks > 1:
        _, _, _, memory, disk, time = plan.rows()[-1]
        console.print(
            f"{blocks} blocks, {plan.workers} workers of up to {memory}, {disk} on disk, about {time} (h:min; more with --plan)",
            soft_wrap=True,
        )


def _tell(console: Console, result: dict[str, object], out: Path) -> None:
    console.print(f"[bold]{result['neurons']}[/bold] neurons in {out}")
    if "scores" in result:
        for name, value in result["scores"].items():  # type: ignore[attr-defined]
            console.print(f"  {name:<24} {value:.4f}")
    console.print(f"Look at it: open {out / 'report.html'}, or run: neurotome view {out}", soft_wrap=True)
