"""Strimzi's manifests: as reviewed, and no user may do more than it must."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.topics import INPUT_TOPICS, JOURNAL, TOPICS
from streams.cli import main
from streams.commands.topics import USERS as CHOICES
from streams.manifests import USERS, Grant, User, grants, manifests
from streams.topics import Layout

GOLDEN = Path(__file__).parents[1] / "golden" / "strimzi.yaml"
LAYOUT = Layout(prefix="prod.", app_id="cw", partitions={JOURNAL: 12})


def may(user: User, operation: str) -> set[str]:
    return {grant.name for grant in grants(user, LAYOUT) if grant.kind == "topic" and operation in grant.operations}


def test_the_manifests_are_as_reviewed() -> None:
    """churnwatch topics manifests … > tests/golden/strimzi.yaml, with the arguments below."""
    users = [argument for user in USERS for argument in ("--user", user)]
    named = ["--app-id", "cw", "--topic-prefix", "prod.", "--partitions", f"{JOURNAL}=12", "--cluster", "main"]
    done = CliRunner().invoke(main, ["topics", "manifests", *named, *users])
    assert done.exit_code == 0, done.output
    assert done.stdout == GOLDEN.read_text()


def test_without_users_those_of_one_worker_are_printed() -> None:
    done = CliRunner().invoke(main, ["topics", "manifests"])
    assert done.stdout == manifests(Layout(), "kafka", ("worker", "upstream", "retention", "operator"))
    assert done.stdout.count("kind: KafkaTopic\n") == len(TOPICS) + 1


def test_the_command_offers_every_user() -> None:
    assert tuple(USERS) == CHOICES


@pytest.mark.parametrize("user", USERS)
def test_nobody_may_do_everything_or_make_or_delete_anything(user: User) -> None:
    found = grants(user, LAYOUT)
    operations = {operation for grant in found for operation in grant.operations}
    assert operations <= {"Read", "Write", "Describe", "DescribeConfigs"}
    assert all(grant.name not in ("", "*") for grant in found)
    assert len({(grant.kind, grant.name) for grant in found}) == len(found)
    # A prefix reaches what belongs to this application alone.
    assert all(grant.name.startswith("cw-") for grant in found if grant.prefix)


def test_those_who_publish_can_read_what_was_refused_alone() -> None:
    assert may("upstream", "Read") == {"prod.churn.dlq"}
    assert may("upstream", "Write") == {f"prod.{name}" for name in INPUT_TOPICS if name != "retention.feedback"}


def test_those_who_retain_can_write_feedback_alone() -> None:
    assert may("retention", "Write") == {"prod.retention.feedback"}
    assert may("retention", "Read") == {
        f"prod.churn.{name}" for name in ("alerts", "alerts.current", "scores", "insights")
    }


def test_a_worker_may_what_its_roles_may() -> None:
    alone = {*_flat(grants("intake", LAYOUT)), *_flat(grants("detector", LAYOUT))}
    assert set(_flat(grants("worker", LAYOUT))) >= alone
    assert "prod.cw-state-changelog" in may("detector", "Read") & may("detector", "Write")
    assert may("intake", "Read") == {f"prod.{name}" for name in INPUT_TOPICS}


def _flat(found: list[Grant]) -> list[tuple[str, str, str]]:
    return [(grant.kind, grant.name, operation) for grant in found for operation in grant.operations]
