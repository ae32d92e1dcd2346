"""Settings that every experiment on the restoration of pictures has."""

from dataclasses import dataclass
from typing import Literal, get_args

from phosphene import _checks

Division = Literal["official", "share"]

_LEAST = {
    "batch": 2,
    "iterations": 1,
    "warmup": 0,
    "tuning_steps": 1,
    "tuning_runs": 1,
    "n_validation": 2,
    "timing_steps": 1,
    "classifier_steps": 1,
    "n_scored": 2,
    "n_denoised": 0,
    "split_seed": 0,
    "seed": 0,
}


@dataclass(frozen=True, kw_only=True)
class RestorationSettings:
    """What the settings of each recipe that restores pictures begin with."""

    division: Division = "share"
    """Pictures that test: those of the files that IDX and CIFAR call the test set (official), or a
    share of all that are found, each class alike."""
    test_share: float = 0.25
    """Share of all pictures that test, where a share does (Haque et al., section 5.1)."""
    image_size: int | None = None
    """Side of the squares that pictures are cropped and shrunk to; None leaves them as they are."""
    corruption: str = "lower_half+(salt_pepper:0.1|white_noise:0.2)"
    """What is done to pictures, anew in each step of training and once for all in the test; the
    paper names neither density nor deviation of the noise, see `phosphene.augment.corruption`."""
    batch: int = 100
    """Pictures per iteration (section 5.3)."""
    iterations: int = 500_000
    """Iterations of each system where all have equally many (section 5.3)."""
    warmup: int = 200
    """Iterations in which the learning rate rises; it is constant after them; ours."""
    ema: float = 0.999
    """Decay of the averaged weights that restore (arXiv:1806.04498); 0 takes the last; ours."""
    tuning_rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3)
    """Learning rates that each system tries; one alone is taken without a trial; ours."""
    tuning_steps: int = 5000
    """Iterations of each trial; ours."""
    tuning_runs: int = 1
    """Trials with each rate, from other start weights; ours."""
    n_validation: int = 2000
    """Training pictures, left out in the trials, on which the rates are judged; ours."""
    timing_steps: int = 50
    """Iterations in each of the turns in which the systems' speeds are measured; ours."""
    equal_time: tuple[int, ...] = ()
    """Iterations of each system, in their order, that take equal time; none measures the speeds. A
    run given the numbers of another one, as its systems.json has them, repeats it."""
    classifier_steps: int = 4000
    """Updates of the classifier that says which class a restored picture shows; ours."""
    n_scored: int = 20_000
    """Test pictures that are restored and scored, at most."""
    n_denoised: int = 10_000
    """Of these, how many the slow filters, total variation and non-local means, restore; ours."""
    split_seed: int = 0
    """Seed of the division of pictures, the corruption of those that test, and the classifier: runs
    that differ in `seed` alone can be compared."""
    seed: int = 0
    """Seed of everything else that is random."""

    def __post_init__(self) -> None:
        _checks.check_option("division", self.division, get_args(Division))
        for name, least in _LEAST.items():
            _checks.check_at_least(name, getattr(self, name), least)
        _checks.check_share("test_share", self.test_share, below_one=True)
        _checks.check_positive("test_share", self.test_share)
        _checks.check_share("ema", self.ema, below_one=True)
        if self.image_size is not None:
            _checks.check_at_least("image_size", self.image_size, 8)
        if not self.tuning_rates:
            raise ValueError(
                "`tuning_rates` must hold a learning rate; got none. Write for instance 0.001."
            )
        for rate in self.tuning_rates:
            _checks.check_positive("tuning_rates", rate)
        if len(set(self.tuning_rates)) < len(self.tuning_rates):
            raise ValueError(
                f"`tuning_rates` must differ; got {', '.join(map(str, self.tuning_rates))}. Name "
                "each once."
            )
        for n_steps in self.equal_time:
            _checks.check_at_least("equal_time", n_steps, self.iterations)
