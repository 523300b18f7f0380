"""Writing on: a network that predicts the next symbol is asked again and again, and reads its own answers."""

import numpy as np

from ..arrays.backend import namespace, to, to_numpy
from ..arrays.checks import at_least, check_classes, check_generator, number

FITTING = "a network whose inputs are its classes, one-hot, that reads 'every' step and answers with class numbers"


def generate(network, p, prompt, steps, rng, temperature=1.0):
    """Continue a sequence of classes with what the network expects next, one drawn at a time  ->  (steps,) int64.

    prompt        classes (N,), N at least 1, which the network reads first
    rng           a NumPy generator, of which every step draws one number
    temperature   scores are divided by it before the softmax: below 1 the likely gets likelier; 0: always the likeliest
    A body that is `whole` hands on no state that tells all: it reads the whole text again for each symbol.
    Raises        ValueError for a network that does not read what it predicts, for p of another network, for classes
                  out of range, for no prompt, for a temperature below 0, and for scores that are not finite
    """
    body, classes = network.body, network.outputs
    if (network.reads, body.inputs) != ("every", classes) or network.objective == "mse":
        raise ValueError(
            f"the network reads {body.inputs} inputs and gives {classes} outputs at its {network.reads} step, trained "
            f"by {network.objective}: expected {FITTING}.")
    network.check(p)
    at_least(0)("steps", steps)
    number("a finite number of at least 0", lambda given: given >= 0)("temperature", temperature)
    check_generator(rng)
    check_classes("prompt", prompt, ("N",), classes)
    leaf, state, written = p["readout"]["W"], None, []
    backend, one_hot = namespace(leaf).__name__, np.eye(classes, dtype=leaf.dtype)
    new = np.asarray(prompt)
    for _ in range(steps):
        scores, state = network.predict(p, to(backend, one_hot[new][:, None]), state)
        drawn = _drawn(check_scores(to_numpy(scores)[-1, 0]).astype(np.float64), rng.random(), temperature)
        new, state = (np.concatenate([new, drawn]), None) if body.whole else (drawn, state)
        written.append(drawn[0])
    return np.array(written, np.int64)


def check_scores(scores):
    """NumPy's scores themselves.    Raises ValueError unless all are finite: no next symbol follows from others."""
    if not np.isfinite(scores).all():
        raise ValueError("the scores of the next symbol are not all finite: expected parameters of a run that did not "
                         "diverge; load those of an earlier look, or train again at a smaller rate.")
    return scores


def _drawn(scores, chance, temperature):
    """The class of a chance in [0, 1) under the softmax of scores (C,) / temperature  ->  (1,)."""
    if temperature == 0:
        return scores.argmax(keepdims=True)
    scores = (scores - scores.max()) / temperature
    upto = np.exp(scores).cumsum()
    return np.searchsorted(upto, [chance * upto[-1]], side="right")
