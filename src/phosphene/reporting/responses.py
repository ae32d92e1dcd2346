"""What the page of a run from pictures to signals shows, in place of decoding and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

from phosphene.reporting.contents import Contents
from phosphene.reporting.figures.channel_correlation import CorrelationPanel, correlation_panels
from phosphene.reporting.figures.intervals import Chart, score_chart
from phosphene.reporting.figures.reconstructions import (
    PicturePair,
    Reconstruction,
    picture_reconstructions,
    signal_reconstructions,
)
from phosphene.reporting.figures.signal_distribution import (
    ChannelPanel,
    SystemPanels,
    distributions,
)
from phosphene.reporting.figures.signal_pictures import SinglePicture, single_pictures
from phosphene.reporting.figures.signal_spectrum import spectra, spectrum_progress
from phosphene.reporting.figures.signal_traces import Windows, example_windows
from phosphene.reporting.headline import Headline, outside_controls
from phosphene.reporting.signal_contents import SignalContents
from phosphene.reporting.signal_headline import (
    charted,
    metric_of,
    set_of,
    signal_tiles,
    write_signal_headline,
)
from phosphene.reporting.signal_table import SignalTable, signal_table
from phosphene.score import Score


@dataclass(frozen=True, kw_only=True)
class PanelGroups:
    """Panels of systems on the set to be looked at first, and on further sets."""

    first: tuple[SystemPanels, ...]
    further: tuple[SystemPanels, ...]


@dataclass(frozen=True, kw_only=True)
class Responses:
    """Everything that the template needs; empty where the run folder holds nothing yet."""

    headline: Headline
    tiles: list[tuple[str, str, str]]
    charts: list[Chart]
    table: SignalTable | None
    windows: list[Windows]
    amplitudes: PanelGroups
    spectra: PanelGroups
    correlations: list[CorrelationPanel]
    single: list[SinglePicture]
    reconstructions: list[Reconstruction]
    progress: tuple[ChannelPanel, ...]
    progress_steps: tuple[tuple[str, float], ...]
    pictures: list[PicturePair]
    channels: tuple[str, str]
    """The first and the last channel."""
    scores: list[Score]
    """Of test pictures, and those that are of no set."""
    training_scores: list[Score]


def describe_responses(contents: Contents) -> Responses | None:
    """Draw all that a run from pictures to signals holds, None for runs of the other kind."""
    signals = contents.signals
    if signals is None:
        return None
    names = contents.about("ch_names")
    ch_names = [str(name) for name in names] if isinstance(names, (list, tuple)) else []
    rate = contents.about("sfreq")
    sfreq = float(rate) if isinstance(rate, (int, float)) and rate > 0 else None
    panels, steps = spectrum_progress(signals.progress, ch_names=ch_names)
    outside = outside_controls(contents.scores)
    charts = [
        score_chart(rows, caption=metric_of(rows[0]), alarming=outside)
        for rows in charted(contents.scores)
    ]
    return Responses(
        headline=write_signal_headline(contents),
        tiles=signal_tiles(contents),
        charts=[chart for chart in charts if chart is not None],
        table=signal_table(contents.scores),
        windows=example_windows(signals, sfreq=sfreq, ch_names=ch_names),
        amplitudes=_group(distributions(signals, sfreq=sfreq, ch_names=ch_names)),
        spectra=_group(spectra(signals, ch_names=ch_names)),
        correlations=correlation_panels(signals),
        single=single_pictures(signals, sfreq=sfreq, ch_names=ch_names),
        reconstructions=signal_reconstructions(
            signals.reconstructions, sfreq=sfreq, ch_names=ch_names
        ),
        progress=panels,
        progress_steps=steps,
        pictures=picture_reconstructions(signals.reconstructions),
        channels=_outermost(ch_names, signals),
        scores=[score for score in contents.scores if set_of(score) != "train"],
        training_scores=[score for score in contents.scores if set_of(score) == "train"],
    )


def _group(found: Sequence[SystemPanels]) -> PanelGroups:
    first: dict[str, SystemPanels] = {}
    for panels in found:
        first.setdefault(panels.system, panels)
    further = tuple(panels for panels in found if panels is not first[panels.system])
    return PanelGroups(first=tuple(first.values()), further=further)


def _outermost(ch_names: Sequence[str], signals: SignalContents) -> tuple[str, str]:
    if ch_names:
        return ch_names[0], ch_names[-1]
    n_chans = len(signals.summaries[0].correlation) if signals.summaries else 1
    return "channel 1", f"channel {n_chans}"
