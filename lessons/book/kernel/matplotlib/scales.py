"""From numbers to places on an axis, and the numbers that the axis names."""

import numpy as np


class Scale:
    """One axis of a panel: its limits, ticks and labels; linear or logarithmic."""

    def __init__(self):
        self.log, self.limits, self.ticks, self.labels = False, None, None, None
        self.seen, self.fixed = [], []                        # numbers that are drawn; those that need no margin

    def see(self, numbers, margin=True):
        """Remember numbers that are to be within the limits."""
        (self.seen if margin else self.fixed).append(np.asarray(numbers, float).ravel())

    def range(self):
        """The limits that were set, or those of the numbers with a margin of 5 %  ->  low, high."""
        if self.limits is not None:
            return self.limits
        low, high = self._of([*self.seen, *self.fixed])
        bare = self._of(self.fixed) if self.fixed else (np.inf, -np.inf)
        a, b = self._in(np.array([low, high]))
        if a == b:
            a, b = a - 0.5, b + 0.5
        pad = 0.05 * (b - a)
        low = low if bare[0] == low else self._out(a - pad)
        return low, high if bare[1] == high else self._out(b + pad)

    def _of(self, numbers):
        """The least and the largest of what can be drawn."""
        every = np.concatenate(numbers) if numbers else np.zeros(0)
        every = every[np.isfinite(every) & ((every > 0) | (not self.log))]
        if not every.size:
            return (1.0, 10.0) if self.log else (0.0, 1.0)
        return every.min(), every.max()

    def _in(self, x):
        if not self.log:
            return x
        with np.errstate(all="ignore"):
            return np.log10(np.where(x > 0, x, np.nan))

    def _out(self, x):
        return 10.0 ** x if self.log else x

    def place(self, numbers):
        """Numbers as shares of the axis: 0 at its low end, 1 at its high end, nan where the axis has no place."""
        a, b = self._in(np.array(self.range(), float))
        return (self._in(np.asarray(numbers, float)) - a) / (b - a)

    def named(self, length):
        """The ticks of an axis of this length in points  ->  [(number, text)], numbers of small ticks."""
        low, high = sorted(self.range())
        small = []
        if self.ticks is not None:
            ticks, labels = self.ticks, self.labels or _plain(self.ticks)
        elif self.log:
            ticks, labels, small = _decades(low, high)
        else:
            ticks = _steps(low, high, max(2, min(9, length / 25)))
            labels = self.labels or _plain(ticks)
        pad = 1e-9 * (high - low)
        return ([(tick, str(label)) for tick, label in zip(ticks, labels) if low - pad <= tick <= high + pad],
                [tick for tick in small if low <= tick <= high])


def _steps(low, high, most):
    """Round numbers within limits, at most about so many."""
    raw = (high - low) / most
    power = 10.0 ** np.floor(np.log10(raw))
    step = power * next(one for one in (1, 2, 2.5, 5, 10) if one * power >= raw * 0.999)
    return np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step


def _plain(ticks):
    """Numbers as text with as many decimals as their steps need."""
    ticks = np.asarray(ticks, float)
    steps = np.diff(ticks) if len(ticks) > 1 else ticks
    decimals = next((some for some in range(7) if np.allclose(np.round(ticks, some), ticks, rtol=0, atol=1e-9 + 1e-3
                                                              * min(abs(steps), default=1))), 7)
    return [f"{tick + 0.0:.{decimals}f}".replace("-", "−") for tick in ticks]


def _decades(low, high):
    """Powers of ten, and the numbers between them where they are few."""
    first, last = int(np.ceil(np.log10(low) - 1e-9)), int(np.floor(np.log10(high) + 1e-9))
    stride = max(1, -(-(last - first + 1) // 8))
    powers = range(first, last + 1, stride)
    between = [k * 10.0 ** power for power in range(first - 1, last + 1) for k in range(2, 10)]
    if len(powers) < 2:
        few = [one for one in between if round(one / 10.0 ** np.floor(np.log10(one) + 1e-9)) in (2, 5)]
        ticks = sorted([*(10.0 ** power for power in powers), *few])
        return ticks, [f"{tick:g}" for tick in ticks], between
    return ([10.0 ** power for power in powers], [f"$10^{{{power}}}$" for power in powers],
            between if stride == 1 else [])
