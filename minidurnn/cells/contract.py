"""What a model may leave out: cells have neither noise nor lengths nor running statistics, layers and stacks have."""


def run(model, p, x, state=None, noise=None, lengths=None):
    """model.forward with what the model takes  ->  output, tape."""
    if hasattr(model, "draw"):
        return model.forward(p, x, state, noise, lengths)
    return model.forward(p, x, state)


def draw(model, rng, B):
    """What a training pass over B sequences needs beside p, drawn once (NumPy); None where that is nothing."""
    return model.draw(rng, B) if hasattr(model, "draw") else None


def updated(model, p, tape):
    """p with the running statistics that this training pass has moved; p itself where there are none."""
    return model.updated(p, tape) if hasattr(model, "updated") else p


def whole(model):
    """Whether a model needs the whole sequence at once."""
    return getattr(model, "whole", False)
