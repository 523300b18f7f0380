"""The translator: its equations, its gradient, lengths on both sides, translating, training and files."""

import inspect

import numpy as np
import pytest
from support import assert_same, on_a_device, refuses, rng

from minidurnn import evaluate, fit, load, save, to_numpy
from minidurnn.arrays.trees import leaves, map_leaves
from minidurnn.gradcheck import assert_gradient
from minidurnn.networks import (
    TRANSLATORS,
    AttentionDecoder,
    Encoder,
    Translator,
    count_parameters,
    decoder,
    encoder,
    translate,
    translator_for,
)
from minidurnn.scans import attention
from minidurnn.tasks import Copies

LENGTHS = np.array([3, 4, 2])
NETWORKS = [Translator(6, 5, 4, 3, 7, memory, window) for memory, window in ((0, 2), (2, 1), (3, 0))]


def parameters(network, seed=0, spread=0.3):
    """Random float64 parameters around the start values."""
    draw = rng(seed)
    return map_leaves(lambda a: a + spread * draw.standard_normal(a.shape), network.init(draw))


def sentences(seed=1):
    """x (4, 3), target (5, 3) with ends after 5, 2 and 1 words: every size different."""
    draw = rng(seed)
    x, target = draw.integers(0, 6, (4, 3)), draw.integers(1, 5, (5, 3))
    target[[4, 1, 0], [0, 1, 2]] = 0
    return x, target


def by_hand(network, p, x, target):
    """The bits per word, as the equations read: one sentence after the other, no padding."""
    def gru(q, a, h):
        H = len(h)
        a, u = a @ q["W"] + q["b"], h @ q["U"]
        r, z = (1 / (1 + np.exp(-(a + u)[gate * H:(gate + 1) * H])) for gate in range(2))
        n = np.tanh(a[2 * H:] + r * (u[2 * H:] + q["c"]))
        return (1 - z) * n + z * h

    bits, words, q, k = 0.0, 0, p["decoder"], network.window
    for column, length, wanted in zip(x.T, LENGTHS, target.T):
        embedded, ways = p["encoder"]["embedding"]["W"][column[:length]], []
        for name, turn in (("ahead", 1), ("back", -1)):
            h, states = np.zeros(network.units), []
            for word in embedded[::turn]:
                h = gru(p["encoder"][name], word, h)
                states.append(h)
            ways.append(states[::turn])
        s = np.hstack(ways)
        r, d, before = np.tanh(s[0] @ q["start"]["W"] + q["start"]["b"]), np.zeros((length, network.memory)), 0
        for answer in wanted[:wanted.argmin() + 1]:
            word = p["embedding"]["W"][before]
            z = r @ q["W_r"] + s @ q["W_s"] + q["b"] + (d @ q["W_d"] if network.memory else 0)
            α = np.exp(np.tanh(z) @ q["v"])
            α /= α.sum()
            c = α @ s
            r = gru(q["cell"], np.concatenate([word, c]), r)
            wide = np.pad(α, k)
            if network.memory:
                d = np.array([gru(q["memory"], wide[j:j + 2 * k + 1], d[j]) for j in range(length)])
            o = np.concatenate([r, c, word]) @ p["bottleneck"]["W"] + p["bottleneck"]["b"]
            y = o @ p["words"]["W"] + p["words"]["b"]
            bits -= np.log2(np.exp(y[answer]) / np.exp(y).sum())
            before, words = answer, words + 1
    return bits / words


@pytest.mark.parametrize("network", NETWORKS, ids=repr)
def test_the_loss_is_that_of_the_equations_sentence_by_sentence(network):
    p, (x, target) = parameters(network), sentences()
    value, metric, _ = network.loss(p, x, target, lengths=LENGTHS)
    assert metric == pytest.approx(by_hand(network, p, x, target), rel=1e-12)
    assert value == pytest.approx(metric * np.log(2), rel=1e-12)
    assert network.answers(x, target, LENGTHS) == 5 + 2 + 1


def assert_network_gradient(network, x, target, lengths, like=lambda tree: tree):
    p = like(parameters(network))

    def backward(cotangent):
        dp, _ = network.gradient(network.loss(p, x, target, lengths=lengths)[2])
        return map_leaves(lambda d: d * cotangent, dp)

    assert_gradient(lambda p: network.loss(p, x, target, lengths=lengths)[0], backward, p, rng=rng(2))


@pytest.mark.parametrize("network, lengths", [(NETWORKS[0], LENGTHS), (NETWORKS[1], LENGTHS), (NETWORKS[2], None)])
def test_backward_is_the_gradient_of_the_loss(network, lengths):
    assert_network_gradient(network, *sentences(), lengths)


def test_the_gradient_of_one_word_and_of_one_sentence():
    assert_network_gradient(NETWORKS[1], np.array([[3]]), np.array([[0]]), None)
    assert_network_gradient(NETWORKS[1], np.array([[3, 1]]), np.array([[2, 0], [0, 0]]), np.array([1, 1]))


@pytest.mark.parametrize("network", NETWORKS[:2], ids=repr)
def test_the_padding_of_either_side_changes_nothing(network):
    p, (x, target), found = parameters(network), sentences(), []
    outside = np.arange(4)[:, None] >= LENGTHS
    behind = np.arange(5)[:, None] > target.argmin(0)
    for wrong in (0, 1, 4):
        x[outside], target[behind] = wrong, wrong
        for more in (0, 2):                                   # and longer padding
            wide = np.concatenate([x, np.full((more, 3), 5)])
            high = np.concatenate([target, np.full((more, 3), 3)])
            value, metric, tape = network.loss(p, wide, high, lengths=LENGTHS)
            weights = network.attention_on(p, wide, high, LENGTHS)[0][:5, :4]
            found.append({"value": value, "dp": network.gradient(tape)[0], "weights": weights * ~behind[:, None]})
            words = translate(network, p, wide, LENGTHS, width=2, longest=8)
            found[-1]["words"] = words.words
    for other in found[1:]:
        assert_same(other, found[0], 1e-11)
    assert (found[0]["weights"] == 0).any() and np.allclose(found[0]["weights"][0].sum(0), 1)
    alone = [network.loss(p, x[:n, [b]], target[:, [b]])[0] for b, n in enumerate(LENGTHS)]
    assert np.dot(alone, [5, 2, 1]) / 8 == pytest.approx(float(found[0]["value"]), rel=1e-12)


def test_a_classes_padding_may_hold_any_number():
    network, (x, target) = NETWORKS[1], sentences()
    p = parameters(network)
    right = network.loss(p, x, target, lengths=LENGTHS)[0]
    x[3, 2], target[4, 2] = -7, 99
    assert network.loss(p, x, target, lengths=LENGTHS)[0] == right


@on_a_device
@pytest.mark.parametrize("network", NETWORKS[:2], ids=repr)
def test_a_device_gives_the_numbers_of_numpy(network, xp):
    def answers(p, x, target):
        value, metric, tape = network.loss(p, x, target, lengths=LENGTHS)
        found = translate(network, p, x, LENGTHS, width=2, longest=6)
        return {"loss": [value, metric], "dp": network.gradient(tape)[0], "found": found._asdict(),
                "looks": network.attention_on(p, x, target, LENGTHS)}

    p, (x, target) = parameters(network), sentences()
    assert_same(answers(*map_leaves(xp.asarray, (p, x, target))), answers(p, x, target), 1e-10)


def test_float32_stays_float32_and_nothing_is_written():
    network, (x, target) = NETWORKS[1], sentences()
    p = network.init(rng())
    before = map_leaves(np.copy, (p, x, target))
    value, metric, tape = network.loss(p, x, target, lengths=LENGTHS)
    first, again = network.gradient(tape)[0], network.gradient(tape)[0]
    assert_same(first, again, 0)
    assert_same((p, x, target), before, 0)
    assert {leaf.dtype for leaf in leaves((value, metric, first)).values()} == {np.dtype("float32")}


# planted bugs

BUGS = [                                                      # module, sound text, wrong text
    (attention, "scores = xp.where(there,", "scores = xp.where(there | True,"),
    (attention, "dweights - (look.weights * dweights).sum(0)", "dweights"),
    (attention, "(1.0 - look.inner * look.inner)", "1.0"),
    (attention, "back += rows_back(dqueries[t]", "back = back + 0 * rows_back(dqueries[t]"),
    (attention, "dd += rows_back(dz", "dd = 1.0 * rows_back(dz"),
    (attention, "dweights = dweights + (s", "dweights = (s"),
    (attention, "total = back + dr[t]", "total = dr[t]"),
    (attention, "ds += look.weights[..., None] * dlook", "pass"),
    (attention, "padded[first:first + T] += dwindow", "padded[first:first + T] += dwindow[::-1]"),
    (attention, "look.before.r for look", "look.after.r for look"),
    (decoder, "ds += dkeys_s", "pass"),
    (decoder, "first.r * (1.0 - r * r)", "first.r"),
    (encoder, "dahead + dback[order]", "dahead + dback"),
    (encoder, "ds[..., H:][order]", "ds[..., H:]"),
    (encoder, "words[order]", "words[::-1]"),
]


@pytest.mark.parametrize("module, sound, wrong", BUGS, ids=[wrong for *_, wrong in BUGS])
def test_a_planted_bug_is_caught(module, sound, wrong, monkeypatch):
    text = inspect.getsource(module)
    assert text.count(sound) == 1
    names = {"__name__": module.__name__, "__package__": module.__package__}
    exec(compile(text.replace(sound, wrong), module.__name__, "exec"), names)
    for name in ("attention_step", "attention_scan", "attention_scan_backward"):
        if module is attention:
            monkeypatch.setattr(decoder, name, names[name])
    parts = dict(NETWORKS[1].parts)
    for name, kind in (("encoder", Encoder), ("decoder", AttentionDecoder)):
        made = names.get(kind.__name__)
        if made is not None and module is not attention:
            parts[name] = made(**{field: getattr(parts[name], field) for field in kind.__dataclass_fields__})
    network = Translator(6, 5, 4, 3, 7, 2, 1)
    vars(network)["parts"] = parts
    p, (x, target) = parameters(network), sentences()
    with pytest.raises(AssertionError):
        assert network.loss(p, x, target, lengths=LENGTHS)[1] == pytest.approx(by_hand(network, p, x, target))
        assert_network_gradient(network, x, target, LENGTHS)


# PyTorch as an oracle

@pytest.mark.parametrize("network", NETWORKS[:2], ids=repr)
def test_autograd_finds_the_same_gradient(network):
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch")
    p, (x, target) = parameters(network), sentences()
    q = map_leaves(lambda a: torch.tensor(a, requires_grad=True), p)

    def gru(q, a, h):
        a, u = a @ q["W"] + q["b"], h @ q["U"]
        (ar, az, an), (ur, uz, un) = a.chunk(3, -1), u.chunk(3, -1)
        z, n = torch.sigmoid(az + uz), torch.tanh(an + torch.sigmoid(ar + ur) * (un + q["c"]))
        return (1 - z) * n + z * h

    losses, k, d0 = [], network.window, q["decoder"]
    for column, length, wanted in zip(x.T, LENGTHS, target.T):
        words, ways = q["encoder"]["embedding"]["W"][torch.tensor(column[:length])], []
        for name, order in (("ahead", range(length)), ("back", reversed(range(length)))):
            h, states = torch.zeros(network.units, dtype=torch.float64), [None] * length
            for j in order:
                h = states[j] = gru(q["encoder"][name], words[j], h)
            ways.append(torch.stack(states))
        s = torch.cat(ways, -1)
        r, d = torch.tanh(s[0] @ d0["start"]["W"] + d0["start"]["b"]), torch.zeros((length, network.memory)).double()
        wanted = wanted[:wanted.argmin() + 1]
        for before, answer in zip([0, *wanted], wanted):
            word = q["embedding"]["W"][int(before)]
            z = r @ d0["W_r"] + s @ d0["W_s"] + d0["b"] + (d @ d0["W_d"] if network.memory else 0)
            α = torch.softmax(torch.tanh(z) @ d0["v"], 0)
            r = gru(d0["cell"], torch.cat([word, α @ s]), r)
            if network.memory:
                wide = torch.nn.functional.pad(α, (k, k)).unfold(0, 2 * k + 1, 1)
                d = gru(d0["memory"], wide, d)
            both = torch.cat([r, α @ s, word])
            y = (both @ q["bottleneck"]["W"] + q["bottleneck"]["b"]) @ q["words"]["W"] + q["words"]["b"]
            losses.append(-torch.log_softmax(y, 0)[int(answer)])
    value = torch.stack(losses).mean()
    value.backward()
    ours, _, tape = network.loss(p, x, target, lengths=LENGTHS)
    assert float(ours) == pytest.approx(value.item(), rel=1e-12)
    assert_same(network.gradient(tape)[0], map_leaves(lambda a: a.grad.numpy(), q), 1e-9)


# translating

def all_logs(network, p, x, lengths, longest):
    """The log-probability of every sentence of at most so many words, for one source  ->  {words: log}."""
    found, open_ended = {}, {(): (0.0, network.begin(p, x, lengths)[1])}
    source = network.begin(p, x, lengths)[0]
    for _ in range(longest):
        going = {}
        for words, (log, state) in open_ended.items():
            scores, look = network.next(p, np.array([words[-1] if words else 0]), state, source)
            logs = scores[0] - scores[0].max()
            logs -= np.log(np.exp(logs).sum())
            for word, more in enumerate(logs):
                if word == 0:
                    found[(*words, 0)] = log + more
                else:
                    going[(*words, word)] = log + more, look.after
        open_ended = going
    return {**found, **{words: log for words, (log, _) in open_ended.items()}}


@pytest.mark.parametrize("network", NETWORKS[:2], ids=repr)
def test_a_beam_as_wide_as_the_language_finds_the_likeliest_sentence_and_a_narrow_one_is_greedy(network):
    p, (x, _) = parameters(network, spread=1.0), sentences()
    wide, greedy = translate(network, p, x, LENGTHS, 125, 3), translate(network, p, x, LENGTHS, longest=3)
    ranked = translate(network, p, x, LENGTHS, 125, 3, per_word=1.0)
    for b, n in enumerate(LENGTHS):
        logs = all_logs(network, p, x[:n, [b]], None, 3)
        best, per_word = max(logs, key=logs.get), max(logs, key=lambda words: logs[words] / len(words))
        assert tuple(wide.words[:wide.lengths[b], b]) == best and wide.logs[b] == pytest.approx(logs[best])
        assert tuple(ranked.words[:ranked.lengths[b], b]) == per_word
        written, (source, state) = [], network.begin(p, x[:n, [b]])
        while len(written) < 3 and written[-1:] != [0]:
            scores, look = network.next(p, np.array(written[-1:] or [0]), state, source)
            written, state = [*written, int(scores[0].argmax())], look.after
        assert written == list(greedy.words[:greedy.lengths[b], b])
        assert greedy.logs[b] == pytest.approx(logs[tuple(written)]) and greedy.logs[b] <= wide.logs[b] + 1e-12


def test_the_weights_of_a_translation_are_those_of_its_words_written_again():
    network, (x, _) = NETWORKS[1], sentences()
    p = parameters(network, spread=1.0)
    found = translate(network, p, x, LENGTHS, 3, 6)
    ended = [b for b in range(3) if found.words[found.lengths[b] - 1, b] == 0]
    assert ended
    for b in ended:
        words, n = found.words[:found.lengths[b], [b]], found.lengths[b]
        weights, memory = network.attention_on(p, x[:LENGTHS[b], [b]], words)
        assert np.allclose(found.weights[:n, :LENGTHS[b], b], weights[..., 0]) and memory.shape[-1] == 2
        assert not found.weights[n:, :, b].any() and not found.weights[:, LENGTHS[b]:, b].any()


# training, files, sizes

@pytest.mark.system
@pytest.mark.parametrize("memory", [0, 2])
def test_it_learns_copies_is_saved_and_its_run_goes_on_from_a_checkpoint(memory, tmp_path):
    task = Copies(2, window=0)
    network, options = Translator(13, 13, 12, 12, 8, memory), {"batch": 20, "progress": False, "log_every": 10}
    options |= {"validate_every": 20, "checkpoint_every": 20}
    p, history = fit(network, task, 40, **options)
    assert history["validation"][-1] < 0.9 * evaluate(network, network.init(rng()), task.validation())[1]
    for updates in (20, 40):
        q, _ = fit(network, task, updates, **options, checkpoint=tmp_path / "run.npz", resume=True)
    assert_same(q, p, 0)
    save(tmp_path / "model.npz", network, p)
    loaded, q = load(tmp_path / "model.npz")
    assert loaded == network
    assert_same(q, p, 0)


def test_an_evaluation_in_parts_is_the_mean_over_all_words():
    task, network = Copies(4), Translator(13, 13, 4, 3, 5)
    p, (x, target, lengths) = network.init(rng()), task.batch(rng(1), 30)
    whole = network.loss(p, x, target, lengths=lengths)[1]
    assert evaluate(network, p, (x, target, lengths), sequences=7)[1] == pytest.approx(float(whole), rel=1e-5)


def test_translators_of_equal_size_differ_by_less_than_a_hundredth():
    for parameters in (4_000, 12_000, 120_000):
        counts = [count_parameters(translator_for(name, 50, 60, parameters)) for name in TRANSLATORS]
        assert all(abs(count / parameters - 1) < 0.01 for count in counts)
    network = NETWORKS[1]
    assert count_parameters(network) == sum(leaf.size for leaf in leaves(network.init(rng())).values())
    assert {path: leaf.shape for path, leaf in leaves(network.init(rng())).items()} == network.shapes
    assert set(network.decayed) == {path for path, shape in network.shapes.items() if len(shape) == 2}


# refusals

def test_impossible_options_and_inputs_are_refused_in_one_sentence():
    network, (x, target) = NETWORKS[1], sentences()
    p = parameters(network)
    with refuses(ValueError, "target is 1", "at least 2"):
        Translator(6, 1, 4, 3, 7)
    with refuses(ValueError, "memory is -1", "at least 0"):
        Translator(6, 5, 4, 3, 7, -1)
    with refuses(ValueError, "target[:, 1] has no 0 among its 5 words", "a 0 at the end of every sentence"):
        network.loss(p, x, np.where(np.arange(3) == 1, 4, target))
    with refuses(ValueError, "target holds class numbers from 0 to 9", "0 to 4"):
        network.loss(p, x, np.where(target == target[0, 0], 9, target))
    with refuses(ValueError, "x holds class numbers from", "0 to 5"):
        network.loss(p, x + 3, target)
    with refuses(ValueError, "lengths go from 2 to 9", "1 to 4"):
        network.loss(p, x, target, lengths=np.array([2, 9, 3]))
    with refuses(ValueError, "lengths go from 0 to 4", "leave empty sequences out"):
        translate(network, p, x, np.array([0, 4, 3]))
    with refuses(ValueError, "target has shape (5, 2)", "(N, 3)"):
        network.loss(p, x, target[:, :2])
    with refuses(ValueError, "width is 0", "at least 1"):
        translate(network, p, x, width=0)
    with refuses(ValueError, "longest is 0", "at least 1"):
        translate(network, p, x, longest=0)
    for per_word in (-1, 11, float("nan")):
        with refuses(ValueError, f"per_word is {per_word}", "from 0 to 10"):
            translate(network, p, x, per_word=per_word)
    with refuses(ValueError, "the scores of the next symbol are not all finite", "smaller rate"):
        translate(network, map_leaves(lambda a: a * np.nan, p), x)
    source, state = network.begin(p, x)
    for before in (np.zeros(2, int), np.zeros((3, 1), int)):
        with refuses(ValueError, f"before has shape {before.shape}", "(3,)"):
            network.next(p, before, state, source)
    with refuses(ValueError, "state.r has shape (3, 2)", "(3, 3)"):
        network.next(p, np.zeros(3, int), state._replace(r=state.r[:, :2]), source)
    with refuses(ValueError, "state.d has shape (4, 3, 1)", "(4, 3, 2)"):
        network.next(p, np.zeros(3, int), state._replace(d=state.d[..., :1]), source)
    part = network.parts["encoder"]
    s, tape = part.forward(p["encoder"], x)
    with refuses(ValueError, "ds has shape (4, 3, 5)", "(4, 3, 6)"):
        part.backward(s[..., :5], tape)
    with refuses(ValueError, "the parameters are", "expected"):
        translate(network, NETWORKS[0].init(rng()), x)
    with refuses(ValueError, "x has shape (4, 3, 1)", "integer class numbers"):
        translate(network, p, x[..., None])
    assert to_numpy(translate(network, p, x, width=2, longest=2).words).shape[1] == 3


@pytest.mark.parametrize("memory", [0, 2])
def test_a_decoder_reads_no_padding_of_its_annotations_even_where_it_is_not_a_number(memory):
    cell, draw = AttentionDecoder(3, 8, 4, 5, memory), rng(3)
    p = map_leaves(lambda a: a.astype(float), cell.init(draw))
    words, s, lengths = draw.standard_normal((2, 3, 3)), draw.standard_normal((5, 3, 8)), np.array([5, 1, 3])
    right, tape = cell.forward(p, words, s, lengths)
    expected = cell.backward(np.ones(right.shape), tape)
    s[1:, 1] = np.nan
    read, tape = cell.forward(p, words, s, lengths)
    assert np.array_equal(read, right)
    dwords, ds, dp = cell.backward(np.ones(right.shape), tape)
    assert np.array_equal(ds, expected[1])
    assert all(map(np.array_equal, leaves(dp).values(), leaves(expected[2]).values()))
