from dataclasses import replace

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.reconstructions import grey_address
from phosphene.reporting.figures.signal_pictures import single_pictures


def test_each_picture_has_its_showings_and_what_was_made_for_it(make_signal_run):
    signals = read_contents(make_signal_run(autoencoder=0.9, GAN=0.5)).signals
    names = [f"c{number}" for number in range(6)]
    found = single_pictures(signals, sfreq=1250.0, ch_names=names)
    assert [picture.title for picture in found] == ["natural_scene_025", "natural_scene_043"]
    assert found[1].address == grey_address(signals.shown["picture"][1])
    assert [system.system for system in found[0].systems] == ["GAN", "autoencoder"]
    panels = found[0].systems[0].panels
    assert [panel.channel for panel in panels] == ["c1", "c4", "c1", "c4"]
    assert [">ms<" in panel.svg for panel in panels] == [True, True, False, False]


def test_a_picture_needs_showings_but_no_stored_pixels(make_signal_run):
    signals = read_contents(make_signal_run(GAN=0.5)).signals
    bare = single_pictures(replace(signals, shown=None), sfreq=None, ch_names=[])
    assert [picture.address for picture in bare] == ["", ""]
    only = tuple(s for s in signals.summaries if s.system != "real")
    assert single_pictures(replace(signals, summaries=only), sfreq=None, ch_names=[]) == []
