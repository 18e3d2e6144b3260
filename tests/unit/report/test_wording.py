import math

import pytest

from offhand.report.wording import clock, count, duration, feature_words, number, percent


def plain(text):
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0 %"), (0.001, "<1 %"), (0.344, "34 %"), (0.999, ">99 %"), (1.0, "100 %")],
)
def test_percent(share, text):
    assert plain(percent(share)) == text


def test_missing_is_a_dash():
    assert {f(math.nan) for f in (percent, number, clock, duration)} == {"–"}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (3.14159, "3.14"), (12345.6, "12346"), (0.00012345, "0.0001"), (-2.5, "−2.5")],
)
def test_number(value, text):
    assert number(value) == text


def test_clock():
    assert clock(59.96) == "1:00"
    assert clock(59.96, decimals=1) == "1:00.0"
    assert clock(3725) == "1:02:05"


def test_duration_takes_the_unit_that_reads_best():
    assert [plain(duration(s)) for s in (12.4, 59.6, 600, 7200)] == [
        "12 s",
        "1.0 min",
        "10.0 min",
        "2.0 h",
    ]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("period_s", 1.5, ("period", "1.5 s")),
        ("camera_period_s", math.nan, ("camera period", "not periodic")),
        ("proxy_share", 0.25, ("proxy", "25 %")),
        ("turn_deg_per_s", 3.0, ("turn", "3 °/s")),
        ("flow_mean", math.nan, ("flow mean", "not observable here")),
        ("strength", 0.5, ("strength", "0.5")),
    ],
)
def test_feature_words(column, value, words):
    assert tuple(plain(word) for word in feature_words(column, value)) == words


def test_count():
    assert (count(1, "clip"), count(0, "clip")) == ("1 clip", "0 clips")
