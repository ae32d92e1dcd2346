import io
import time

from phosphene.cli.progress import BarProgress, LineProgress, open_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_bar_on_a_terminal_lines_elsewhere():
    assert isinstance(open_progress(Terminal()), BarProgress)
    assert isinstance(open_progress(io.StringIO()), LineProgress)


def test_lines_come_at_most_every_ten_seconds():
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock=clock)
    progress.start("encoder", 100)
    for step in range(1, 101):
        clock.now = step * 0.25
        progress.update(step, {"loss": 1 / step})
    progress.finish()
    assert stream.getvalue().splitlines() == [
        "encoder: started",
        "encoder: 40/100, loss 0.025, 15 s left",
        "encoder: 80/100, loss 0.0125, 5 s left",
    ]


def test_time_left_of_a_resumed_stage_counts_from_where_it_went_on():
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock=clock)
    progress.start("generator", 1000)
    for step in (900, 910, 920):
        clock.now += 10.0
        progress.update(step, {})
    progress.start("encoder", 100)  # another stage begins anew
    clock.now += 10.0
    progress.update(1, {})
    clock.now += 10.0
    progress.update(11, {})
    assert stream.getvalue().splitlines() == [
        "generator: started",
        "generator: 900/1000",
        "generator: 910/1000, 1 min 30 s left",
        "generator: 920/1000, 1 min 20 s left",
        "encoder: 1/100",
        "encoder: 11/100, 1 min 29 s left",
    ]


def test_bar_of_a_resumed_stage_takes_its_speed_from_new_steps():
    progress = BarProgress(Terminal())
    progress.start("generator", 1000)
    for step in (900, 901, 902):
        progress.update(step, {})
        time.sleep(0.02)
    (task,) = progress._bar.tasks
    assert task.speed < 100  # 902 steps in 0.06 s would be thousands
    progress.finish()


def test_a_long_stage_says_how_long_it_took():
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock=clock)
    progress.start("generator", 1)
    clock.now = 3725.0
    progress.finish()
    assert stream.getvalue().splitlines()[-1] == "generator: done in 1 h 02 min"


def test_bar_shows_stage_steps_and_values():
    stream = Terminal()
    progress = BarProgress(stream)
    progress.update(1, {})  # before any stage: nothing to move
    progress.start("encoder", 4)
    progress.update(4, {"loss": 0.25})
    progress.finish()
    progress.finish()
    text = stream.getvalue()
    assert "encoder" in text
    assert "4/4" in text
    assert "loss 0.25" in text


def test_lines_tell_nothing_of_a_stage_that_never_began_or_has_ended():
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock=clock)
    progress.finish()
    assert stream.getvalue() == ""
    progress.start("encoder", 2)
    for clock.now in (60.0, 120.0):
        progress.finish()
    assert stream.getvalue().count("done") == 1
