"""Weights from PyTorch's recurrent modules. PyTorch itself is not imported: the module brings its arrays along."""

import numpy as np

from ..cells import GRU, LSTM, RNN


def from_torch(module):
    """A one-layer, one-direction torch.nn.RNN, LSTM or GRU  ->  cell, p (NumPy arrays in the module's dtype).

    The cell gives the module's outputs, states and gradients. PyTorch keeps W and U transposed and two biases: they add
    up to b, but for the GRU's candidate, whose second bias is c.
    Raises   TypeError for another module, ValueError for several layers, two directions, projections or no bias.
    """
    kind = type(module).__name__
    if kind not in ("RNN", "LSTM", "GRU"):
        raise TypeError(f"got {kind}: expected torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU.")
    if module.num_layers != 1 or module.bidirectional or not module.bias or getattr(module, "proj_size", 0):
        raise ValueError(f"got {module}: expected one layer, one direction, biases and no projection; stack cells with Chain.")
    W, U, b_in, b_state = (getattr(module, name).detach().cpu().numpy().copy() for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"))
    D, H = module.input_size, module.hidden_size
    p = {"W": np.ascontiguousarray(W.T), "U": np.ascontiguousarray(U.T), "b": b_in + b_state}
    if kind == "RNN":
        return RNN(D, H, module.nonlinearity), p
    if kind == "LSTM":
        return LSTM(D, H), p
    p["b"][2 * H:] = b_in[2 * H:]
    return GRU(D, H), {**p, "c": b_state[2 * H:]}
