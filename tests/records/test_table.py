"""Tables of records: what stands in a line, what shares one, and what a curriculum has cost."""

import re
from dataclasses import replace

from made_records import RECORD, with_trial

from minidurnn.records import Run, Stage, read_records, table
from minidurnn.records.schema_1 import LAST_ONLY

SECOND = with_trial(replace(RECORD, test=0.005, verdict="solved"), seed=1)


def lines(records, model="rnn"):
    """The lines of a model in the tables of some records."""
    return [line for line in table(records).splitlines() if line.startswith(f"  {model} ")]


def test_a_table_shows_chance_baseline_counts_seeds_and_verdicts():
    head, names, line, rule, *rest = table([SECOND, RECORD]).split("\n")
    assert head == "adding, T = 10, about 60 trained numbers each: test mse; chance 0.25, always 1 0.17"
    assert re.split(" {2,}", names.strip()) == [
        "model", "numbers", "updates", "rate", "seconds",
        "best validation, by seed", "test at the end, by seed", "verdict",
    ]
    assert re.split(" {2,}", line.strip()) == [
        "rnn", "61", "40", "0.01", "4", "0.2000 0.2000", "0.2000 0.0050", "baseline 1/2, solved 1/2",
    ]
    assert rule == "  rule: by hand" and rest == [""]
    assert table([]) == ""


def test_a_block_stands_for_every_length_size_and_source():
    others = {"length": 20}, {"size": "width", "parameters": 7}, {"source": "full"}
    text = table([RECORD, *(with_trial(RECORD, **other) for other in others)])
    about = "about 60 trained numbers each"
    assert re.findall(r"^adding, T = (\d+), (.*?):", text, re.M) == [
        ("10", f"{about}, full data"), ("10", about), ("10", "7 units a layer"), ("20", about),
    ]


def test_one_seed_run_in_three_ways_is_not_three_seeds():
    full = replace(RECORD, test=0.001, verdict="solved")
    quick, gpu = with_trial(full, updates=20), with_trial(full, backend="cupy")
    found = lines([full, quick, gpu])
    assert len(found) == 3 and not any("3/3" in line or "1/1" in line for line in found)
    apart = ["updates 40, backend numpy]", "updates 20, backend numpy]", "updates 40, backend cupy]"]
    assert [line.partition("[")[2] for line in found] == apart
    assert lines([full, with_trial(full, rates=[1e-2])])[0].endswith("[rates 0.001/0.01]")
    assert "[" not in lines([full])[0]


def test_a_copy_counts_once():
    assert lines([RECORD, SECOND, RECORD, RECORD]) == lines([RECORD, SECOND])
    assert "1/2" in lines([RECORD, SECOND, RECORD])[0]


def test_a_network_sized_by_its_width_stands_among_those_of_its_size():
    for numbers, stands in ((61, True), (59, True), (62, False), (58, False)):
        wide = with_trial(replace(RECORD, parameters=numbers), model="irnn", size="width", parameters=7)
        equal = table([RECORD, wide]).split("units a layer")[0].split("about")[1]
        assert ("irnn  " in equal) == stands
        for other in ({"length": 20}, {"stages": [5]}, {"source": "full"}):
            blocks = table([RECORD, with_trial(wide, **other)]).split("\n\n")
            assert not any("irnn  " in block for block in blocks if "about" in block)


def staged(*stages):
    """A record of a curriculum over 4, 6 and 10 whose run had these stages."""
    curve = RECORD.runs[0].curve
    run = Run(1e-2, tuple(Stage(*stage, curve) for stage in stages), 0.2, 0.2)
    return replace(with_trial(RECORD, stages=[4, 6]), runs=(run,))


def test_a_curriculum_costs_what_all_its_stages_cost():
    line, = lines([staged((4, 100, 1.0), (6, 20, 2.0), (10, 40, 4.0))])
    assert re.split(" {2,}", line.strip())[2:6] == ["160", "0.01", "7", "0.2000"]


def test_where_a_curriculum_ended_is_said():
    assert "after T = 4, 6 (" in table([staged((4, 100, 1.0))]) and " 0.2000@4 " in lines([staged((4, 100, 1.0))])[0]
    assert "@6 " in lines([staged((4, 100, 1.0), (6, 20, 2.0))])[0]
    assert "@? " in lines([staged((None, 40, 1.0))])[0]       # an old record of a run that diverged


def test_costs_that_an_old_record_does_not_have_are_marked():
    known, unknown = staged((4, 100, 1.0)), staged((4, None, None), (10, 80, 2.0))
    unknown = replace(with_trial(unknown, seed=1), migrated_from=1, notes=(LAST_ONLY,))
    line, = lines([known, unknown])
    assert re.split(" {2,}", line.strip())[2:5] == ["100+", "0.01", "3+"]
    text = table([known, unknown])
    assert "  +: what was recorded" in text
    assert text.endswith(f"1 of 2 records were written under schema 1: {LAST_ONLY}\n")
    assert "+:" not in table([known]) and "schema" not in table([known])


def test_a_line_of_what_diverged_has_no_numbers():
    empty = {name: [] for name in RECORD.runs[0].curve}
    runs = (Run(1e-3, (Stage(10, 0, 0.0, empty),), None, None),)
    lost = replace(RECORD, runs=runs, chosen_rate=None, test=None, verdict="diverged")
    line, = lines([lost, SECOND])
    assert re.split(" {2,}", line.strip())[3:] == ["-/0.01", "2", "- 0.2000", "- 0.0050", "diverged 1/2, solved 1/2"]


def test_the_courses_records_make_tables(request):
    text = table(read_records(request.config.rootpath / "lessons" / "results"))
    assert text.count("rule: ") > 12 and "3/3" in text
    apart = [line.split()[0] for line in text.splitlines() if "[" in line]
    assert apart == ["indrnn-21", "indrnn-21"]                # the control with more updates, and what it controls
