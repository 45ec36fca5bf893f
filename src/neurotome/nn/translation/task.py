"""Training image-to-image networks: pix2pix, pix2pix2 and CycleGAN. It may not know what X and Y show.

pix2pix     X --G--> Y'     Y' ~ Y                          D_Y tells Y from Y'
pix2pix2    the same, and apart from it  Y --F--> X'        X' ~ X, D_X tells X from X'
cyclegan    X --G--> Y' --F--> X" ~ X,   Y --F--> X' --G--> Y" ~ Y;   D_Y tells Y from Y', D_X tells X from X'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from neurotome.core import InputError
from neurotome.nn.epochs import require_finite
from neurotome.nn.fit_settings import FitSettings
from neurotome.nn.task import Task, optimizer_of, running_average
from neurotome.nn.translation.buffer import FakeBuffer
from neurotome.nn.translation.discriminator import PatchDiscriminator
from neurotome.nn.translation.generators import three_planes
from neurotome.nn.translation.losses import classic_loss, gan_discriminator, gan_generator
from neurotome.nn.translation.settings import TranslationSettings

__all__ = ["TranslationTask"]

Tensor = torch.Tensor

Y, X = "y", "x"
"""Generators and discriminators go by the domain of what they make and judge: G and D_Y are "y", F and D_X are "x"."""

SMOOTHING = 0.99


@dataclass
class _Round:
    """What one batch gave, by domain: the classic loss of its generator alone, and what its discriminator is shown.

    shared: the classic loss of all generators together.
    """

    own: dict[str, Tensor] = field(default_factory=dict)
    real: dict[str, Tensor] = field(default_factory=dict)
    fake: dict[str, Tensor] = field(default_factory=dict)
    shared: Tensor | None = None

    @property
    def classic(self) -> Tensor:
        """What the model is about: the shared loss (cycles), or the sum of the others."""
        return torch.stack(list(self.own.values())).sum() if self.shared is None else self.shared


class TranslationTask(Task):
    """Generators, discriminators, and what they learn from each other.

    Batches are (x, y, valid): x (b, sections, h, w) as a network sees it, y (b, channels, h, w) in [0, 1]; valid, 0 or 1, says
    where y is known. Where something is brought back to X, x lies in [-1, 1] for legacy generators, else in [0, 1], and what
    lies outside is cut off.
    forth: G. back: F, for the models that have it. truth: whether x and y of validation batches belong together; if not,
    val_loss is that of the way from X to Y and back.
    """

    def __init__(
        self, forth: nn.Module, back: nn.Module | None, how: TranslationSettings, settings: FitSettings, *, truth: bool = True
    ) -> None:
        super().__init__()
        if how.two_ways != (back is not None):
            raise InputError(f"Model '{how.model}' with {2 if back else 1} generator(s)", f"{2 if how.two_ways else 1}")
        self.automatic_optimization = False
        self.how, self.settings, self.truth = how, settings, truth
        self.legacy: bool = getattr(forth.config, "legacy", False)
        self.generators = nn.ModuleDict({Y: forth} if back is None else {Y: forth, X: back})
        self.discriminators = nn.ModuleDict(self._new_discriminators() if how.gan_weight else {})
        self.average = running_average(self.generators, settings.average) if settings.average else None
        self.classic = {Y: classic_loss(how.loss), X: classic_loss(how.loss_x)}
        self.buffers_of = {d: FakeBuffer(how.buffer, settings.seed + i) for i, d in enumerate(self.discriminators)}
        self.smoothed: dict[str, tuple[float, float]] = {}
        self.moments: list[dict[str, Any]] | None = None

    def answering(self) -> nn.Module:
        return self.trained(Y)

    def trained(self, domain: str) -> nn.Module:
        """The generator that makes "y" (G) or "x" (F), averaged if the settings say so."""
        generators: Any = self.generators if self.average is None else self.average.module
        network: nn.Module = generators[domain]
        return network

    def configure_optimizers(self) -> Any:
        optimizers = [optimizer_of(part.parameters(), self.settings) for part in self._parts()]
        for optimizer, moments in zip(optimizers, self.moments or (), strict=bool(self.moments)):
            optimizer.load_state_dict(moments)
        return optimizers

    def training_step(self, batch: Any, _: int) -> None:
        x, y, valid = batch
        self._set_rate()
        exchange = self._round(x, y, valid)
        logged = {}
        if self.discriminators:
            logged["discriminator_loss"] = self._train_discriminators(exchange)
        logged |= self._train_generators(exchange)
        for name, value in logged.items():
            require_finite(f"The {name.replace('_', ' ')}", value, self.clock.step)
            self.log(name, self._smooth(name, value), batch_size=len(x))

    def on_train_batch_end(self, *_: Any) -> None:
        if self.average is not None:
            self.average.update_parameters(self.generators)

    def validation_step(self, batch: Any, _: int) -> None:
        x, y, valid = batch
        seen, target, known = self._domains(x, y, valid)
        logits = _planes(self.answering(), seen[X])
        if self.truth:
            value = self.classic[Y](logits, target[Y], known[Y], legacy=self.legacy)
        else:
            back = _planes(self.trained(X), self._values(logits))
            value = self.classic[X](back, target[X], known[X], legacy=self.legacy)
        self.log("val_loss", value, batch_size=len(x))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["translation"] = {
            "buffers": {d: buffer.state for d, buffer in self.buffers_of.items()},
            "smoothed": self.smoothed,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        kept = checkpoint["translation"]
        self.smoothed = kept["smoothed"]
        for domain, state in kept["buffers"].items():
            self.buffers_of[domain].state = state

    def _round(self, x: Tensor, y: Tensor, valid: Tensor) -> _Round:
        seen, target, known = self._domains(x, y, valid)
        if self.how.model == "cyclegan":
            return self._cycles(seen, target, known)
        exchange = _Round()
        for domain in self.generators:
            source = seen[X if domain == Y else Y]
            logits, made = self._make(domain, source)
            exchange.own[domain] = self.classic[domain](logits, target[domain], known[domain], legacy=self.legacy)
            # Where the truth is not known, both look alike to the discriminator.
            made = torch.where(known[domain] > 0, made, seen[domain])
            exchange.real[domain] = self._shown(source, seen[domain])
            exchange.fake[domain] = self._shown(source, made)
        return exchange

    def _cycles(self, seen: Mapping[str, Tensor], target: Mapping[str, Tensor], known: Mapping[str, Tensor]) -> _Round:
        exchange = _Round()
        made = {Y: self._make(Y, seen[X])[1], X: self._make(X, seen[Y])[1]}
        losses = []
        for domain, other in ((X, Y), (Y, X)):
            logits, again = self._make(domain, made[other])
            losses.append(self.classic[domain](logits, target[domain], known[domain], legacy=self.legacy))
            # Paired: an image of this domain beside the fake of the other one, which it is, or was, made from.
            exchange.real[domain] = self._shown(made[other], seen[domain])
            exchange.fake[domain] = self._shown(made[other], again) if self.how.paired else made[domain]
            if self.how.identity:
                same, _ = self._make(domain, seen[domain])
                exchange.own[domain] = self.how.identity * self.classic[domain](
                    same, target[domain], known[domain], legacy=self.legacy
                )
        exchange.shared = losses[0] + losses[1]
        return exchange

    def _train_discriminators(self, exchange: _Round) -> float:
        optimizer = self._optimizers()[1]
        total = torch.zeros((), device=self.device)
        for domain, discriminator in self.discriminators.items():
            fake = self.buffers_of[domain].exchange(exchange.fake[domain])
            real = discriminator(exchange.real[domain].detach()).float()
            total = total + gan_discriminator(real, discriminator(fake).float(), self.how.gan_loss)
        optimizer.zero_grad()
        self.manual_backward(total)
        optimizer.step()
        return float(total.detach())

    def _train_generators(self, exchange: _Round) -> dict[str, float]:
        """Each generator learns from its own losses and from the shared ones, never from those of the other."""
        how = self.how
        cycle = how.model == "cyclegan"
        losses: dict[str, Tensor] = {d: v if cycle else how.classic_weight * v for d, v in exchange.own.items()}
        logged = {"classic_loss": float(exchange.classic.detach())}
        for domain, discriminator in self.discriminators.items():
            real, fake = (discriminator(shown[domain]).float() for shown in (exchange.real, exchange.fake))
            gan = how.gan_weight * gan_generator(real, fake, how.gan_loss, how.generator_loss)
            losses[domain] = losses[domain] + gan if domain in losses else gan
        optimizer = self._optimizers()[0]
        optimizer.zero_grad()
        steps = [(loss, self.generators[domain]) for domain, loss in losses.items()]
        if exchange.shared is not None:
            steps.append((how.classic_weight * exchange.shared, self.generators))
        for n, (loss, part) in enumerate(steps, 1):
            free = [p for p in part.parameters() if p.requires_grad]
            self.manual_backward(loss, inputs=free, retain_graph=n < len(steps))
        optimizer.step()
        return {"train_loss": float(sum(loss.detach() for loss, _ in steps)), **logged}

    def _new_discriminators(self) -> dict[str, nn.Module]:
        config: Any = self.generators[Y].config
        channels: dict[str, int] = {Y: 3, X: 3} if self.legacy else {Y: config.out_channels, X: config.sections}
        both, width = sum(channels.values()), self.how.discriminator_width
        return {
            d: PatchDiscriminator(both if self.how.paired else channels[d], width, legacy=self.legacy) for d in self.generators
        }

    def _parts(self) -> list[nn.Module]:
        """What has an optimiser of its own."""
        return [self.generators, self.discriminators] if self.discriminators else [self.generators]

    def _optimizers(self) -> list[Any]:
        optimizers = self.optimizers()
        return optimizers if isinstance(optimizers, list) else [optimizers]

    def _set_rate(self) -> None:
        step, seconds = self.clock.step, self.clock.seconds
        left = 1 - self.settings.fraction(step, seconds)
        falling = min(1.0, left / (1 - self.how.decay_from)) if self.how.decay_from < 1 else 1.0
        rate = self.settings.learning_rate * self.settings.rate(step, seconds) * falling
        for optimizer in self._optimizers():
            for group in optimizer.param_groups:
                group["lr"] = rate

    def _domains(self, x: Tensor, y: Tensor, valid: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
        """Of X and Y: what networks see, the same in [0, 1] as a target, and where it is known; legacy: as three planes."""
        if self.how.two_ways:
            x = x.clamp(-1.0 if self.legacy else 0.0, 1.0)
        if self.legacy:
            seen = {X: three_planes(x), Y: three_planes(2 * y - 1)}
            # An empty plane is part of the target.
            valid = torch.cat([valid, torch.ones_like(valid[:, :1])], 1) if valid.shape[1] == 2 else valid.expand_as(seen[Y])
            target = {domain: (values + 1) / 2 for domain, values in seen.items()}
        else:
            seen = target = {X: x, Y: y}
        return seen, target, {X: torch.ones_like(seen[X]), Y: valid}

    def _make(self, domain: str, source: Tensor) -> tuple[Tensor, Tensor]:
        """An image of that domain, as logits and as values."""
        logits = _planes(self.generators[domain], source)
        return logits, self._values(logits)

    def _values(self, logits: Tensor) -> Tensor:
        return torch.tanh(logits / 2) if self.legacy else torch.sigmoid(logits)

    def _shown(self, beside: Tensor, image: Tensor) -> Tensor:
        return torch.cat([beside, image], dim=1) if self.how.paired else image

    def _smooth(self, name: str, value: float) -> float:
        """Running average with decay SMOOTHING, of as many values as there are yet."""
        total, weight = self.smoothed.get(name, (0.0, 0.0))
        total, weight = SMOOTHING * total + (1 - SMOOTHING) * value, SMOOTHING * weight + (1 - SMOOTHING)
        self.smoothed[name] = total, weight
        return total / weight


def _planes(generator: nn.Module, source: Tensor) -> Tensor:
    """Logits of all that a generator makes, in float32."""
    answer: Any = getattr(generator, "planes", generator)
    logits: Tensor = answer(source).float()
    return logits
