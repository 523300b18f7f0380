"""Passes through the stacks of lessons 14 and 15: forward and backward, part by part, with scaled weights."""

import numpy as np

from ...networks.chunked import run


def both_passes(model, p, x, c):
    """Forward from x, backward from c  ->  y, dx."""
    y, tape = model.forward(p, x)
    return y, model.backward(c, tape)[0]


def derivative(model, p, x):
    """dy/dx of a model whose y is as large as x, all numbers of each in one row  ->  a row for each number of x."""
    return np.stack([both_passes(model, p, x, c.reshape(x.shape))[1].ravel() for c in np.eye(x.size)], axis=1)


def walk(stack, p, x):
    """The parts of a chain from the bottom to the top, each with its parameters and its input."""
    for part, own in zip(stack.parts, p.values()):
        yield part, own, x
        x, _ = part.forward(own, x)


def passes_in_training(network, p, x):
    """A pass through each part of a network's body, from the bottom to the top  ->  a list of (output, tape)."""
    noise, passes = network.draw(None, x.shape[1]) or {}, []
    for place, part in enumerate(network.body.parts):
        x, tape = run(part, p["body"][str(place)], x, noise=noise.get(str(place)))
        passes.append((x, tape))
    return passes


def scaled(p, factor, which="W"):
    """p with every Weight (or every array of another name) times a factor; all other arrays stay."""
    times = {name: leaf * (factor if name == which else 1.0) for name, leaf in p.items() if not isinstance(leaf, dict)}
    return {name: times[name] if name in times else scaled(leaf, factor, which) for name, leaf in p.items()}
