"""Numbers from arrays: scores with intervals and chance levels, linear baselines, controls.

Nothing here knows a model class or a data set. Functions that return a `Score` set what they
measured (value, interval, n, chance) and take ``method``, ``role`` and ``split`` as words to print;
use `dataclasses.replace` for the rest of the protocol (fold, which data chose the checkpoint, a
note). ``docs/numbers.md`` says what each number means, ``docs/controls.md`` what each control
replaces.
"""
