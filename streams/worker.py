"""A worker process: check, start the roles, run until told to stop, start again after a failure.

Rules: a Refusal ends the process with exit code 1 and one line; SIGTERM and SIGINT stop cleanly within the deadline,
exit code 0; anything else drops all memory by replacing the process with a new one of the same id (`exec`), after as
clean a leave as the failure permits. A new process is the one way to be sure that no state, thread or membership of
the old one lives on; the broker has aborted, or will refuse, whatever the old one left open.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from enum import Enum
from functools import partial
from typing import Any, Final, NoReturn

import structlog
import uvloop
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from faust.types import TP

from detectors.rules import is_customer
from schemas.topics import JOURNAL
from streams import metrics
from streams.app import Topics, client_options, group_of, make_app, source, state_table
from streams.clock import WallClock
from streams.detector import Detector, FoldFactory
from streams.ends import Ends
from streams.engine.errors import OrderLostError, Refusal, is_fenced, refusal_in
from streams.engine.reader import Job, Reader
from streams.engine.store import Copies
from streams.engine.transactions import Lanes
from streams.engine.transport import FetchApp
from streams.health import Health, Stall
from streams.history import History
from streams.intake import Intake
from streams.learner import Learning
from streams.learner_state import saved
from streams.logs import set_up_logs
from streams.ops import serving
from streams.policy_file import load_policy
from streams.preflight import find_topics
from streams.release import APP_VERSION
from streams.settings import Settings
from streams.tracing import Tracing, tracing_of
from streams.unreachable import why_kept_out

EXIT_DONE: Final = 0
EXIT_REFUSED: Final = 1
STOPS: Final = (signal.SIGTERM, signal.SIGINT)
HANDED_ON_S: Final = 0.05  # in which a stop that another thread got is handed to the main one
RESTARTS: Final = "CHURNWATCH_RESTARTS"  # how often in a row the process replaced itself
LASTED_S: Final = 60.0  # a run this long was no failed start
PAUSES_S: Final = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
MEASURE_S: Final = 5.0
GC_THRESHOLDS: Final = (100_000, 50, 1_000)  # states are many small objects without cycles
log = structlog.get_logger(__name__)


class Ended(Enum):
    """How a run ended."""

    STOPPED = "stopped"
    FAILED = "failed"


class Role:
    """One role at work: its app, what reads for it, and the states that it holds, if it holds any."""

    def __init__(self, name: str, app: FetchApp, reader: Reader, copies: Copies | None, stall: Stall) -> None:
        self.name, self.app, self.reader, self.copies, self.stall = name, app, reader, copies, stall
        self._gaps = self._take_overs = 0
        self._told: set[TP] = set()  # whose lag the gauges show
        self._seen_ms: dict[TP, float] = {}  # when it was first asked about

    async def measure(self, options: Mapping[str, Any]) -> None:
        """Set the gauges that nobody sets in passing, for as long as the app runs.

        Raises Refusal when Kafka answers, and does not let this worker in any more: a new password or certificate is
        read at the next start, and aiokafka alone would try the old one for ever.
        """
        async with Ends(options) as ends:
            while not self.app.should_stop:
                await self.app.sleep(MEASURE_S)
                at = dict(self.reader.guard.next_offsets)
                known = await ends.of(list(at))
                if known is None and (reason := await why_kept_out(options)):
                    raise Refusal(reason)
                self.stall.look(at, known, time.monotonic())
                self._lag(at, known or {})
                self._count()

    def _lag(self, at: Mapping[TP, int], ends: Mapping[TP, int]) -> None:
        now_ms = time.time() * 1000
        for tp in self._told - at.keys():  # given away: another worker tells
            metrics.LAG_RECORDS.remove(tp.topic, str(tp.partition))
            metrics.LAG_SECONDS.remove(tp.topic, str(tp.partition))
            self._seen_ms.pop(tp, None)
        self._told = (self._told & at.keys()) | ends.keys()
        for tp, end in ends.items():
            behind = max(end - at[tp], 0)
            since_ms = self._seen_ms.setdefault(tp, now_ms)  # of one who has read nothing yet
            age_s = max(now_ms - self.reader.newest_ms.get(tp, since_ms), 0) / 1000
            metrics.LAG_RECORDS.labels(tp.topic, str(tp.partition)).set(behind)
            metrics.LAG_SECONDS.labels(tp.topic, str(tp.partition)).set(age_s if behind else 0.0)

    def _count(self) -> None:
        reader = self.reader
        metrics.GAPS.labels(self.name).inc(reader.gaps - self._gaps)
        metrics.REBALANCES.labels(self.name).inc(reader.take_overs - self._take_overs)
        self._gaps, self._take_overs = reader.gaps, reader.take_overs
        metrics.RECOVERY.labels(self.name).set(reader.recovery_s)
        if self.copies is not None:
            sizes = self.copies.sizes(is_customer).values()
            metrics.CUSTOMERS.set(sum(count for count, _ in sizes))
            metrics.STATE_BYTES.set(sum(size for _, size in sizes))


def run(settings: Settings, *, make_fold: FoldFactory | None = None) -> int:
    """Run a worker until it is stopped; returns the exit code, or replaces the process."""
    set_up_logs(settings)
    gc.set_threshold(*GC_THRESHOLDS)
    started_s = time.monotonic()
    fold = make_fold or default_fold(settings)
    restarts = int(os.environ.get(RESTARTS, "0") or 0)
    metrics.FAILED_STARTS.set(restarts)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # for the loops of Faust's consumer threads too
    with asyncio.Runner() as runner:
        try:
            ended = runner.run(serve(settings, fold, PAUSES_S[min(restarts, len(PAUSES_S) - 1)]))
        except Refusal as refusal:
            log.error(str(refusal), exit_code=EXIT_REFUSED)
            return EXIT_REFUSED
        if ended is Ended.STOPPED:
            log.info("stopped")
            return EXIT_DONE
        replace_process(0 if time.monotonic() - started_s > LASTED_S else restarts + 1)


def hear_stops(stop: asyncio.Event) -> None:
    """Set the event when SIGTERM or SIGINT comes, or came while this process was being made."""
    for number in STOPS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


def hold_stops() -> None:
    """Keep a stop that comes from here on for the process that this one becomes, which cannot hear yet.

    What is pending for the main thread, which blocks it, outlives the exec; other threads hand it to that one.
    """
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    for number in STOPS:
        signal.signal(number, lambda number, _: signal.pthread_kill(main, number))


def replace_process(restarts: int) -> NoReturn:
    """Become a new process of the same id and command line."""
    time.sleep(HANDED_ON_S)
    sys.stdout.flush()
    sys.stderr.flush()
    environment = {**os.environ, RESTARTS: str(restarts)}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def default_fold(settings: Settings) -> FoldFactory:
    """Folds of the real detector, with the policy that the settings name; raises Failure for a wrong one."""
    from detectors.customer import VERSION
    from detectors.model import Model
    from detectors.partition import Partition
    from detectors.stored import unreadable

    policy = load_policy(settings.policy)
    model = Model.prior(policy)

    def make(number: int, states: dict[bytes, bytes]) -> Partition:
        if strange := unreadable(states.values()):
            raise Refusal(
                f"The changelog holds states of version {max(strange)}, and this release writes version {VERSION} and "
                "cannot read them: run the release that wrote them, or a later one (docs/upgrade.md)."
            )
        return Partition(
            number,
            states,
            policy,
            model,
            max_hot=settings.max_hot,
            journal=settings.topic_prefix + JOURNAL,
            app_version=APP_VERSION,
            examples=True,
        )

    return make


async def serve(settings: Settings, make_fold: FoldFactory, pause_s: float) -> Ended:
    """Run until a signal comes or a role fails, with the ops server up all the while; raises Refusal."""
    stop = asyncio.Event()
    hear_stops(stop)
    health = Health(settings.stall_s)
    async with serving(settings.ops, settings.ops_token, health):
        return await work(settings, make_fold, pause_s, stop, health)


async def work(
    settings: Settings, make_fold: FoldFactory, pause_s: float, stop: asyncio.Event, health: Health
) -> Ended:
    """Wait for Kafka, run the roles, and leave; raises Refusal."""
    if pause_s and await _waited(stop, pause_s):
        return Ended.STOPPED
    checking = asyncio.create_task(find_topics(settings))
    if not await _first(stop, checking):
        checking.cancel()
        return Ended.STOPPED
    topics = checking.result()
    tracing = tracing_of(settings, APP_VERSION)
    roles = [make_role(settings, topics, role, make_fold, health, tracing) for role in settings.roles]
    metrics.BUILD.info({"version": APP_VERSION})
    log.info("starting", roles=list(settings.roles), clock=settings.clock, pid=os.getpid())
    running = [asyncio.create_task(_run_role(role)) for role in roles]
    failed = await _first(stop, *running)
    errors = [task.exception() or RuntimeError("a role ended by itself") for task in running if task.done()]
    if failed:
        _say_why(errors[0])
    await _leave(settings, roles, running, failed=failed)
    if tracing is not None:
        await asyncio.to_thread(tracing.close)
    for error in errors if failed else []:
        refusal = refusal_in(error)
        if refusal is not None:
            raise refusal
    if not failed or stop.is_set():
        return Ended.STOPPED
    hold_stops()
    return Ended.FAILED


def make_role(
    settings: Settings,
    topics: Topics,
    role: str,
    make_fold: FoldFactory,
    health: Health,
    tracing: Tracing | None = None,
) -> Role:
    """Wire up one role."""
    app = make_app(settings, role)
    options = client_options(settings)
    job: Job
    copies = Copies() if role == "detector" else None
    if copies is not None:
        state_table(app, topics.changelog, copies)

        async def changelog_ends(partitions: set[int]) -> Mapping[int, int]:
            ends = await app.consumer.highwaters(*(TP(topics.changelog, p) for p in partitions))
            return {tp.partition: end for tp, end in ends.items()}

        async def journal_spans(partitions: set[int]) -> Mapping[int, tuple[int, int]]:
            tps = [TP(topics.journal, p) for p in partitions]
            first, after = await app.consumer.earliest_offsets(*tps), await app.consumer.highwaters(*tps)
            return {tp.partition: (first[tp] or 0, after[tp]) for tp in tps}

        job = Detector(topics, copies, make_fold, changelog_ends, journal_spans)
        channel = source(app, [topics.journal])
    elif role == "learner":
        # Imported here: river is slow to load, and only a learner needs it.
        from detectors.learning.challengers import river_challengers

        policy, save_s = load_policy(settings.policy), settings.learner_save_s
        job = Learning(topics, policy, partial(saved, options), save_s, challengers=river_challengers)
        channel = source(app, [topics.examples])
    else:
        channel = source(app, topics.inputs)
        job = Intake(topics)
        if settings.clock == "events":
            texts = partial(committed_texts, settings, group_of(settings, role))
            job = history = History(topics, topics.inputs, settings.event_tick_s, settings.idle_s, texts)
            app.task(lambda: history.watch_idle(app))
    reader = Reader(app, job, Lanes(group_of(settings, role), options), tracer=tracing)
    app.agent(channel, name=role, concurrency=1)(reader.run)
    app.task(lambda: reader.checkpoint_every(settings.checkpoint_ms / 1000))
    app.task(reader.watch)
    if role == "detector" and settings.clock == "wall":
        first = TP(topics.journal, 0)
        clock = WallClock(
            topics.journal,
            topics.partitions[topics.journal],
            settings.tick_ms / 1000,
            options,
            owns=lambda: first in reader.guard.next_offsets,
        )
        app.task(lambda: clock.run(app))
    made = Role(role, app, reader, copies, health.join(role, reader))
    app.task(lambda: made.measure(options))
    return made


async def committed_texts(settings: Settings, group: str) -> Mapping[TP, str]:
    """The metadata beside each committed offset of a group."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(group)
        return {TP(*tp): offset.metadata or "" for tp, offset in found.items() if offset.offset >= 0}
    finally:
        await admin.close()


async def _run_role(role: Role) -> None:
    """Run an app until it stops; raises what crashed it."""
    app = role.app
    await app.start()
    await app.wait()
    if app.crash_reason is not None:
        raise app.crash_reason


async def _leave(settings: Settings, roles: list[Role], running: list[asyncio.Task[None]], *, failed: bool) -> None:
    """Stop all roles within the deadline; what then still runs is left to die with the process."""
    try:
        async with asyncio.timeout(settings.stop_deadline_s):
            await asyncio.gather(*(role.app.stop() for role in roles), return_exceptions=True)
    except TimeoutError:
        log.warning("the stop deadline passed; leaving as it is: what was not committed never happened")
        if not failed and all(role.reader.crashed is False for role in roles):
            _flush_and_exit()
    for task in running:
        task.cancel()


def _flush_and_exit() -> NoReturn:
    sys.stderr.flush()
    os._exit(EXIT_DONE)


def _say_why(error: BaseException) -> None:
    if refusal_in(error) is not None:
        return
    if is_fenced(error):
        log.warning("another worker has taken over; dropping all state and joining again")
    else:
        unforeseen = not isinstance(error, KafkaError | OrderLostError)
        log.error("failed; starting again from the last commit", error=repr(error), exc_info=unforeseen and error)


async def _first(stop: asyncio.Event, *tasks: asyncio.Task[object]) -> bool:
    """Wait for the stop signal or the first task to end; whether a task ended."""
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        return not stopping.done()
    finally:
        stopping.cancel()


async def _waited(stop: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
