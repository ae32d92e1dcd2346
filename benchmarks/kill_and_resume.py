"""Kill trainings at random moments, resume them, and compare the final weights bit for bit.

    python benchmarks/kill_and_resume.py

trains encoders (the published LSTM with triplets, the compact network with dropout and mixup) and a
GAN (EMA, DiffAugment, mode seeking) in processes of their own, ends each with `kill -9` at a random
moment, every fourth time inside the writing of a checkpoint, and starts it again until it is done.
Everything that a step keeps must then equal an undisturbed run: weights, optimiser, schedule, EMA,
random states. Prints "20 of 20" and exits with 1 if it is fewer. Fixed threads, on the CPU.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

N_STEPS = 120
EVERY = 6
WAIT_AT_MOST = 300.0


def encoder_lstm():
    """Return the published encoder and loss."""
    from phosphene.models.encoders.lstm import LSTMEncoder
    from phosphene.training.encoder_step import EncoderStep
    from phosphene.training.seeding import seeded_generator

    return EncoderStep(
        LSTMEncoder(8, n_features=32, hidden=(16,)),
        n_classes=4,
        rng=seeded_generator(0),
        objective="triplet",
        margin=8,
    )


def encoder_cnn():
    """Return our encoder with all that draws random numbers."""
    from phosphene.augment.signal import SignalAugmentation
    from phosphene.models.encoders.compact_cnn import CompactCNN
    from phosphene.training.encoder_step import EncoderStep
    from phosphene.training.seeding import seeded_generator

    return EncoderStep(
        CompactCNN(8, 48, n_features=16, sfreq=64.0),
        n_classes=4,
        rng=seeded_generator(0),
        augmentation=SignalAugmentation(max_shift=4, noise=0.1, channel_dropout=0.1, mixup=0.5),
        margin=8,
        schedule="cosine",
        n_steps=N_STEPS,
        weight_decay=1e-2,
    )


def gan():
    """Return the adversarial training with averaged generator."""
    from phosphene.models.discriminators.dcgan import DCGANDiscriminator
    from phosphene.models.generators.dcgan import DCGANGenerator
    from phosphene.training.gan_step import GANStep
    from phosphene.training.seeding import seeded_generator

    sizes = {"n_features": 16, "size": 16, "color": 1, "width": 8}
    return GANStep(
        DCGANGenerator(n_noise=8, **sizes),
        DCGANDiscriminator(**sizes),
        rng=seeded_generator(0),
        feature_jitter=0.05,
        mode_seeking_every=2,
        ema_decay=0.99,
        schedule="cosine",
        n_steps=N_STEPS,
    )


CASES = {"encoder_lstm": encoder_lstm, "encoder_cnn": encoder_cnn, "gan": gan}
ORDER = ("encoder_lstm", "gan", "encoder_cnn", "gan", "gan", "encoder_cnn", "gan", "encoder_lstm")
"""What is killed in turn: half the times a GAN."""


def train(case: str, folder: Path) -> None:
    """Train in this process, going on from the newest checkpoint."""
    import torch

    from phosphene.training.batches import balanced_index_batches, tensor_batches
    from phosphene.training.loop import fit
    from phosphene.training.seeding import seeded

    torch.set_num_threads(1)
    with seeded(0):
        step = CASES[case]()
        labels = torch.arange(60) % 4
        signals, features = torch.randn(60, 8, 64), torch.randn(60, 16)
        pictures = torch.rand(60, 1, 16, 16) * 2 - 1
    tensors = (pictures, features) if case == "gan" else (signals, labels)
    batches = tensor_batches(tensors, balanced_index_batches(labels, batch_size=24, seed=0))
    (folder / "started").touch()
    fit(
        step,
        batches,
        n_steps=N_STEPS,
        checkpoints=folder / "checkpoints",
        checkpoint_every=EVERY,
        resume=True,
    )
    (folder / "finished").touch()


def start(case: str, folder: Path) -> subprocess.Popen:
    """Start a training in a new process and wait until its first step is due."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "started").unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).resolve()), "--train", case, str(folder)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    wait_for(lambda: (folder / "started").exists() or process.poll() is not None)
    return process


def wait_for(condition, *, pause: float = 0.002) -> None:
    """Wait until a condition holds."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > WAIT_AT_MOST:
            raise TimeoutError(f"waited {WAIT_AT_MOST:g} s for a training to go on.")
        time.sleep(pause)


def finish(case: str, folder: Path) -> float:
    """Train to the end in a new process; return the seconds after its start-up."""
    process = start(case, folder)
    began = time.monotonic()
    if process.wait(timeout=WAIT_AT_MOST) or not (folder / "finished").exists():
        raise RuntimeError(f"{case} in {folder} ended with {process.returncode}.")
    return time.monotonic() - began


def kill_about(case: str, folder: Path, step: int, *, seconds_per_step: float) -> None:
    """Start a training and kill it about some step: after its last checkpoint, by the clock."""
    process = start(case, folder)
    before, rest = step // EVERY * EVERY, step % EVERY
    path = folder / "checkpoints" / f"step_{before:08d}.pt"
    wait_for(lambda: before == 0 or path.exists() or process.poll() is not None)
    time.sleep((rest + 0.5) * seconds_per_step)
    process.send_signal(signal.SIGKILL)
    process.wait()


def kill_in_write(case: str, folder: Path, step: int) -> None:
    """Start a training and kill it while it writes the checkpoint of a step."""
    process = start(case, folder)
    path = folder / "checkpoints" / f"step_{step:08d}.pt"
    unfinished = path.with_name(path.name + ".tmp")
    wait_for(
        lambda: unfinished.exists() or path.exists() or process.poll() is not None, pause=0.0001
    )
    process.send_signal(signal.SIGKILL)
    process.wait()


def final_state(folder: Path) -> dict:
    """Return all that the finished training kept."""
    from phosphene.training.checkpoint import latest_checkpoint, load_checkpoint

    step, state = load_checkpoint(latest_checkpoint(folder / "checkpoints"))
    if step != N_STEPS:
        raise RuntimeError(f"{folder} ended at step {step} of {N_STEPS}.")
    return state


def differences(first, second, name: str = "state") -> list[str]:
    """Return the names of what is not equal bit for bit."""
    import torch

    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        alike = first.dtype == second.dtype and first.shape == second.shape
        bits = [each.contiguous().flatten().view(torch.uint8) for each in (first, second)]
        return [] if alike and torch.equal(*bits) else [name]
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        return [n for key in first for n in differences(first[key], second[key], f"{name}.{key}")]
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        if len(first) != len(second):
            return [name]
        pairs = enumerate(zip(first, second, strict=True))
        return [n for i, (a, b) in pairs for n in differences(a, b, f"{name}.{i}")]
    return [] if first == second else [name]


def try_once(number: int, *, case: str, seed: int, folder: Path, seconds: float, expected) -> dict:
    """Kill one training at a random moment, resume it, and compare."""
    rng = random.Random(f"{seed}/{number}")
    checkpoints = folder / "checkpoints"
    while True:
        if number % 4 == 3:
            step = EVERY * rng.randrange(1, N_STEPS // EVERY)
            moment = f"writing step {step}"
            kill_in_write(case, folder, step)
        else:
            step = rng.randrange(N_STEPS - 1)
            moment = f"about step {step}"
            kill_about(case, folder, step, seconds_per_step=seconds / N_STEPS)
        if not (folder / "finished").exists():
            break
        for file in checkpoints.iterdir():  # it was too late: once more
            file.unlink()
        (folder / "finished").unlink()
    kept = (
        sorted(file.name for file in checkpoints.glob("step_*.pt")) if checkpoints.exists() else []
    )
    cut = [file.name for file in checkpoints.glob("*.tmp")] if checkpoints.exists() else []
    finish(case, folder)
    different = differences(expected, final_state(folder))
    rest = [file.name for file in checkpoints.glob("*.tmp")]
    return {
        "number": number,
        "case": case,
        "killed": moment,
        "resumed_from": int(kept[-1][5:13]) if kept else 0,
        "cut_a_write": bool(cut),
        "equal": not different and not rest,
        "different": different + rest,
    }


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time")
    parser.add_argument("--json", type=Path, help="file for the results")
    parser.add_argument("--train", nargs=2, metavar=("CASE", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        train(options.train[0], Path(options.train[1]))
        return 0
    cases = [ORDER[number % len(ORDER)] for number in range(options.kills)]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(options.jobs) as pool:
        root = Path(name)
        used = list(dict.fromkeys(cases))
        seconds = dict(
            zip(used, pool.map(lambda case: finish(case, root / case), used), strict=True)
        )
        expected = {case: final_state(root / case) for case in used}

        def work(number: int) -> dict:
            case = cases[number]
            return try_once(
                number,
                case=case,
                seed=options.seed,
                folder=root / f"{number}",
                seconds=seconds[case],
                expected=expected[case],
            )

        results = []
        for result in pool.map(work, range(options.kills)):
            results.append(result)
            cut = ", in the middle of the file" if result["cut_a_write"] else ""
            verdict = "equal" if result["equal"] else f"DIFFERS: {result['different'][:3]}"
            print(
                f"{result['case']:<13}killed {result['killed']}{cut}; "
                f"resumed from step {result['resumed_from']}: {verdict}",
                flush=True,
            )
    n_equal = sum(result["equal"] for result in results)
    n_cut = sum(result["cut_a_write"] for result in results)
    print(
        f"{n_cut} kills left half a file. Final states equal bit for bit, in "
        f"{time.monotonic() - began:.0f} s:\n{n_equal} of {options.kills}"
    )
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if n_equal == options.kills else 1


if __name__ == "__main__":
    sys.exit(main())
