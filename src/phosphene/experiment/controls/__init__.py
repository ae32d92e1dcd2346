"""Full controls of a finished run: the same computation with the information taken out."""
