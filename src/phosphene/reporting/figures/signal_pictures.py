"""Single pictures, the signals they evoke and those made for them (thesis, 5.12, 5.13, app. B)."""

from collections.abc import Sequence
from dataclasses import dataclass

from phosphene.reporting.figures.reconstructions import grey_address
from phosphene.reporting.figures.signal_distribution import (
    ChannelPanel,
    channel_name,
    quantile_panel,
    spread_channels,
    value_range,
)
from phosphene.reporting.figures.signal_spectrum import amplitude_range, spectrum_channel
from phosphene.reporting.figures.system_colors import system_color
from phosphene.reporting.signal_contents import SignalContents, SignalSummary

MAX_PICTURES, N_CHANNELS = 8, 2


@dataclass(frozen=True, kw_only=True)
class PictureSystem:
    """Real showings of a picture and what one system made for it."""

    system: str
    color: str
    panels: tuple[ChannelPanel, ...]
    """Amplitudes over time, then spectra."""


@dataclass(frozen=True, kw_only=True)
class SinglePicture:
    """One picture."""

    title: str
    address: str
    """Of the picture, "" where it is not stored."""
    systems: tuple[PictureSystem, ...]


def single_pictures(
    signals: SignalContents, *, sfreq: float | None, ch_names: Sequence[str]
) -> list[SinglePicture]:
    """Return the pictures whose showings have summaries, in their stored order."""
    names = [s.picture for s in signals.summaries if s.of == "picture" and s.picture]
    found = []
    for name in list(dict.fromkeys(names))[:MAX_PICTURES]:
        real = signals.real(of="picture", picture=name)
        made = [s for s in signals.systems(of="picture") if s.picture == name]
        made.sort(key=lambda s: s.system == "autoencoder")  # it was given the showings: last
        if real is None or not made:
            continue
        found.append(
            SinglePicture(
                title=name,
                address=_picture_address(signals, name),
                systems=tuple(
                    PictureSystem(
                        system=s.system,
                        color=system_color(s.system),
                        panels=_panels(real, s, sfreq, ch_names),
                    )
                    for s in made
                ),
            )
        )
    return found


def _picture_address(signals: SignalContents, name: str) -> str:
    shown = signals.shown or {}
    if "picture" not in shown or "stimulus" not in shown:
        return ""
    stored = [str(stimulus) for stimulus in shown["stimulus"]]
    return grey_address(shown["picture"][stored.index(name)]) if name in stored else ""


def _panels(
    real: SignalSummary, made: SignalSummary, sfreq: float | None, ch_names: Sequence[str]
) -> tuple[ChannelPanel, ...]:
    channels = spread_channels(len(real.correlation), N_CHANNELS)
    values, amplitudes = value_range([real]), amplitude_range([real, made], [real])
    over_time = [
        (channel, quantile_panel(real, made, channel, sfreq=sfreq, limits=values))
        for channel in channels
    ]
    spectra = [
        (channel, spectrum_channel(real, made, channel, limits=amplitudes)) for channel in channels
    ]
    return tuple(
        ChannelPanel(channel=channel_name(ch_names, channel), svg=svg)
        for channel, svg in (*over_time, *spectra)
    )
