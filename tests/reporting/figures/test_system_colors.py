from phosphene.reporting.figures.palette import VARIABLES
from phosphene.reporting.figures.system_colors import KNOWN, system_color
from phosphene.reporting.signal_contents import SYSTEMS


def test_known_systems_have_colours_of_their_own_that_follow_the_page():
    colors = [system_color(name) for name in ("real", *SYSTEMS)]
    assert len(set(colors)) == len(colors)
    assert set(colors) <= set(VARIABLES)


def test_other_systems_keep_one_free_colour():
    found = {system_color(f"system {number}") for number in range(9)}
    assert len(found) == 2
    assert not found & set(KNOWN.values())
    assert system_color("mine") == system_color("mine")
