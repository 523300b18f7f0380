"""What lesson 18 draws, counts and measures beside its idea: trees, pieces, memory, pairs of sequences, records."""

from functools import partial

import numpy as np

from ...networks import Chain, Embedding, Network
from ...optim import Adam
from ...plots import BLUE, ORANGE, arrow, box
from ...records import chosen_run
from ...scans import associative
from ...scans.maps import affine_then
from ...tasks import FirstVector
from ...training import fit
from .clock import peak_bytes


def draw_tree(axes):
    """The tree of section 1: four steps, two rounds up, one down."""
    for height, name in ((2.6, "up, round 2"), (1.3, "up, round 1"), (0, "the steps"), (-1.4, "down, round 1")):
        axes.annotate(name, (-3.9, height), va="center")
    places = zip((0, 2.1, 7, 9.1), (4, 2, 6, 8))              # where each step stands, and its value
    steps = [box(axes, x, 0, f"{k}: (1/2, {v})", 1.9) for k, (x, v) in enumerate(places, start=1)]
    first = box(axes, 1.05, 1.3, "1-2: (1/4, 4)", 2.1, colour=BLUE)
    second = box(axes, 8.05, 1.3, "3-4: (1/4, 11)", 2.3, colour=BLUE)
    top = box(axes, 4.55, 2.6, "1-4: (1/16, 12)", 2.5, colour=BLUE)
    down = box(axes, 7, -1.4, "1-3: (1/8, 8)", 2.1, colour=ORANGE)
    for start, end in zip([*steps, first, second], [first, first, second, second, top, top]):
        arrow(axes, start, end, colour=BLUE)
    for start in (first, steps[2]):
        arrow(axes, start, down, colour=ORANGE)


def draw_stretches(axes):
    """Three stretches, forward and backward, at the moment when the second one is computed (section 6)."""
    for height, name, kept in ((1.6, "forward", (0, 3)), (0, "backward", (0, 3, 6))):
        axes.annotate(f"{name},\nnow in\nstretch 2", (-0.5, height), ha="right", va="center")
        for k in (0, 2, 1):
            box(axes, 3 * k + 1.5, height, f"stretch {k + 1}", 3, 0.75, *([ORANGE, True] if k == 1 else []))
        axes.plot(kept, [height] * len(kept), "o", color=BLUE, markersize=9)


def draw_pairs(axes, name, difference, middle):
    """Half of the difference, up and down, and the middle of every pair, (steps, pairs), against the steps."""
    axes.plot(difference / 2, color=BLUE, lw=0.7)
    axes.plot(-difference / 2, color=BLUE, lw=0.7)
    axes.plot(middle, color=ORANGE, lw=0.7)
    axes.plot([], color=BLUE, label="± half the difference")
    axes.plot([], color=ORANGE, label="middle")
    axes.set(title=name, xlabel="steps", ylabel="score", ylim=(-15, 15))


def draw_costs(axes, rows):
    """Seconds and peak of memory (MiB) of one update against its steps; a line on the longest beside the second."""
    steps, seconds, peaks = (np.array([row[name] for row in rows]) for name in ("T", "seconds", "peak"))
    axes[0].loglog(steps, seconds, "o", label="measured")
    axes[0].loglog(steps, steps * seconds[-1] / steps[-1], "--", label="same time a step as the longest")
    axes[0].set(xlabel="steps", ylabel="seconds of one update")
    axes[0].legend(fontsize=8)
    axes[1].semilogx(steps, peaks, "o")
    axes[1].axvline(8192, ymax=0.7, ls=":", color="0.4", label="S = 8,192")
    axes[1].legend(fontsize=8, loc="lower right")
    for step, peak in zip(steps, peaks):
        axes[1].annotate(f"{peak:.0f}", (step, peak), (0, 6), textcoords="offset points", ha="center")
    axes[1].set(xlabel="steps", ylabel="peak of memory, MiB", ylim=(0, 1.25 * peaks.max()))
    times = (f"{values[-1] / values[1]:.0f} times the {name}" for name, values in (("steps", steps), ("time", seconds)))
    print(f"from {steps[1]:,} steps on:", *times, f"peak {peaks[1]:.0f} -> {peaks[-1]:.0f} MiB", sep="   ")
    print(f"of every peak {rows[-1]['imports']:.0f} MiB are Python, NumPy and the library")


# Counts and measurements.

def count_tree(T):
    """What the library's tree does with T steps  ->  joins, rounds."""
    made = []

    def counted(first, second):
        made.append(len(second[0]))
        return affine_then(first, second)

    associative.joined(counted, (np.ones(T), np.ones(T)))
    return sum(made), np.count_nonzero(made)


def step_before(array, first):
    """array (T, ...) of the steps 1 to T  ->  of the steps 0 to T - 1, where `first` is that of step 0."""
    return np.concatenate([first[None], array[:-1]])


def step_after(array, last):
    """array (T, ...) of the steps 1 to T  ->  of the steps 2 to T + 1, where `last` stands for step T + 1."""
    return np.concatenate([array[1:], np.full_like(array[:1], last)])


def sigmoid(a):
    """The logistic function."""
    return 1 / (1 + np.exp(-a))


def random_numbers(cell, T, B, rng):
    """Float64 numbers to check a GILR-LSTM with  ->  p, x (T, B, D), s_0 (B, H), c_0 (B, H)."""
    p = {name: array.astype("float64") for name, array in cell.init(rng).items()}
    x = rng.standard_normal((T, B, cell.inputs))
    s_0, c_0 = rng.standard_normal((2, B, cell.units))
    return p, x, s_0, c_0


def peak_numbers(body, units, n, B):
    """The most memory that one update on n steps with B sequences asks for, the symbols aside.

    returns  float32 numbers for each of the units · B columns, and MiB
    """
    network = classifier(body)
    p = network.init(np.random.default_rng(0))

    def update(batch):
        x, target, _ = batch
        network.gradient(network.loss(p, x, target)[2])

    for steps in (2, n):                                      # the first update imports what is not there yet
        batch = FirstVector(steps - 1).batch(np.random.default_rng(n), B)
        peak = peak_bytes(partial(update, batch))
    return peak / (4 * units * B), peak / 2**20


# Networks that say a sign.

def classifier(body):
    """A network that says behind the last step which of two signs the first step had."""
    return Network(body, 2, objective="cross_entropy")


def scores(body, p, symbols):
    """The output for -e₁ minus that for +e₁ after every step: symbols (T, B)  ->  (T, B)."""
    out, _ = Network(body, 2, objective="cross_entropy", reads="every").predict(p, symbols)
    return out[:, :, 1] - out[:, :, 0]


def print_change(name, difference, middle):
    """A line: difference and middle (4097, pairs), means over the pairs, at step 64 and at step 4,096."""
    (d, d_last), (m, m_last) = (one[[64, 4096]].mean(axis=1) for one in (difference, middle))
    print(f"{name}: difference {d:4.1f} -> {d_last:4.1f}, middle {m:4.1f} -> {m_last:6.1f}")


def print_stages(stages, seed, updates, ok, difference, middle):
    """What a run learned on stages of 64 steps, three lines.

    ok                   right answers at 4,096 and at 65,536 steps (2,)
    difference, middle   of one pair at step 64 and at step 1,048,576 (2,), printed to two digits
    """
    print(f"{len(stages)} x 64, seed {seed}: {updates} updates, of 16 right at 4,096, 65,536: {ok}")
    (d, d_last), (m, m_last) = ([float(f"{one:.2g}") for one in values] for values in (difference, middle))
    halves = float(f"{2 * abs(middle[1]) / difference[1]:.2g}")
    print(f"    one pair, step 64 -> a million: difference {d:,g} -> {d_last:,g}, middle {m:,g} -> {m_last:,g}")
    print(f"    at a million |middle| is {halves:,g} times half of the difference")


def noise_twice(count):
    """So many noises of 4,096 symbols, each behind +e₁ and then each behind -e₁  ->  (4097, 2 count)."""
    noise, _, _ = FirstVector(4096).batch(np.random.default_rng(5), count)
    pairs = np.concatenate([noise, noise], axis=1)
    pairs[0] = count * [0] + count * [128]                    # the symbols of +e₁ and of -e₁
    return pairs


def difference_and_middle(score):
    """Scores (..., 2 pairs), first those behind +e₁  ->  of every pair minus less plus, and the mean: (..., pairs)."""
    plus, minus = np.split(score, 2, axis=-1)
    return minus - plus, (minus + plus) / 2


def one_pair(n, rng):
    """One noise of n symbols, behind +e₁ and behind -e₁  ->  (n + 1, 2)."""
    pair = rng.integers(0, 128, (n + 1, 1)).repeat(2, axis=1)
    pair[0] = 0, 128                                          # the symbols of +e₁ and -e₁
    return pair


def pair_at(body, p, pair, places):
    """Difference and middle of one pair, symbols (T, 2), at these places  ->  twice (places,)."""
    difference, middle = difference_and_middle(scores(body, p, pair)[places])
    return difference[:, 0], middle[:, 0]


def of_networks(networks, symbols):
    """Difference and middle of every pair for each (body, p), symbols (T, 2 pairs)  ->  twice (networks, T, pairs)."""
    return difference_and_middle(np.array([scores(body, p, symbols) for body, p in networks]))


def trained(cell, seed):
    """An embedding and this cell, trained on sequences of 64 steps as section 7 says  ->  body, p."""
    network = classifier(Chain((Embedding(129, cell.inputs), cell)))
    p, _ = fit(network, FirstVector(64), 100, optimizer=Adam(0.03), batch=8, seed=seed, stop=0.999, validate_every=20,
               dtype="float64", progress=False)
    return network.body, p


def train_in_stages(body, stages, seed):
    """Train on sequences of each of these numbers of steps in turn, with what was learned before  ->  p, updates."""
    p, updates = None, 0
    for n in stages:
        p, past = fit(classifier(body), FirstVector(n), 400, start=p, optimizer=Adam(0.01), batch=2, seed=seed,
                      stop=0.999, validate_every=20, progress=False)
        updates += past["update"][-1]
    return p, updates


def first_vector_of_lstms(records):
    """The recorded runs of first vector by an LSTM or a GILR-LSTM, with the chrono start and without."""
    return [one for one in records if one.trial["experiment"] == "first-vector" and "lstm" in one.trial["model"]]


def print_solved(records, n, stages):
    """A line: how many recorded runs of each model solve n steps, with so many stages before."""
    solved = {}
    for one in records:
        if (one.trial["length"], len(one.trial["stages"])) == (n, stages):
            solved.setdefault(one.trial["model"], []).append(one.verdict == "solved")
    print(f"n = {n:,} solved:", *(f"{model} {sum(runs)}/{len(runs)}" for model, runs in solved.items()), sep="  ")
    return {model: sum(runs) for model, runs in solved.items()}


def updates_of_stages(record):
    """The updates of every stage of the recorded run that counts."""
    return [stage.updates for stage in chosen_run(record).stages]
