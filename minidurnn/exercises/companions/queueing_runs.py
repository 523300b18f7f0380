"""The recorded networks of lesson 22's section 9: what was learned, where it fails, and with true rates put back."""

import numpy as np

from ...experiments.queues import asked, changed
from ...tasks import Queues
from .queueing_answers import fluid, median_error


def learned_networks(records, experiment):
    """Records of lesson 22  ->  number of a network -> what was learned: "mu", "P", "errors" in percent."""
    chosen = [one for one in records if one.trial["model"] == "queueing" and one.trial["experiment"] == experiment]
    return {one.trial["seed"]: one.seen["trained"] for one in chosen}


def most_full_pair(task):
    """The two stations that are most often full at once  ->  "i, j", the percentage of a task's measured means."""
    x, mean, _ = task.batch(np.random.default_rng(0), 32)
    full = (mean >= x[:, :, 1 + task.stations:]).reshape(-1, task.stations).astype(float)
    together = full.T @ full / len(full)                      # (M, M): how often i and j are full
    i, j = max(zip(*np.triu_indices(task.stations, 1)), key=lambda pair: together[pair])
    return f"{i}, {j}", 100 * together[i, j]


def network_rows(records, fewest=100):
    """The recorded networks, learned from so many to 300 jobs  ->  a row for each:

    stations, number, the pair most often full and how often in %, same, new, the question of the largest new error,
    worst rate in %
    """
    rows = []
    for experiment, stations in (("queues", 5), ("queues-3", 3)) if fewest == 100 else (("queues-few", 3),):
        for number, seen in sorted(learned_networks(records, experiment).items()):
            errors = seen["errors"]
            hardest = max(("population", "servers", "routing"), key=errors.get)
            pair, often = most_full_pair(Queues(100, stations, number, fewest=fewest))
            rows.append((stations, number, pair, often, errors["same"], errors[hardest], hardest, errors["mu off"]))
    return rows


def print_networks(records):
    """The table of the ten networks, and one line for those learned from fewer jobs  ->  the rows of the table."""
    rows = network_rows(records)
    print("stations | network | one pair full | same |  new | by         | worst rate, %")
    for row in rows:
        print("{:8} | {:7} | {:>8}: {:3.0f} | {:4.1f} | {:4.1f} | {:10} | {:4.1f}".format(*row))
    few = network_rows(records, fewest=10)
    print("3 stations, learned from 10 to 300 jobs: new", *(f"{row[5]:.1f}" for row in few))
    return rows


def print_repaired(records, numbers, stations):
    """Networks of 3 stations, asked about another routing: the error as learned, and with some true rates put back."""
    learned_by = learned_networks(records, "queues-3")
    for number in numbers:
        task, seen = Queues(100, 3, number), learned_by[number]
        x, mean, _ = asked(task, "routing")
        other = changed(task.truth, "routing", 3, number)
        rates = np.array(seen["mu"])
        learned = median_error(fluid(rates, other.P, x), mean)
        rates[list(stations)] = other.mu[list(stations)]
        back = median_error(fluid(rates, other.P, x), mean)
        names = " and ".join(map(str, stations))
        print(f"network {number}, routing: {learned:.1f} %, with the true rates of {names}: {back:.1f} %")
