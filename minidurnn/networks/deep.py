"""Deep recurrent networks: plain, residual and dense stacks of any cell, as the papers on IndRNN draw them.

cell      units -> a cell with project_input=False, so that a Linear in front of it, the Weight, owns W and b and starts
          as a Linear does, with b = 0 (norm="before": it has no b, the norm's shift does its work); `last`, where
          given, makes the last recurrent layer, whose start may differ
norm      "after" the recurrence (classification), "before" it (language models), or None
steps     None: one statistic for all time steps (classification); T: one for each of T steps (language models)
dropout   share of units dropped after every recurrence, one mask per sequence
Source    Li et al. 2018, figure 1; Li et al. 2019, figure 3 and section 5.1.
"""

from ..arrays.checks import check_positive, one_of
from .chunked import Chunked
from .layers import Dropout, Linear
from .normalisation import BatchNorm
from .stacks import Chain, Dense, Residual


def plain(inputs, units, layers, cell, *, last=None, norm=None, steps=None, dropout=0.0):
    """`layers` times Weight → recurrence  ->  Chain."""
    check_positive(inputs=inputs, units=units, layers=layers)
    parts = []
    for made in _cells(cell, last, layers):
        parts += _weighted(parts[-1].outputs if parts else inputs, made(units), norm, steps, dropout)
    return Chain(parts)


def residual(inputs, units, blocks, cell, *, last=None, norm="after", steps=None, dropout=0.0):
    """One Weight, `blocks` times x + (twice recurrence → Weight), a last recurrence  ->  Chain.

    It has 2 · blocks + 1 recurrent layers.
    """
    check_positive(inputs=inputs, units=units, blocks=blocks)
    width = cell(units).inputs
    branch = [*_recurrent(cell(units), norm, steps, dropout), _weight(cell(units).outputs, width, norm)]
    blocks = [Residual(Chain([*branch, *branch])) for _ in range(blocks)]
    return Chain([_weight(inputs, width, norm), *blocks, *_recurrent((last or cell)(units), norm, steps, dropout)])


def dense(inputs, growth, cell, *, blocks=(8, 6, 4), last=None, norm="after", steps=None, dropout=0.0):
    """Blocks of layers that see all layers before them, a halving of the width after each block  ->  Chain.

    A layer is Weight(4 · growth) → recurrence → Weight(growth) → recurrence, its output stands beside its input; the
    first layer has 6 · growth units. With blocks (8, 6, 4) there are 40 recurrent layers.
    """
    check_positive(inputs=inputs, growth=growth)
    parts = _weighted(inputs, cell(6 * growth), norm, steps, dropout)
    for place, layers in enumerate(blocks):
        for _ in range(layers):
            bottleneck = _weighted(parts[-1].outputs, cell(4 * growth), norm, steps, dropout)
            narrow = _weighted(bottleneck[-1].outputs, cell(growth), norm, steps, dropout)
            parts.append(Dense(Chain([*bottleneck, *narrow])))
        made = last if last and place + 1 == len(blocks) else cell
        parts += _weighted(parts[-1].outputs, made(parts[-1].outputs // 2), norm, steps, dropout)
    return Chain(parts)


def _weighted(inputs, cell, norm, steps, dropout):
    return [_weight(inputs, cell.inputs, norm), *_recurrent(cell, norm, steps, dropout)]


def _weight(inputs, outputs, norm):
    """A Weight. One whose outputs all go on into batch norms has no bias: each of them would take it off again."""
    return Linear(inputs, outputs, bias=norm != "before")


def _recurrent(cell, norm, steps, dropout):
    one_of((None, "before", "after"))("norm", norm)
    parts = [BatchNorm(cell.inputs, steps)] if norm == "before" else []
    parts += [Chunked(cell)]
    parts += [BatchNorm(cell.outputs, steps)] if norm == "after" else []
    return parts + ([Dropout(cell.outputs, dropout)] if dropout else [])


def _cells(cell, last, layers):
    return [cell] * (layers - 1) + [last or cell]
