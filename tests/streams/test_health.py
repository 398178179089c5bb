"""Health: dead only if a stall is proven, ready only if everything works."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from streams.health import Health, Stall, page


@dataclass
class Role:
    """What a role tells of itself."""

    ready: bool = True
    crashed: bool = False
    idle: bool = False
    checkpoint_age_s: float = 0.1


def lasting(stall: Stall, at: int, end: int | None, start_s: float, seconds: float) -> None:
    """The same look every five seconds."""
    for step in range(int(seconds) // 5 + 1):
        stall.look({"p": at}, None if end is None else {"p": end}, start_s + 5 * step)


def test_a_worker_behind_that_does_not_move_is_dead_after_the_stall_time() -> None:
    stall = Stall(60)
    lasting(stall, 5, 9, 0, 55)
    assert stall.check("detector", 55).ok
    lasting(stall, 5, 9, 60, 5)
    assert not stall.check("detector", 65).ok
    assert "4 records behind and no progress for 65 s" in stall.check("detector", 65).detail


def test_kafka_being_away_is_nobodys_death_and_starts_the_count_again() -> None:
    stall = Stall(60)
    lasting(stall, 5, 9, 0, 55)
    lasting(stall, 5, None, 60, 300)
    assert stall.check("detector", 360).ok
    lasting(stall, 5, 9, 365, 50)
    assert stall.check("detector", 415).ok
    lasting(stall, 5, 9, 420, 10)
    assert not stall.check("detector", 430).ok


def test_a_quiet_stream_and_slow_progress_are_no_stall() -> None:
    stall = Stall(60)
    lasting(stall, 9, 9, 0, 500)
    assert stall.check("detector", 500).ok
    for step in range(100):
        stall.look({"p": step}, {"p": 1_000}, 500 + 5 * step)
        assert stall.check("detector", 500 + 5 * step).ok


def test_partitions_that_came_or_went_are_a_move() -> None:
    stall = Stall(60)
    lasting(stall, 5, 9, 0, 55)
    stall.look({"p": 5, "q": 0}, {"p": 9, "q": 0}, 60)
    assert stall.check("detector", 90).ok


def test_a_worker_without_roles_is_alive_and_not_ready() -> None:
    health = Health(60)
    assert page(health.live(), verbose=False) == (True, "ok\n")
    well, text = page(health.ready(), verbose=False)
    assert not well
    assert "waiting for Kafka" in text


@pytest.mark.parametrize(
    ("role", "well", "says"),
    [
        (Role(), True, "[+]detector-checkpoint ok: 0.1 s old"),
        (Role(ready=False), False, "[-]detector-recovered failed: joining the group, or recovering"),
        (Role(ready=False, idle=True), True, "no partition is left for this worker"),
        (Role(crashed=True), False, "about to start again"),
        (Role(checkpoint_age_s=90), False, "[-]detector-checkpoint failed: 90.0 s old"),
    ],
)
def test_ready_means_that_every_role_works(role: Role, well: bool, says: str) -> None:
    health = Health(60)
    health.join("detector", role)
    found, text = page(health.ready(), verbose=True)
    assert found is well
    assert says in text
