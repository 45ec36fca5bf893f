"""The page of one table of synapses: what was found, how far it can be trusted, and the synapses themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neurotome.report.atlas.columns import Column
from neurotome.report.atlas.page_data import Atlas, safe_json, short_numbers
from neurotome.report.atlas.pictures import MAP_NAMES
from neurotome.report.cite import synapse_methods
from neurotome.report.facts import Fact, number, one_by_one, settings, timing
from neurotome.report.page import script
from neurotome.report.synapses.attention import AttentionFigure, attention_tables
from neurotome.report.synapses.clusters import Cluster, clusters_of, profile_rows
from neurotome.report.synapses.columns import columns_of, label_of, measures_of, numbers_of_families
from neurotome.report.synapses.evidence import (
    Verdict,
    VolumeEffect,
    same_clusters,
    selection_charts,
    selection_facts,
    volume_effects,
)
from neurotome.report.synapses.evidence import verdicts as verdicts_of
from neurotome.report.synapses.partners import manual_table, presynapses_of, size_tables
from neurotome.report.synapses.run import SynapseRun
from neurotome.report.synapses.sheets import PER_SECOND, STRUCTURES, Sheets
from neurotome.report.tables import table_of

__all__ = ["Look", "look_at_run", "page_content"]

FAMILY_NAMES = {
    "morphometry": "morphometry, in nm and µm",
    "vgg3d": "a network for synapses (VGG3D)",
    "contrastive": "a network trained on synapses without labels",
}
REASONS = {
    "side_on_background": "a side on background",
    "undetermined_side": "which side is presynaptic is not known",
    "border": "too little tissue around it",
    "no_vesicles": "no vesicles",
    "no_cleft": "no cleft",
    "empty_mask": "nothing in the mask",
}
DOMAIN = (
    "Features of a network were learnt on other tissue, often of another species and with grey around masked structures: "
    "they may tell apart what a network sees rather than what a synapse is."
)


@dataclass(frozen=True, eq=False)
class Look:
    """A table of synapses with all that a page says of it. main: the run's own table, which has measures, sizes, neurons."""

    run: SynapseRun
    main: SynapseRun
    columns: tuple[Column, ...]
    told: tuple[Column, ...]
    clusters: tuple[Cluster, ...]
    effects: tuple[VolumeEffect, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def label(self) -> Column | None:
        return label_of(self.columns)

    @property
    def pinned(self) -> int:
        """The row that is shown first: the medoid of the largest cluster."""
        return self.clusters[0].medoid if self.clusters else 0


def look_at_run(run: SynapseRun, main: SynapseRun, *, samples: int = 4, reference_colours: bool = False) -> Look:
    """Everything that a page says of the table of `run`."""
    columns, told = columns_of(run, main, reference_colours=reference_colours)
    clusters = clusters_of(run, label_of(columns), samples=samples)
    effects = volume_effects(run)
    return Look(run, main, columns, told, clusters, effects, verdicts_of(run, clusters, effects))


def page_content(
    look: Look, sheets: Sheets | None, *, figures: Sequence[AttentionFigure] = (), home: str = "", others: Sequence[Any] = ()
) -> dict[str, Any]:
    """What synapses.html is filled with. home: the way from the page to the run's folder. others: pages to link to."""
    from plotly.offline import get_plotlyjs

    run, main = look.run, look.main
    measures = measures_of(run, main)
    summary, regions, occlusion = attention_tables(main)
    discarded = _discarded(run)
    return {
        "run": run,
        "record": run.results.record,
        "title": f"Kinds of synapse in {run.name}",
        "shown": _shown(run),
        "headline": _headline(look),
        "home": home,
        "files": {path.name for path in run.folder.iterdir()},
        "others": others,
        "verdicts": look.verdicts,
        "notes": _notes(look),
        "discarded": discarded,
        "discarded_table": table_of(discarded, {"what": "Why", "step": "Step", "sites": "Sites"}),
        "families": _families(main),
        "maps": tuple(MAP_NAMES[short] for short in run.maps),
        "columns": look.columns,
        "in_space": bool(run.maps_in_space),
        "structures": [(name, colour) for _, name, colour, _ in reversed(STRUCTURES)],
        "clusters": look.clusters,
        "label": look.label,
        "selection": selection_charts(run),
        "selection_facts": selection_facts(run),
        "effects": look.effects,
        "volume_colours": _volume_colours(look),
        "same_clusters": same_clusters(run),
        "profiles": profile_rows(run, [column.name for column in measures]),
        "numbers": [column for column in look.columns if column.is_number],
        "sizes": size_tables(main),
        "presynapses": presynapses_of(run),
        "attention": figures,
        "attention_summary": summary,
        "attention_regions": regions,
        "occlusion": occlusion,
        "manual": manual_table(main),
        "pictures": sheets is not None,
        "side": (run.said.get("recipe") or {}).get("size"),
        "provenance": _provenance(run),
        "settings": settings(one_by_one(run.results)),
        "timing": timing(run.results),
        "peak_gb": run.results.record.get("peak_memory_bytes", 0) / 1e9,
        "methods": synapse_methods(
            {*run.maps, "clusters", "volume", *_names_of_families(main), *(["attention"] if figures else [])}
        ),
        "plotly": get_plotlyjs(),
        "script": script("atlas.js", "synapse_pictures.js", "synapse_space.js", "synapses.js"),
        "data": page_json(look, sheets),
    }


def page_json(look: Look, sheets: Sheets | None) -> str:
    """For synapses.js: the map, places in space, pictures, who shares a neuron, links."""
    run = look.run
    atlas = Atlas(
        "synapse", run.ids, run.maps, look.columns, look.told, look.label, run.neighbours, run.rows("quality"), look.pinned
    )
    more = {
        "space": [
            {"key": short, "name": MAP_NAMES[short], **dict(zip("xyz", map(short_numbers, places.T), strict=True))}
            for short, places in run.maps_in_space.items()
        ],
        "pre": list(run.column("pre_id")),
        "links": run.links,
        "sheets": _sheets(sheets),
        "perSecond": PER_SECOND,
    }
    return safe_json(atlas.to_json() | more)


def _sheets(sheets: Sheets | None) -> dict[str, Any]:
    known = {} if sheets is None else {"slices": sheets.slices, "movie": sheets.movie}
    return {name: sheet.to_json() for name, sheet in known.items() if sheet is not None}


def _shown(run: SynapseRun) -> str:
    look = run.look
    grey = (
        "the rest under grey"
        if look.alpha == 1
        else "the rest as it is"
        if look.alpha == 0
        else f"the rest {look.alpha:.0%} grey"
    )
    return f"mask {look.mask}, {grey}"


def _headline(look: Look) -> tuple[Fact, ...]:
    run = look.run
    lost = sum(int(row["sites"]) for row in _discarded(run))
    volumes = len(set(run.column("volume"))) or 1
    note = f"of {number(len(run.ids) + lost)} sites in {volumes} volume{'s' if volumes != 1 else ''}"
    found = [Fact("synapses", number(len(run.ids)), note)]
    groups = [one for one in look.clusters if one.name != "-1"]
    if groups:
        steady = [one.stability for one in groups if one.stability is not None]
        note = "one cloud, no kinds" if len(groups) == 1 else f"stability {min(steady):.2f} or more" if steady else ""
        found.append(Fact("clusters" if len(groups) != 1 else "cluster", number(len(groups)), note))
    if effect := next(iter(look.effects), None):
        value = next((value for name, value, _ in effect.lines if name.startswith("Cramér")), "-")
        found.append(Fact("Cramér's V with the volume", value, f"{effect.answer[0].lower()}{effect.answer[1:]}"))
    families = numbers_of_families(run)
    found.append(Fact("numbers per synapse", number(run.table.n_vars), ", ".join(families)))
    return tuple(found)


def _notes(look: Look) -> tuple[str, ...]:
    run = look.run
    said, own = [str(note) for note in run.results.facts.get("notes", ())], f"view {run.place.name}: "
    main = [note for note in said if not note.startswith("view ")]
    notes = main if run is look.main else [note.removeprefix(own) for note in said if note.startswith(own)]
    families = _names_of_families(run)
    if any(str(name).startswith("random_") for name in run.table.var_names):
        notes.append("The network had random weights: its features are a check, they show what training is worth.")
    elif "vgg3d" in families:
        notes.append(DOMAIN)
    if run.look.alpha > 0:
        notes.append("What a mask leaves out is grey: pictures and networks see its outline, too.")
    return tuple(dict.fromkeys(notes))


def _discarded(run: SynapseRun) -> list[dict[str, Any]]:
    """Sites that were left out, by step and reason; those of the run, and those that only this look lacks."""
    rows = {str(row.get("key")): row for place in (run.folder, run.place) for row in _discard_rows(run, place)}
    counts = Counter((str(row.get("reason")), str(row.get("step"))) for row in rows.values())
    return [
        {"what": REASONS.get(reason, reason.replace("_", " ")), "step": step, "sites": count}
        for (reason, step), count in counts.most_common()
    ]


def _discard_rows(run: SynapseRun, place: Any) -> Sequence[Mapping[str, Any]]:
    from neurotome.report.results import csv_rows

    kept = set(run.ids)
    return [row for row in csv_rows(place / "discarded.csv") if str(row.get("key")) not in kept]


def _volume_colours(look: Look) -> dict[str, str]:
    volume = next((column for column in look.columns if column.name == "volume" and not column.is_number), None)
    return dict(zip(volume.groups, volume.colours, strict=True)) if volume else {}


def _families(run: SynapseRun) -> tuple[tuple[str, str], ...]:
    families = numbers_of_families(run)
    return tuple((FAMILY_NAMES.get(name, name), f"{number(len(names))} columns") for name, names in families.items())


def _names_of_families(run: SynapseRun) -> set[str]:
    return {re.sub(r"^random_", "", name) for name in numbers_of_families(run)}


def _provenance(run: SynapseRun) -> tuple[Fact, ...]:
    """Recipe, look and model as they were used, without what has no effect."""
    found = []
    for title, told in (("crop", run.said.get("recipe") or {}), ("look", asdict(run.look))):
        found += [
            Fact(f"{title}: {name.replace('_', ' ')}", _plain(value)) for name, value in dict(told).items() if value is not None
        ]
    if model := run.said.get("model"):
        found.append(Fact("network", str(model)))
    structures = run.said.get("structures") or {}
    for volume, ids in dict(structures).items() if isinstance(structures, Mapping) else ():
        if isinstance(ids, Mapping):
            said = ", ".join(f"{name} {'/'.join(map(str, np.atleast_1d(value).tolist()))}" for name, value in ids.items())
            found.append(Fact(f"labels in {volume}", said))
    return tuple(found)


def _plain(value: Any) -> str:
    return "yes" if value is True else "no" if value is False else f"{value:g}" if isinstance(value, float) else str(value)
