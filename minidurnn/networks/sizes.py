"""How many trained numbers a network has, and which width has so many."""

from ..cells.contract import count_trained
from .network import Network


def width_for(body, outputs, parameters):
    """The units for which a network with body(units) and a linear read-out comes closest to so many trained numbers."""
    return nearest(lambda units: count_parameters(Network(body(units), outputs)), parameters)


def nearest(size, parameters):
    """The integer from 1 on for which size(integer), which grows, comes closest to so many."""
    low, high = 1, 2
    while size(high) < parameters:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) < parameters else (low, middle)
    return min((low, high), key=lambda units: abs(size(units) - parameters))


def count_parameters(network):
    """How many trained numbers a network has."""
    return sum(map(count_trained, network.parts.values()))
