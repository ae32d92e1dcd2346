"""The best accuracy that any decoder of a simulated recording can reach, one that knows all else.

Suppose a decoder is told everything but the pictures' classes: lead field, gains, drift, mains,
block states, every response's shape, and all the other trials. What is left is a picture's response
``sum_k w_k b_k`` in a Gaussian process of known cross-spectral density N(f). Then

    q_k = <b_k, x>    and    G_kl = <b_k, b_l>,    <a, b> = 1/T sum_f a(f)^H N(f)^-1 b(f),

are sufficient, and ``y = G^(-1/2) q`` is distributed as ``G^(1/2) w_p + N(0, I)`` for picture p
(Kay, Fundamentals of Statistical Signal Processing II, section 4.3). As a class shows finitely many
pictures, each equally often, ``p(y | class)`` is an exact mixture of Gaussians, and the accuracy of
the Bayes rule is an integral that is drawn to any precision. A real decoder knows less, so it stays
below. Classes are taken as equally frequent, and what the order of presentation gives away is not
used: a decoder that exploits blocks can exceed this number, and that is a leak, not skill.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phosphene.data.simulate.background import Background, fast_length, rfft_weights

N_DRAWS = 20_000
METHOD = (
    "Bayes rule on the exact class-conditional distributions, knowing gain, drift, mains, block "
    "state and all other trials; uniform class prior, order of presentation not used"
)


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """Bayes accuracy with its 95 % interval from `n` Monte Carlo draws."""

    accuracy: float
    low: float
    high: float
    n: int
    chance: float

    def to_json(self) -> dict[str, float | int | str]:
        """Return the record that data sets carry under "ceiling"."""
        return {
            "accuracy": self.accuracy,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "chance": self.chance,
            "method": METHOD,
        }


def response_gram(
    basis: np.ndarray, background: Background, *, context: float = 30.0
) -> NDArray[np.float64]:
    """Return G: inner products of responses in the metric of the background.

    Parameters
    ----------
    basis
        (response, chan, time) in V.
    background
        The noise that hides them.
    context
        Length in s of the recording around a trial. The background's memory is about a second, so
        that more changes nothing.

    Returns
    -------
    gram
        (response, response), dimensionless: the squared signal-to-noise ratio of unit weights.
    """
    n_times = fast_length(basis.shape[-1] + round(context * background.sfreq))
    spectra = np.fft.rfft(basis, n_times).transpose(2, 1, 0)  # (freq, chan, response)
    white = np.linalg.solve(background.density(n_times), spectra)
    weights = rfft_weights(n_times)[:, None, None]
    n_responses = len(basis)
    left = (weights * spectra).conj().reshape(-1, n_responses)
    gram = (left.T @ white.reshape(-1, n_responses)).real / n_times
    return (gram + gram.T) / 2


def project(signal: np.ndarray, basis: np.ndarray, *, background: Background) -> NDArray:
    """Return the matched filters' outputs ``q`` for a response at every sample.

    Parameters
    ----------
    signal
        (chan, time) in V, without gain, drift and mains.
    basis
        (response, chan, time) in V.
    background
        The noise that `signal` holds.

    Returns
    -------
    outputs
        (response, time): ``<b_k moved to the sample, signal>``.
    """
    n_times = signal.shape[-1]
    spectrum = np.fft.rfft(signal.astype(np.float64)).T[..., None]  # (freq, chan, 1)
    white = np.linalg.solve(background.density(n_times), spectrum)
    matched = np.fft.rfft(basis, n_times).conj().transpose(2, 0, 1)  # (freq, response, chan)
    return np.fft.irfft((matched @ white)[..., 0].T, n_times)


class BayesRule:
    """Monte Carlo over pictures and noise, the same draws for every effect.

    Parameters
    ----------
    grams
        One (response, response) matrix per subject, from `response_gram`; draws are shared evenly
        among subjects.
    weights
        (picture, response) of the pictures that are shown.
    labels
        (picture,) their classes.
    n_draws
        Draws in all.
    seed
        Same seed, same draws.
    """

    def __init__(
        self,
        grams: Sequence[np.ndarray],
        weights: np.ndarray,
        *,
        labels: np.ndarray,
        n_draws: int = N_DRAWS,
        seed: int = 0,
    ) -> None:
        rng = np.random.default_rng([seed, 4])
        order = np.argsort(labels, kind="stable")
        _, self._starts, self._counts = np.unique(
            labels[order], return_index=True, return_counts=True
        )
        self.n_classes = len(self._starts)
        self._parts = []
        for draws in np.array_split(np.arange(n_draws), len(grams)):
            gram = grams[len(self._parts)]
            classes = rng.permutation(np.arange(len(draws)) % self.n_classes)
            within = (rng.random(len(draws)) * self._counts[classes]).astype(int)
            # Directions that weights do not reach hold nothing to decode: drop them.
            centers = (weights - weights.mean(0))[order] @ _square_root(gram)
            _, scale, axes = np.linalg.svd(centers, full_matrices=False)
            centers = centers @ axes[scale > 1e-9 * max(scale.max(), 1e-300)].T
            noise = rng.standard_normal((len(draws), centers.shape[1]))
            picked = self._starts[classes] + within
            self._parts.append(
                (centers.astype(np.float32), picked, noise.astype(np.float32), classes)
            )

    def posteriors(self, effect: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return (draw, class) probabilities of the classes, and the true class (draw,)."""
        probabilities, classes = [], []
        for centers, picked, noise, drawn in self._parts:
            means = np.float32(effect) * centers
            offsets = 0.5 * (means**2).sum(1)
            for chunk in np.array_split(np.arange(len(drawn)), max(1, len(drawn) // 500)):
                y = means[picked[chunk]] + noise[chunk]
                exponents = y @ means.T - offsets
                exponents -= exponents.max(1, keepdims=True)
                np.exp(exponents, out=exponents)
                likelihood = np.add.reduceat(exponents, self._starts, axis=1)
                likelihood /= self._counts.astype(np.float32)
                probabilities.append(likelihood / likelihood.sum(1, keepdims=True))
            classes.append(drawn)
        return np.concatenate(probabilities), np.concatenate(classes)

    def accuracy(self, effect: float) -> Ceiling:
        """Return the accuracy at an effect: the mean probability of the most probable class.

        That mean equals the share of right answers and varies less from draw to draw.
        """
        best = self.posteriors(effect)[0].max(1).astype(np.float64)
        mean, error = best.mean(), 1.96 * best.std(ddof=1) / np.sqrt(len(best))
        return Ceiling(
            accuracy=float(mean),
            low=float(max(mean - error, 0)),
            high=float(min(mean + error, 1)),
            n=len(best),
            chance=1 / self.n_classes,
        )

    def solve(self, accuracy: float, *, tolerance: float = 5e-4) -> float:
        """Return the effect at which the Bayes rule reaches an accuracy.

        Raises
        ------
        ValueError
            If the accuracy is not above chance, or if no effect reaches it because classes share
            pictures.
        """
        chance = 1 / self.n_classes
        if not chance < accuracy < 1:
            raise ValueError(
                f"`ceiling` must lie between chance ({chance:.3g}) and 1; got {accuracy:g}. "
                "For nothing to decode set `effect` to 0 instead."
            )
        low, high = 0.0, 1.0
        while self.accuracy(high).accuracy < accuracy:
            low, high = high, 2 * high
            if high > 1e4:
                raise ValueError(
                    f"`ceiling` must be within reach of the pictures; got {accuracy:g}, which no "
                    "effect reaches. Lower it, or remove pictures that several classes share."
                )
        while high - low > tolerance * high:
            middle = (low + high) / 2
            if self.accuracy(middle).accuracy < accuracy:
                low = middle
            else:
                high = middle
        return (low + high) / 2


def _square_root(gram: np.ndarray) -> np.ndarray:
    scale, axes = np.linalg.eigh(gram)
    return (axes * np.sqrt(scale.clip(min=0))) @ axes.T
