"""From corrupted pictures to whole ones: what every recipe of that task has in common."""
