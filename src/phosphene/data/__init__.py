"""Files to recordings, trials and pictures."""
