"""The checkers of lesson 12, predict the next character: bits, pairs, a cut gradient, two texts, another start."""

from dataclasses import fields

import numpy as np

from ..cells import LSTM, DuRNN
from ..networks import Network
from ..tasks.characters import ALPHABET
from . import UNTOUCHED, called, choose, fail, judge, kind
from .companions.followed_facts import facts_of


def check_1(answer):
    """The cost of a text by the probabilities of another one."""
    choose("12.1", answer, "c", {
        "a": "1.75 is the mean cost where the letters come as often as the guesser says; here they do not.",
        "b": "2 is the cost of a guesser who gives every letter 1/4; this one does not.",
        "c": "",
        "d": "2.5 would be the mean of 1, 2, 3 and 4, but the letters d and c both cost 3.",
    })


def check_2(attempt):
    """Bits per character by counted pairs, each count beginning at 1."""
    rng = np.random.default_rng(12)
    cases = [
        (np.array([0, 1, 0, 1, 1]), np.array([0, 1, 1]), 2),
        (np.array([0, 1, 0, 1, 1]), np.array([2, 0, 2, 1]), 3),                   # a letter that was never seen
        (rng.integers(0, 5, 60), rng.integers(0, 5, 20), 5),
    ]
    judge("12.2", attempt, pair_bits, cases, ("bits",), mistakes=PAIR_MISTAKES)


def _two_texts(exercise, attempt, names, returned, such):
    """The two texts that an attempt gives, a tuple; ... where it is untouched, which is said."""
    answer = called(exercise, attempt, ())
    if answer is ...:
        print(f"exercise {exercise}: {UNTOUCHED}")
        return ...
    if not isinstance(answer, tuple) or len(answer) != 2:
        fail(exercise, f"got {kind(answer)}, expected two texts separated by a comma: return {returned}.")
    for name, text in zip(names, answer):
        if not isinstance(text, str):
            fail(exercise, f"{name} is {kind(text)}, expected a text such as \"{such}\".")
    return answer


def check_3(attempt):
    """A test text that costs 3 bits or more a letter, though its letters come as often as in training."""
    answer = _two_texts("12.3", attempt, ("train", "test"), "train, test", "abba")
    if answer is ...:
        return
    for name, text in zip(("train", "test"), answer):
        if set(text) != {"a", "b"} or not 10 <= len(text) <= 30:
            fail("12.3", f"{name} has {len(text)} letters of {sorted(set(text))}, expected 10 to 30, a and b.")
        if text.count("a") != text.count("b"):
            fail("12.3", f"{name} has {text.count('a')} times a and {text.count('b')} times b, expected equally many.")
    bits = pair_bits(*[np.array([letter == "b" for letter in text]).astype(int) for text in answer], 2)
    if bits < 3:
        fail("12.3", f"the test text costs {bits:.4g} bits a letter, expected 3 or more: which pairs must be rare?")
    print("exercise 12.3: correct")


def check_4(attempt):
    """The slope of a loss with the gradient cut at the windows, the state handed on."""
    rng = np.random.default_rng(12)
    cases = [
        (0.5, np.array([8.0, 0, 0, 0]), 2), (0.5, np.array([8.0, 0, 0, 0]), 4), (0.5, np.array([8.0, 0, 0, 0]), 1),
        (0.9, rng.standard_normal(9), 3), (-0.7, rng.standard_normal(7), 3),      # the last window is shorter
    ]
    judge("12.4", attempt, cut_slope, cases, ("slope",), mistakes={
        "this is the whole slope: nothing was cut": lambda u, x, window: cut_slope(u, x, len(x)),
        "the state was set to 0 too; only the gradient is cut": _with(reset=True),
        "this is the slope of the last state alone; the loss is the sum of all states": lambda *case: _walk(*case)[-1],
        "a window begins at step 1, so the cut stands where t counted from 0 is a multiple of window": _with(late=True),
        "h must be the state before the step where d uses it: update d first, then h": _with(early=True),
    })


def check_5(attempt):
    """Two texts that differ in the fact `name` at their last five letters, and not in their capitals."""
    which = "the first text", "the second text"
    answer = _two_texts("12.5", attempt, which, "first, second", "so. ROMEO")
    if answer is ...:
        return
    for name, text in zip(which, answer):
        if strange := sorted(set(text) - set(ALPHABET)):
            fail("12.5", f"{name} holds {strange[0]!r}, which is none of the 65 characters.")
        if not 10 <= len(text) <= 40 or not text.endswith("ROMEO"):
            fail("12.5", f"{name} has {len(text)} characters and ends in {text[-5:]!r}, "
                         "expected 10 to 40 characters that end in ROMEO.")
    first, second = answer
    if len(first) != len(second):
        fail("12.5", f"the texts have {len(first)} and {len(second)} characters, expected equally many.")
    names, capitals = zip(*(facts_of(text)[1:] for text in answer))
    if (capitals[0] != capitals[1]).any():
        place = int((capitals[0] != capitals[1]).argmax())
        fail("12.5", f"{first[place]!r} stands above {second[place]!r} at place {place}, and one of them is a capital: "
                     "then the capitals could explain a difference.")
    for name, row, wanted in zip(("first", "second"), names, (1, 0)):
        if (row[-5:] != wanted).any():
            fail("12.5", f"in the {name} text `name` is {row[-1]:.0f} at the last letter, expected {wanted} "
                         f"at all five letters of ROMEO: what begins a name?")
    print("exercise 12.5: correct")


def check_6(attempt):
    """The network of section 4 with another start of u, and with nothing else changed."""
    network, expected = called("12.6", attempt, ()), any_network()
    if network is ...:
        print(f"exercise 12.6: {UNTOUCHED}")
        return
    for given, right in ((getattr(network, "body", network), expected.body), (network, expected)):
        if type(given) is not type(right):
            fail("12.6", f"got {kind(given)}, expected a {type(right).__name__}, as in Network(DuRNN(...), ...).")
        for one in fields(right):
            mine, own = getattr(given, one.name), getattr(right, one.name)
            if mine != own:
                fail("12.6", f"{one.name} is {mine!r}, expected {own!r}: change where u starts, and nothing else.")
    print("exercise 12.6: correct")


# The reference solutions: the folded cells of the lesson hold the same text.

def pair_bits(train, test, size):
    """Places of two texts, size of the alphabet  ->  bits per character of test."""
    counts = np.ones((size, size))
    for before, after in zip(train[:-1], train[1:]):
        counts[before, after] += 1
    q = counts / counts.sum(axis=1, keepdims=True)
    return -np.log2(q[test[:-1], test[1:]]).mean()


def surprises():
    """Two texts of a and b, 10 to 30 letters each, as many a as b."""
    return "ab" * 15, "aaaaabbbbb"


def cut_slope(u, x, window):
    """dL/du, L the sum of all h; the gradient is cut in front of every window."""
    h, d, slope = 0.0, 0.0, 0.0
    for t, x_t in enumerate(x):
        if t % window == 0:
            d = 0.0
        d = h + u * d
        h = u * h + x_t
        slope += d
    return slope


def two_texts():
    """Two texts with the same capitals; ROMEO ends both, in the first as a name."""
    return "Let it be so.\n\nROMEO", "Let it be so.  ROMEO"


def any_network():
    """The network of section 4, but each u starts anywhere between 0 and its bound."""
    return Network(DuRNN(65, 32, 32, horizon=50, memory="any"), 65, "bits", reads="every")


def _alone(train, test, size):
    counts = 1.0 + np.bincount(train, minlength=size)
    return -np.log2(counts / counts.sum())[test[1:]].mean()


def _pairs(first, axis):
    """Pairs counted from a first number and divided by the sums along an axis, None: by the sum of all."""
    def bits(train, test, size):
        counts = np.full((size, size), first)
        np.add.at(counts, (train[:-1], train[1:]), 1)
        with np.errstate(all="ignore"):
            return -np.log2((counts / counts.sum(axis, keepdims=True))[test[:-1], test[1:]]).mean()
    return bits


PAIR_MISTAKES = {
    "these are the bits of the letters' own shares, without the letter before": _alone,
    "counts that begin at 0 give a pair that was never seen the probability 0: let them begin at 1": _pairs(0.0, 1),
    "every row of counts has to be divided by its own sum, not all counts by theirs": _pairs(1.0, None),
    "this is the loss in nats: take log2 in place of log": lambda *texts: pair_bits(*texts) * np.log(2),
    "rows and columns are swapped: this is the probability of the letter before, given the next one":
        lambda train, test, size: pair_bits(train[::-1], test[::-1], size),
    "this is the sum over the test text, not the mean":
        lambda train, test, size: pair_bits(train, test, size) * (len(test) - 1),
}


def _walk(u, x, window, reset=False, late=False, early=False):
    """The slopes of all states, with a planted mistake."""
    h, d, slopes = 0.0, 0.0, []
    for t, x_t in enumerate(x):
        if t % window == (window - 1 if late else 0):
            d, h = 0.0, 0.0 if reset else h
        before, h = h, u * h + x_t
        d = (h if early else before) + u * d
        slopes.append(d)
    return slopes


def _with(**mistake):
    return lambda u, x, window: sum(_walk(u, x, window, **mistake))


def _network(objective="bits", reads="every", long=32, horizon=50, **options):
    """What an attempt at the network may be: a function that gives one with such options."""
    return lambda: Network(DuRNN(65, 32, long, horizon, **options), 65, objective, reads)


CHECKS = {"12.1": check_1, "12.2": check_2, "12.3": check_3, "12.4": check_4, "12.5": check_5, "12.6": check_6}
REFERENCE = {"12.1": "c", "12.2": pair_bits, "12.3": surprises, "12.4": cut_slope, "12.5": two_texts,
             "12.6": any_network}
WRONG = {
    "12.1": ["a", "(b)", "D"],
    "12.2": list(PAIR_MISTAKES.values()),
    "12.3": [
        lambda: ("ab" * 15, "ab" * 5),                        # nothing surprises
        lambda: ("a" * 25 + "b" * 5, "b" * 5 + "a" * 5),      # not as many
        lambda: ("ab" * 20, "aaaaabbbbb"),                    # too long
        lambda: ("ab" * 15, "aabbccdd" * 2),                  # other letters
    ],
    "12.4": [
        _with(reset=True), _with(late=True), _with(early=True), lambda *case: _walk(*case)[-1],
        lambda u, x, window: cut_slope(u, x, len(x)),
    ],
    "12.5": [
        lambda: ("Let it be so.\n\nROMEO", "Let it be so. ROMEO"),          # not as long
        lambda: ("Let it be so.\n\nROMEO", "Let it be so.\n\nROMEO"),       # no difference
        lambda: ("Let it be so.  ROMEO", "Let it be so.\n\nROMEO"),         # the wrong way round
        lambda: ("Let it be so.\n\nROMEO", "LET IT BE SO.  ROMEO"),         # the capitals differ too
        lambda: ("Let it be so.\n\nROMEO", "Let it be so.\n\nRomeo"),       # another ending
        lambda: ("Let it be so.\n\nA:ROMEO", "Let it be so.\n A:ROMEO"),    # the colon has ended the name
    ],
    "12.6": [
        _network(), _network(memory="any", horizon=500), _network(memory="any", long=33), _network("mse", memory="any"),
        _network("bits", "last", memory="any"), lambda: Network(LSTM(65, 32), 65, "bits", "every"),
    ],
}
ILL_TYPED = {
    "12.1": [None, 2.25, "2.25", ["c"]],
    "12.2": [None, 1.5, lambda *given: None, lambda train, test, size: train[100], lambda train, test, size: train],
    "12.3": [3, lambda: None, lambda: "ab" * 5, lambda: (1, 2), lambda: ("ab" * 15, ["a", "b"]), lambda: 1 / 0],
    "12.4": [None, 16, lambda u, x, window: None, lambda u, x, window: x, lambda u, x, window: x.__imul__(2).sum()],
    "12.5": [
        3, lambda: None, lambda: "so.\n\nROMEO", lambda: (1, 2), lambda: ("so.\n\nROMEO", list("so.  ROMEO")),
        lambda: ("so.\n\nROMEO", "so\t\tROMEO"), lambda: 1 / 0,
    ],
    "12.6": [3, lambda: None, lambda: "any", lambda: any_network().body, lambda: (any_network(), 1), lambda: 1 / 0],
}
