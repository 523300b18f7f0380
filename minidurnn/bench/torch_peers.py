"""PyTorch's side: the cells written as one writes them in it, and its own layers. Needs PyTorch, on one thread."""

import numpy as np
import torch

torch.set_num_threads(1)


def prepare(name, cell, p, x, device="cpu"):
    """step() -> loss, gradients by name, for the implementation `name` of the cell called `cell`."""
    if name == "nn":
        return built_in(cell, p, x, device)
    run = {"hoisted": HOISTED}.get(name, EAGER)[cell]
    return loop(torch.compile(run) if name == "compiled" else run, p, x, device)


def loop(run, p, x, device):
    """A step of a cell that is written in Python; autograd gives the gradients."""
    arrays = {**p, "x": x}
    given = {name: torch.tensor(array, requires_grad=True, device=device) for name, array in arrays.items()}

    def step():
        value = loss(*run(**given))
        return value.detach(), dict(zip(given, torch.autograd.grad(value, list(given.values()))))

    return step


def loss(h, last):
    """The sum of squares of the last state, and the mean over all states."""
    return (last * last).sum() + h.mean()


def rnn(x, W, U, b):
    h, states = x.new_zeros(x.shape[1], len(U)), []
    for a in (x @ W + b).unbind(0):                           # indexing Z[t] instead makes the backward quadratic in T
        h = torch.tanh(a + h @ U)
        states.append(h)
    return torch.stack(states), h


def indrnn(x, W, u, b):
    h, states = x.new_zeros(x.shape[1], len(u)), []
    for a in (x @ W + b).unbind(0):
        h = torch.relu(a + u * h)
        states.append(h)
    return torch.stack(states), h


def durnn(x, W_s, U_s, b_s, W_g, V_g, b_g, W_l, b_l, u):
    s, l = x.new_zeros(x.shape[1], len(U_s)), x.new_zeros(x.shape[1], len(u))
    shorts, longs = [], []
    for a, v in zip((x @ W_s + b_s).unbind(0), (x @ V_g + b_g).unbind(0)):
        s = torch.relu(a + s @ U_s)
        g = torch.sigmoid(v + s @ W_g)
        l = torch.relu(g * (s @ W_l + b_l) + u * l)
        shorts.append(s)
        longs.append(l)
    return torch.cat([torch.stack(shorts), torch.stack(longs)], -1), torch.cat([s, l], -1)


def durnn_hoisted(x, W_s, U_s, b_s, W_g, V_g, b_g, W_l, b_l, u):
    s, l = x.new_zeros(x.shape[1], len(U_s)), x.new_zeros(x.shape[1], len(u))
    shorts, longs = [], []
    for a in (x @ W_s + b_s).unbind(0):
        s = torch.relu(a + s @ U_s)
        shorts.append(s)
    short = torch.stack(shorts)
    g = torch.sigmoid(short @ W_g + x @ V_g + b_g)
    for e in (g * (short @ W_l + b_l)).unbind(0):
        l = torch.relu(e + u * l)
        longs.append(l)
    return torch.cat([short, torch.stack(longs)], -1), torch.cat([s, l], -1)


def lstm(x, W, U, b):
    h, c, states = x.new_zeros(x.shape[1], len(U)), x.new_zeros(x.shape[1], len(U)), []
    for a in (x @ W + b).unbind(0):
        i, f, z, o = (a + h @ U).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(z)
        h = torch.sigmoid(o) * torch.tanh(c)
        states.append(h)
    return torch.stack(states), torch.cat([h, c], -1)


def gru(x, W, U, b, c):
    h, states = x.new_zeros(x.shape[1], len(U)), []
    for a in (x @ W + b).unbind(0):
        (r, z, n), (r_h, z_h, n_h) = a.chunk(3, -1), (h @ U).chunk(3, -1)
        r, z = torch.sigmoid(r + r_h), torch.sigmoid(z + z_h)
        h = (1 - z) * torch.tanh(n + r * (n_h + c)) + z * h
        states.append(h)
    return torch.stack(states), h


EAGER = {"rnn": rnn, "indrnn": indrnn, "durnn": durnn, "lstm": lstm, "gru": gru}
HOISTED = {"durnn": durnn_hoisted}
BUILT_IN = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def built_in(cell, p, x, device):
    """A step of torch.nn's layer with our weights: it keeps them transposed, and has a second bias."""
    T, B, D = x.shape
    H = len(p["U"])
    layer = BUILT_IN[cell](D, H).to(device, torch.tensor(x).dtype)
    second = np.concatenate([np.zeros(2 * H, x.dtype), p["c"]]) if cell == "gru" else np.zeros_like(p["b"])
    values = {"weight_ih_l0": p["W"].T, "weight_hh_l0": p["U"].T, "bias_ih_l0": p["b"], "bias_hh_l0": second}
    layer.load_state_dict({name: torch.tensor(np.ascontiguousarray(array)) for name, array in values.items()})
    given = [torch.tensor(x, requires_grad=True, device=device), *layer.parameters()]

    def step():
        h, last = layer(given[0])
        value = loss(h, torch.cat(last, -1) if cell == "lstm" else last)
        dx, dW, dU, db, dsecond = torch.autograd.grad(value, given)
        gradients = {"x": dx, "W": dW.T, "U": dU.T, "b": db}
        return value.detach(), {**gradients, "c": dsecond[2 * H:]} if cell == "gru" else gradients

    return step
