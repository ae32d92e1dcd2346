"""The learning rate of each system, found in the same way for all."""

from dataclasses import dataclass
from math import inf
from typing import Any

from phosphene.evaluation.restoration.errors import region_masks, squared_errors
from phosphene.experiment.restoration.drawing import restore
from phosphene.experiment.restoration.pictures import FOLD, Pictures
from phosphene.experiment.restoration.plan import SystemPlan
from phosphene.experiment.restoration.settings import RestorationSettings
from phosphene.experiment.watch import Watch
from phosphene.run_dir import RunDir
from phosphene.training.loop import fit
from phosphene.training.seeding import derive_seed

TUNING = f"folds/{FOLD}/tuning.json"


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What the trials of a system gave."""

    rates: tuple[float, ...]
    errors: tuple[tuple[float | None, ...], ...]
    """RMSE on the validation pictures, of each rate and run; None where training diverged."""

    @property
    def means(self) -> list[float]:
        """Mean error of each rate; infinite where a run diverged."""
        return [
            inf if None in runs else sum(runs) / max(1, len(runs))  # pyright: ignore
            for runs in self.errors
        ]

    def to_json(self, settings: RestorationSettings) -> dict[str, Any]:
        """Return the errors by rate, and the size of the trials, for systems.json."""
        return {
            "steps": settings.tuning_steps,
            "runs": settings.tuning_runs,
            "n_validation": settings.n_validation,
            "losses": {
                f"{rate:g}": list(runs)
                for rate, runs in zip(self.rates, self.errors, strict=bool(self.errors))
            },
        }

    @property
    def rate(self) -> float:
        """The rate with the smallest mean error; the only one, if there was no trial.

        Raises
        ------
        ValueError
            If training diverged with each.
        """
        if not self.errors:
            return self.rates[0]
        best = min(self.means)
        if best == inf:
            raise ValueError(
                "a learning rate must train a system without diverging; none of "
                f"{', '.join(f'{rate:g}' for rate in self.rates)} does. Add smaller ones to "
                "--tuning-rates."
            )
        return self.rates[self.means.index(best)]


def tune(
    settings: RestorationSettings,
    system: SystemPlan,
    pictures: Pictures,
    *,
    run: RunDir,
    watch: Watch,
) -> Tuned:
    """Try each learning rate in short trainings and judge it on training pictures left out.

    Every system has the same rates, the same number of trials and of iterations in each, the same
    pictures, and the same corruption of those that judge. Trials on disk are not repeated.
    """
    rates = settings.tuning_rates
    if len(rates) == 1:
        return Tuned(rates=rates, errors=())
    known: dict[str, dict[str, Any]] = run.read_json(TUNING) if run.has(TUNING) else {}
    found = known.setdefault(system.name, {})
    for rate in rates:
        for number in range(settings.tuning_runs):
            key = f"{rate!r}/{number}"
            if key not in found:
                found[key] = _try(settings, system, pictures, rate, number, watch=watch)
                run.write_json(TUNING, known)
    errors = tuple(
        tuple(found[f"{rate!r}/{number}"] for number in range(settings.tuning_runs))
        for rate in rates
    )
    return Tuned(rates=rates, errors=errors)


def _try(
    settings: RestorationSettings,
    system: SystemPlan,
    pictures: Pictures,
    rate: float,
    number: int,
    *,
    watch: Watch,
) -> float | None:
    """Train for a short while and return the error on the validation pictures."""
    train, judge = pictures.validation(settings)
    seed = derive_seed(settings.seed, "tuning", system.name, number)
    step = system.make(pictures, lr=rate, seed=seed, n_steps=settings.tuning_steps)
    try:
        fit(
            step,
            pictures.batches(train, batch=settings.batch, seed=seed),
            n_steps=settings.tuning_steps,
            stage=f"{system.name}, learning rate {rate:g}",
            log=watch.record,
            log_every=max(1, settings.tuning_steps // 20),
            progress=watch.progress,
        )
    except FloatingPointError:
        return None
    corrupted, missing = pictures.corrupted(judge, "validation")
    original = pictures.images.pixels[judge]
    mask = region_masks(missing)["whole"]
    return squared_errors(original, restore(step.sampler, corrupted), mask).rmse
