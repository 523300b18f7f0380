"""Rules for claims on size: what a model with a share of the trained numbers can do. Written before the runs."""

from dataclasses import dataclass
from statistics import median

from .rules import upwards


@dataclass(frozen=True)
class Keeps:
    """With a share of the numbers the first model is nearly as good as the second one with all, by their medians.

    replicated   its test result, of which lower is better, is at most `within` times the second one's; else not.
                 Not attempted where one of them has no record. A record's share is what it asked for of the most
    """

    experiment: str
    length: int
    models: tuple
    share: float
    within: float
    staged: bool = False

    def judge(self, records):
        """Records of these models  ->  ours in words, verdict."""
        (few, all_of_it), found = self.models, _by_share(records)
        if (few, self.share) not in found or (all_of_it, 1.0) not in found:
            return "-", "not attempted"
        ours, whole = found[few, self.share], found[all_of_it, 1.0]
        ratio = median(ours) / median(whole)
        said = f"{few} {median(ours):.4f} ({len(ours)}), {all_of_it} {median(whole):.4f} ({len(whole)}): {ratio:.3f}"
        return said, "replicated" if ratio <= self.within else "not replicated"


@dataclass(frozen=True)
class Leads:
    """At every one of these shares of the third model's numbers the first model is ahead of the second, by medians.

    replicated   at each; not attempted where one of the two has no record at one, or the third none; else not
                 replicated
    """

    experiment: str
    length: int
    models: tuple
    shares: tuple
    staged: bool = False

    def judge(self, records):
        """Records of these models  ->  ours in words, verdict."""
        found, (*two, whole) = _by_share(records), self.models
        if (whole, 1.0) not in found or any((model, share) not in found for model in two for share in self.shares):
            return "-", "not attempted"
        middles = [[median(found[model, share]) for model in two] for share in self.shares]
        said = ", ".join(f"{share:.0%}: {first:.4f}, {second:.4f}"
                         for share, (first, second) in zip(self.shares, middles))
        sign = upwards(records)
        ahead = all(sign * first > sign * second for first, second in middles)
        return f"{' and '.join(two)} at {said}", "replicated" if ahead else "not replicated"


def _by_share(records):
    """The test results of every model at every share of the most numbers that a record asked for."""
    most, found = max(record.trial["parameters"] for record in records), {}
    for record in records:
        if record.test is not None:
            share = round(record.trial["parameters"] / most, 2)
            found.setdefault((record.trial["model"], share), []).append(record.test)
    return found
