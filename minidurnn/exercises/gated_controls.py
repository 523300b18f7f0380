"""A control of lesson 18: an LSTM without tanh around c."""

import numpy as np

from ..arrays.activations import sigmoid
from ..arrays.affine import affine, affine_backward
from ..cells import LSTM


class WithoutTanh(LSTM):
    """An LSTM without tanh around c, h[t] = o ⊙ c[t], with the gates in the order i, f, z, o."""

    def forward(self, p, x, state=None):
        """x (T, B, D), state [h, c] (B, 2H) or None for zeros  ->  h (T, B, H), tape."""
        H, a = self.units, affine(x, p["W"], p["b"])
        last = np.zeros((x.shape[1], 2 * H), x.dtype) if state is None else state
        steps, h = [], np.empty((*x.shape[:2], H), x.dtype)
        for t, a_t in enumerate(a):
            before, c = last[:, :H], last[:, H:]
            y = a_t + before @ p["U"]
            i, f, o = (sigmoid(y[:, place * H:(place + 1) * H].copy()) for place in (0, 1, 3))
            z = np.tanh(y[:, 2 * H:3 * H])
            c_t = f * c + i * z
            h[t] = o * c_t
            steps.append((before, c, c_t, i, f, z, o))
            last = np.concatenate([h[t], c_t], axis=1)
        return h, (p, x, steps, last)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, H) direct gradient on every h[t], dstate (B, 2H) on the state handed on  ->  dx, dstate0, dp."""
        p, x, steps, last = tape
        dstate = np.zeros_like(last) if dstate is None else dstate
        carry, dc = dstate[:, :self.units], dstate[:, self.units:]
        da, dU = np.empty((*x.shape[:2], 4 * self.units), x.dtype), np.zeros_like(p["U"])
        for t in reversed(range(len(steps))):
            before, c, c_t, i, f, z, o = steps[t]
            total = carry if dh is None else carry + dh[t]
            dc = dc + total * o
            parts = dc * z * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - z * z), total * c_t * o * (1 - o)
            da[t] = np.concatenate(parts, axis=1)
            dU += before.T @ da[t]
            carry, dc = da[t] @ p["U"].T, dc * f
        dx, dW, db = affine_backward(da, x, p["W"])
        return dx, np.concatenate([carry, dc], axis=1), {"W": dW, "U": dU, "b": db}

    def last_state(self, tape):
        """The state [h, c] to hand to the next stretch of the sequence, (B, 2H)."""
        return tape[3]
