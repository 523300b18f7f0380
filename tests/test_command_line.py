"""The command line: its manual, its refusals, its exit codes, and that Ctrl-C loses nothing."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import forked
import numpy as np
import pytest
from forked import CLOSED, FULL, UNREAD

import minidurnn
from minidurnn import command_line, manual
from minidurnn.__main__ import main
from minidurnn.command_line import parser
from minidurnn.experiments import EXPERIMENTS, sweep
from minidurnn.networks.models import MODELS
from minidurnn.records import read_records
from minidurnn.training.storage import read

ROOT = Path(minidurnn.__file__).parents[1]
RECORD = ROOT / "lessons" / "results" / "bench-lengths.json"
SHORT = {"updates": 20, "parameters": 60, "batch": 4, "rates": (1e-3,), "length": 20}


def heard():
    """Let a child hear Ctrl-C also where these tests run in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def short(monkeypatch):
    """The quick trials of every experiment but pixels, made tiny and trained one after the other."""
    monkeypatch.setattr(command_line, "default_workers", lambda: 1)
    for name in ("adding", "delayed-xor"):
        for option, value in SHORT.items():
            monkeypatch.setitem(EXPERIMENTS[name].quick, option, value)


@pytest.fixture
def undrawn(monkeypatch):
    """No figure is drawn."""
    if find_spec("matplotlib") is not None:
        monkeypatch.setattr("minidurnn.plots.training_curves", lambda records, path: None)


def environment(folder, **files):
    """An environment whose Python finds these modules first, and then ours."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    python = {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **python, "TQDM_MININTERVAL": "0", "MPLBACKEND": "agg"}


def sentence(captured):
    """What was printed to stderr, which must be one sentence with the program's name."""
    assert re.fullmatch(r"minidurnn: [^\n]+\.\n", captured.err), captured.err
    assert "Traceback" not in captured.err
    return captured.err


def usage(capsys, *arguments):
    """What argparse says of wrong arguments."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err


def actions(which):
    """The options of a parser and its commands."""
    for action in which._actions:
        yield action
        if isinstance(action.choices, dict):
            for inner in action.choices.values():
                yield from actions(inner)


def test_every_option_is_explained():
    found = list(actions(parser()))
    options = {"--quick", "--models", "--seeds", "--lengths", "--backend", "--workers", "--dask", "--resume", "--out"}
    assert options | {"--version"} <= {name for action in found for name in action.option_strings}
    for action in found:
        if isinstance(action.choices, dict):                  # the commands: their own lines
            assert all(len(line.help) > 20 for line in action._choices_actions)
            assert len(action._choices_actions) == len(action.choices)
        else:
            assert len(action.help) > 15, action


def test_help_is_a_manual(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    pages = {}
    for words in ([], ["replicate"], ["list"]):
        with pytest.raises(SystemExit) as ended:
            main([*words, "--help"])
        assert ended.value.code == 0
        pages[" ".join(words)] = re.sub(r"-\n +", "-", capsys.readouterr().out)       # a name may be cut there
    for code in ("0 done", "1 a trial diverged", "2 wrong input", "3 anything else", "130 stopped", "141 nobody read"):
        assert code in pages[""] and code in pages["replicate"]
    for word in (*EXPERIMENTS, *MODELS, "minidurnn-results", "examples:", "--quick", "in steps", "bit for bit"):
        assert word in pages["replicate"]
    assert "replicate" in pages[""] and "list" in pages[""]


def test_the_examples_of_the_manual_are_commands():
    examples = manual.EXAMPLES.splitlines()
    lines = [line.split("   ")[0].split() for line in examples if line.startswith("  minidurnn")]
    assert len(lines) == 4
    for line in lines:
        chosen = parser().parse_args(line[1:])
        asked = chosen.quick, chosen.models, chosen.seeds, chosen.lengths
        assert any(EXPERIMENTS[name].trials(*asked) for name in chosen.experiments or EXPERIMENTS)


def test_list_names_every_experiment_its_lengths_and_models(capsys):
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    for name, experiment in EXPERIMENTS.items():
        line = next(line for line in said.splitlines() if line.startswith(name))
        assert experiment.question in line
        assert all(str(trial.length) in line for trial in [*experiment.trials(), *experiment.trials(quick=False)])
    assert all(model in said for model in MODELS)
    starts = {line.index(one.question) for line in said.splitlines() for one in EXPERIMENTS.values()
              if line.endswith(f"(quick: {one.quick['length']})") and one.question in line}
    assert len(starts) == 1 and max(map(len, EXPERIMENTS)) > 12          # a column, however long the names are


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out == f"minidurnn {minidurnn.__version__}\n"


@pytest.mark.parametrize("arguments, words", [
    (["subtracting"], ("unknown experiment 'subtracting'", "adding, delayed-xor")),
    (["adding", "--models", "durn"], ("unknown model 'durn'", "durnn")),
    (["adding", "--models", "durnn,"], ("unknown model ''",)),
    (["adding", "--lengths", "100,101"], ("no trial has the length 101", "100, 500, 1000, 5000")),
    (["delayed-xor", "--lengths", "500", "--quick"], ("no trial has the length 500 with --quick", "some of 100")),
    (["adding", "translation-copies", "--quick", "--models", "durnn"],
     ("model is 'durnn' for translation-copies", "one of attention, attention-memory", "name other experiments")),
    (["adding", "--models", "attention"], ("model is 'attention' for adding", "a model of sequences")),
    (["adding", "--workers", "2", "--dask", "tcp://host:8786"], ("--workers and --dask", "expected one")),
])
def test_what_does_not_exist_is_refused_with_what_does(arguments, words, tmp_path, capsys):
    assert main(["replicate", *arguments, "--out", str(tmp_path / "out")]) == 2
    said = sentence(capsys.readouterr())
    assert all(word in said for word in words)
    assert not (tmp_path / "out").exists()


def test_any_model_of_the_table_is_trained_on_any_experiment(short, undrawn, tmp_path):
    assert main(["replicate", "adding", "--quick", "--models", "gru", "--out", str(tmp_path)]) == 0
    record, = read_records(tmp_path)
    assert record.trial["model"] == "gru" and abs(record.parameters - SHORT["parameters"]) < 20


@pytest.mark.parametrize("arguments, words", [
    ([], ("required",)),
    (["train"], ("invalid choice", "replicate")),
    (["replicate", "--fast"], ("unrecognized arguments: --fast",)),
    (["replicate", "--seeds", "one"], ("'one' is no list of whole numbers",)),
    (["replicate", "--seeds", "-1"], ("--seeds",)),
    (["replicate", "--seeds=-1"], ("'-1' is no list of whole numbers",)),
    (["replicate", "--lengths", "100;500"], ("'100;500' is no list",)),
    (["replicate", "--seeds", "9" * 5000], ("is no list of whole numbers",)),
    (["replicate", "--backend", "torch"], ("invalid choice: 'torch'", "cupy")),
    (["replicate", "--workers", "0"], ("'0' is no whole number from 1",)),
    (["replicate", "--workers", "two"], ("'two' is no whole number",)),
])
def test_wrong_arguments_are_refused(arguments, words, capsys):
    said = usage(capsys, *arguments)
    assert said.startswith("usage: minidurnn") and all(word in said for word in words)


def test_an_out_folder_that_cannot_be_written_is_found_before_training(short, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command_line, "run_trials", lambda *_: pytest.fail("it trains"))
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "runs").write_text("in the way")
    file, below = tmp_path / "file", tmp_path / "file" / "below"
    for out, named in ((file, file), (below, below), (tmp_path, tmp_path / "runs")):
        assert main(["replicate", "adding", "--quick", "--out", str(out)]) == 2
        said = sentence(capsys.readouterr())
        assert f"the output folder {named} cannot be written" in said and "--out" in said
    assert (tmp_path / "file").read_text() == (tmp_path / "runs").read_text() == "in the way"


def test_missing_data_are_found_before_training(tmp_path, capsys, monkeypatch):
    def missing(self):
        raise FileNotFoundError("the data file train was not found: set MINIDURNN_DATA.")
    monkeypatch.setattr(command_line, "run_trials", lambda *_: pytest.fail("it trains"))
    monkeypatch.setattr(type(EXPERIMENTS["pixels"].task(196, "sample")), "baseline", missing)
    assert main(["replicate", "--quick", "--out", str(tmp_path)]) == 2
    assert "MINIDURNN_DATA" in sentence(capsys.readouterr())


@pytest.mark.parametrize("stub, words", [
    ("raise ImportError('no libcuda')", ("CuPy is not installed", "minidurnn[cuda12]")),
    ("class cuda:\n    is_available = staticmethod(lambda: False)", ("CuPy is installed but finds no GPU", "nvidia")),
], ids=["no CuPy", "no GPU"])
def test_a_backend_that_is_not_there_is_refused(stub, words, tmp_path, capsys, monkeypatch):
    (tmp_path / "cupy.py").write_text(stub)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    assert main(["replicate", "adding", "--quick", "--backend", "cupy", "--out", str(tmp_path / "out")]) == 2
    monkeypatch.delitem(sys.modules, "cupy", raising=False)   # the stub
    said = sentence(capsys.readouterr())
    assert all(word in said for word in words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [
    ["adding"], ["--models", "durnn"], ["--backend", "cupy"], ["--workers", "1"], ["--dask", "tcp://host:8786"]])
def test_speed_is_asked_for_alone(words, tmp_path, capsys):
    assert main(["replicate", "speed", *words, "--out", str(tmp_path / "out")]) == 2
    assert "expected it alone" in sentence(capsys.readouterr()) and not (tmp_path / "out").exists()


@pytest.mark.parametrize("quick, lengths, file", [([], "256,512,1024", "speed.json"),
                                                  (["--quick"], "256", "speed-quick.json")])
def test_speed_is_bench_at_the_papers_lengths_and_measured_once(quick, lengths, file, tmp_path, capsys, monkeypatch):
    seen = []

    def bench(command):
        seen.append(command)
        (tmp_path / "out" / file).write_text(RECORD.read_text())
        return subprocess.CompletedProcess(command, 1)
    monkeypatch.setattr(command_line.subprocess, "run", bench)
    arguments = ["replicate", "speed", *quick, "--out", str(tmp_path / "out")]
    assert main(arguments) == 1                               # two implementations disagree, says bench
    (_, _, module, *asked), = seen
    chosen = parser().parse_args(asked)
    assert (module, chosen.cells, chosen.lengths) == ("minidurnn", "indrnn,lstm", tuple(map(int, lengths.split(","))))
    assert chosen.json == tmp_path / "out" / file
    capsys.readouterr()
    assert main([*arguments, "--resume"]) == 0 and len(seen) == 1
    said = capsys.readouterr().out
    assert "measured before" in said and "T256 indrnn     eager " in said and "ahead" in said


@pytest.mark.parametrize("text", ["{}", "[1]", "no record", '{"speed": [{"workload": "W1"}]}', '{"speed": 3}'])
def test_another_file_with_the_name_of_the_speed_record_is_refused_and_stays(text, tmp_path, capsys):
    file = tmp_path / "speed.json"
    file.write_text(text)
    assert main(["replicate", "speed", "--out", str(tmp_path)]) == 2
    assert "is no record of this race" in sentence(capsys.readouterr()) and file.read_text() == text


@pytest.mark.system
def test_a_quick_replication_trains_tabulates_and_draws(short, tmp_path, capsys):
    asked = ["adding", "delayed-xor", "adding", "--quick", "--models", "rnn,rnn", "--seeds", "0,1,0"]
    arguments = ["replicate", *asked, "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.out.count(EXPERIMENTS["adding"].question) == 1
    assert "rnn, T = 20, seed 1" in said.out and "rule: solved" in said.out and "chance 0.1667, always 1" in said.out
    assert "20/20" in said.err                                # the progress bar
    files = {file.name for file in (tmp_path / "out").iterdir()}
    records = {name for name in files if name.endswith(".json")}
    assert len(records) == 4 and files - records == {"runs", "adding-T20.png", "delayed-xor-T20.png"}
    assert all(f"figure: {tmp_path / 'out' / name}" in said.out for name in files if name.endswith(".png"))
    assert main(arguments) == 0                               # again: nothing is trained
    again = capsys.readouterr()
    assert again.out == said.out and again.err == ""


def test_on_the_stand_in_for_cupy_it_computes_there(short, undrawn, cupy, tmp_path, capsys):
    words = ["replicate", "adding", "--quick", "--models", "indrnn-1", "--backend", "cupy"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    record = json.loads(next(tmp_path.glob("*.json")).read_text())
    assert record["machine"]["gpu"] == "stand-in" and record["trial"]["backend"] == "cupy"


def test_without_matplotlib_it_says_so_and_goes_on(short, tmp_path, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "minidurnn.plots", raising=False)
    monkeypatch.delattr(minidurnn, "plots", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["replicate", "adding", "--quick", "--models", "indrnn-1", "--out", str(tmp_path)]) == 0
    assert "no figure: matplotlib is not installed" in capsys.readouterr().out
    assert len(list(tmp_path.glob("*.json"))) == 1 and not list(tmp_path.glob("*.png"))


def test_experiments_without_such_trials_are_passed_over(short, undrawn, tmp_path, capsys):
    assert main(["replicate", "--quick", "--lengths", "20", "--models", "indrnn-1", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert EXPERIMENTS["pixels"].question not in said and EXPERIMENTS["delayed-xor"].question in said
    assert EXPERIMENTS["depth"].question not in said          # has this length, and is none of the first


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
def test_a_diverging_run_is_code_1_and_all_others_are_kept(short, undrawn, tmp_path, capsys, monkeypatch):
    true = sweep.train

    def run(trial, *arguments):                               # rnn is given a rate that no network survives
        return true(replace(trial, model="irnn", rates=(1e30,)) if trial.model == "rnn" else trial, *arguments)
    monkeypatch.setattr(sweep, "train", run)
    assert main(["replicate", "adding", "delayed-xor", "--quick", "--models", "rnn,durnn", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr()
    told = [line for line in said.err.splitlines() if line.startswith("minidurnn: ")]
    reason = "diverged: with every rate tried (1e+30) a loss, gradient or weight became not finite."
    assert len(told) == 2 and all("-rnn-seed0" in line and line.endswith(reason) for line in told)
    assert len(list(tmp_path.glob("*.json"))) == 4
    assert said.out.count("durnn  ") == 2 and said.out.count("  diverged") == 2 and "rule" in said.out


@pytest.mark.parametrize("chosen, validation, words", [
    (None, None, "with every rate tried (0.001) a loss, gradient or weight became not finite."),
    (1e-3, None, "after 20 updates validation chose the rate 0.001, with which a loss, gradient or weight later became "
                 "not finite."),
    (1e-3, 0.2, "with the rate 0.001, which validation chose, the loss or the metric on the test set is not finite."),
], ids=["in every run", "after the pilot", "in the test"])
def test_it_is_said_where_a_trial_diverged(chosen, validation, words, short, undrawn, tmp_path, capsys, monkeypatch):
    true = sweep.train

    def train(trial, *arguments):
        record = true(trial, *arguments)
        runs = (replace(record.runs[0], validation_loss=validation, validation=validation),)
        trial = {**record.trial, "pilot": 20}
        return replace(record, runs=runs, chosen_rate=chosen, test=None, verdict="diverged", trial=trial)
    monkeypatch.setattr(sweep, "train", train)
    assert main(["replicate", "adding", "--quick", "--models", "rnn", "--out", str(tmp_path)]) == 1
    told = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("minidurnn: "))
    assert told.endswith(words) and " diverged: " in told


def test_an_unfinished_trial_is_not_begun_again_without_resume(short, undrawn, tmp_path, capsys):
    arguments = ["replicate", "adding", "--quick", "--models", "indrnn-1", "--out", str(tmp_path)]
    assert main(arguments) == 0
    record = next(tmp_path.glob("*.json"))
    before = json.loads(record.read_text())
    record.unlink()                                           # killed before the record was written
    checkpoint = next((tmp_path / "runs").glob("*.npz"))
    kept = checkpoint.read_bytes()
    capsys.readouterr()
    assert main(arguments) == 2
    said = sentence(capsys.readouterr())
    assert str(checkpoint) in said and "--resume" in said and "delete" in said
    assert checkpoint.read_bytes() == kept
    assert main([*arguments, "--resume"]) == 0
    assert json.loads(record.read_text()) == before
    assert main([*arguments, "--seeds", "1" * 300]) == 0      # a number that is longer than a file's name may be


LONGER = {**SHORT, "updates": 200, "length": 40}
SHORTENED = f"""
import sys
if "minidurnn" in sys.orig_argv:                              # what joblib starts beside it needs none of this
    import minidurnn.experiments
    minidurnn.experiments.EXPERIMENTS["adding"].quick.update({LONGER!r})
    import minidurnn.training.progress
    minidurnn.training.progress.Screen.pause = 0.1            # a bar in a pipe is else drawn once a minute
"""
UNDRAWN = "import sys; sys.modules['matplotlib'] = None\n"    # a second of every process that reaches its figures


def interrupted(words, env, after):
    """A command that gets Ctrl-C when its bar shows so many updates  ->  code, stdout, stderr, the updates shown."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-m", "minidurnn", *words], env=env, preexec_fn=heard, **pipes)
    shown, text = [], ""
    while piece := process.stderr.read(1):
        text += piece
        if piece == "/":
            shown += map(int, re.findall(r"(\d+)/$", text))
            text = ""
            if shown and shown[-1] >= after:
                process.send_signal(signal.SIGINT)
                break
    out, rest = process.communicate(timeout=300)
    return process.returncode, out, rest, shown + updates_shown(rest)


def updates_shown(err):
    """The updates that a bar over LONGER has shown."""
    return [int(number) for number in re.findall(rf"(\d+)/{LONGER['updates']}", err)]


@pytest.mark.system
def test_ctrl_c_saves_says_how_to_go_on_and_resume_does_not_start_again(undrawn, tmp_path, capsys, monkeypatch):
    env = environment(tmp_path, sitecustomize=UNDRAWN + SHORTENED)
    words = ["replicate", "adding", "--quick", "--models", "durnn"]
    words += ["--workers", "1", "--out"]
    code, out, err, shown = interrupted([*words, str(tmp_path / "cut")], env, after=125)
    assert code == 130 and shown[0] == 0 and shown[-1] < 200
    checkpoint = next((tmp_path / "cut" / "runs").glob("*.npz"))
    saved = read(checkpoint, "checkpoint")[1]["run"]["update"]
    assert saved % 20 == 0 and saved >= 120                   # the last row, later than the last regular checkpoint
    assert f"update {saved} is saved in {checkpoint}" in out and "--resume" in out
    assert "minidurnn: stopped" in err and "--resume" in err and "Traceback" not in err
    assert not list((tmp_path / "cut").glob("*.json"))

    for option, value in LONGER.items():                      # what comes after needs no process of its own
        monkeypatch.setitem(EXPERIMENTS["adding"].quick, option, value)
    for folder, first, more in (("cut", saved, ["--resume"]), ("whole", 0, [])):
        assert main([*words, str(tmp_path / folder), *more]) == 0
        shown = updates_shown(capsys.readouterr().err)
        assert shown[0] == first and shown[-1] == 200
    ours, theirs = (json.loads(next((tmp_path / folder).glob("*.json")).read_text()) for folder in ("cut", "whole"))
    curve, other = (record["runs"][0]["stages"][0]["curve"] for record in (ours, theirs))
    assert curve == other and curve["update"] == list(range(20, 201, 20)) and np.isfinite(curve["loss"]).all()
    for entry in ("test", "verdict", "chosen_rate"):
        assert ours[entry] == theirs[entry]
    assert ours["runs"][0]["validation"] == theirs["runs"][0]["validation"]


@pytest.mark.parametrize("error, code, words", [
    (TypeError("a bug"), 3, ("TypeError in test_command_line.py, line ", "(a bug)", "report it")),
    (MemoryError("Unable to allocate\n3 TiB"), 3, ("out of memory (Unable to allocate 3 TiB)", "finished is kept")),
    (MemoryError(), 3, ("out of memory",)), (NotImplementedError("later"), 3, ("NotImplementedError",)),
    (ValueError("a wrong word."), 2, ("a wrong word.",)), (OSError("a full disk."), 2, ("a full disk.",)),
    (ModuleNotFoundError("No module named 'filelock'."), 2, ("filelock",)), (RuntimeError("no GPU."), 2, ("no GPU.",)),
    (KeyboardInterrupt(), 130, ("stopped", "--resume")),
])
def test_every_end_has_its_own_code_and_one_sentence(error, code, words, tmp_path, capsys, monkeypatch):
    def broken(*_):
        raise error
    monkeypatch.setattr(command_line, "run_trials", broken)
    assert main(["replicate", "adding", "--quick", "--out", str(tmp_path)]) == code
    said = capsys.readouterr().err
    assert said.strip().count("\n") == 0 and "Traceback" not in said and all(word in said for word in words)


def test_a_figure_that_cannot_be_drawn_ends_nothing(short, tmp_path, capsys, monkeypatch):
    plots = pytest.importorskip("minidurnn.plots", reason="figures need matplotlib")

    def broken(*_):
        raise KeyError("no such\nfont")
    monkeypatch.setattr(plots, "training_curves", broken)
    assert main(["replicate", "adding", "delayed-xor", "--quick", "--models", "rnn", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    for name in ("adding", "delayed-xor"):
        path = tmp_path / f"{name}-T20.png"
        assert [line for line in said.splitlines() if str(path) in line] == [f"no figure {path}: 'no such\\nfont'"]
    assert len(read_records(tmp_path)) == 2


@pytest.mark.parametrize("name, words", [
    ("nowhere", "is not there: give the folder of some with --records"),
    ("empty", "holds no records: give the folder of some with --records"),
    ("file", "cannot be read (Not a directory)"), ("a" * 300, "cannot be read (File name too long)"),
])
def test_a_ledger_says_what_is_wrong_with_its_folder(name, words, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("in the way")
    assert main(["ledger", "--records", str(tmp_path / name)]) == 2
    assert f"the folder {tmp_path / name} {words}" in sentence(capsys.readouterr())


def test_a_figure_is_drawn_of_all_records_of_the_folder(short, tmp_path, monkeypatch):
    plots = pytest.importorskip("minidurnn.plots", reason="figures need matplotlib")
    drawn = []

    def draw(records, path):
        drawn.append([record.trial["model"] for record in records])
    monkeypatch.setattr(plots, "training_curves", draw)
    for model in ("rnn", "durnn"):                            # the second command does not take the first's curve away
        assert main(["replicate", "adding", "--quick", "--models", model, "--out", str(tmp_path)]) == 0
    assert drawn == [["rnn"], ["durnn", "rnn"]]


TINY_RUN = ["replicate", "adding", "--quick", "--models", "indrnn-1", "--workers", "1", "--out"]
QUICKER = SHORTENED.replace("200", "20")
full = pytest.mark.skipif(not Path(FULL).exists(), reason="this system has no /dev/full")


@full
@pytest.mark.parametrize("streams, code, left", [
    ({"stderr": CLOSED}, 0, ""), ({"stderr": FULL}, 0, ""), ({"stdout": FULL, "stderr": CLOSED}, 3, ""),
    ({"stdout": UNREAD}, 141, ""),
    ({"stdout": FULL}, 3, "minidurnn: the output cannot be written (No space left on device)"),
])
@pytest.mark.system
def test_output_that_cannot_be_written_costs_no_work(streams, code, left, tmp_path):
    program = "import sys; sys.orig_argv.append('minidurnn')\n" + UNDRAWN + QUICKER + forked.COMMAND
    env = {"PYTHONIOENCODING": "ascii", "PYTHONUNBUFFERED": "1", "TQDM_MININTERVAL": "0"}
    done = forked.Python(program, *TINY_RUN, tmp_path / "ünï", **streams, environment=env).end()
    assert done.returncode == code and "Traceback" not in done.stderr and left in done.stderr, done.stderr
    assert len(read_records(tmp_path / "ünï")) == 1


@full
@pytest.mark.system
def test_a_figure_is_drawn_where_no_output_can_be_written(tmp_path):
    env = {**environment(tmp_path, sitecustomize=QUICKER), "PYTHONIOENCODING": "ascii"}
    env |= {"MPLBACKEND": "module://not_here.backend"}        # a file needs no backend that shows figures
    line = f"{sys.executable} -m minidurnn {' '.join(TINY_RUN)} {tmp_path / 'ünï'} >&- 2>&-"
    done = subprocess.run(["bash", "-c", line], env=env, check=False, timeout=300)
    assert done.returncode == 0 and len(read_records(tmp_path / "ünï")) == 1
    assert len(list((tmp_path / "ünï").glob("*.png"))) == (find_spec("matplotlib") is not None)


@full
@pytest.mark.system
def test_two_processes_train_where_every_standard_stream_is_closed(tmp_path):
    pytest.importorskip("joblib", reason="several processes need joblib")
    words = f"replicate adding --quick --models indrnn-1,rnn --workers 2 --out {tmp_path / 'out'}"
    env = environment(tmp_path, sitecustomize=UNDRAWN + QUICKER)
    line = f"{sys.executable} -m minidurnn {words} <&- >&- 2>&-"
    done = subprocess.run(["bash", "-c", line], env=env, check=False, timeout=300)
    assert done.returncode == 0 and len(read_records(tmp_path / "out")) == 2


def test_a_folder_that_the_encoding_lacks_is_printed_as_its_escape(short, undrawn, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="where it is missing no figure's path is printed")
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="ascii"))
    assert main([*TINY_RUN, str(tmp_path / "ünï")]) == 0
    assert b"\\xfcn\\xef" in printed.getvalue()


@pytest.mark.parametrize("words", [["ledger", "--records", str(ROOT / "lessons" / "results")], ["--help"]])
@pytest.mark.system
def test_output_that_nobody_reads_ends_quietly(words):
    done = forked.Python(forked.COMMAND, *words, stdout=UNREAD, environment={"PYTHONUNBUFFERED": ""}).end()
    assert done.stderr == "" and done.returncode == (141 if words[0] == "ledger" else 0)


def test_ctrl_c_while_the_commands_are_imported_shows_no_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "minidurnn.command_line")
    monkeypatch.delattr(minidurnn, "command_line")

    def find_spec(name, *_):
        if name == "minidurnn.command_line":
            raise KeyboardInterrupt
    monkeypatch.setattr(sys, "meta_path", [type("Finder", (), {"find_spec": staticmethod(find_spec)}), *sys.meta_path])
    assert main(["list"]) == 130
    assert capsys.readouterr().err == "\nminidurnn: stopped\n"


@pytest.mark.system
def test_ctrl_c_with_two_processes_leaves_whole_records_and_checkpoints_to_go_on_from(tmp_path):
    pytest.importorskip("joblib", reason="several processes need joblib")
    endless = SHORTENED.replace("200", "100_000")              # it does not end by itself
    words = ["replicate", "adding", "--quick", "--models", "rnn,durnn", "--workers", "2"]
    words += ["--out", str(tmp_path / "out")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    env = environment(tmp_path, sitecustomize=endless)
    process = subprocess.Popen([sys.executable, "-m", "minidurnn", *words], env=env, preexec_fn=heard, **pipes)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(list((tmp_path / "out" / "runs").glob("*.npz"))) < 2:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)                     # as the terminal does
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "minidurnn: stopped" in err and "--resume" in err and "Traceback" not in err
    assert not list((tmp_path / "out").glob("*.json"))
    for checkpoint in (tmp_path / "out" / "runs").glob("*.npz"):
        assert read(checkpoint, "checkpoint")[1]["run"]["update"] % 20 == 0
