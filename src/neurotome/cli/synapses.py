"""`neurotome synapses`: what kinds of synapse are there, and is a kind more than the volume that it comes from?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from neurotome.cli.progress import Bars
from neurotome.cli.reconstruct import Overwrite, parsed

app = typer.Typer(
    help="What kinds of synapse are there? Crops, measures, learned features, clusters with evidence, attention, reports.",
    no_args_is_help=True,
)

Study = Annotated[
    Path, typer.Argument(metavar="STUDY.yaml", help="Volumes, legend, sites, and what to do (recipes/synapses.yaml).")
]
Out = Annotated[Path, typer.Option("-o", "--out", help="Run folder; an interrupted run goes on there.")]
Run = Annotated[Path, typer.Argument(metavar="OUT", help="Folder that `synapses run` has written.")]
Workers = Annotated[int, typer.Option(help="Processes that cut crops and measure them.")]
Setting = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the study, e.g. clusters.k=6; repeatable.")
]


@app.command()
def run(
    study: Study,
    out: Out,
    only: Annotated[str, typer.Option(metavar="STEP,STEP", help="Only these steps.")] = "",
    skip: Annotated[str, typer.Option(metavar="STEP,STEP", help="All but these steps.")] = "",
    workers: Workers = 1,
    set_: Setting = None,
    overwrite: Overwrite = False,
) -> None:
    """EM, masks and a table of sites -> crops, features, clusters, attention, tests and reports, in one folder.

    Steps: sites, crops, features, clusters, presynapses, sizes, labels, attention, views, report.

    Example: `neurotome synapses run study.yaml -o out`
    """
    from neurotome.flows.synapses import StudyJob, run_study

    job = StudyJob(_names(only), _names(skip), workers)
    console = Console(highlight=False)
    with Bars(console) as bars:
        facts = run_study(study, out, job, changes=parsed(set_), overwrite=overwrite, progress=bars)
    _tell(console, facts, out)


@app.command()
def demo(
    out: Out,
    per_type: Annotated[int, typer.Option(help="Synapses of each of the six planted types, in all volumes together.")] = 24,
    types: Annotated[
        int, typer.Option(help="6, or 1 for synapses without kinds: the answer should then be that there are none.")
    ] = 6,
    seed: Annotated[int, typer.Option(help="Of the synthetic tissue.")] = 0,
    workers: Workers = 2,
    overwrite: Overwrite = False,
) -> None:
    """Synthetic EM with synapses of six planted kinds in three volumes -> everything that `run` gives, and how right it is.

    Example: `neurotome synapses demo -o synapses`
    """
    from neurotome.flows.synapses import demo_study

    console = Console(highlight=False)
    with Bars(console) as bars:
        facts = demo_study(out, per_type=per_type, types=types, seed=seed, workers=workers, overwrite=overwrite, progress=bars)
    _tell(console, facts, out)
    if "adjusted_rand" in facts:
        console.print(f"adjusted Rand index with what was planted: {facts['adjusted_rand']:.3f}", markup=False)


@app.command()
def contrast(
    study: Study,
    out: Annotated[Path, typer.Option("-o", "--out", help="Model folder; an interrupted training goes on there.")],
    crops: Annotated[Path | None, typer.Option(help="Run folder whose crops are taken, instead of cutting them anew.")] = None,
    minutes: Annotated[float, typer.Option(help="How long to train; 0 for no limit.")] = 30.0,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps.")] = None,
    mask: Annotated[str | None, typer.Option(help="What the network sees: a preset or an expression.")] = None,
    side: Annotated[int, typer.Option(help="Voxels along the cube that it sees; a multiple of 16.")] = 32,
    workers: Workers = 1,
) -> None:
    """Train an encoder on the synapses of a study, without labels; whole volumes are held back to judge it.

    Example: `neurotome synapses contrast study.yaml -o my-trunk`, then features.model: my-trunk in the study
    """
    from neurotome.flows.synapses import train_contrast

    console = Console(highlight=False)
    told = {"minutes": minutes, "steps": steps, "mask": mask, "side": side, "workers": workers}
    with Bars(console) as bars:
        card = train_contrast(study, out, crops=crops, progress=bars, **told)
    console.print(
        f"Trunk '{card.name}' in {out}: {card.training['steps']} steps, validation loss {card.training['val_loss']:.4f}"
    )
    console.print(f"Use it: features.model: {out.absolute()} in a study", markup=False, soft_wrap=True)


@app.command()
def nearest(
    run: Run,
    key: Annotated[str, typer.Argument(help="dataset/volume/id")],
    top: Annotated[int, typer.Option(help="How many.")] = 20,
) -> None:
    """The synapses that are most like this one.

    Example: `neurotome synapses nearest out phantom/v1/s001`
    """
    from neurotome.flows.synapses import nearest_synapses

    _show(Console(highlight=False), nearest_synapses(run, key, top))


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="Run folder or features.h5ad.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for comparison.json, pairs.csv and map.csv.")],
) -> None:
    """Two tables of the same synapses: do they agree on which are alike?

    Example: `neurotome synapses compare out other -o compared`
    """
    from neurotome.flows.synapses import compare_tables

    console = Console(highlight=False)
    for name, value in compare_tables(first, second, out).items():
        console.print(f"  {name:<12} {value:.4f}" if isinstance(value, float) else f"  {name:<12} {value}", markup=False)


@app.command()
def manual(
    run: Run,
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="CSV or Excel: key, and a column per attribute.")],
    other: Annotated[Path | None, typer.Option(help="Labels of another person, for Cohen's kappa.")] = None,
) -> None:
    """How labels that people gave agree with clusters and measures.

    Example: `neurotome synapses manual out labels.csv`
    """
    from neurotome.flows.synapses import agree_with_labels

    _show(Console(highlight=False), agree_with_labels(run, labels, other))


@app.command()
def links(
    run: Run,
    base: Annotated[str, typer.Option(help="Address before the # of a link.")],
    template: Annotated[
        str, typer.Option(help="May use {base}, {x}, {y}, {z}, {volume}, {id} and {key}.")
    ] = "{base}#{x},{y},{z},0,0.905",
    nml: Annotated[bool, typer.Option("--nml", help="Also write sites.nml, for annotation tools.")] = False,
) -> None:
    """Where each synapse can be looked at: links.csv in the run folder.

    Example: `neurotome synapses links out --base https://webknossos.example.org/annotations/1`
    """
    from neurotome.flows.synapses import write_links

    for path in write_links(run, base, template, nml=nml):
        Console(highlight=False).print(str(path), markup=False, soft_wrap=True)


@app.command()
def label(
    run: Run,
    column: Annotated[str, typer.Argument(help="Column of LABELS to give to all synapses.")],
    labels: Annotated[Path, typer.Option(help="CSV or Excel: key, and the column, known of some.")],
) -> None:
    """From labels of a few synapses to all of them, with how sure that is; and which to label next.

    Example: `neurotome synapses label out transmitter --labels few.csv`
    """
    from neurotome.flows.synapses import label_from_few

    facts = label_from_few(run, column, labels)
    console = Console(highlight=False)
    console.print(f"{facts['known']} labels given to {facts['synapses']} synapses: {facts['path']}", markup=False, soft_wrap=True)
    console.print(f"label next: {', '.join(facts['next'])}", markup=False, soft_wrap=True)


@app.command()
def report(run: Run) -> None:
    """The pages anew, from the tables of a run.

    Example: `neurotome synapses report out`
    """
    from neurotome.flows.synapses import report_study

    console = Console(highlight=False)
    with Bars(console) as bars:
        page = report_study(run, progress=bars)
    console.print(f"Look at it: open {page}", markup=False, soft_wrap=True)


def _step_command(name: str, step: str, what: str) -> None:
    """`synapses NAME`: one step of `run`, for those who want to look in between."""

    def command(study: Study, out: Out, workers: Workers = 1, set_: Setting = None) -> None:
        from neurotome.flows.synapses import StudyJob, run_study

        console = Console(highlight=False)
        with Bars(console) as bars:
            facts = run_study(study, out, StudyJob((step,), (), workers), changes=parsed(set_), progress=bars)
        _tell(console, facts, out)

    command.__doc__ = f"One step of `run`: {what}."
    app.command(name)(command)


for _name, _step, _what in (
    ("sites", "sites", "read and check the table of sites"),
    ("crop", "crops", "cut a cube around every site"),
    ("features", "features", "measures, and what networks say of each crop"),
    ("cluster", "clusters", "clusters, maps and their evidence"),
    ("presynapse", "presynapses", "synapses that share a presynaptic neuron"),
    ("sizes", "sizes", "sizes of vesicle clouds and clefts"),
    ("attention", "attention", "which voxels decide"),
):
    _step_command(_name, _step, _what)


def _names(given: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in given.split(",") if name.strip())


def _tell(console: Console, facts: dict[str, Any], out: Path) -> None:
    counts = [f"{facts[name]} {name}" for name in ("sites", "kept", "discarded", "features") if name in facts]
    console.print(", ".join(counts), markup=False, soft_wrap=True)
    if "clusters" in facts:
        k = facts["clusters"]
        console.print(f"{k} clusters" if k > 1 else "one cluster: no structure beyond one cloud", markup=False)
    for name, sentence in facts.get("descriptions", {}).items():
        console.print(f"  {name}  {sentence}", markup=False, soft_wrap=True)
    for note in facts.get("notes", ()):
        console.print(f"  note: {note}", markup=False, soft_wrap=True)
    if (out / "report.html").is_file():
        console.print(f"Look at it: open {out / 'report.html'}", markup=False, soft_wrap=True)


def _show(console: Console, rows: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in rows[0] if rows else ():
        table.add_column(column)
    for row in rows:
        table.add_row(*(Text(f"{value:.4f}" if isinstance(value, float) else str(value)) for value in row.values()))
    console.print(table)
