"""Everything that is installed for use may be used, and what may not be is found."""

from __future__ import annotations

from email.message import Message
from importlib.metadata import PackageMetadata, metadata
from typing import cast

import pytest

from deploy.licences import LOCK, is_allowed, locked_names, problems, said


def test_everything_that_is_locked_for_use_may_be_used() -> None:
    assert list(problems(locked_names(LOCK.read_text()))) == []


def test_it_looks_at_what_is_there() -> None:
    names = locked_names(LOCK.read_text())
    assert len(names) > 30
    assert said(metadata("click")) == ["BSD-3-Clause"]
    assert [name for name in names if not said_something(name)] == []


def said_something(name: str) -> bool:
    return name == "colorama" or said(metadata(name)) != ["nothing"]  # colorama is for Windows


@pytest.mark.parametrize(
    "licence", ["GPL-3.0-only", "AGPL-3.0-or-later", "MIT AND GPL-2.0", "Proprietary", "nothing", ""]
)
def test_what_may_not_be_used_is_refused(licence: str) -> None:
    assert not is_allowed(licence)


def test_every_classifier_counts() -> None:
    package = Message()
    package["Classifier"] = "License :: OSI Approved :: MIT License"
    package["Classifier"] = "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"
    words = said(cast(PackageMetadata, package))
    assert [is_allowed(word) for word in words] == [True, False]
