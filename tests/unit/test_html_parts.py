"""The parts of a page: outlines as short texts, colours that can be read, text that stays text."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geopipe.outputs.html import palette
from geopipe.outputs.html.interned import Interned, as_script
from geopipe.outputs.html.markup import Html, tag
from geopipe.outputs.html.shapes import LETTERS, STEPS_PER_DEGREE, encoded, outlines

DEGREES = st.tuples(st.floats(-180, 180, width=32), st.floats(-90, 90, width=32))


def decoded(code):
    """Read an outline as the page's script does: rings of whole steps."""
    rings, x, y = [], 0, 0
    for part in code.split(",") if code else []:
        numbers, value, factor = [], 0, 1
        for letter in part:
            bits = LETTERS.index(letter)
            value += bits % 32 * factor
            factor *= 32
            if bits < 32:
                numbers.append(-(value + 1) // 2 if value % 2 else value // 2)
                value, factor = 0, 1
        ring = []
        for east, north in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + east, y + north
            ring.append((x, y))
        rings.append(ring)
    return rings


def steps(coordinates):
    return [tuple(np.rint(np.array(point) * STEPS_PER_DEGREE).astype(int)) for point in coordinates]


def array(*shapes):
    made = np.empty(len(shapes), dtype=object)
    made[:] = shapes
    return made


class TestOutlines:
    @given(st.lists(st.lists(DEGREES, min_size=2, max_size=6), min_size=1, max_size=4))
    def test_every_point_is_read_back_to_a_centimetre(self, lines):
        codes = encoded(array(*(shapely.LineString(line) for line in lines)))
        assert [decoded(code) for code in codes] == [[steps(line)] for line in lines]

    def test_holes_and_parts_are_rings_of_their_own(self):
        hole = [(1, 1), (2, 1), (2, 2), (1, 1)]
        shape = shapely.MultiPolygon(
            [(shapely.box(0, 0, 9, 9).exterior.coords, [hole]), shapely.box(20, 0, 21, 1)]
        )
        (rings,) = map(decoded, encoded(array(shape)))
        assert [len(ring) for ring in rings] == [5, 4, 5]
        assert rings[1] == steps(hole)

    def test_points_and_mixed_shapes_stand_in_the_order_of_their_rows(self):
        shapes = array(shapely.Point(1, 2), shapely.box(0, 0, 1, 1), shapely.Point(), shapely.Point(-3, -4))
        one, box, nothing, other = map(decoded, encoded(shapes))
        assert (one, other, nothing) == ([steps([(1, 2)])], [steps([(-3, -4)])], [])
        assert len(box[0]) == 5

    def test_nothing_at_all_is_nothing(self):
        assert encoded(array()) == []
        assert encoded(array(shapely.Polygon(), None)) == ["", ""]

    def test_what_cannot_be_placed_is_left_out_and_the_rest_stays(self):
        line = shapely.LineString([(1, 2), (3, 4)])
        assert [decoded(code) for code in encoded(array(shapely.Point(np.inf, 1), line))][1] == [
            steps([(1, 2), (3, 4)])
        ]

    def test_a_shown_line_is_never_farther_off_than_it_says(self):
        from geopipe.crs import WGS84, choose_operation

        working = "+proj=aea +lat_1=11.6667 +lat_2=18.3333 +lat_0=15 +lon_0=105 +datum=WGS84 +units=m"
        to_degrees, _ = choose_operation(working, WGS84)
        back, _ = choose_operation(WGS84, working)
        circle = shapely.Point(1000, 2000).buffer(300, quad_segs=256)
        (rings,) = map(decoded, outlines(array(circle), to_degrees, 0.5))
        lon, lat = np.array(rings[0]).T / STEPS_PER_DEGREE
        shown = shapely.Polygon(np.column_stack(back.transform(lon, lat)))
        assert len(rings[0]) < 200
        assert shapely.hausdorff_distance(shown.exterior, circle.exterior) <= 0.52


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
class TestColours:
    def test_texts_can_be_read(self, colours):
        for text, ground in palette.TEXTS:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)

    def test_signs_can_be_seen(self, colours):
        for sign, ground in palette.SIGNS:
            assert contrast(colours[sign], colours[ground]) >= 3, (sign, ground)


def test_day_and_night_have_the_same_colours():
    assert set(palette.LIGHT) == set(palette.DARK)


def test_every_colour_of_the_style_is_one_of_the_palette():
    import re
    from pathlib import Path

    assets = Path(palette.__file__).parent / "assets"
    style = assets.joinpath("page.css").read_text("utf-8")
    script = "".join(path.read_text("utf-8") for path in sorted(assets.glob("page/*.js")))
    assert 'colour("' in script
    assert set(re.findall(r"var\(--([\w-]+)\)", style)) <= set(palette.LIGHT)
    assert set(re.findall(r'colour\("([\w-]+)"\)', script)) <= set(palette.LIGHT)


class TestMarkup:
    def test_text_and_attributes_are_escaped_and_html_is_not_escaped_twice(self):
        made = tag(
            "p", '<b>"', tag("i", "&"), None, ["x", ["y"]], class_='"><script>', hidden=False, lang=True
        )
        assert made == ('<p class="&quot;&gt;&lt;script&gt;" lang>&lt;b&gt;&quot;<i>&amp;</i>xy</p>')

    def test_signs_that_turn_letters_round_are_gone(self):
        assert tag("p", "\u202eab\x00c", title="\u202ex") == '<p title="x">ab c</p>'

    def test_an_element_that_holds_nothing_is_not_closed(self):
        assert tag("br") == Html("<br>")


class TestData:
    def test_a_text_stands_once(self):
        interned = Interned()
        assert interned.deep(["a", ["b", "a"], None]) == [1, [2, 1], 0]
        assert interned.texts == ["", "a", "b"]

    def test_nothing_ends_the_element_that_holds_it(self):
        text = as_script({"x": "</script><!--\u2028&"})
        assert not set("<>&\u2028") & set(text)
        import json

        assert json.loads(text) == {"x": "</script><!--\u2028&"}
