"""Numbers in sentences: rounded forms, and sums that come out."""

from decimal import Decimal

import pytest
from sums import MEASURED, computed, false_sums, numbers, plain, stands_for


def test_numbers_are_read_without_sign_and_thousands():
    assert numbers("-2.50, 12,288 and 12{,}288; 1e-09, .5, x2, v1.0.4") == {
        Decimal(n) for n in ("2.5", "12288", "1e-9", "0.5")
    }
    assert plain("60,000 of 1,2") == "60000 of 1,2"


@pytest.mark.parametrize(
    ("said", "printed", "percent", "fits"),
    [
        ("2.11", "2.1123", False, True),
        ("2.12", "2.1123", False, False),
        ("2", "2.1123", False, True),
        ("0.5", "0.50", False, True),
        ("0.55", "0.5", False, False),  # more digits than were printed
        ("2.5", "2.45", False, True),  # either way of rounding a half
        ("2.4", "2.45", False, True),
        ("63", "0.63", False, False),
        ("63", "0.63", True, True),
        ("1e-9", "1e-09", False, True),
    ],
)
def test_a_number_stands_for_what_it_rounds(said, printed, percent, fits):
    assert stands_for(Decimal(said), {Decimal(printed)}, percent) == fits


@pytest.mark.parametrize(
    ("sentence", "results"),
    [
        ("so 42/4 = 10.5 is left", {"10.5"}),
        ("so 42/4 = 10.6 is left", set()),
        ("$\\frac{3}{8} = 0.375$", {"0.375"}),
        ("$2 \\cdot 3/(2^2 + 1) = 1.2$", {"1.2"}),
        ("$\\log 10 = 2.303$", {"2.303"}),
        ("$\\sqrt{2} \\approx 1.41$", {"1.41"}),
        ("$-2.5 + 0.5 = -2$", {"2"}),
        ("$5.35 = 4.50 + 0.83$", set()),
        ("$x = 0.75$ and 0.75 = 0.75", set()),  # no sum
        ("it is 1/0 = 3.5", set()),
        ("it is __import__('os') + 1 = 2", set()),
    ],
)
def test_only_a_sum_that_comes_out_explains_its_result(sentence, results):
    assert computed(sentence) == {Decimal(n) for n in results}


def test_a_whole_number_with_a_unit_is_a_measurement():
    text = "23 nats, $27$ nats, 12 %, 9 bits, 21 degrees, 100 percent; 5 pixels, x_7 nats, 3 natural"
    assert MEASURED.findall(text) == ["23", "27", "12", "9", "21", "100"]


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("5.35 = 4.50 + 0.83 nats", ["5.35 = 4.50 + 0.83"]),
        ("$-2.11 = -9.98 + 7.87$, so it is", []),
        ("$0.34 = 0.11 + 0.22$", []),  # each may be rounded
        ("0.5 = 1 - 0.3", ["0.5 = 1 - 0.3"]),
        ("101 = 96 + 4", []),  # 96.4 and 4.4
        ("$12 + 6 = 30$.", ["12 + 6 = 30"]),
        ("$x_2 = 3 + 4$ and $2 x = 3 + 4$", []),
        ("$5 = 2 + 3 x$, $5 = 2 + 3 \\cdot 1$, $y + 1 = 2 + 3$", []),
        ("$L = 2$ = 2", []),
    ],
)
def test_a_sum_that_does_not_come_out_is_seen(sentence, wrong):
    assert false_sums(sentence) == wrong
