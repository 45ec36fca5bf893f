"""A study of synapses from volumes and a table of sites to its reports, in one folder.

volumes, sites --check--> sites.csv --cut--> crops.zarr --measure, embed--> features.h5ad --group--> clusters in the same table
table --pair, size, compare--> *.csv      crops, network --explain--> attention.zarr      all of it --report--> pages
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurotome import synapses
from neurotome.core import CropLook, InputError, Progress, UnknownNameError, silent
from neurotome.flows.synapses.config import StudyConfig, read_study
from neurotome.flows.synapses.files import Tables, opened_study
from neurotome.io import RunFolder
from neurotome.report.synapses import write_comprehensive_report, write_presynapse_summary, write_synapse_report

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["STEPS", "StudyJob", "run_study"]

STEPS = ("sites", "crops", "features", "clusters", "presynapses", "sizes", "labels", "attention", "views", "report")
"""In this order; each needs those before it that it reads."""
FEWEST_FOR_VIEW = 4


@dataclass(frozen=True)
class StudyJob:
    """What is to be done: only these steps, or all but those skipped. workers: processes that cut and measure."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    workers: int = 1

    def __post_init__(self) -> None:
        for name in (*self.only, *self.skip):
            if name not in STEPS:
                raise UnknownNameError("step", name, STEPS)
        if self.only and self.skip:
            raise InputError("--only and --skip at once", "one of them", "leave out the other")

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(name for name in STEPS if (name in self.only if self.only else name not in self.skip))


def run_study(
    path: Path,
    out: Path,
    job: StudyJob | None = None,
    *,
    changes: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """`neurotome synapses run`: the study in the file `path` into the folder `out`; goes on where an interrupted run stopped.

    changes: keys of the study to change, "clusters.k" for one of a part. Returns the facts of run.json: how many sites, kept and
    discarded, clusters and what to think of them, notes. Raises InputError and its kin for all that is wrong with what was given,
    before anything is written; for what only shows later (more clusters than synapses), what is done by then stays.
    """
    study, job = read_study(Path(path), changes), job or StudyJob()
    volumes, sites, discarded, notes = opened_study(study, progress)
    out = Path(out).absolute()
    config = {**study.resolved(), "sites_sha256": synapses.table_sha256(sites)}
    with RunFolder.start(out, command="synapses run", config=config, overwrite=overwrite, progress=progress) as run:
        run.keep({"notes": list(dict.fromkeys([*run.facts.get("notes", ()), *notes]))})
        work = _Work(study, run, Tables(out), volumes, job.workers, progress)
        todo = [name for name in job.steps if not run.done(name)]
        for name in todo:
            with run.step(name):
                work.sites(sites, discarded) if name == "sites" else work.of(name)()
    if todo and run.done("report"):
        # Once more, now that the record is complete: the page shows the time and memory of every step.
        work.page()
    return dict(run.facts)


class _Work:
    """The steps of a study, each from files of the run folder to files of the run folder."""

    def __init__(
        self, study: StudyConfig, run: RunFolder, tables: Tables, volumes: Mapping[str, Any], workers: int, progress: Progress
    ) -> None:
        self.study, self.run, self.tables, self.volumes = study, run, tables, volumes
        self.workers, self.progress = workers, progress

    def of(self, name: str) -> Callable[[], None]:
        """The step of this name. Raises InputError where what it reads was never made."""
        self.tables.require_for(name)
        step: Callable[[], None] = getattr(self, name)
        return step

    def sites(self, sites: Any, discarded: Any) -> None:
        self.tables.write_sites(sites, discarded)
        self.run.keep({"sites": len(sites) + len(discarded)})

    def crops(self) -> None:
        sites = self.tables.read_sites()
        path, told = self.run / "crops.zarr", {"workers": self.workers, "progress": self.progress}
        crops, discarded = synapses.make_crops(self.volumes, sites, self.study.recipe, path, **told)
        self.tables.add_discarded(discarded)
        self.run.keep({"crops": len(crops)})
        if not len(crops):
            raise InputError(
                f"None of {len(sites)} sites gave a crop ({_reasons(discarded)})", "at least one", "see discarded.csv"
            )

    def features(self) -> None:
        crops, families = self.tables.crops, {}
        for family in self.study.features.families:
            families[family], discarded = self._family(family, crops)
            self.tables.add_discarded(discarded)
        table = synapses.assemble(families)
        # A network that saw nothing of a synapse leaves it out of the whole table: rows are complete.
        self.tables.add_discarded(synapses.left_out(families, self.tables.discarded))
        table.uns["synapses"] = synapses.study_facts(crops, self.study.first_look, self.study.features.model)
        self.tables.write_features(table)
        self._link(table)
        self.run.keep({"kept": table.n_obs, "discarded": len(self.tables.discarded), "features": table.n_vars})

    def clusters(self) -> None:
        table = self.tables.features()
        self._group(table)
        self.run.keep({"clusters": table.uns["cluster"]["k"], "descriptions": dict(table.uns["descriptions"])})

    def presynapses(self) -> None:
        table = self.tables.features()
        self._compare_presynapses(table)
        synapses.write_graph(self.run / "presynapse_graph.graphml", synapses.connections(table))

    def sizes(self) -> None:
        table, crops = self.tables.features(), self.tables.crops
        sizes = synapses.synapse_sizes(synapses.each_crop(crops, self.progress), crops.sites, self.volumes, self.study.recipe)
        statistics = synapses.size_statistics(table, sizes)
        self.tables.write("sizes", sizes, index=True)
        self.tables.write("size_statistics", statistics.table)
        self.tables.write("size_effects", statistics.effects)
        self.tables.write_json("size_models", statistics.described())
        for note in statistics.notes:
            self._note(f"sizes: {note}")

    def labels(self) -> None:
        if self.study.labels is None:
            return
        table, labels = self.tables.features(), synapses.read_manual_labels(self.study.path(self.study.labels))
        self.tables.write("manual_agreement", synapses.manual_agreement(table, labels))
        for name, counts in synapses.cross_tabulations(table, labels).items():
            self.tables.write(f"labels_{name}", counts, index=True)

    def attention(self) -> None:
        asked = self.study.attention
        network = self._explained() if asked.sites else None
        if network is None:
            return
        table, crops = self.tables.features(), self.tables.crops
        settings = synapses.AttentionSettings(
            asked.sites, keys=asked.keys, layers=asked.layers, target=asked.target, blocks=asked.blocks
        )
        found = synapses.explain(crops, table, network, self.run / "attention.zarr", settings, progress=self.progress)
        self.tables.write("attention", found.statistics)
        self.tables.write("attention_summary", found.summary)
        self.tables.write("attention_regions", found.regions)
        self.tables.write("attention_occlusion", found.occlusion)
        self.tables.write("attention_sanity", found.sanity)
        self.run.keep({"attention": {"target": found.target, "layers": list(found.layers), "empty": list(found.empty)}})

    def views(self) -> None:
        """What clusters the network finds where it sees another mask, or more or less of what lies around it."""
        if "contrastive" not in self.study.features.families and "vgg3d" not in self.study.features.families:
            return
        crops = self.tables.crops
        for look in self.study.looks:
            slug = synapses.slug_of(look)
            if self.tables.has_view(slug):
                continue
            table, discarded = self._seen(crops, look)
            self.tables.write("discarded", discarded, slug)
            if table.n_obs < FEWEST_FOR_VIEW:
                self._note(f"view {slug}: {table.n_obs} synapses are too few to be grouped ({_reasons(discarded)})")
                continue
            table.uns["synapses"] = synapses.study_facts(crops, look, self.study.features.model)
            self._group(table, slug, families=None)
            self._compare_presynapses(table, slug)

    def report(self) -> None:
        stamp = self.run.facts.get("report_stamp") or time.strftime("%Y%m%d_%H%M%S")
        self.run.keep({"report_stamp": stamp})
        self.page()
        write_comprehensive_report(self.run.path, stamp, progress=self.progress)
        write_presynapse_summary(self.run.path, stamp)

    def page(self) -> None:
        """The start page and what it leads to, but for the reports that compare looks."""
        asked = self.study.report
        told = {"samples": asked.samples_per_cluster, "all_gifs": asked.gifs}
        write_synapse_report(self.run.path, progress=self.progress, **told)

    def _link(self, table: AnnData) -> None:
        """links.csv, where the study says how synapses can be looked at."""
        links = self.study.links
        if links.base:
            origins = {name: volume.origin_vox for name, volume in self.volumes.items()}
            found = synapses.site_links(table.obs, synapses.LinkTemplate(links.base, links.template, origins))
            self.tables.write("links", found.rename("link").to_frame(), index=True)

    def _family(self, family: str, crops: Any) -> tuple[AnnData, Any]:
        if family == "morphometry":
            return synapses.measure_crops(crops, workers=self.workers, progress=self.progress), synapses.discard_table(())
        if family == "contrastive":
            return synapses.contrastive_features(crops, self._trunk(), progress=self.progress)
        return self._vgg3d(crops, self.study.first_look)

    def _seen(self, crops: Any, look: CropLook) -> tuple[AnnData, Any]:
        """What the study's network says of another look."""
        if "contrastive" in self.study.features.families:
            trunk = self._trunk()
            return synapses.contrastive_features(crops, trunk.looking(look), progress=self.progress)
        return self._vgg3d(crops, look)

    def _explained(self) -> Any:
        """The network whose features are explained: the trunk, else that of whole crops; None where there are measures only."""
        told = self.study.features
        if "contrastive" in told.families:
            return self._trunk()
        if "vgg3d" in told.families:
            return synapses.WholeCropAttention(self._whole(), self.study.first_look, layer=told.layer, pooling=told.pooling)
        return None

    def _trunk(self) -> Any:
        return synapses.load_trunk(self.study.path_or_name(self.study.features.model))

    def _whole(self) -> Any:
        told = self.study.features
        checkpoint = self.study.path(told.checkpoint) if told.checkpoint else None
        return synapses.feature_network(checkpoint, random_weights=told.random_weights)

    def _vgg3d(self, crops: Any, look: CropLook) -> tuple[AnnData, Any]:
        told, network = self.study.features, self._whole()
        keep = self.run / "vgg3d" / synapses.slug_of(look)
        found = synapses.network_features(
            crops, look, network, layer=told.layer, pooling=told.pooling, keep=keep, progress=self.progress
        )
        self._note(network.notice(look.normalization))
        return found

    def _group(self, table: AnnData, view: str = "", **more: Any) -> None:
        """Clusters and maps into the table, and the files that stand beside it."""
        asked = self.study.clusters
        told = {"families": asked.families, "method": asked.method, "k": asked.k, "correction": asked.correction, **more}
        found = synapses.group_synapses(table, progress=self.progress, **told)
        self.tables.write_features(table, view)
        self.tables.write("clusters", table.obs[["cluster"]], view, index=True)
        self.tables.write_json("volume_effect", found.volume_effect, view)
        self.tables.write_json("cluster_selection", found.selection, view)
        for note in found.notes:
            self._note(f"view {view}: {note}" if view else note)

    def _compare_presynapses(self, table: AnnData, view: str = "") -> None:
        """Whether synapses of one neuron are alike in this table, and neuron by neuron."""
        test = synapses.presynapse_test(table, self.study.recipe)
        self.tables.write_json("presynapse_test", test.described(), view)
        self.tables.write("presynapses", synapses.presynapse_groups(table, test, self.study.recipe), view)
        if not test.applicable:
            self._note(f"view {view}: test of presynapses: {test.reason}" if view else f"test of presynapses: {test.reason}")

    def _note(self, words: str) -> None:
        self.run.keep({"notes": list(dict.fromkeys([*self.run.facts.get("notes", ()), words]))})


def _reasons(discarded: Any) -> str:
    """How many of each, for a message."""
    return ", ".join(f"{count} {reason}" for reason, count in discarded["reason"].value_counts().items()) or "none was discarded"
