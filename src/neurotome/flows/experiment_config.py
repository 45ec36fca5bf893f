"""What a named experiment may say: networks trained one after the other on quadrants of a stack, and how the last are segmented.

Every key is checked, and all that is wrong is said at once, before anything is trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from neurotome import boundary, neurons
from neurotome.core import InputError, NeurotomeError
from neurotome.flows.recipe_file import all_mistakes, recipe_keys

__all__ = ["ExperimentConfig", "SegmentConfig", "StageConfig", "read_experiment"]

Quadrant = Literal["a", "b", "c", "d"]
IMAGE = "image"
EXAMPLE = "recipes/experiment_8.yaml"
OWN = {"source", "train_on", "averaging", "allow_in_sample", "image_channel", "volumes"}
"""Keys of a stage that a training recipe does not have, or has from the experiment."""


class StageConfig(boundary.TrainConfig):
    """One network: a training recipe without volumes, for these come from the experiment.

    from: "image", or the name of an earlier stage, whose answers are then the input (`image_channel`: which of several channels).
    train_on: quadrants. averaging: over how many symmetries it answers.
    allow_in_sample: it may train on answers for quadrants that the network behind them has seen, which are better than others.
    """

    volumes: tuple[boundary.VolumeConfig, ...] = ()
    source: str = Field(IMAGE, alias="from")
    train_on: tuple[Quadrant, ...] = Field(min_length=1)
    image_channel: str | None = None
    averaging: Literal[1, 2, 4, 8] = 1
    allow_in_sample: bool = False

    def recipe(self, volumes: tuple[boundary.VolumeConfig, ...], fit: Mapping[str, Any]) -> boundary.TrainConfig:
        """The training recipe of this stage, for these volumes and with these options of `fit` changed."""
        # Only what was said: a recipe that says `depth` for a 2D network is refused.
        keys = self.model_dump(exclude=OWN, exclude_unset=True)
        return boundary.TrainConfig(**{**keys, "volumes": volumes, "fit": {**self.fit, **fit}})


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SegmentConfig(_Strict):
    """From probabilities to neurons. of: the stages whose channels go in. settings: those of the method, see `neurons`."""

    method: str
    of: tuple[str, ...] = Field(min_length=1)
    settings: dict[str, Any] = {}


class ExperimentConfig(_Strict):
    """A whole experiment on one annotated stack.

    split: how the stack is cut. sections: "first:last" of it, all where it is empty. validate_on: the quadrant that chooses the
    best epoch, of which `validate_sections` sections in the middle are used. test_on: the quadrant that is scored.
    """

    name: str
    summary: str = ""
    split: Literal["quadrants"] = "quadrants"
    sections: str = Field("", pattern=r"^(\d+:\d+)?$")
    validate_on: Quadrant
    validate_sections: int = Field(8, ge=2)
    test_on: Quadrant
    stages: tuple[StageConfig, ...] = Field(min_length=1)
    segment: SegmentConfig
    cite: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        wrong = [*self._naming(), *self._seen_twice(), *self._in_sample(), *self._contents()]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def stage(self, name: str) -> StageConfig:
        return next(stage for stage in self.stages if stage.name == name)

    def sources(self, stage: StageConfig) -> Iterator[StageConfig]:
        """The stages whose answers a stage sees, directly or through others."""
        while stage.source != IMAGE:
            stage = self.stage(stage.source)
            yield stage

    def image_channel(self, stage: StageConfig) -> str | None:
        """The channel of its source that a stage sees; None for the image."""
        return None if stage.source == IMAGE else stage.image_channel or self.stage(stage.source).channels[0]

    def answers(self, stage: StageConfig) -> tuple[str, ...]:
        """The quadrants that a stage has to answer for: what is scored, and what stages after it train and validate on."""
        wanted: set[str] = {self.test_on} if stage.name in self.segment.of else set()
        for later in self.stages:
            if later.source == stage.name:
                wanted |= {*later.train_on, self.validate_on, *self.answers(later)}
        return tuple(sorted(wanted))

    def _naming(self) -> Iterator[str]:
        names = [stage.name for stage in self.stages]
        for k, stage in enumerate(self.stages):
            earlier = names[:k]
            if stage.name in earlier or stage.name == IMAGE:
                yield f"stage name '{stage.name}' is taken"
            if stage.source != IMAGE and stage.source not in earlier:
                yield f"stage '{stage.name}' is from '{stage.source}', which is neither image nor an earlier stage"
            elif stage.source != IMAGE:
                yield from self._channel_choice(stage, self.stages[names.index(stage.source)])
        for name in self.segment.of:
            if name not in names:
                yield f"segment is of '{name}', which is no stage ({', '.join(names)})"

    @staticmethod
    def _channel_choice(stage: StageConfig, source: StageConfig) -> Iterator[str]:
        known = ", ".join(source.channels)
        if stage.image_channel is None and len(source.channels) > 1:
            yield f"stage '{stage.name}' needs image_channel: '{source.name}' has {known}"
        if stage.image_channel is not None and stage.image_channel not in source.channels:
            yield f"stage '{stage.name}' has image_channel '{stage.image_channel}', '{source.name}' has {known}"

    def _seen_twice(self) -> Iterator[str]:
        if self.validate_on == self.test_on:
            yield f"quadrant {self.test_on} both validates and tests: choose another for validate_on"
        for stage in self.stages:
            for what, quadrant in (("test_on", self.test_on), ("validate_on", self.validate_on)):
                if quadrant in stage.train_on:
                    yield f"stage '{stage.name}' trains on quadrant {quadrant}, which is {what}"

    def _in_sample(self) -> Iterator[str]:
        """A network answers better where it has learnt: who learns from such answers trusts them too much."""
        names = {stage.name for stage in self.stages}
        for stage in self.stages:
            if stage.allow_in_sample or any(s.source not in (IMAGE, *names) for s in self.stages):
                continue
            for source in self.sources(stage):
                if both := sorted({*stage.train_on} & {*source.train_on}):
                    yield (
                        f"stage '{stage.name}' trains on answers of '{source.name}' for quadrant {', '.join(both)}, "
                        f"sections {self.sections or 'all'}, where '{source.name}' was trained: train on others, "
                        "or set allow_in_sample: true"
                    )

    def _contents(self) -> Iterator[str]:
        for stage in self.stages:
            if stage.volumes:
                yield f"stage '{stage.name}' has volumes: they come from the experiment"
            yield from (f"stage '{stage.name}': {mistake}" for mistake in boundary.recipe_mistakes(stage))
        channels = [c for stage in self.stages if stage.name in self.segment.of for c in stage.channels]
        if twice := sorted({c for c in channels if channels.count(c) > 1}):
            yield f"channel {', '.join(twice)} comes from two stages of segment.of"
        try:
            neurons.make_settings(self.segment.method, self.segment.settings)
        except NeurotomeError as error:
            yield f"segment: {error}"


def read_experiment(recipe: Path, *, quick: bool = False, sections: str = "") -> ExperimentConfig:
    """Read and check an experiment; quick: with the smaller values under the key `quick` of each stage.

    Both variants are checked, whichever is wanted. Raises MissingFileError, FormatError, and InputError with all mistakes.
    """
    data = recipe_keys(recipe, "Experiment")
    if sections:
        data["sections"] = sections
    full, small = (_checked(recipe, _variant(data, quick=small)) for small in (False, True))
    return small if quick else full


def _variant(data: Mapping[str, Any], *, quick: bool) -> dict[str, Any]:
    """The experiment without the keys `quick`, or with what is in them put in its place."""
    stages = data.get("stages")
    if not isinstance(stages, list):
        return dict(data)
    return {**data, "stages": [_quickened(stage, quick=quick) if isinstance(stage, dict) else stage for stage in stages]}


def _quickened(stage: Mapping[str, Any], *, quick: bool) -> dict[str, Any]:
    kept = {k: v for k, v in stage.items() if k != "quick"}
    for key, value in (stage.get("quick") or {}).items() if quick else ():
        old = kept.get(key)
        kept[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return kept


def _checked(recipe: Path, data: Mapping[str, Any]) -> ExperimentConfig:
    try:
        return ExperimentConfig(**data)
    except ValidationError as error:
        wrong = all_mistakes(error)
        raise InputError(f"Experiment '{recipe}' is not valid: {wrong}", f"the keys of {EXAMPLE}", "correct them") from error
