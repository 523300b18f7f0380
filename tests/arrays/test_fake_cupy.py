"""The stand-in for CuPy refuses what CuPy refuses, and counts what CuPy waits for."""

import operator

import fake_cupy
import numpy as np
import pytest

OPERATORS = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul, operator.lt, operator.eq,
    operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.imatmul,
]


@pytest.mark.parametrize("act", OPERATORS, ids=lambda act: act.__name__)
def test_an_operator_refuses_a_numpy_array_on_either_side(cupy, act):
    host, device = 1.0 + np.eye(3), cupy.asarray(1.0 + np.eye(3))
    with pytest.raises(TypeError, match="Unsupported type"):
        act(device, host)
    with pytest.raises(TypeError):
        act(host, device)
    assert (act(device, device.copy()).get() == act(host, host.copy())).all()


@pytest.mark.parametrize("convert", [
    np.asarray, np.array, np.sin, np.sum, np.float64, np.isfinite, np.linalg.norm, lambda a: np.concatenate([a, a]),
    lambda a: np.add(a, a), lambda a: np.add(np.ones(3), 1.0, out=a), lambda a: np.zeros(3).__setitem__(..., a),
])
def test_no_numpy_function_takes_an_array_of_the_stand_in(cupy, convert):
    with pytest.raises(TypeError):
        convert(cupy.ones(3))


@pytest.mark.parametrize("call", [
    lambda xp: xp.add(xp.ones(3), np.ones(3)),
    lambda xp: xp.concatenate([xp.ones(3), np.ones(3)]),
    lambda xp: xp.tanh(np.ones(3)),
    lambda xp: xp.tanh(xp.ones(3), out=np.ones(3)),
    lambda xp: xp.ones(3).__setitem__(0, np.ones(1)),
    lambda xp: xp.ones(3)[np.array([0, 1])],
    lambda xp: xp.linalg.svd(np.eye(3)),
    lambda xp: xp.ones(3) + [1.0, 2.0, 3.0],
    lambda xp: xp.add(xp.ones(3), xp.ones(3), where=xp.ones(3) > 0),
    lambda xp: xp.ones(3).sum(where=xp.ones(3) > 0),
    lambda xp: xp.ones(3).max(initial=0.0),
])
def test_no_function_of_the_stand_in_takes_what_cupy_does_not_take(cupy, call):
    with pytest.raises(TypeError):
        call(cupy)


@pytest.mark.parametrize("name", ["random", "testing_extras", "apply_along_axis", "vectorize"])
def test_what_the_stand_in_does_not_know_is_missing(cupy, name):
    with pytest.raises(AttributeError):
        getattr(cupy, name)


def test_reductions_are_arrays_and_reading_them_is_counted(cupy):
    total = cupy.ones((2, 3)).sum()
    assert isinstance(total, cupy.ndarray) and total.shape == () and fake_cupy.ndarray.syncs == 0
    reads = [
        float, int, bool, repr, lambda a: a.item(), lambda a: a.get(), lambda a: cupy.asnumpy(a),
        lambda a: cupy.ones(3)[cupy.ones(3) > a],
    ]
    for count, read in enumerate(reads, 1):
        read(total)
        assert fake_cupy.ndarray.syncs == count


def test_views_share_memory_and_uploads_do_not(cupy):
    host = np.zeros((2, 3))
    device = cupy.asarray(host)
    for row in device:
        row += 1.0
    device[0, :2] = cupy.asarray([5.0, 6.0])
    assert device.get().tolist() == [[5.0, 6.0, 1.0], [1.0, 1.0, 1.0]] and not host.any()


def test_results_go_into_out_and_empty_memory_is_not_a_number(cupy):
    out = cupy.empty((2, 2))
    assert np.isnan(out.get()).all()
    assert cupy.matmul(cupy.eye(2), cupy.ones((2, 2)), out=out) is out and (out.get() == 1.0).all()
