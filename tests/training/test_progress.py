from phosphene.training.progress import Progress, SilentProgress


def test_silence_fits_the_interface():
    progress: Progress = SilentProgress()
    progress.start("encoder", 3)
    progress.update(1, {"loss": 0.5})
    progress.finish()
