"""What the numbers of a run allow to be said, by written rules."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from phosphene._checks import check_option, check_share
from phosphene.evaluation.multiple_comparisons import holm

DECODES = "decodes above chance on held-out recordings"
NOTHING = "not distinguishable from chance"
RECORDING = "explained by the recording, not by the picture"
UNKNOWN = "cannot be judged"
CLAIMS = (DECODES, NOTHING, RECORDING, UNKNOWN)

ALPHA = 0.04
"""Largest p-value that counts as above chance. A test at 0.05 claims decoding in 5 % of data sets
without any on average, and so in more of every second collection of them; this leaves room for
that, and for p-values that rest on few retrained decoders."""
MIN_RECORDINGS = 3
"""Fewer held-out recordings say nothing about other recordings."""
SMALLEST_GAP = 0.05
"""Smaller differences of two ways to split are not worth a sentence."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A score of held-out trials beside what chance makes of it."""

    name: str
    """Words to print: "balanced accuracy", "pre-stimulus window", "recording index"."""
    value: float
    chance: float
    """Value expected under chance."""
    p_value: float | None = None
    """One-sided, from `permutation.heldout_test` or `permutation.calibrate`; None is not known."""
    low: float | None = None
    high: float | None = None
    """Ends of the 95 % interval."""

    def above_chance(self, alpha: float = ALPHA) -> bool:
        """Whether the p-value says so."""
        return self.p_value is not None and self.p_value <= alpha


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The numbers that a verdict is derived from; None is what was not measured."""

    score: Measured
    """The result: trials decoded by a decoder that never saw their recording."""
    unit: str
    """Level at which labels were randomised, "trial" or "block", see `independent_unit`."""
    n_units: int
    """Independent units that permuting labels can exchange: trials, or blocks."""
    n_recordings: int
    """Held-out recordings."""
    class_constant_in: str = ""
    """Group that holds one class each: "recording", "session", "subject"; empty where classes vary
    inside recordings."""
    group_wise: Measured | None = None
    """The score with recordings held out by the decoder of `window_wise`; None takes `score`."""
    window_wise: Measured | None = None
    """The score with single trials held out at random, recordings on both sides."""
    recording_decoding: Measured | None = None
    """How well the recording (or block) of a trial is told from its signal."""
    nuisances: tuple[Measured, ...] = ()
    """The class decoded, recordings held out, from what no picture has touched: pre-stimulus
    window, trial index, time stamps, noise, shifted labels."""
    retrained: tuple[float, ...] = ()
    """Scores of the same decoder trained on permuted labels, on the scale of `score`."""
    n_arrangements: float | None = None
    """Ways to arrange the labels, see `permutation.count_arrangements`; None is plenty."""
    leak: str = ""
    """Why the split lets training and test share samples; empty where it does not."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One of `CLAIMS`, and the rules that led to it."""

    claim: str
    because: list[str]
    """Sentences with the numbers, the decisive one first."""

    def __iter__(self) -> Iterator[str]:
        yield self.claim
        yield from self.because


def judge(evidence: Evidence, *, alpha: float = ALPHA) -> Verdict:
    """Derive the verdict from the numbers; the first rule that applies decides.

    1. Training and test share samples: cannot be judged. Nothing was held out.
    2. Every recording (session, subject) holds one class: explained by the recording, unless
       nothing was found at all. What tells recordings apart tells the class, and no split helps.
    3. With single trials held out the class is found, with recordings held out it is not:
       explained by the recording. What was learnt holds inside a recording only.
    4. Fewer than 3 held-out recordings, or so few units that no arrangement of labels could reach
       ``alpha``, or no p-value: cannot be judged.
    5. The p-value is at most ``alpha``, but more than that share of the decoders that were trained
       on permuted labels reach the score: not distinguishable from chance.
    6. The p-value is larger: not distinguishable from chance, which does not say that there is
       nothing.
    7. Something that no picture has touched reaches half of the score's distance from chance, and
       is above chance itself (Holm's correction over all such controls): explained by the
       recording.
    8. Else: decodes above chance.

    Parameters
    ----------
    evidence
        What was measured.
    alpha
        Level of every test.

    Returns
    -------
    Verdict
        The claim, the sentence that decided, then what else is to be known.
    """
    _check(evidence, alpha)
    because = list(_decide(evidence, alpha))
    return Verdict(claim=because[0], because=[*because[1:], *_remarks(evidence, because[0], alpha)])


def _decide(evidence: Evidence, alpha: float) -> tuple[str, str]:
    score, p = evidence.score, evidence.score.p_value
    found = score.above_chance(alpha)
    if evidence.leak:
        return UNKNOWN, f"training and test share samples ({evidence.leak}): nothing was held out."
    if group := evidence.class_constant_in:
        window = evidence.window_wise
        inside = window is not None and _stands_out(window, window.chance, alpha)
        if found or inside or p is None:
            return RECORDING, (
                f"each {group} holds one class, so whatever tells one {group} from another tells "
                "the class; no split of these data can separate the two."
            )
    if (gap := _gap(evidence, alpha)) and not found:
        return RECORDING, gap
    if evidence.n_recordings < MIN_RECORDINGS:
        return UNKNOWN, (
            f"{evidence.n_recordings} held-out recordings say nothing about other recordings; at "
            f"least {MIN_RECORDINGS} are needed."
        )
    if p is None:
        return UNKNOWN, "no p-value is known: labels could not be permuted at their unit."
    if evidence.n_arrangements is not None and evidence.n_arrangements * alpha < 1:
        return UNKNOWN, (
            f"labels of {evidence.n_units} {evidence.unit}s can be arranged in "
            f"{evidence.n_arrangements:.0f} ways only, too few for a p-value of {alpha:g}."
        )
    reached = [value for value in evidence.retrained if value >= score.value]
    if found and len(reached) > alpha * len(evidence.retrained):
        return NOTHING, (
            f"{len(reached)} of {len(evidence.retrained)} decoders trained on permuted labels "
            f"reach {_words(score)}."
        )
    if not found:
        return NOTHING, (
            f"{_words(score)} has p = {p:.3g}, above {alpha:g}; that does not say that there is "
            "nothing, see `phosphene power`."
        )
    for nuisance in _significant(evidence.nuisances, alpha):
        if nuisance.value - nuisance.chance >= (score.value - score.chance) / 2:
            return RECORDING, (
                f"{_words(nuisance)}, which no picture has touched, is above chance (p = "
                f"{nuisance.p_value:.3g}) and reaches half or more of {_words(score)}."
            )
    return DECODES, (
        f"{_words(score)} of {evidence.n_recordings} held-out recordings has p = {p:.3g} when "
        f"labels are permuted by {evidence.unit}."
    )


def _remarks(evidence: Evidence, claim: str, alpha: float) -> Iterator[str]:
    """Say what does not decide but must be known."""
    known = evidence.recording_decoding
    if claim == RECORDING and known is not None and known.above_chance(alpha):
        yield f"recordings can be told apart by their signal: {_words(known)}."
    if claim == DECODES and (gap := _gap(evidence, alpha)):
        yield f"{gap} Quote the number with recordings held out."
    for nuisance in _significant(evidence.nuisances, alpha):
        if claim in (DECODES, NOTHING):
            words = _words(nuisance)
            yield f"{words}, which no picture has touched, is above chance: find out why."
    if claim == DECODES and evidence.window_wise is None:
        yield "no window-wise split stands beside it."
    if claim == DECODES and not evidence.nuisances:
        yield "no control without a picture (pre-stimulus, trial index) stands beside it."


def _gap(evidence: Evidence, alpha: float) -> str:
    """Say how much more is found with single trials held out; empty where it is not more."""
    window, group = evidence.window_wise, evidence.group_wise or evidence.score
    if window is None or not _stands_out(window, window.chance, alpha):
        return ""
    if window.value - group.value < SMALLEST_GAP or not _stands_out(window, group.value, 1.0):
        return ""
    return (
        f"with single trials held out {_words(window)}, with recordings held out {_words(group)}: "
        "what was learnt holds inside a recording only."
    )


def _stands_out(score: Measured, level: float, alpha: float) -> bool:
    """Whether a score lies above a level by its interval, or where it has none by its p-value."""
    if score.low is not None:
        return score.low > level
    return score.value > level and (score.p_value is None or score.above_chance(alpha))


def _significant(nuisances: Iterable[Measured], alpha: float) -> list[Measured]:
    """Return those above chance by Holm's correction, the most significant first."""
    tested = [(float(n.p_value), n) for n in nuisances if n.p_value is not None]
    if not tested:
        return []
    adjusted = holm(np.array([p for p, _ in tested]))
    found = [(p, i) for i, p in enumerate(adjusted) if p <= alpha]
    return [tested[i][1] for _, i in sorted(found)]


def _words(score: Measured) -> str:
    return f"{score.name} {score.value:.3f} (chance {score.chance:.3f})"


def _check(evidence: Evidence, alpha: float) -> None:
    check_option("unit", evidence.unit, ("trial", "block"))
    check_share("alpha", alpha)
    every = [evidence.score, evidence.group_wise, evidence.window_wise, *evidence.nuisances]
    for one in filter(None, [*every, evidence.recording_decoding]):
        if not (math.isfinite(one.value) and math.isfinite(one.chance)):
            raise ValueError(
                f"a verdict needs finite numbers; got {one.value} with chance {one.chance} for "
                f"{one.name!r}; leave out what could not be computed."
            )
        if one.p_value is not None and not 0 <= one.p_value <= 1:
            raise ValueError(
                f"a p-value lies between 0 and 1; got {one.p_value} for {one.name!r}; take it "
                "from evaluation.permutation."
            )
