"""Make pairs.tsv.gz from the English-Swedish pairs of Tatoeba: short ones of frequent words, cut into three parts.

Kept are pairs of at most 8 words and marks in either language, all of them among the 600 most frequent of English and
the 800 of Swedish. Pairs that share a sentence, in either language and also by way of others, go into one part, so that
no sentence stands in two. Columns: part, English, Swedish, attribution (as the licence asks).
Use      MINIDURNN_DATA=folder python -m minidurnn.tasks.samples.make_pairs OUT
"""

import gzip
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

from minidurnn.tasks.store import find
from minidurnn.tasks.vocabulary import words_of

LONGEST, FREQUENT = 8, (600, 800)
PARTS = {"validation": 10, "test": 20}                        # of a hundred, up to


def main(out):
    """Write the sample to the path `out`."""
    text = gzip.decompress(find("tatoeba_eng_swe.tsv.gz").read_bytes()).decode()
    pairs = [line.split("\t") for line in text.splitlines()]
    split = [tuple(tuple(words_of(text)) for text in pair[:2]) for pair in pairs]
    known = [frequent((pair[side] for pair in split), FREQUENT[side]) for side in range(2)]
    kept = [place for place, pair in enumerate(split) if all(fits(pair[side], known[side]) for side in range(2))]
    group = groups([split[place] for place in kept])
    lines = ["\t".join((part_of(group[split[place]]), *pairs[place])) for place in kept]
    Path(out).write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), 9, mtime=0))


def frequent(sentences, many):
    """The most frequent words of sentences."""
    counts = Counter(word for words in sentences for word in words)
    return set(sorted(counts, key=lambda word: (-counts[word], word))[:many])


def fits(words, known):
    """Whether a sentence is short and has only known words."""
    return 0 < len(words) <= LONGEST and known.issuperset(words)


def groups(pairs):
    """Pairs that share a sentence, directly or by way of others  ->  {pair: the first pair of its group}."""
    first, members = {}, {}
    for pair in pairs:
        found = {first[key] for key in enumerate(pair) if key in first}
        leader = min(found, default=pair)
        for other in found - {leader}:
            for key in members[other]:
                first[key] = leader
            members.setdefault(leader, []).extend(members.pop(other))
        for key in enumerate(pair):
            first[key] = leader
            members.setdefault(leader, []).append(key)
    return {pair: first[0, pair[0]] for pair in pairs}


def part_of(leader):
    """The part of a group, by the hash of its first pair."""
    hundredth = int(sha256(repr(leader).encode()).hexdigest(), 16) % 100
    return next((part for part, upto in PARTS.items() if hundredth < upto), "train")


if __name__ == "__main__":
    main(sys.argv[1])
