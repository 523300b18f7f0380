"""Two controls of lesson 18: a GILR-LSTM with tanh around c, an LSTM without."""

import numpy as np

from ...arrays.activations import sigmoid
from ...arrays.affine import affine, affine_backward, rows_product
from ...cells import GILRLSTM, LSTM
from ...cells.gilr import smoothed_backward
from ...scans import gated_scan_backward


class WithTanh(GILRLSTM):
    """A GILR-LSTM with the LSTM's tanh around c, h[t] = o ⊙ tanh(c[t])."""

    def forward(self, p, x, state=None):
        """x (T, B, D), state [s, c] (B, 2H) or None for zeros  ->  h (T, B, H), tape."""
        tape = super().forward(p, x, state)[1]
        return tape.gates[3] * np.tanh(tape.c), tape

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, H) direct gradient on every h[t], dstate (B, 2H) on the state handed on  ->  dx, dstate0, dp."""
        p, x, s0, c0, s, c, g, j, (i, f, z, o) = tape
        dh = np.zeros_like(c) if dh is None else dh
        ds_last, dc_last = self._split(dstate)
        bent = np.tanh(c)
        df, dv, dc0 = gated_scan_backward(dh * o * (1 - bent * bent), c, f, c0, carry=dc_last)
        parts = dv * z * i * (1 - i), df * f * (1 - f), dv * i * (1 - z * z), dh * bent * o * (1 - o)
        da = np.concatenate(parts, axis=2)
        dread, dU = da @ p["U"].T, rows_product(self._read(s, s0), da)
        ds, ds0 = self._read_backward(dread)
        dg, dw, through = gated_scan_backward(ds, s, g, s0, carry=ds_last)
        dx_s, dW_s, db_s = affine_backward(smoothed_backward(dg, dw, g, j), x, p["W_s"])
        dx, dW, db = affine_backward(da, x, p["W"])
        dp = {"W_s": dW_s, "b_s": db_s, "W": dW, "U": dU, "b": db}
        return dx_s + dx, np.concatenate([ds0 + through, dc0], axis=1), dp


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
