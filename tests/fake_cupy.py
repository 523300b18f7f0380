"""A stand-in for CuPy: NumPy inside, CuPy's manners outside, so that tests without a GPU meet what a GPU would refuse.

- An array never turns into a NumPy array by itself, and never computes beside one: both are a TypeError.
- Every result is an array, 0-d ones included; reading a number off it (float, bool, item, get ...) is a device sync,
  which is counted.
- A function, method or keyword that CuPy lacks is missing here too (ufuncs with where=, random numbers on the device).
- An index beyond the end begins anew, as CuPy's does.
- `empty` is filled with NaN, so that memory read before it was written shows.
- Kernel launches and uploads are counted, as far as CuPy's source tells: a view launches nothing, concatenate copies
  array by array, anything that computes launches one.
- RawModule compiles CUDA with g++ and runs it on the processor (minidurnn.kernels.emulated).

Names in the lists below are in CuPy's reference with these arguments. Add one after looking it up there.
"""

import operator
import sys
from time import perf_counter
from types import ModuleType, SimpleNamespace

import numpy as np

from minidurnn.kernels import emulated

names = str.split
UFUNCS = names("""abs absolute add bitwise_and bitwise_or bitwise_xor ceil copysign cos cosh divide equal exp
    exp2 expm1 floor floor_divide fmax fmin greater greater_equal invert isfinite isinf isnan less less_equal
    log log10 log1p log2 logical_and logical_not logical_or matmul maximum minimum mod multiply negative
    not_equal power reciprocal remainder rint sign sin sinh sqrt square subtract tan tanh true_divide""")
CREATE = names("arange empty eye full identity linspace ones tri zeros")          # from sizes and numbers alone
UPLOAD = names("array asarray")                                                    # these alone take NumPy arrays
FUNCTIONS = names("""all allclose any argmax argmin argsort array_equal around ascontiguousarray atleast_1d
    atleast_2d bincount broadcast_to clip concatenate copy cumprod cumsum diag dot einsum empty_like expand_dims
    flip full_like isclose max mean median min moveaxis nan_to_num ones_like outer prod ravel repeat reshape
    roll round searchsorted sort split squeeze stack std sum swapaxes take tensordot tile trace transpose tril
    triu unique var vstack hstack where zeros_like""")
LINALG = names("cholesky det eigh eigvalsh inv lstsq matrix_power norm pinv qr slogdet solve svd")
FOURIER = names("fft ifft irfft rfft")
METHODS = names("""all any argmax argmin astype clip conj copy cumprod cumsum diagonal dot max mean min nonzero prod
    ravel repeat reshape round sort squeeze std sum swapaxes take trace transpose var view""")
CONSTANTS = names(
    "bool_ complex128 complex64 dtype e finfo float16 float32 float64 inf int32 int64 nan newaxis pi uint8"
)
REFUSED = {"where", "initial", "order", "subok", "like"}      # keywords that NumPy takes and CuPy does not ...
# ... but for order here
ORDERED = {"array", "asarray", "astype", "reshape", "empty", "zeros", "ones", "full", "copy", "ravel"}
VIEWS = {*names("""asarray atleast_1d atleast_2d broadcast_to diag diagonal empty empty_like expand_dims moveaxis
    ravel reshape split squeeze swapaxes transpose view zeros zeros_like""")}        # no launch: zeros are a memset
SYNCING = {"nonzero", "allclose", "array_equal", "unique", "bincount"}


class ndarray:
    """CuPy's array, as far as a model may tell."""

    syncs = launches = uploads = 0                            # since the stand-in was installed
    __array_ufunc__ = None                                    # np.ndarray + this  ->  our own operator, which refuses
    __hash__ = None

    def __init__(self, inside):
        self._inside = inside

    def __array__(self, *_, **__):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array "
            "explicitly."
        )

    def __array_function__(self, function, *_):
        # CuPy would dispatch; our code shall say xp
        raise TypeError(f"numpy.{function.__name__} was given a CuPy array.")

    def get(self):
        """The NumPy array, a copy. A device sync."""
        ndarray.syncs += 1
        return self._inside.copy()

    def item(self, *index):
        """One Python number. A device sync."""
        ndarray.syncs += 1
        return self._inside.item(*index)

    def __getattr__(self, name):
        if name in METHODS:
            return _wrapped(getattr(self._inside, name), name)
        raise AttributeError(
            f"the stand-in for cupy.ndarray knows no {name!r}: look it up in CuPy's reference, then add it."
        )

    shape, dtype, ndim, size, nbytes, itemsize, strides, flags = (
        property(operator.attrgetter(f"_inside.{name}"))
        for name in names("shape dtype ndim size nbytes itemsize strides flags"))
    T = property(lambda self: ndarray(self._inside.T))
    real = property(lambda self: ndarray(self._inside.real))

    def __len__(self):
        return len(self._inside)

    def __iter__(self):
        return (self[place] for place in range(len(self)))

    def __getitem__(self, key):
        ndarray.launches += any(isinstance(part, ndarray) for part in (key if isinstance(key, tuple) else (key,)))
        return ndarray(np.asarray(self._inside[_key(key, self.shape)]))

    def __setitem__(self, key, value):
        ndarray.launches += 1
        self._inside[_key(key, self.shape)] = _unwrapped(value)

    def __repr__(self):
        return f"cupy.array({self.get()!r})"


def _key(key, shape):
    parts = key if isinstance(key, tuple) else (key,)
    if any(isinstance(part, ndarray) and part.dtype == bool for part in parts):
        ndarray.syncs += 1  # how many entries a mask takes is known on the device only
    elif not any(part is None or part is Ellipsis for part in parts):
        parts = tuple(ndarray(part._inside % size) if isinstance(part, ndarray) else part
                      for part, size in zip(parts, shape))   # beyond the end CuPy begins anew
        key = parts if isinstance(key, tuple) else parts[0]
    return _unwrapped(key)


def _unwrapped(argument, upload=False):
    """NumPy arrays in place of ours, in nested lists and tuples too."""
    if isinstance(argument, ndarray):
        return argument._inside
    if isinstance(argument, np.ndarray) and not upload:
        raise TypeError(f"Unsupported type {type(argument)}")
    if isinstance(argument, (tuple, list)):
        return type(argument)(_unwrapped(part, upload) for part in argument)
    return argument


def _lifted(result):
    """Ours in place of NumPy's arrays and scalars."""
    if isinstance(result, (np.ndarray, np.generic)):
        return ndarray(np.asarray(result))
    if isinstance(result, (tuple, list)):
        return tuple(_lifted(part) for part in result)
    return result


def _wrapped(function, name, upload=False):
    def call(*arguments, **options):
        refused = [key for key in options if key in REFUSED and not (key == "order" and name in ORDERED)]
        if refused:
            raise TypeError(f"Wrong arguments: CuPy's {name} takes no {', '.join(refused)}=.")
        ndarray.syncs += name in SYNCING
        ndarray.uploads += upload and isinstance(arguments[0], (np.ndarray, list, tuple))
        whole = name == "ascontiguousarray" and arguments[0].flags.c_contiguous
        ndarray.launches += len(arguments[0]) if name == "concatenate" else not (name in VIEWS or whole)
        inner = {key: _unwrapped(option) for key, option in options.items()}
        result = function(*(_unwrapped(argument, upload) for argument in arguments), **inner)
        if name.startswith("empty") and result.dtype.kind == "f":
            result.fill(np.nan)
        if upload:
            result = result.copy(order="A")                   # the device's memory is its own
        return options["out"] if options.get("out") is not None else _lifted(result)
    return call                                               # without `at`, whose order CuPy leaves to the moment


def _operator(name):
    ufunc = getattr(operator, name)

    def forward(self, other):
        ndarray.launches += 1
        return _lifted(ufunc(self._inside, _unwrapped(_number(other))))

    def backward(self, other):
        ndarray.launches += 1
        return _lifted(ufunc(_unwrapped(_number(other)), self._inside))

    def inplace(self, other):
        ndarray.launches += 1
        getattr(operator, f"i{name.strip('_')}")(self._inside, _unwrapped(_number(other)))
        return self

    return forward, backward, inplace


def _wrapped_unary(act):
    def call(self):
        ndarray.launches += 1
        return _lifted(act(self._inside))
    return call


def _number(other):
    if not isinstance(other, (ndarray, np.ndarray, np.generic, int, float, complex)):
        raise TypeError(f"Unsupported type {type(other)}")
    return other


for _name in names("add sub mul truediv floordiv mod pow matmul and_ or_ xor"):
    _short = _name.strip("_")
    for _prefix, _method in zip(("", "r", "i"), _operator(_name)):
        setattr(ndarray, f"__{_prefix}{_short}__", _method)
for _name in names("eq ne lt le gt ge"):
    setattr(ndarray, f"__{_name}__", _operator(_name)[0])
for _name in names("neg pos abs invert"):
    setattr(ndarray, f"__{_name}__", _wrapped_unary(getattr(operator, _name)))
for _name, _read in {"float": float, "int": int, "bool": bool, "complex": complex, "index": operator.index}.items():
    setattr(ndarray, f"__{_name}__", lambda self, read=_read: read(self.get()))
ndarray.__module__ = "cupy"


class Event:
    """A moment of the device's time; here the processor's."""

    def record(self):
        """Now."""
        self.time = perf_counter()


class CUSOLVERError(RuntimeError):
    """What cuSOLVER's refusal is in CuPy, in place of NumPy's LinAlgError."""


def _solver(name):
    solve = _wrapped(getattr(np.linalg, name), name)

    def call(array, *arguments, **options):
        if not np.isfinite(_unwrapped(array)).all():
            raise CUSOLVERError("CUSOLVER_STATUS_EXECUTION_FAILED")
        return solve(array, *arguments, **options)
    return call


def module(gpu=True):
    """The module to stand at sys.modules["cupy"]; without a gpu, `cuda.is_available()` says so."""
    cupy = ModuleType("cupy")
    for name in (*UFUNCS, *CREATE, *UPLOAD, *FUNCTIONS):
        setattr(cupy, name, _wrapped(getattr(np, name), name, upload=name in UPLOAD))
    for name in CONSTANTS:
        setattr(cupy, name, getattr(np, name))
    cupy.ndarray, cupy.__version__ = ndarray, "0.0 (stand-in)"
    cupy.asnumpy = lambda array: array.get()
    cupy.linalg = SimpleNamespace(**{name: _solver(name) for name in LINALG})
    cupy.fft = SimpleNamespace(**{name: _wrapped(getattr(np.fft, name), name) for name in FOURIER})
    cupy.RawModule = emulated.RawModule
    device = SimpleNamespace(synchronize=lambda: None, id=0, attributes=emulated.ATTRIBUTES, mem_info=2 * (80 * 2**30,))
    cupy.cuda = SimpleNamespace(
        Event=Event, get_elapsed_time=lambda start, end: 1e3 * (end.time - start.time),
        is_available=lambda: gpu, Device=lambda *_: device, Stream=SimpleNamespace(null=device),
        runtime=SimpleNamespace(getDeviceCount=lambda: int(gpu), getDeviceProperties=lambda _: {"name": b"stand-in"}))
    return cupy


def install(monkeypatch, gpu=True):
    """Put the stand-in where `import cupy` finds it until the test ends  ->  the module."""
    cupy = module(gpu)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    ndarray.syncs = ndarray.launches = ndarray.uploads = 0
    emulated.RawModule.order = "forward"
    emulated.RawModule.launched.clear()
    return cupy
