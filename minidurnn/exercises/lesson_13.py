"""The checkers of lesson 13, movements of people: features, sampled frames, evidence at every frame, and a verdict."""

import numpy as np

from . import UNTOUCHED, choose, fail, judge, numbers


def check_1(answer):
    """What a squat changes in positions that are relative to the waist."""
    choose("13.1", answer, "b", {
        "a": "the feet stay where they are, and the waist from which they are measured sinks: they come nearer to it.",
        "b": "",
        "c": "the waist is measured from itself, so its three numbers are 0 in every frame.",
        "d": "the feet were 900 mm below the waist and are 600 mm below it now: that is another number.",
    })


def check_2(attempt):
    """One number of a recording at T evenly spaced moments."""
    cases = [
        (np.array([0.0, 1.0, 3.0, 4.0]), 3),
        (np.array([2.0, 8.0, 5.0, 7.0, 1.0, 0.0, 4.0]), 4),   # whole places
        (np.array([5.0, 1.0]), 5),                            # fewer frames than moments
        (np.array([3.0]), 4),                                 # one frame
        (np.arange(11.0) ** 2, 7),
    ]
    judge("13.2", attempt, sampled, cases, ("heights",), mistakes={
        "this is the frame before each moment; mix the two frames around it": _before,
        "this is the frame nearest to each moment; mix the two frames around it": _nearest,
        "these moments end before the last frame: divide by T - 1": _short,
        "the two shares are exchanged": _exchanged,
    })


def check_3(answer):
    """Ten heights of which four sampled moments show nothing."""
    if answer is ...:
        print(f"exercise 13.3: {UNTOUCHED}")
        return
    heights = numbers("13.3", "answer", answer, (10,)).astype(float)
    outside = heights[~((heights >= 0) & (heights <= 1))]
    if len(outside):
        fail("13.3", f"answer holds {outside[0]:g}, expected ten heights from 0 to 1.")
    seen = sampled(heights, 4)
    if abs(seen).max() > 1e-12:
        moment = int(abs(seen).argmax())
        fail("13.3", f"moment {moment + 1} of 4 shows the height {seen[moment]:.4g}, expected 0 at all four: "
                     f"it reads frame {3 * moment + 1}.")
    if heights.sum() < 5:
        fail("13.3", f"the heights add up to {heights.sum():.4g}, expected at least 5: raise more frames that no "
                     "moment reads.")
    print("exercise 13.3: correct")


def check_4(attempt):
    """The evidence for each class at each frame, from the states and the read-out."""
    rng = np.random.default_rng(13)
    cases = [
        (rng.normal(size=(n, units)), rng.normal(size=(units, classes)), rng.normal(size=classes))
        for n, units, classes in ((3, 4, 5), (6, 2, 2), (1, 3, 4))             # the last: one frame
    ]
    judge("13.4", attempt, frame_evidence, cases, ("evidence",), mistakes={
        "these are the scores: make positive numbers of them that add up to 1": _scores,
        "each frame's numbers must add up to 1: divide by their sum": _powers,
        "the sum goes over the classes of one frame, not over the frames: axis=1": _over_frames,
        "the sum goes over the classes of one frame, not over all of them at once: axis=1": _over_all,
        "the b of the read-out is missing": _no_bias,
    })


def check_5(answer):
    """The verdict of the ledger's rule on three medians."""
    choose("13.5", answer, "c", {
        "a": "the rule asks for the highest of the three medians, and the LSTM's is higher.",
        "b": "trend only would need the first model ahead of all others, not of one of them.",
        "c": "",
        "d": "all three models have records, so the rule is applied.",
    })


# The reference solutions: the folded cells of the lesson hold the same text.

def sampled(heights, T):
    """One number in each of n frames  ->  (T,): at T even moments, first to last frame."""
    last = len(heights) - 1
    result = np.zeros(T)
    for k in range(T):
        place = k / (T - 1) * last
        before = int(place)
        after = min(before + 1, last)
        share = place - before
        result[k] = (1 - share) * heights[before] + share * heights[after]
    return result


def frame_evidence(h, W, b):
    """States h (n, units), read-out W (units, classes) and b (classes,)  ->  (n, classes)."""
    scores = h @ W + b
    powers = np.exp(scores)
    return powers / powers.sum(axis=1, keepdims=True)


def _places(heights, T):
    return np.arange(T) / (T - 1) * (len(heights) - 1)


def _before(heights, T):
    return heights[_places(heights, T).astype(int)]


def _nearest(heights, T):
    return heights[np.rint(_places(heights, T)).astype(int)]


def _short(heights, T):
    return np.interp(np.arange(T) / T * (len(heights) - 1), np.arange(len(heights)), heights)


def _exchanged(heights, T):
    place = _places(heights, T)
    before = place.astype(int)
    after, share = np.minimum(before + 1, len(heights) - 1), place - before
    return share * heights[before] + (1 - share) * heights[after]


def _scores(h, W, b):
    return h @ W + b


def _powers(h, W, b):
    return np.exp(h @ W + b)


def _over_frames(h, W, b):
    powers = np.exp(h @ W + b)
    return powers / powers.sum(axis=0)


def _over_all(h, W, b):
    powers = np.exp(h @ W + b)
    return powers / powers.sum()


def _no_bias(h, W, b):
    return frame_evidence(h, W, 0 * b)


CHECKS = {"13.1": check_1, "13.2": check_2, "13.3": check_3, "13.4": check_4, "13.5": check_5}
REFERENCE = {
    "13.1": "b", "13.2": sampled, "13.3": [0, 1, 1, 0, 1, 1, 0, 1, 1, 0], "13.4": frame_evidence, "13.5": "c",
}
WRONG = {
    "13.1": ["a", "(c)", "D"],
    "13.2": [_before, _nearest, _short, _exchanged],
    "13.3": [
        [0] * 10, [1] * 10, [0, 1, 1, 0, 0, 0, 0, 0, 0, 0],   # nothing, seen, too little
        [0, 1, 1, 0.5, 1, 1, 0, 1, 1, 0], [0, 2, 2, 0, 2, 2, 0, 0, 0, 0],
    ],
    "13.4": [_scores, _powers, _over_frames, _over_all, _no_bias],
    "13.5": ["a", "B", "(d)"],
}
ILL_TYPED = {
    "13.1": [None, 1, "feet", ["b"]],
    "13.2": [
        None, np.zeros(3), lambda heights, T: [0.0] * (T + 1), lambda heights, T: heights[T + 20],
        lambda heights, T: heights.sort(),
    ],
    "13.3": [None, "0110", [0] * 9, [[0] * 10], ["a"] * 10, [0, None] * 5],
    "13.4": [
        None, np.eye(3), lambda h, W, b: len(h), lambda h, W, b: (h @ W + b)[-1], lambda h, W, b: h @ W.T,
        lambda h, W, b: h.fill(0),
    ],
    "13.5": [None, 3, "trend", ("c",)],
}
