"""Weights from PyTorch's recurrent modules. PyTorch itself is not imported: the module brings its arrays along."""

import numpy as np

from ..arrays.checks import FLOATS
from ..cells import GRU, LSTM, RNN


def from_torch(module):
    """A one-layer, one-direction torch.nn.RNN, LSTM or GRU  ->  cell, p (NumPy arrays in the module's dtype).

    The cell gives the module's outputs, states and gradients. PyTorch keeps W and U transposed and two biases: they add
    up to b, but for the GRU's candidate, whose second bias is c.
    Raises   TypeError for another module; ValueError for several layers, two directions, projections, no bias,
             sequences whose first axis is the batch, or other weights than float32 and float64.
    """
    kind = type(module).__name__
    if kind not in ("RNN", "LSTM", "GRU") or type(module).__module__.partition(".")[0] != "torch":
        raise TypeError(
            f"got {kind} of {type(module).__module__}: expected torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU.")
    if module.num_layers != 1 or module.bidirectional or not module.bias or getattr(module, "proj_size", 0):
        raise ValueError(
            f"got {module}: expected one layer, one direction, biases and no projection; stack cells with Chain.")
    if module.batch_first:
        raise ValueError(
            f"got {module}: expected batch_first=False, for here time comes first, x (T, B, D); "
            "set module.batch_first = False (its weights are the same) and give x.transpose(1, 0, 2).")
    dtype = str(module.weight_ih_l0.dtype).removeprefix("torch.")
    if dtype not in FLOATS:
        raise ValueError(f"got weights of {dtype}: expected float32 or float64; convert with module.float().")
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    W, U, b_in, b_state = (getattr(module, name).detach().cpu().numpy().copy() for name in names)
    D, H = module.input_size, module.hidden_size
    p = {"W": np.ascontiguousarray(W.T), "U": np.ascontiguousarray(U.T), "b": b_in + b_state}
    if kind == "RNN":
        return RNN(D, H, module.nonlinearity), p
    if kind == "LSTM":
        return LSTM(D, H), p
    p["b"][2 * H:] = b_in[2 * H:]
    return GRU(D, H), {**p, "c": b_state[2 * H:]}
