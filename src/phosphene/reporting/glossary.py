"""One paragraph for each word that a report uses; only the scores that appear are explained."""

from collections.abc import Sequence

from phosphene.reporting.restoration_tables import DIFFERENCE
from phosphene.reporting.signal_headline import metric_of
from phosphene.score import Score

ALWAYS = (
    (
        "95 % interval",
        "Where the value would probably lie if the experiment were repeated. It rests on the "
        "independent units named beside it, not on windows or noise draws.",
    ),
    (
        "Chance, and its range",
        "What the score would be if the signal said nothing about the class, and the range in "
        "which it would then lie 95 % of the time.",
    ),
    (
        "Control",
        "The same analysis with the information taken away: labels permuted, noise in place of "
        "signals, features shuffled. It must stay inside its chance range; if it does not, "
        "something other than the signal gives the class away.",
    ),
    (
        "Decoded class and shown class",
        "The decoded class is what the method reads from the signal; the shown class is what was "
        "on the screen. A picture can fit the first perfectly and still be wrong about the second.",
    ),
)
SCORES = (
    (
        "balanced accuracy",
        "Share of trials whose class is decoded, averaged over classes: a rare class counts as "
        "much as a frequent one. Chance is one divided by the number of classes.",
    ),
    (
        "auc",
        "Probability that a trial of a class gets a higher score for it than a trial of another "
        "class; averaged over classes. Chance is 0.5.",
    ),
    (
        "k-means",
        "Features of held-out trials are clustered without labels, clusters are matched with "
        "classes in the best way, and the share that fits is counted. The best match lifts chance "
        "above one divided by the number of classes.",
    ),
    (
        "consisten",
        "Share of generated pictures in which a judge sees the intended class. The judge is a "
        "classifier trained on pictures that the generator never saw.",
    ),
    (
        "inception classification accuracy",
        "Share of generated pictures in which Inception-v3 sees the intended class rather than any "
        "other of the 1000 of ImageNet. Real pictures, shrunk alike, have a value below one.",
    ),
    (
        "is[",
        "Inception Score: high when each picture is clearly of one class and all classes occur. It "
        "says nothing about the right class, nor about copies. The bracket names the classifier; "
        "scores with different brackets cannot be compared.",
    ),
    (
        "chet distance",
        "Distance between the features of generated and of real pictures, each described by mean "
        "and covariance; lower is better. Biased upwards for few pictures: compare with the value "
        "of real against real. The bracket names the feature network.",
    ),
    (
        "fid[",
        "Fréchet Inception Distance: the same distance through 2048 features of Inception-v3. Far "
        "too high for few pictures, real ones included: compare at equal numbers.",
    ),
    (
        "interpolation smoothness",
        "Pictures are drawn along a straight line from the mean features of one class to those of "
        "another: of all that changes on the way, as the network in brackets sees it, the share "
        "outside the steepest tenth of the way, divided by 0.9. One: an even passage; zero: a jump "
        "from class to class. The network itself may jump: compare with cross-fades, whose pixels "
        "change evenly.",
    ),
    (
        "interpolation detour",
        "How much longer the way of the pictures between two classes is than the distance of its "
        "ends, as the network in brackets sees it. One: straight to the other class; two: twice "
        "that way, past other pictures.",
    ),
    (
        "interpolation ends",
        "Share of the ends of those lines in whose picture the network in brackets sees the class "
        "of that end. Low: the generator does not draw the classes there, and an even passage "
        "between them means nothing.",
    ),
    (
        "ssim",
        "Mean structural similarity of two pictures of the same class; lower means more variety. "
        "Near one: every noise draw gives the same picture.",
    ),
    (
        "copied",
        "Share of generated pictures that lie closer to a training picture than new real pictures "
        "do, against the crowding around it. Chance is the share among new real pictures.",
    ),
    (
        "nearest picture",
        "Share of generated pictures whose nearest training picture, by pixels, is of the decoded "
        "class. Copies score as well as new pictures; it stands in where too few pictures are "
        "there to train a judge.",
    ),
    (
        "nearest training",
        "Distance from a picture to the most similar training picture. Much smaller for generated "
        "pictures than for held-out real ones: the generator copies.",
    ),
)
SIGNALS = (
    (
        "picture specificity (rank)",
        "Of all pictures of the set, the share whose mean real response resembles the mean "
        "generated response less than the own picture's does; what all pictures share is taken off "
        "first. One: the own is always nearest; chance is 0.5.",
    ),
    (
        "picture specificity (nearest)",
        "Share of pictures whose own mean real response is the nearest of all to the generated "
        "one. Chance is one divided by the number of pictures.",
    ),
    (
        "true response",
        "Correlation of mean responses with those that the simulator planted. Own part: what all "
        "pictures share is taken off, and chance is 0. Means of real showings do not reach one "
        "either; their value is the most that can be hoped for.",
    ),
    (
        "chet distance[",
        "Distance between sets of windows, each described by mean and covariance; lower is better. "
        "raw: of all samples; else of the features of the network in brackets. Biased upwards for "
        "few windows: compare with the row of real data, which is one half of the showings against "
        "the other.",
    ),
    (
        "fid[",
        "The same distance through 2048 features of Inception-v3, windows drawn as grey pictures, "
        "as the thesis has it. The network has never seen a signal.",
    ),
    (
        "is[",
        "Inception Score of windows: high when the network in brackets is sure of each and names "
        "all classes. It knows no real data and is no criterion for signals.",
    ),
    (
        "amplitude distance",
        "How far amplitudes have to be moved to turn one distribution into the other "
        "(Wasserstein-1), in standard deviations, mean over channels. Over time: at each sample by "
        "itself, so that artefacts at the ends of windows count.",
    ),
    (
        "spectr",
        "How many decibels the power of generated signals in a band is off, up or down, mean over "
        "channels: 3 is half or twice the power. High-frequency error: the same at each frequency "
        "from 80 Hz on, which generators are slow to learn.",
    ),
    (
        "channel correlations",
        "Mean absolute difference of the correlations between channels: 0 is best, 2 the worst.",
    ),
    (
        "reconstruction error",
        "Mean squared error of windows that went through the signal autoencoder: 0 is perfect, 1 "
        "is their variance.",
    ),
    (
        "classifier of windows",
        "Accuracy of the network whose features carry the bracket [domain], on showings of "
        "training pictures that it never saw. At chance its features say nothing of pictures.",
    ),
)
SIGNALS_ALWAYS = (
    ALWAYS[0],
    (
        "Chance, and its range",
        "What the score would be if signals had nothing to do with their picture, and the range in "
        "which it would then lie 95 % of the time.",
    ),
    (
        "Control",
        "Signals that cannot know the picture: noise, or showings with random phases. They must "
        "stay inside their chance range; if they do not, the scoring gives the picture away.",
    ),
    (
        "Real data",
        "One half of the showings of each picture against the other half, with as many windows: "
        "the least distance, and the highest specificity, that a perfect generator would have.",
    ),
    (
        "z-scored, SD",
        "Each window has mean 0 and standard deviation 1 over its channels and samples; its size "
        "in volts is not generated.",
    ),
)
RESTORATION = (
    (
        "rmse[",
        "Root of the mean squared difference between restored and original values, pixels from 0 "
        "to 1; lower is better. Missing: what was made black; visible: the rest, noise and all. It "
        "favours blurred restorations: a clean stroke a pixel aside costs twice what grey does.",
    ),
    (
        "psnr[",
        "Peak signal-to-noise ratio in decibels, mean over pictures: 20 is an RMSE of 0.1, 6 more "
        "are half the error. Pictures that come out well weigh more than in the RMSE.",
    ),
    (
        "ssim[",
        "Structural similarity with the original, mean over pictures: 1 for the same picture. It "
        "compares means, contrasts and patterns of small windows.",
    ),
    (
        "accuracy of the classifier",
        "Share of pictures in which a classifier sees the class of the original. It was trained on "
        "clean training pictures and shares nothing with the systems. Chance is the most frequent "
        "class.",
    ),
    (
        DIFFERENCE,
        "The first system's score less the second's, on the same pictures one by one: a negative "
        "RMSE difference says that the first is nearer to the originals.",
    ),
)
RESTORATION_ALWAYS = (
    ALWAYS[0],
    (
        "Equal iterations, equal time",
        "All systems are trained for equally many iterations; then all but the slowest go on until "
        "each has had as much time as it, by speeds that were measured in turn before.",
    ),
    (
        "Simple methods",
        "What needs no network: the corrupted picture as it is, the mean training picture, the "
        "training picture nearest on the visible part, and two filters of noise, whose strength "
        "was chosen on training pictures.",
    ),
)
CEILING = (
    "Ceiling",
    "Simulated signals have known distributions, so that the best accuracy of any decoder, one "
    "that knows every gain and drift included, can be computed.",
)
BASELINE = (
    "Shrinkage LDA",
    "Linear discriminant analysis with a regularised covariance: the simplest decoder that works "
    "on evoked responses, and the one to beat.",
)


def glossary(scores: Sequence[Score], *, has_ceiling: bool) -> list[tuple[str, str]]:
    """Return (word, explanation) pairs for what a report mentions."""
    words, always = SCORES, ALWAYS
    if any(s.section == "signals" for s in scores):
        words, always = SIGNALS, SIGNALS_ALWAYS
    elif any(s.section == "restoration" for s in scores):
        words, always = RESTORATION, RESTORATION_ALWAYS
    entries = []
    for part, text in words:
        named = (s for s in scores if part in s.name.lower())
        found = {metric_of(s) for s in named if s.name.endswith(DIFFERENCE) == (part == DIFFERENCE)}
        names = sorted(found, key=str.lower)
        if names:
            entries.append((", ".join(names), text))
    if any("lda" in s.method.lower() for s in scores):
        entries.append(BASELINE)
    if has_ceiling:
        entries.append(CEILING)
    return [*entries, *always]
