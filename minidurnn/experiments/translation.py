"""Does a recurrent state for every source word help attention, with as many trained numbers?"""

from functools import partial

import numpy as np

from ..networks.beam import translate
from ..tasks import Copies, Pairs
from ..tasks.copies import fertility
from .experiment import Experiment, setting
from .gradients import plain

MODELS = ("attention", "attention-memory")
WIDTHS = (1, 5)                                               # greedy, and a beam ranked by log-probability per word
LONGER = 12                                                   # words, where copies are trained with at most 8
SHOWN = 3                                                     # the place of the sentence whose attention is kept


def pairs(length, source):
    """The shipped pairs of so many words at most; there is one source."""
    return Pairs(length)


def copies(length, source):
    """The made-up language with so many words at most; there is one source."""
    return Copies(length)


def look(network, p, task):
    """What translations of the test set are worth, and where the decoder looks while one of them is written.

    returns  {"scores": numbers by name, each with the beam's width behind it:
                  "BLEU", "chrF" (0 to 100, where sacrebleu is installed; on words in lower case, all translations of a
                  sentence as its references), "exact" (percent of the sentences that are one of those),
                  "repeated", "dropped" (words in a hundred of the nearest reference, see `miscounts`);
                  of Copies also the same for longer sentences ("long"), and `of_attention`,
              "source", "target", "weights", "memory": one sentence, its translation, α (N, T), the states (N, M) of the
                  source word that is looked at most (None without memory)}
    """
    longest = 3 * LONGER + 1 if isinstance(task, Copies) else 2 * task.length + 4
    scores = {}
    for width in WIDTHS:
        scores |= scored(network, p, task, *task.questions(), width, longest)
    if isinstance(task, Copies):
        longer = Copies(LONGER, task.window)
        x, target, lengths = longer.batch(np.random.default_rng([7, LONGER]), 200)
        references = [[sentence] for sentence in longer.read(target)]
        scores |= scored(network, p, task, x, lengths, references, 1, longest, " long")
        scores |= of_attention(network, p, task)
    return {"scores": scores, **one_sentence(network, p, task)}


def scored(network, p, task, x, lengths, references, width, longest, name=""):
    """The scores of translations by a beam of this width  ->  {name with the width behind it: number}."""
    written = []
    for first in range(0, x.shape[1], 100):
        rows = slice(first, first + 100)
        found = translate(network, p, x[:, rows], lengths[rows], width, longest, per_word=float(width > 1))
        written += task.read(found.words)
    counts = np.array([miscounts(*pair) for pair in zip(written, references)])
    repeated, dropped = 100 * counts[:, :2].sum(0) / counts[:, 2].sum()
    exact = 100 * np.mean([tuple(words) in answers for words, answers in zip(written, references)])
    scores = {"exact": exact, "repeated": repeated, "dropped": dropped, **by_sacrebleu(written, references)}
    return {f"{what}{name} {width}": round(float(number), 3) for what, number in scores.items()}


def miscounts(words, references):
    """How a translation miscounts the words of the reference that it miscounts least  ->  repeated, dropped, its words.

    repeated   how often its words come more often than there, the first time left out: another word is no repetition
    dropped    how often they come less often than there
    """
    found = []
    for reference in references:
        every = {*words, *reference}
        counts = [(list(words).count(word), list(reference).count(word)) for word in every]
        repeated = sum(max(0, ours - max(1, theirs)) for ours, theirs in counts)
        found.append((repeated, sum(max(0, theirs - ours) for ours, theirs in counts), len(reference)))
    return min(found, key=lambda one: one[0] + one[1])


def by_sacrebleu(written, references):
    """BLEU and chrF of lists of words  ->  {name: 0 to 100}; {} without sacrebleu (the extra "translate")."""
    try:
        import sacrebleu
    except ImportError:
        return {}
    texts = [" ".join(words) for words in written]
    most = max(map(len, references))                          # those with fewer references have None in place of more
    others = [[" ".join(one[place]) if place < len(one) else None for one in references] for place in range(most)]
    bleu = sacrebleu.corpus_bleu(texts, others, tokenize="none", force=True)
    return {"BLEU": bleu.score, "chrF": sacrebleu.corpus_chrf(texts, others).score}


def of_attention(network, p, task):
    """Of Copies, while the right target is written: does attention know fertility and distortion?

    returns  {"misaligned": percent of the target's words at which another position than the word's own has most weight,
              "fertility off": mean over the source words of |sum of the weights on it where words are written - how
              often it is written|}
    """
    x, target, lengths = task.test()
    weights, _ = network.attention_on(p, x, target, lengths)                                      # (N, T, B)
    source = task.answer(x, lengths)[1]                       # (N, B)
    written = source >= 0
    misaligned = 100 * (weights.argmax(1) != source)[written].mean()
    off = np.abs((weights * written[:, None]).sum(0) - fertility(x))[np.arange(len(x))[:, None] < lengths].mean()
    return {"misaligned": round(float(misaligned), 3), "fertility off": round(float(off), 4)}


def one_sentence(network, p, task):
    """One test sentence and its target, and where the decoder looks  ->  source, target, weights, memory."""
    x, target, lengths = (array[..., SHOWN:SHOWN + 1] for array in task.test())
    x, target = x[:lengths[0]], target[:1 + int(target[:, 0].argmin())]
    weights, memory = network.attention_on(p, x, target, lengths)
    most = int(weights[:-1, :, 0].sum(0).argmax())
    return {
        "source": x[:, 0].tolist(), "target": target[:, 0].tolist(), "weights": [*map(plain, weights[..., 0])],
        "memory": None if memory is None else [*map(plain, memory[:, most, 0])]}


def as_text(records):
    """A line for every record: its scores, trained."""
    lines = ["scores on the test set, the beam's width behind each name"]
    for record in records:
        who = f"  {record.trial['model']:<17} seed {record.trial['seed']}"
        scores = {} if record.seen is None else record.seen["trained"]["scores"]
        said = ", ".join(f"{name} {number:.4g}" for name, number in scores.items())
        lines.append(f"{who}  {said or 'diverged: not looked at'}")
    return "\n".join(lines)


RATES = (0.003, 0.01)
_experiment = partial(Experiment, look=look, report=as_text)
EXPERIMENTS = (
    _experiment(
        "translation", "Does a memory for every source word help to translate English sentences to Swedish?", pairs,
        quick=setting(length=8, models=("attention",), parameters=120_000, updates=200, rates=(0.01,)),
        full=(setting(
            length=8, models=MODELS, seeds=(0, 1, 2), parameters=120_000, rates=RATES, updates=800, pilot=100,
            decay=600),),
        solved=2.5,
        rule="solved (our mark): at most 2.5 bits per test word; learning: below nine tenths of the unigram entropy; "
             "else baseline"),
    _experiment(
        "translation-copies", "Does a memory for every source word count copies and follow moves?", copies,
        quick=setting(length=8, models=("attention",), parameters=6_000, updates=200, rates=(0.01,)),
        full=(setting(
            length=8, models=MODELS, seeds=(0, 1, 2), parameters=6_000, rates=RATES, updates=500, pilot=100,
            decay=400),),
        solved=0.1,
        rule="solved (our mark): at most 0.1 bits per test word; learning: below nine tenths of the unigram entropy; "
             "else baseline"),
)
