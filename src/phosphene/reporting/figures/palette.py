"""Colours that people with any colour vision can tell apart, in light and in dark mode.

Up to ten classes take Okabe and Ito's colours (https://jfly.uni-koeln.de/color/), without black and
with a darker yellow, and three more. More classes take matplotlib's tab20, tab20b and tab20c;
nobody can tell forty colours apart, so that figures also write the class beside its points.
"""

LIGHT = (
    "#0072b2",  # blue
    "#d55e00",  # vermilion
    "#009e73",  # green
    "#cc79a7",  # pink
    "#e69f00",  # orange
    "#56b4e9",  # sky
    "#b8a400",  # yellow, darkened for white paper
    "#5b3fa8",  # indigo
    "#7d5a3c",  # brown
    "#7a7f87",  # grey
)
DARK = (
    "#3d9fe0",
    "#f07b26",
    "#1fc296",
    "#e39ac2",
    "#f5b93d",
    "#8fd0f7",
    "#ded04a",
    "#a08df0",
    "#bd9573",
    "#a4a9b1",
)

# Inks of the page. Figures are drawn with the light value, which stands for the CSS variable.
INK, MUTED, RULE, ACCENT, WARN, PAPER = (
    "#1c1f24",
    "#626973",
    "#d8dbe0",
    "#0b6e99",
    "#b4341f",
    "#fefefd",
)
VARIABLES = {
    **{color: f"var(--class-{index})" for index, color in enumerate(LIGHT)},
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    ACCENT: "var(--accent)",
    WARN: "var(--warn)",
    PAPER: "var(--card)",
}


def class_colors(n_classes: int) -> list[str]:
    """Return one hexadecimal colour per class; from 61 classes on they repeat."""
    if n_classes <= len(LIGHT):
        return list(LIGHT[:n_classes])
    import matplotlib
    from matplotlib.colors import to_hex

    many = [
        to_hex(color)
        for name in ("tab20", "tab20b", "tab20c")
        for color in matplotlib.colormaps[name].colors  # pyright: ignore[reportAttributeAccessIssue]
    ]
    return [many[index % len(many)] for index in range(n_classes)]


def css_color(color: str) -> str:
    """Return the CSS variable that a colour stands for, or the colour itself."""
    return VARIABLES.get(color, color)
