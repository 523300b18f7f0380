"""The one table of models, for experiments, bench, tests and planted bugs. A new model is a file and a line here."""

from ..cells import (
    FSMN,
    GILR,
    GILRLSTM,
    GRU,
    JANET,
    LSTM,
    RNN,
    Compact,
    DuRNN,
    IndRNN,
    LowRank,
    Projection,
    QueueingNetwork,
    ShortTermRNN,
    ToeplitzLike,
    Window,
    durnn,
    fsmn,
    gilr,
    gilr_lstm,
    gru,
    indrnn,
    janet,
    lstm,
    queueing,
    rnn,
    short_term,
    window,
)
from ..cells.compact import stepped
from .deep import dense, plain, residual
from .layers import Linear
from .lines import ABLATIONS, COMPACT, Model, bare, chained, less, linear, plain_layer, stacked
from .stacks import Chain
from .transformer import sized

MODELS = {
    "rnn": Model(
        lambda D, H, T: RNN(D, H),
        (RNN(2, 4), RNN(2, 4, activation="sigmoid"), RNN(2, 4, activation="identity"), RNN(4, 4, project_input=False)),
        ("eager", "nn", "jax"),
        step=rnn.step,
    ),
    "irnn": Model(
        lambda D, H, T: RNN(D, H, "relu", "identity"),
        (RNN(2, 4, activation="relu", start="identity"),),
        step=rnn.step,
    ),
    "short-term": Model(
        lambda D, H, T: ShortTermRNN(D, H),
        (
            ShortTermRNN(2, 4), ShortTermRNN(2, 4, bound=0.5, activation="tanh", projection="clip"),
            ShortTermRNN(2, 4, bound=None, activation="identity"), ShortTermRNN(4, 4, project_input=False),
        ),
        step=short_term.step,
    ),
    "indrnn": Model(
        lambda D, H, T: IndRNN(D, H, T),
        (
            IndRNN(2, 4), IndRNN(2, 4, horizon=9, memory="long"), IndRNN(2, 4, activation="sigmoid"),
            IndRNN(2, 4, horizon=9, growth=None, activation="tanh"), IndRNN(4, 4, project_input=False),
        ),
        ("eager", "jax"),
        step=indrnn.step,
    ),
    "indrnn-1": Model(
        lambda D, H, T: IndRNN(D, H, T, memory="long"),
        (IndRNN(2, 4, horizon=9, memory="long"),),
        step=indrnn.step,
    ),
    "indrnn-2": Model(
        lambda D, H, T: Chain([IndRNN(D, H, T), IndRNN(H, H, T, memory="long")]),
        (Chain((IndRNN(2, 4), IndRNN(4, 5, horizon=9, memory="long"))),),
        step=chained(indrnn.step),
    ),
    "indrnn-2-any": Model(                                    # the paper's start where every step has an answer
        lambda D, H, T: Chain([IndRNN(D, H, T), IndRNN(H, H, T)]),
        (Chain((IndRNN(2, 4), IndRNN(4, 5, horizon=9))),),
        step=chained(indrnn.step),
    ),
    "durnn": Model(
        lambda D, H, T: DuRNN(D, H, H, T),
        (
            DuRNN(2, 4, 5, horizon=9, gate=0.0), DuRNN(2, 4, 5, horizon=9, gate=0.0, output="long"),
            DuRNN(2, 5, 4, horizon=9, memory="any", projection="clip"),
            DuRNN(9, 4, 5, horizon=9, gate=0.0, project_input=False),
            DuRNN(2, 4, 5, horizon=9, bound=None, growth=None, gate=-1.0),
            DuRNN(2, 4, 5, 9, gate=0.0, selection="state"), DuRNN(2, 4, 5, 9, gate=0.0, selection="input"),
            DuRNN(2, 4, 5, 9, gate=0.0, selection="before"), DuRNN(2, 4, 5, 9, bound=0, selection="none"),
            DuRNN(8, 4, 5, 9, gate=0.0, selection="before", project_input=False),
            DuRNN(4, 4, 5, 9, selection="none", project_input=False),
        ),
        ("eager", "hoisted", "jax"),
        step=durnn.step,
    ),
    "durnn-2": Model(
        lambda D, H, T: Chain([DuRNN(D, H, H, T), DuRNN(2 * H, H, H, T)]),
        (Chain((DuRNN(2, 4, 5, horizon=9, gate=0.0), DuRNN(9, 4, 3, horizon=9, gate=0.0))),),
        step=chained(durnn.step),
    ),
    **{f"durnn-{name}": less(**options) for name, options in ABLATIONS.items()},
    "durnn-open-free": less(gate=0.0, bound=None),            # no bound on U_s: lesson 11
    "lstm": Model(
        lambda D, H, T: LSTM(D, H),
        (LSTM(2, 4), LSTM(16, 4, project_input=False)),
        ("eager", "nn", "jax"),
        step=lstm.step,
    ),
    "lstm-chrono": Model(lambda D, H, T: LSTM(D, H, horizon=T), (LSTM(2, 4, horizon=9),), step=lstm.step),
    "lstm-uniform": Model(
        lambda D, H, T: LSTM(D, H, start="uniform"), (LSTM(2, 4, start="uniform"),), step=lstm.step),
    "lstm-fast": Model(
        lambda D, H, T: LSTM(D, H, forget="fast"),
        (LSTM(2, 4, forget="fast"), LSTM(16, 4, project_input=False, forget="fast")), step=lstm.step),
    "lstm-refine": Model(                                     # with the uniform start, as it was published
        lambda D, H, T: LSTM(D, H, start="uniform", forget="refine"),
        (LSTM(2, 4, start="uniform", forget="refine"), LSTM(20, 4, project_input=False, forget="refine")),
        step=lstm.step),
    "lstm-floor": Model(                                      # ours
        lambda D, H, T: LSTM(D, H, horizon=T, forget="floor"),
        (LSTM(2, 4, horizon=9, forget="floor"), LSTM(16, 4, project_input=False, horizon=9, forget="floor")),
        step=lstm.step),
    "janet": Model(                                           # with the chrono start, as it was published
        lambda D, H, T: JANET(D, H, horizon=T),
        (JANET(2, 4), JANET(2, 4, horizon=9, beta=0.5), JANET(8, 4, project_input=False)), step=janet.step),
    "gru": Model(
        lambda D, H, T: GRU(D, H),
        (GRU(2, 4), GRU(12, 4, project_input=False)),
        ("eager", "nn", "jax"),
        step=gru.step,
    ),
    "gru-chrono": Model(lambda D, H, T: GRU(D, H, horizon=T), (GRU(2, 4, horizon=9),), step=gru.step),
    "gilr": Model(
        lambda D, H, T: GILR(D, H),
        (GILR(2, 4), GILR(8, 4, project_input=False)),
        step=gilr.step,
    ),
    "gilr-lstm": Model(
        lambda D, H, T: GILRLSTM(D, H),
        (GILRLSTM(2, 4), GILRLSTM(2, 4, reads="same"), GILRLSTM(24, 4, project_input=False)),
        step=gilr_lstm.step,
    ),
    "gilr-lstm-chrono": Model(
        lambda D, H, T: GILRLSTM(D, H, horizon=T),
        (GILRLSTM(2, 4, horizon=9),),
        step=gilr_lstm.step,
    ),
    "gilr-lstm-same": Model(
        lambda D, H, T: GILRLSTM(D, H, reads="same"),
        (GILRLSTM(2, 4, reads="same"),),
        step=gilr_lstm.step,
    ),
    "fsmn-1": Model(
        lambda D, H, T: FSMN(D, H),
        (
            FSMN(2, 4, 3), FSMN(2, 4, 9, taps="scalar", activation="tanh"), FSMN(2, 4, 0, activation="sigmoid"),
            plain_layer(2, 4, activation="identity"),
        ),
        step=fsmn.step,
    ),
    "fsmn": Model(                                            # two hidden layers, a memory on the first: the paper's
        lambda D, H, T: Chain([FSMN(D, H), plain_layer(2 * H, H)]),
        (Chain((FSMN(2, 4, 3), plain_layer(8, 5))),),
        step=chained(fsmn.step),
    ),
    "fsmn-2": Model(
        lambda D, H, T: Chain([FSMN(D, H), FSMN(2 * H, H)]),
        (Chain((FSMN(2, 4, 3), FSMN(8, 5, 2, taps="scalar"))),),
        step=chained(fsmn.step),
    ),
    "feed-forward": Model(                                    # the same without taps: it reads one step
        lambda D, H, T: Chain([plain_layer(D, H), plain_layer(H, H)]),
        (Chain((plain_layer(2, 4), plain_layer(4, 5))),),
        step=chained(fsmn.step),
    ),
    "window-2": Model(                                        # reads two steps, as the 3-gram network that it meets
        lambda D, H, T: Chain([Linear(D, H), Window(H, 1), plain_layer(2 * H, H), plain_layer(H, H)]),
        (Chain((Linear(2, 4), Window(4, 2), plain_layer(12, 5), plain_layer(5, 3))),),
        step=chained(linear, window.step, fsmn.step, fsmn.step),
    ),
    "queueing": Model(                                        # units: its stations', which the inputs tell
        lambda D, H, T: QueueingNetwork((D - 1) // 2, longest=0.1),
        (QueueingNetwork(2), QueueingNetwork(3, longest=0.5)),
        step=queueing.step,
        least=5,
        direct=True,
    ),
    "rnn-low-rank": Model(                                    # rank: an eighth of the units
        lambda D, H, T: Compact(RNN(D, H), LowRank(max(1, H // 8))),
        (Compact(RNN(2, 4), LowRank(2)), Compact(RNN(3, 4), (("W", LowRank(1)), ("U", ToeplitzLike(3))))),
        step=stepped(rnn.step)),
    "lstm-toeplitz": Model(
        lambda D, H, T: Compact(LSTM(D, H), ToeplitzLike(max(1, H // 8))),
        (Compact(LSTM(3, 4), (("W", ToeplitzLike(2)), ("U", ToeplitzLike(2)))),),
        step=stepped(lstm.step)),
    "lstm-projection": Model(
        lambda D, H, T: Compact(LSTM(D, H), Projection(max(1, H // 8))), (Compact(LSTM(2, 4), Projection(3)),),
        step=stepped(lstm.step)),
    "durnn-projection": Model(
        lambda D, H, T: Compact(DuRNN(D, H, H, T), Projection(max(1, H // 8))),
        (Compact(DuRNN(2, 4, 5, 9, gate=0.0), Projection(3)), Compact(DuRNN(2, 4, 5, 9, gate=0.0), ToeplitzLike(2))),
        step=stepped(durnn.step)),
    **COMPACT,
    "indrnn-5": stacked(plain, 5, norm="after"),
    "indrnn-6": stacked(plain, 6, norm="after"),
    "indrnn-21": stacked(plain, 21, norm="after"),
    "indrnn-21-no-norm": stacked(plain, 21),
    "indrnn-residual": stacked(residual, 5),                  # blocks: 11 recurrent layers
    "indrnn-residual-21": stacked(residual, 10),
    "indrnn-residual-21-no-norm": stacked(residual, 10, norm=None),
    "indrnn-dense": Model(lambda D, H, T: dense(D, H, bare(T), last=bare(T, "long"))),
    "transformer": Model(lambda D, H, T: sized(D, H)),        # H: about the units in its feed-forward blocks
}
