"""What some steps of a scan do to a state, as one map; two such maps, one after the other, are one again.

An affine map   h -> a h + b, a pair (a, b): the steps of a gated scan
A clipped one   h -> clip(a h + b, low, high), (a, b, low, high): those of a diagonal scan with relu as well
Shapes          arrays of one shape, element by element: a map of its own for each column, and each piece of time
Source          Martin, Cundy 2018, for affine maps; that the clipped ones are closed under composition is ours.
"""

from ..arrays.backend import namespace


def affine_then(first, second):
    """The affine map that does `first`, then `second`: a₂ (a₁ h + b₁) + b₂."""
    (a, b), (a2, b2) = first, second
    return a2 * a, a2 * b + b2


def affine_after(h, map_):
    """The state behind an affine map, from the one in front of it."""
    a, b = map_
    return a * h + b


def clipped_then(first, second):
    """The clipped map that does `first`, then `second`: what first can give at all, second bends and clips again."""
    (a, b, low, high), (a2, b2, low2, high2) = first, second
    xp = namespace(a)
    flat = a2 == 0.0                                          # 0 · ∞ is NaN
    bent = xp.where(flat, 1.0, a2)
    ends = [xp.where(flat, b2, bent * end + b2) for end in (low, high)]
    return a2 * a, a2 * b + b2, *(xp.clip(end, low2, high2) for end in (xp.minimum(*ends), xp.maximum(*ends)))


def clipped_after(h, map_):
    """The state behind a clipped map, from the one in front of it."""
    a, b, low, high = map_
    xp = namespace(h)
    return xp.minimum(xp.maximum(a * h + b, low), high)
