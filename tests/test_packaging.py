"""The packaging files agree with each other and with the README."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from statistics import median

import pytest

import minidurnn
from minidurnn.experiments.claims import as_markdown, ledger
from minidurnn.records import read_records

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
RESULTS = (ROOT / "lessons" / "results" / "README.md").read_text()


@cache
def recorded():
    """The course's records, read once for all these tests."""
    return tuple(read_records(ROOT / "lessons" / "results"))


def project():
    tomllib = pytest.importorskip("tomllib", reason="reading pyproject.toml needs Python 3.11")
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_environment_yml_installs_this_package_with_its_extras_and_lists_nothing_else():
    lines = [
        line.strip().removeprefix("- ") for line in (
            ROOT / "environment.yml"
        ).read_text().partition("dependencies:")[2].split("\n") if line.strip()
    ]
    python, pip, pip_section, package = lines
    assert python == "python" + project()["requires-python"]
    assert (pip, pip_section) == ("pip", "pip:")
    extras = re.fullmatch(r"-e \.\[(.*)\]", package).group(1).split(",")
    assert set(extras) <= set(project()["optional-dependencies"])


def test_the_wheel_ships_every_file_of_the_package_that_is_not_python():
    tomllib = pytest.importorskip("tomllib", reason="reading pyproject.toml needs Python 3.11")
    shipped = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    folders = {ROOT.joinpath(*package.split(".")): patterns for package, patterns in shipped.items()}
    others = {path for path in (ROOT / "minidurnn").rglob("[!.]*.*") if path.suffix not in (".py", ".pyc")}
    assert ROOT / "minidurnn" / "kernels" / "recurrences.cu" in others
    assert others == {path for folder, patterns in folders.items() for one in patterns for path in folder.glob(one)}


def test_the_citation_the_changelog_and_the_package_name_one_version():
    assert f"version: {minidurnn.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M).group(1) == minidurnn.__version__


def test_the_top_level_holds_nothing_but_the_product():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout: nothing tells which files belong to the project")
    tops = {line.split("/")[0] for line in tracked.stdout.splitlines()}
    assert tops <= {
        "lessons", "minidurnn", "tests", "environment.yml", "README.md", "pyproject.toml", "LICENSE",
        "CITATION.cff", "CONTRIBUTING.md", "CHANGELOG.md",
        ".gitignore", ".gitattributes", ".ci", ".github", ".devcontainer",
    }


def test_the_workflow_runs_what_decides_here_and_the_unit_tests_as_contributing_has_them():
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text()
    alone = r"The unit tests alone: `\.venv/bin/pytest (.*?)`"
    told = re.search(alone, (ROOT / "CONTRIBUTING.md").read_text()).group(1)
    assert "run: .ci/run\n" in workflow and f"-m pytest {told}\n" in workflow
    assert f'"{project()["requires-python"].removeprefix(">=")}"' in workflow


def test_the_readme_lists_every_lesson_and_no_other():
    lessons = {path.name for path in (ROOT / "lessons").glob("*.ipynb")}
    assert set(re.findall(r"\(lessons/([\w-]+\.ipynb)\)", README)) == lessons


def test_every_file_that_the_readme_links_exists():
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert "://" in link or (ROOT / link).exists(), link


def column(record):
    """The length of a record, how many stages its curriculum has, and the updates where the table tells them apart."""
    updates = record.trial["updates"] if record.trial["experiment"] == "depth" else 0
    return record.trial["length"], len(record.trial["stages"]), updates


def cell(records):
    """Records of one model at one length  ->  a cell of the tables: the median test result, and how many solved it."""
    if not records:
        return "–"
    tests = [record.test for record in records if record.test is not None]
    solved, lost = sum(record.verdict == "solved" for record in records), len(records) - len(tests)
    said = f"({solved}/{len(records)}{f', {lost} diverged' if lost else ''})"
    return f"{median(tests):.4f} {said}" if tests else "diverged"


def test_the_ledger_of_the_results_is_the_one_that_the_records_give():
    assert as_markdown(ledger(recorded())) in RESULTS


TABLES = [
    "adding", "delayed-xor", "depth", "ablations-delayed-xor", "ablations-adding", "ablations-pixels",
    "skeletons", "skeletons-20", "copy",
    "characters", "words", "compact", "compact-skeletons", "compact-pixels", "time-scales", "time-scales-sunspots",
    "time-scales-co2", "time-scales-skeletons", "time-scales-characters", "time-scales-pixels", "first-vector",
    "pixels", "permuted-pixels",
]


@pytest.mark.parametrize("experiment", TABLES)
def test_the_tables_of_results_are_those_of_the_records(experiment):
    records = [record for record in recorded() if record.trial["experiment"] == experiment]
    block = RESULTS.split(f"`{experiment}`", 1)[1].split("| model", 1)[1].split("\n\n")[0]
    columns = [
        (int(length), int(stages or 0), int(updates.replace(",", "") or 0)) for length, stages, updates in re.findall(
            r"T = (\d+)(?: in (\d+) stages)?(?:, ([\d,]+) updates)?", block.splitlines()[0]
        )
    ]
    rows = [[entry.strip() for entry in row.strip("|").split("|")] for row in block.splitlines()[2:]]
    assert columns == sorted({column(record) for record in records}, key=lambda one: (one[1], one[0], one[2]))
    said = {(model.strip("`"), int(numbers.replace(",", ""))): cells for model, numbers, *cells in rows if numbers}
    assert set(said) == {(record.trial["model"], record.parameters) for record in records}
    for (model, numbers), cells in said.items():
        alike = [record for record in records if (record.trial["model"], record.parameters) == (model, numbers)]
        assert cells == [
            cell([record for record in alike if column(record) == one]) for one in columns
        ], (model, numbers)
    baseline = next(cells for _, numbers, *cells in rows if not numbers)
    assert baseline == [
        f"{next(record.baseline['value'] for record in records if column(record) == one):.4f}" for one in columns
    ]


PART_II = {
    "adding", "delayed-xor", "copy", "pixels", "permuted-pixels", "characters", "skeletons", "skeletons-20", "depth",
    "ablations-adding", "ablations-delayed-xor", "ablations-pixels",
}


def test_the_hours_of_part_two_are_those_of_its_records():
    seconds = sum(
        stage.seconds or 0 for record in recorded() if record.trial["experiment"] in PART_II
        for run in record.runs for stage in run.stages)
    assert f"its records took {round(seconds / 3600)} hours on one core" in RESULTS


def test_the_table_of_queueing_networks_is_that_of_the_records():
    block, tried = RESULTS.split("`queues`: five stations", 1)[1].split("|---\n", 1)[0], set()
    for row in re.findall(r"^\| `(queues[\w-]*)` \| `(\w+)` \| ([\d,]+) \| (\d+) \| (.*) \|$", block, re.M):
        experiment, model, numbers, seeds, cells = row
        asked = {"experiment": experiment, "model": model}
        found = [record for record in recorded() if asked.items() <= record.trial.items()]
        errors = [record.seen["trained"]["errors"] for record in found]
        assert (len(found), {record.parameters for record in found}) == (int(seeds), {int(numbers.replace(",", ""))})
        for question, said in zip(("same", "population", "servers", "routing"), cells.split(" | ")):
            known = [one[question] for one in errors if question in one]
            assert said == (f"{median(known):.1f} ({max(known):.1f})" if known else "–"), row
        tried.add((experiment, model))
    every = {(record.trial["experiment"], record.trial["model"]) for record in recorded()}
    assert tried == {pair for pair in every if pair[0].startswith("queues")}


def test_the_readmes_code_runs():
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(blocks) == 2 and "updates=500" in blocks[0] and '"cupy"' in blocks[1]
    names = {}
    for block in blocks:                                      # shorter, and on NumPy: a GPU is not everywhere
        exec(block.replace("1000", "50").replace("updates=500", "updates=1").replace('"cupy"', '"numpy"'), names)
    assert names["h"].shape == (50, 1000, 128)


def test_the_readme_prints_the_command_that_ci_runs():
    assert re.search(r"^python3 -m venv .*pytest$", README, re.M)


def test_importing_the_package_loads_none_of_its_companions_but_numpy():
    companions = {
        "cupy", "matplotlib", "pooch", "joblib", "filelock", "threadpoolctl", "torch", "jax", "IPython", "tqdm",
    }
    code = f"import sys, minidurnn; print(sorted({companions} & set(sys.modules)))"
    assert subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip() == "[]"


def test_the_code_is_clean_for_ruff():
    pytest.importorskip("ruff", reason="ruff comes with the extra 'test'")
    result = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "minidurnn", "tests"], cwd=ROOT, capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout
