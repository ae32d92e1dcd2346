import re

from phosphene.reporting.figures.palette import DARK, LIGHT, class_colors, css_color


def test_up_to_forty_classes_have_different_colours():
    for n_classes in (2, 10, 11, 40):
        colors = class_colors(n_classes)
        assert len(set(colors)) == n_classes
        assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in colors)
    assert len(class_colors(100)) == 100


def test_every_light_colour_has_a_dark_one_and_a_variable():
    assert len(LIGHT) == len(set(LIGHT)) == len(DARK) == len(set(DARK))
    assert css_color(LIGHT[3]) == "var(--class-3)"
    assert css_color("#123456") == "#123456"


def test_colours_differ_in_lightness_or_hue_for_red_green_blindness():
    # Machado et al. 2009, deuteranopia, on linear RGB.
    rows = ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969))

    def seen(color):
        values = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
        return [
            max(0.0, sum(a * b for a, b in zip(row, linear, strict=True))) ** (1 / 2.2)
            for row in rows
        ]

    for palette in (LIGHT[:6], DARK[:6]):
        for index, first in enumerate(palette):
            for second in palette[index + 1 :]:
                pairs = zip(seen(first), seen(second), strict=True)
                assert sum((a - b) ** 2 for a, b in pairs) > 0.02, (first, second)
