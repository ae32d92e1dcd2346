"""From pictures to brain signals: what every recipe of that task has in common."""
