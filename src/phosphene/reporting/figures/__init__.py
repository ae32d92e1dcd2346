"""One module per figure: arrays in, a small record or inline SVG for the template out."""
