"""PyTorch's autograd as an oracle: every gradient of every cell, of networks with their losses, and the optimisers."""

from importlib import import_module

import numpy as np
import pytest
from support import CELLS, SQUARE, B, T, refuses, rng

from minidurnn import (
    FSMN,
    GRU,
    JANET,
    LSTM,
    RNN,
    Chain,
    Chunked,
    DuRNN,
    IndRNN,
    Linear,
    Network,
    ShortTermRNN,
    from_torch,
)
from minidurnn.arrays.backend import namespace
from minidurnn.arrays.trees import leaves, map_leaves
from minidurnn.gradcheck import random_leaves
from minidurnn.networks import Attention, FeedForward, LayerNorm, Residual
from minidurnn.optim import SGD, Adam, clip_by_global_norm

ACTIVATIONS = {
    "relu": lambda a: torch.relu(a), "tanh": lambda a: torch.tanh(a), "sigmoid": lambda a: torch.sigmoid(a),
    "identity": lambda a: a}


@pytest.fixture(scope="module", autouse=True)
def oracle():
    """PyTorch, imported where these tests run: two seconds that every process would take to collect them."""
    global torch
    reason = "no PyTorch: an oracle of these tests, nothing that the package needs"
    torch = pytest.importorskip("torch", reason=reason)


def tensors(tree):
    """The same tree of float64 tensors that ask for gradients."""
    return map_leaves(lambda leaf: torch.tensor(leaf, requires_grad=True), tree)


def assert_equal(ours, theirs):
    """Equal to 1e-10 of the largest entry."""
    ours, theirs = leaves(ours), leaves(theirs)
    assert ours.keys() == theirs.keys()
    for path, array in ours.items():
        expected = theirs[path].detach().numpy()
        assert array.shape == expected.shape, path
        assert np.abs(array - expected).max(initial=0.0) <= 1e-10 * max(np.abs(expected).max(initial=0.0), 1e-6), path


# Every cell as a loop in PyTorch: (cell, p, x, state) -> outputs, last state

def vanilla(cell, p, x, h):
    """RNN and ShortTermRNN."""
    outputs = []
    for x_t in x:
        h = ACTIVATIONS[cell.activation](x_t @ p["W"] + h @ p["U"] + p["b"])
        outputs.append(h)
    return torch.stack(outputs), h


def independent(cell, p, x, h):
    """IndRNN."""
    outputs = []
    for x_t in x:
        h = ACTIVATIONS[cell.activation](x_t @ p["W"] + p["u"] * h + p["b"])
        outputs.append(h)
    return torch.stack(outputs), h


def dual(cell, p, x, state):
    """DuRNN."""
    s, l = state[:, :cell.short], state[:, cell.short:]
    outputs = []
    for x_t in x:
        s = torch.relu(x_t @ p["W_s"] + (s @ p["U_s"] if "U_s" in p else 0.0) + p["b_s"])
        heard = [of @ p[weight] for of, weight in ((s, "W_g"), (x_t, "V_g")) if weight in p]
        g = torch.sigmoid(sum(heard) + p["b_g"]) if heard else 1.0
        selected = (g * s) @ p["W_l"] + p["b_l"] if cell.selection == "before" else g * (s @ p["W_l"] + p["b_l"])
        l = torch.relu(selected + p["u"] * l)
        outputs.append(torch.cat([s, l], -1) if cell.output == "both" else l)
    return torch.stack(outputs), torch.cat([s, l], -1)


def lstm(cell, p, x, state):
    """PyTorch's own LSTM, with one of its two biases zero."""
    h, c = state[:, :cell.units], state[:, cell.units:]
    if cell.forget != "sigmoid":
        return with_forget_gate(cell, p, x, h, c)
    weights = (p["W"].T, p["U"].T, p["b"], torch.zeros_like(p["b"]))
    states = (h[None].contiguous(), c[None].contiguous())
    outputs, h, c = torch.lstm(x, states, weights, True, 1, 0.0, False, False, False)
    return outputs, torch.cat([h[0], c[0]], -1)


def with_forget_gate(cell, p, x, h, c):
    """The LSTM with a forget gate of another form."""
    outputs = []
    for x_t in x:
        i, f, z, o, *r = torch.chunk(x_t @ p["W"] + p["b"] + h @ p["U"], cell.gates, -1)
        if cell.forget == "fast":
            f = torch.sigmoid(torch.sinh(f))
        elif cell.forget == "floor":
            f = 1 - torch.sigmoid(-f) / torch.tensor(cell.scales)
        else:
            f = torch.lerp(torch.sigmoid(f) ** 2, 1 - torch.sigmoid(-f) ** 2, torch.sigmoid(r[0]))
        c = f * c + torch.sigmoid(i) * torch.tanh(z)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs), torch.cat([h, c], -1)


def janet(cell, p, x, c):
    """JANET."""
    outputs = []
    for x_t in x:
        s, z = torch.chunk(x_t @ p["W"] + p["b"] + c @ p["U"], 2, -1)
        c = torch.sigmoid(s) * c + torch.sigmoid(cell.beta - s) * torch.tanh(z)
        outputs.append(c)
    return torch.stack(outputs), c


def gru(cell, p, x, h):
    """PyTorch's own GRU; of its second bias only the last third is ours."""
    weights = (p["W"].T, p["U"].T, p["b"], torch.cat([torch.zeros(2 * cell.units, dtype=x.dtype), p["c"]]))
    outputs, h = torch.gru(x, h[None].contiguous(), weights, True, 1, 0.0, False, False, False)
    return outputs, h[0]


def tapped(cell, p, x, state):
    """FSMN without look-ahead: the memory is PyTorch's depthwise convolution."""
    h = ACTIVATIONS[cell.activation](x @ p["W"] + p["b"])
    steps = torch.cat([state.reshape(len(state), cell.past, cell.units).swapaxes(0, 1), h])
    last = steps[len(steps) - cell.past:].swapaxes(0, 1).reshape(len(state), cell.state_size)
    if cell.taps == "none":
        return h, last
    taps = p["alpha"].flip(0).expand(-1, cell.units).T[:, None]                    # (H, 1, N1 + 1)
    m = torch.nn.functional.conv1d(steps.permute(1, 2, 0), taps, groups=cell.units).permute(2, 0, 1)
    return torch.cat([h, m], -1), last


LOOPS = {
    RNN: vanilla, ShortTermRNN: vanilla, IndRNN: independent, DuRNN: dual, LSTM: lstm, GRU: gru, JANET: janet,
    FSMN: tapped,
}


def chain(model, p, x, state):
    """Any model: a Chain part by part, a Chunked as what it holds."""
    if isinstance(model, Chunked):
        return chain(model.model, p, x, state)
    if not isinstance(model, Chain):
        return LOOPS[type(model)](model, p, x, state)
    lasts, first = [], 0
    for place, part in enumerate(model.parts):
        x, last = chain(part, p[str(place)], x, state[:, first:first + part.state_size])
        first += part.state_size
        lasts.append(last)
    return x, torch.cat(lasts, -1)


MODELS = [cell for cell in CELLS + SQUARE if type(cell) in LOOPS] + [
    Chain((DuRNN(2, 3, 4, horizon=9, gate=0.0, output="long"), LSTM(4, 5), IndRNN(5, 3))),
    Chunked(Chain((GRU(2, 4), DuRNN(4, 3, 5, horizon=9, gate=0.0))), 3, "boundaries"),
]


@pytest.mark.parametrize("steps", [1, 19])
@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_every_gradient_is_autograds(model, steps):
    given = random_leaves(model, rng(), steps, B)
    p, x, state = given.values()
    dh, dstate = rng(1).standard_normal((steps, B, model.outputs)), rng(2).standard_normal((B, model.state_size))
    theirs = tensors(given)
    outputs, last = chain(model, *theirs.values())
    ((outputs * torch.tensor(dh)).sum() + (last * torch.tensor(dstate)).sum()).backward()
    h, tape = model.forward(p, x, state)
    assert_equal({"h": h, "last": model.last_state(tape)}, {"h": outputs, "last": last})
    dx, dstate0, dp = model.backward(dh, tape, dstate)
    slopes = map_leaves(lambda leaf: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad, theirs)
    assert_equal({"p": dp, "x": dx, "state": dstate0}, slopes)


@pytest.mark.parametrize("reads", ["last", "every"])
@pytest.mark.parametrize("objective", ["mse", "cross_entropy"])
@pytest.mark.parametrize("body", [DuRNN(2, 4, 5, horizon=9, gate=0.0), MODELS[-1]], ids=repr)
def test_the_losses_of_networks_and_their_gradients_are_autograds(body, objective, reads):
    network = Network(body, 4, objective, reads)
    draw = rng(3)
    given = random_leaves(body, draw, T, B)
    p = {"body": given["p"], "readout": map_leaves(lambda leaf: leaf.astype(np.float64), network.readout.init(draw))}
    x, state, steps = given["x"], given["state"], (B,) if reads == "last" else (T, B)
    target = draw.standard_normal((*steps, 4)) if objective == "mse" else draw.integers(0, 4, steps)
    theirs = tensors({"p": p, "state": state})
    h, _ = chain(body, theirs["p"]["body"], torch.tensor(x), theirs["state"])
    y = (h if reads == "every" else h[-1]) @ theirs["p"]["readout"]["W"] + theirs["p"]["readout"]["b"]
    functional = torch.nn.functional
    measure, shape = (functional.mse_loss, y.shape) if objective == "mse" else (functional.cross_entropy, (-1, 4))
    loss = measure(y.reshape(shape), torch.tensor(target).reshape(shape if objective == "mse" else -1))
    loss.backward()
    value, _, tape = network.loss(p, x, target, state)
    assert float(value) == pytest.approx(loss.item(), rel=1e-12)
    dp, dstate0 = network.gradient(tape)
    assert_equal({"p": dp, "state": dstate0}, map_leaves(lambda leaf: leaf.grad, theirs))


@pytest.mark.parametrize("make", [
    lambda: torch.nn.RNN(3, 5), lambda: torch.nn.RNN(3, 5, nonlinearity="relu"),
    lambda: torch.nn.LSTM(3, 5), lambda: torch.nn.GRU(3, 5),
])
def test_weights_from_torch_give_its_outputs_and_states(make):
    torch.manual_seed(0)
    module = make().double()
    cell, p = from_torch(module)
    x, state = rng().standard_normal((T, B, 3)), rng(1).standard_normal((B, cell.state_size))
    parts = [torch.tensor(part)[None] for part in np.split(state, cell.state_size // 5, axis=1)]
    outputs, last = module(torch.tensor(x), tuple(parts) if len(parts) > 1 else parts[0])
    last = torch.cat(last, -1)[0] if isinstance(last, tuple) else last[0]
    h, tape = cell.forward(p, x, state)
    assert_equal({"h": h, "last": cell.last_state(tape)}, {"h": outputs, "last": last})


def test_weights_from_torch_keep_their_dtype():
    _, p = from_torch(torch.nn.GRU(3, 5))
    assert {leaf.dtype for leaf in p.values()} == {np.dtype("float32")}


@pytest.mark.parametrize("make, error, words", [
    (lambda: torch.nn.Linear(3, 5), TypeError, ("got Linear", "expected torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU")),
    (lambda: torch.nn.LSTM(3, 5, num_layers=2), ValueError, ("LSTM(3, 5, num_layers=2)", "expected one layer")),
    (lambda: torch.nn.GRU(3, 5, bidirectional=True), ValueError, ("bidirectional", "one layer, one direction")),
    (lambda: torch.nn.RNN(3, 5, bias=False), ValueError, ("bias", "expected one layer, one direction, biases")),
    (lambda: torch.nn.LSTM(3, 5, proj_size=2), ValueError, ("proj_size=2", "no projection")),
    (lambda: torch.nn.GRU(3, 5, batch_first=True), ValueError, ("time comes first", "transpose(1, 0, 2)")),
    (lambda: torch.nn.RNN(3, 5).half(), ValueError, ("weights of float16", "module.float()")),
    (lambda: RNN(3, 5), TypeError, ("got RNN of minidurnn", "expected torch.nn.RNN")),
    (lambda: torch.nn.LSTM, TypeError, ("got type of builtins", "expected torch.nn.RNN")),
])
def test_a_module_of_another_kind_is_refused(make, error, words):
    with refuses(error, *words):
        from_torch(make())


# PyTorch's optimisers as functions: as objects they import its compiler, which takes seconds

def torch_descent(twin, kept, update, rate, momentum=0.0):
    """One step of torch.optim.SGD, whose buffers are in `kept`."""
    options = {"weight_decay": 0.0, "momentum": momentum, "dampening": 0.0, "nesterov": False, "maximize": False}
    buffers = kept.setdefault("momentum", [None] * len(twin))
    import_module("torch.optim.sgd").sgd(twin, [leaf.grad for leaf in twin], buffers, lr=rate, foreach=False, **options)


def torch_adam(twin, kept, update, rate, betas=(0.9, 0.999), eps=1e-8):
    """One step of torch.optim.Adam, whose moments are in `kept`."""
    m, v = (kept.setdefault(name, [torch.zeros_like(leaf) for leaf in twin]) for name in "mv")
    steps = [torch.tensor(float(update)) for _ in twin]
    import_module("torch.optim.adam").adam(
        twin, [leaf.grad for leaf in twin], m, v, [], steps, foreach=False, amsgrad=False, beta1=betas[0],
        beta2=betas[1], lr=rate, weight_decay=0.0, eps=eps, maximize=False)


OPTIMIZERS = {
    "descent": (SGD(0.1), torch_descent, (0.1,)),
    "momentum": (SGD(0.05, momentum=0.9), torch_descent, (0.05, 0.9)),
    "adam": (Adam(0.01), torch_adam, (0.01,)),
    "adam with other options": (Adam(0.02, 0.8, 0.95, 1e-4), torch_adam, (0.02, (0.8, 0.95), 1e-4)),
}


@pytest.mark.parametrize("ours, theirs, options", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_twenty_updates_are_those_of_torch(ours, theirs, options):
    p = {"a": rng().standard_normal((4, 3)), "b": {"c": rng(1).standard_normal(5)}}
    twin = tensors(p)
    state, kept = ours.start(p), {}
    for update in range(20):
        gradients = map_leaves(lambda leaf, seed=update: rng(seed).standard_normal(leaf.shape) + leaf, p)
        for path, leaf in leaves(twin).items():
            leaf.grad = torch.tensor(leaves(gradients)[path])
        with torch.no_grad():
            theirs(list(leaves(twin).values()), kept, update, *options)
        p, state = ours.update(p, gradients, state)
        assert_equal(p, twin)


@pytest.mark.parametrize("limit", [0.5, 1e3])
def test_clipping_by_the_global_norm_is_that_of_torch(limit):
    d = {"a": rng().standard_normal((4, 3)), "b": {"c": rng(1).standard_normal(5)}}
    twin = [torch.zeros(leaf.shape, dtype=torch.float64, requires_grad=True) for leaf in leaves(d).values()]
    for leaf, gradient in zip(twin, leaves(d).values()):
        leaf.grad = torch.tensor(gradient)
    theirs = torch.nn.utils.clip_grad_norm_(twin, limit).item()
    clipped, norm = clip_by_global_norm(d, limit)
    assert float(norm) == pytest.approx(theirs, rel=1e-14)
    softening = (theirs + 1e-6) / theirs if limit < theirs else 1.0       # PyTorch divides by the norm + 1e-6
    for leaf, ours in zip(twin, leaves(clipped).values()):
        assert np.allclose(ours, leaf.grad.numpy() * softening, rtol=1e-10)


# Tensors where arrays belong

def test_a_block_of_a_transformer_is_that_of_pytorch():
    E, heads, hidden = 6, 2, 5
    parts = Attention(E, heads, rotary=False), FeedForward(E, hidden)
    body = Chain([Residual(Chain([LayerNorm(E), part])) for part in parts])
    p, x, _ = random_leaves(body, rng(), T, B).values()
    peer = torch.nn.TransformerEncoderLayer(E, heads, hidden, 0.0, norm_first=True, dtype=torch.float64)
    look, think = p["0"]["1"], p["1"]["1"]
    ours = {
        "self_attn.in_proj_weight": np.concatenate([look[name].T for name in ("W_q", "W_k", "W_v")]),
        "self_attn.in_proj_bias": np.zeros(3 * E), "self_attn.out_proj.weight": look["W_o"].T,
        "self_attn.out_proj.bias": np.zeros(E), "linear1.weight": think["W_1"].T, "linear1.bias": think["b_1"],
        "linear2.weight": think["W_2"].T, "linear2.bias": think["b_2"], "norm1.weight": p["0"]["0"]["scale"],
        "norm1.bias": p["0"]["0"]["shift"], "norm2.weight": p["1"]["0"]["scale"], "norm2.bias": p["1"]["0"]["shift"],
    }
    peer.load_state_dict({name: torch.tensor(np.ascontiguousarray(leaf)) for name, leaf in ours.items()})
    given = torch.tensor(x, requires_grad=True)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(T, dtype=torch.float64)
    theirs = peer(given, src_mask=mask, is_causal=True)
    dy = rng(1).standard_normal(x.shape)
    (theirs * torch.tensor(dy)).sum().backward()              # backward(dy) imports SymPy, for seconds
    y, tape = body.forward(p, x)
    dx, _, dp = body.backward(dy, tape)
    look, think = dp["0"]["1"], dp["1"]["1"]
    slopes = {
        "self_attn.in_proj_weight": np.concatenate([look[name].T for name in ("W_q", "W_k", "W_v")]),
        "self_attn.out_proj.weight": look["W_o"].T, "linear1.weight": think["W_1"].T, "linear1.bias": think["b_1"],
        "linear2.weight": think["W_2"].T, "linear2.bias": think["b_2"], "norm1.weight": dp["0"]["0"]["scale"],
        "norm1.bias": dp["0"]["0"]["shift"], "norm2.weight": dp["1"]["0"]["scale"], "norm2.bias": dp["1"]["0"]["shift"],
    }
    grads = {name: leaf.grad for name, leaf in peer.named_parameters() if name in slopes}
    assert_equal({"y": y, "x": dx, **slopes}, {"y": theirs, "x": given.grad, **grads})


def test_a_torch_tensor_is_refused_by_every_model():
    for model in (*MODELS, Linear(2, 3)):
        p, x, state = random_leaves(model, rng(), T, B).values()
        with refuses(TypeError, "x is a Tensor", "expected a NumPy or CuPy array"):
            model.forward(p, torch.tensor(x), state)
        with refuses(TypeError, "state is a Tensor", "expected a NumPy or CuPy array"):
            model.forward(p, x, torch.tensor(state))
        h, tape = model.forward(p, x, state)
        with refuses(TypeError, "dh is a Tensor"):
            model.backward(torch.tensor(h), tape)


def test_a_torch_tensor_is_refused_by_its_name():
    with refuses(TypeError, "got Tensor", "expected NumPy or CuPy arrays"):
        namespace(np.ones(2), torch.ones(2))
