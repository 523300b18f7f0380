"""Translating: the likeliest sentence is looked for word by word, with the best few beginnings kept at every step."""

from collections import namedtuple

import numpy as np

from ..arrays.backend import namespace, to_numpy
from ..arrays.checks import at_least, number
from ..scans.attention import Source, State
from .generate import check_scores
from .translator import END

Translation = namedtuple("Translation", "words lengths logs weights")


def translate(network, p, x, lengths=None, width=1, longest=None, per_word=0.0):
    """Translate sentences x (T, B)  ->  Translation(words (N, B), lengths (B,), logs (B,), weights (N, T, B)), NumPy.

    width      beginnings that are kept for each sentence. 1: greedy, the likeliest next word at every step
    longest    words at most, the end included; None: 3 T + 10
    per_word   of the sentences that are left at the end, the first by log-probability / (words, the end included) to
               this power, at most 10: 0 takes the likeliest, 1 the likeliest per word, for every word makes a sentence
               less likely
    words      padded with 0, which ends a sentence; lengths count the end. One that found no end in `longest` words
               has none
    logs       the log-probability of each sentence             weights   where the decoder looked at every word
    Every step reads the scores from the device.
    Raises     ValueError for a width or a number of words of 0, symbols that the network does not know, lengths that
               do not fit x, and scores that are not finite
    """
    network.check(p)
    at_least(1)("width", width)
    number("a number from 0 to 10", lambda given: 0 <= given <= 10)("per_word", per_word)
    longest = None if longest is None else at_least(1)("longest", longest)
    source, state = network.begin(p, x, lengths)
    xp, (T, B) = namespace(x), x.shape
    sentence, longest = np.arange(B)[:, None], 3 * T + 10 if longest is None else longest
    source, state = _each(source, state, np.repeat(np.arange(B), width), xp)
    logs = np.full((B, width), -np.inf)
    logs[:, 0] = 0.0                                          # all beginnings are one: the empty sentence
    before, ended, steps = np.full(B * width, END), np.zeros((B, width), bool), []
    while len(steps) < longest and not ended.all():
        scores, look = network.next(p, xp.asarray(before), state, source)
        logs, parents, words = _best(logs, ended, check_scores(to_numpy(scores)).astype(np.float64), width)
        ended = ended[sentence, parents] | (words == END)
        rows = (sentence * width + parents).ravel()
        weights = to_numpy(look.weights).reshape(T, B, width)
        steps.append((words, parents, weights))
        before, (_, state) = words.ravel(), _each(None, look.after, rows, xp)
    return _chosen(logs, steps, per_word)


def _best(logs, ended, scores, width):
    """The best beginnings that are one word longer  ->  their logs, the beginnings they come from, their words.

    An ended sentence goes on with ends that cost nothing.
    """
    B = len(logs)
    scores = scores - scores.max(-1, keepdims=True)
    step = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    step = step.reshape(B, width, -1)
    step = np.where(ended[..., None], np.where(np.arange(step.shape[-1]) == END, 0.0, -np.inf), step)
    few = min(width, step.shape[-1])                          # no beginning is followed by more of the best
    words = np.argsort(-step, axis=-1, kind="stable")[..., :few] if few > 1 else step.argmax(-1)[..., None]
    total = (logs[..., None] + np.take_along_axis(step, words, -1)).reshape(B, -1)
    order = np.argsort(-total, axis=-1, kind="stable")[:, :width]
    return np.take_along_axis(total, order, 1), order // few, np.take_along_axis(words.reshape(B, -1), order, 1)


def _each(source, state, rows, xp):
    """Sources and states of these rows, one after the other; None stays None."""
    rows = xp.asarray(rows)
    if source is not None:
        source = Source(*(part[:, rows] for part in source))
    return source, State(state.r[rows], None if state.d is None else state.d[:, rows])


def _chosen(logs, steps, per_word):
    """The best sentence of every beam, followed back from its last word  ->  Translation."""
    N, every = len(steps), np.arange(len(logs))
    place = np.broadcast_to(np.arange(logs.shape[1]), logs.shape)
    written = np.empty((N, *logs.shape), np.int64)
    path = np.empty((N, *logs.shape), np.int64)
    for t in reversed(range(N)):
        words, parents, _ = steps[t]
        written[t], path[t] = np.take_along_axis(words, place, 1), np.take_along_axis(parents, place, 1)
        place = path[t]
    lengths = np.minimum((np.cumsum(written == END, axis=0) == 0).sum(0) + 1, N)                  # (B, width)
    best = (logs / lengths ** float(per_word)).argmax(1)
    weights = np.stack([steps[t][2][:, every, path[t][every, best]] for t in range(N)])           # (N, T, B)
    lengths, words = lengths[every, best], written[:, every, best]
    weights *= (np.arange(N)[:, None] < lengths)[:, None]     # behind the end there was no look
    return Translation(words, lengths, logs[every, best], weights)
