"""minidurnn bench --backend cupy: ours beside its floors and the peers on a GPU, all in this process.

Every time has two clocks: the device's, between two events, and the wall's, until the device is done, which is what a
user waits. Rounds take turns, and a ratio is the median over the rounds, as on a processor. A floor is the largest of
three, each counted here and turned into seconds at a speed measured in the same run:

bytes     what one layer cannot but read or write in the GPU's memory, at the speed of a copy
flops     its matrix products, at the speed of one large product
steps     T dependent steps of one unit, forward and back: the pace at which a kernel can go through time
"""

from functools import cache
from importlib.util import find_spec
from statistics import median
from time import perf_counter

import numpy as np

from ..arrays.affine import rows
from ..arrays.backend import import_cupy, to, to_numpy
from ..networks.chunked import Chunked
from ..networks.models import MODELS
from ..networks.network import Network
from ..optim import Adam, Constant
from ..scans import diagonal_scan, diagonal_scan_backward
from ..tasks import Adding
from ..training.batches import batches
from ..training.run import begin
from ..training.update import update
from . import floors, ours
from .implementations import SMALL
from .workloads import body, inputs, wide

PEERS = {"eager": "torch", "compiled": "torch", "nn": "torch", "jax": "jax"}
UNROLLED = 100                                                # steps beyond which torch.compile takes minutes
TRAFFIC = {                                                   # arrays (T, B, H) read or written: written once, read by
    "rnn": 12, "short-term": 12, "indrnn": 10, "durnn": 41, "lstm": 45, "gru": 37,      # each kernel or product
}
SAMPLES = 2**26, 4096, 10_000                                 # numbers copied, rows multiplied, steps walked
PARTS = ("bytes", "flops", "steps")
TOLERANCE = 1e-9                                              # of float64, between two processors


def measure(workloads, cells, peers):
    """Time every cell on every workload, forward and backward, and a whole update  ->  rows of plain data, printed.

    Raises   AssertionError where ours on the GPU is not ours on the processor, or a peer is not ours.
    """
    for cell in cells:
        assert_agreement(cell, peers)
    print("all implementations agree in float64; ms until the device is done, and ours / theirs\n", flush=True)
    rows, column = [], wide(cells)
    for name, workload in workloads.items():
        for cell in cells:
            steps = {who: prepare(who, cell, *sized(cell, workload)) for who in field(cell, peers, workload.T)}
            seconds = {**race(steps, workload.rounds), "update": time(updates(cell, workload), workload.rounds)}
            row = {"workload": name, "cell": cell, "seconds": seconds, "floor": floor(cell, workload)}
            rows.append(row)
            show(row, column)
            del steps                                         # its arrays make room for the next ones
    return rows


def field(cell, peers, T):
    """Who takes part: ours, and those of the peers that have the cell; torch.compile up to UNROLLED steps."""
    has = {"compiled": "eager" in MODELS[cell].peers and T <= UNROLLED}
    return ("ours", *(peer for peer in peers if has.get(peer, peer in MODELS[cell].peers)))


def sized(cell, workload, dtype="float32"):
    """The model at the sizes of a workload, its start values and its input, NumPy's."""
    model = body(cell, workload)
    return model, *inputs(model, workload, dtype)


def prepare(who, cell, model, p, x):
    """step() -> loss, gradients by name, of "ours" or of a peer, on the GPU."""
    if who == "ours":
        return ours.prepare(model, *to("cupy", (p, x)), model.chunk)
    if who == "jax":
        from . import jax_peers

        return jax_peers.prepare(cell, p, x)
    from . import torch_peers

    return torch_peers.prepare(who, cell, p, x, device="cuda")


def assert_agreement(cell, peers):
    """Raise AssertionError unless losses and gradients in float64 are those that NumPy gives."""
    model, p, x = sized(cell, SMALL, "float64")
    value, gradients = ours.prepare(model, p, x, SMALL.chunk)()
    for who in field(cell, peers, SMALL.T):
        theirs = prepare(who, cell, model, p, x)()
        for leaf in gradients | {"loss": value}:
            a = np.asarray(value if leaf == "loss" else gradients[leaf])
            b = home(theirs[0] if leaf == "loss" else theirs[1][leaf])
            if not abs(a - b).max() <= TOLERANCE * abs(a).max():
                raise AssertionError(f"{cell}: {who} on the GPU differs in {leaf} from NumPy: nothing is timed.")


def home(array):
    """An array of any of the libraries as NumPy's."""
    if hasattr(array, "cpu"):
        return array.cpu().numpy()
    return to_numpy(array) if hasattr(array, "get") else np.asarray(array)


def race(steps, rounds):
    """Give each its turn in every round, in an order that rotates  ->  {who: {"device": seconds, "wall": seconds}}."""
    names, found = list(steps), {who: {"device": [], "wall": []} for who in steps}
    for number in range(rounds):
        first = number % len(names)
        for who in names[first:] + names[:first]:
            for clock, value in time(steps[who], 1).items():
                found[who][clock] += value
    return found


def time(step, rounds):
    """Seconds of a step by both clocks, after one that does not count  ->  {"device": [...], "wall": [...]}."""
    cuda, found = import_cupy().cuda, {"device": [], "wall": []}
    step()
    for _ in range(rounds):
        start, end = cuda.Event(), cuda.Event()
        cuda.Device().synchronize()
        begin = perf_counter()
        start.record()
        step()
        end.record()
        cuda.Device().synchronize()
        found["wall"].append(perf_counter() - begin)
        found["device"].append(cuda.get_elapsed_time(start, end) / 1000)
    return found


def updates(cell, workload):
    """step() that makes one whole training update on the adding problem."""
    task, optimizer = Adding(workload.T), Adam()
    network = Network(Chunked(body(cell, workload._replace(D=task.inputs))), task.outputs)
    run = begin(network, optimizer, Constant(), backend="cupy")
    stream = batches(network, task, run, workload.B, backend="cupy")

    def step():
        nonlocal run
        run, _ = update(network, optimizer, run, next(stream))

    return step


def floor(cell, workload):
    """The three floors of a forward and backward  ->  {part: seconds}, {} for a cell that is not counted."""
    if cell not in TRAFFIC:
        return {}
    T, B, D, H = workload[:4]
    copied, multiplied, stepped = speeds()
    flops = sum(
        2 * number * np.prod(left) * right[-1] * (right[0] if len(right) == 3 else 1)
        for number, left, right, _ in floors.products(cell, T, B, D, H))
    return {"bytes": 4 * TRAFFIC[cell] * T * B * H / copied, "flops": float(flops) / multiplied, "steps": T * stepped}


@cache
def speeds():
    """Bytes a second of a copy, flops a second of a product, seconds of a dependent step, as this GPU has them."""
    cupy, (many, n, T) = import_cupy(), SAMPLES
    ones, matrix = cupy.ones(many, "float32"), cupy.ones((n, n), "float32")
    a, u, h0 = cupy.ones((T, 1, 1), "float32"), cupy.ones(1, "float32"), cupy.ones((1, 1), "float32")

    def walk():
        diagonal_scan_backward(None, diagonal_scan(a, u, h0, "tanh"), u, h0, "tanh")

    copy, product, walked = (
        max(median(time(step, 7)["device"]), 1e-9) for step in (ones.copy, lambda: rows(matrix, matrix), walk))
    return 2 * ones.nbytes / copy, 2 * n**3 / product, walked / T


def show(row, column):
    """Print a row: ours and its update, its floors, a line for every peer."""
    seconds, who = row["seconds"], f"{row['workload']:5} {row['cell']:<{column}}"
    own = median(seconds["ours"]["wall"]) * 1e3
    floors_ = ", ".join(f"{part} {row['floor'][part] * 1e3:.3f}" for part in PARTS if part in row["floor"])
    least = max(row["floor"].values(), default=0.0)
    times = f"  {own / least / 1e3:.1f} x the largest of its floors: {floors_}" if least else ""
    print(f"{who} ours {own:>9.3f}  update {median(seconds['update']['wall']) * 1e3:>9.3f}{times}", flush=True)
    for name in (name for name in seconds if name not in ("ours", "update")):
        ratio = median(a / b for a, b in zip(seconds["ours"]["wall"], seconds[name]["wall"]))
        print(f"{who} {name:<8} {median(seconds[name]['wall']) * 1e3:>9.3f}  {ratio:>6.2f}", flush=True)


def absent(peer):
    """Why a peer cannot compute on this GPU, or None where it can."""
    if not find_spec(PEERS[peer]):
        return f"{PEERS[peer]} is not installed"
    if PEERS[peer] == "torch":
        import torch

        return None if torch.cuda.is_available() else "this PyTorch has no CUDA"
    import jax

    return None if jax.default_backend() == "gpu" else "this JAX has no GPU"
