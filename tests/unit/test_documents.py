"""What people read first: links lead somewhere, pictures are small and come with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import REPOSITORY

PAGES = sorted(path.name for path in REPOSITORY.glob("*.md"))
PICTURES = REPOSITORY / "notebooks" / "pictures"
MOST_BYTES = 80_000


def text_of(name):
    return (REPOSITORY / name).read_text(encoding="utf-8")


def pictures_in(name):
    return re.findall(r'<img [^>]*src="([^"]+)"|!\[[^\]]*\]\(([^)]+)\)', text_of(name))


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files_and_headings_that_are_there(name):
    text = re.sub(r"```.*?```", "", text_of(name), flags=re.DOTALL)
    headings = {
        re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif not target.startswith("http"):
            assert (REPOSITORY / target).exists(), target


def test_the_readme_shows_pictures_of_its_own_and_each_says_what_it_shows():
    shown = [Path(one or other) for one, other in pictures_in("README.md")]
    assert {REPOSITORY / path for path in shown} == {*PICTURES.glob("*.png"), *PICTURES.glob("*.svg")}
    texts = re.findall(r'<img [^>]*alt="([^"]*)"', text_of("README.md"))
    assert len(texts) == len(shown)
    assert all(len(text) > 20 for text in texts)


@pytest.mark.parametrize("path", sorted(PICTURES.glob("*.??g")), ids=lambda path: path.name)
def test_a_picture_is_small(path):
    assert path.stat().st_size <= MOST_BYTES


def test_the_readme_is_short_and_each_kind_of_user_has_at_most_five_commands_to_begin_with():
    assert len(text_of("README.md").splitlines()) < 160
    five = text_of("README.md").partition("## Your first five minutes")[2].partition("\n## ")[0]
    for part in five.split("\n### ")[1:]:
        blocks = re.findall(r"(?:^    .+\n)+", part, re.MULTILINE)
        if blocks:
            assert len(blocks[0].splitlines()) <= 5, part.splitlines()[0]
