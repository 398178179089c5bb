"""B. Promise and fairness."""

from detectors import kinds
from detectors.customer import DAY_S, Case, Customer, Point
from detectors.signals.base import EVIDENCE, Because, Moment, newest, openings, signal, span, times
from schemas.billing import DisputeOpened, DisputeResolved, InvoiceIssued
from schemas.engagement import OrderDelayed, OrderFulfilled
from schemas.support import PromiseBroken, PromiseKept, PromiseMade


def overdue(cases: dict[str, Case], at: Moment) -> list[tuple[int, str, Case]]:
    """Open cases whose date passed within the window, the earliest first; looked at again when another one does."""
    found = []
    for name, case in cases.items():
        if not case.is_open or not case.due_s:
            continue
        forgotten_day = case.due_s // DAY_S + at.row.window_d
        at.until(case.due_s + 1)
        if case.due_s < at.now_s and at.day < forgotten_day:
            at.until(forgotten_day * DAY_S)
            found.append((case.due_s, name, case))
    return sorted(found, key=lambda f: f[:2])


def broken_promises(c: Customer, at: Moment) -> tuple[list[Point], list[tuple[int, str, Case]]]:
    """Promises that were broken within the window, each once, and those past due in it and not kept."""
    last = {p.label: p for p in at.in_points(c.points.get(kinds.PROMISE_LOST), at.row.window_d)}
    late = [f for f in overdue(c.cases.get(kinds.PROMISE, {}), at) if f[1][:64] not in last]
    return sorted(last.values()), late


@signal("promise.broken", number=11, depends=(PromiseMade, PromiseKept, PromiseBroken))
def broken(c: Customer, at: Moment) -> float | None:
    """Promises broken within the window, or past due in it and not kept."""
    if kinds.PROMISE not in c.cases and kinds.PROMISE_LOST not in c.points:
        return None
    lost, late = broken_promises(c, at)
    return float(len(lost) + len(late))


@broken.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    lost, late = broken_promises(c, at)
    said = [f"{times(len(lost), 'promise')} broken"] if lost else []
    if late:
        noun = "" if lost else " promise" if len(late) == 1 else " promises"
        said.append(f"{len(late)}{noun} past due and not kept")
    promises = c.cases.get(kinds.PROMISE, {})
    labels = {name[:64]: promise.label for name, promise in promises.items()}
    what = late[-1][2].label if late else labels.get(lost[-1].label, "")
    newest_one = f", the newest: “{what}”" if what else ""
    return Because(
        f"{' and '.join(said)} in {at.row.window_d} days{newest_one}.",
        (newest(lost) + [case.event_id for _, _, case in late])[-EVIDENCE:],
    )


@signal("promise.price_gap", number=12, depends=(InvoiceIssued,))
def price_gap(c: Customer, at: Moment) -> float | None:
    """Share by which the newest invoice is above what was quoted for it; unknown where nothing was."""
    bills = c.points.get(kinds.BILL)
    if not bills or "/" not in bills[-1].label:
        return None
    return max(0, bills[-1].value) / 10_000


@price_gap.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    bill = c.points[kinds.BILL][-1]
    quoted, _, billed = bill.label.partition("/")
    return Because(
        f"The newest invoice is {value:.0%} above what was quoted: "
        f"{int(billed) / 100:.2f} instead of {int(quoted) / 100:.2f}.",
        [bill.event_id],
    )


def missed(c: Customer, at: Moment) -> list[tuple[int, str, str]]:
    """Orders that came late or are late now, each once: when it was to come or came, its name, and the event."""
    found = {}
    for name, order in c.cases.get(kinds.ORDER, {}).items():
        if not order.is_open and order.due_s and order.closed_s > order.due_s:
            forgotten_day = order.closed_s // DAY_S + at.row.window_d
            if at.day < forgotten_day:
                at.until(forgotten_day * DAY_S)
                found[name[:64]] = (order.closed_s, name, order.event_id)
    for due_s, name, order in overdue(c.cases.get(kinds.ORDER, {}), at):
        found[name[:64]] = (due_s, name, order.event_id)
    for p in at.in_points(c.points.get(kinds.LATE), at.row.window_d):
        found[p.label] = (p.time_s, p.label, p.event_id)
    return sorted(found.values())


@signal("promise.missed_date", number=13, depends=(OrderDelayed, OrderFulfilled))
def missed_date(c: Customer, at: Moment) -> float | None:
    """Orders fulfilled after the promised date within the window, or past it now."""
    return float(len(missed(c, at))) if c.heard & kinds.DATED_ORDER else None


@missed_date.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    found = missed(c, at)
    waiting = overdue(c.cases.get(kinds.ORDER, {}), at)
    delivered = {p.label for p in at.in_points(c.points.get(kinds.LATE), at.row.window_d)}
    waiting = [f for f in waiting if f[1][:64] not in delivered]
    still = (
        f", {len(waiting)} of them not fulfilled yet, the oldest {span(at.now_s - waiting[0][0])} late"
        if waiting
        else ""
    )
    return Because(
        f"{times(value, 'order')} missed the promised date in {at.row.window_d} days{still}.",
        [event_id for _, _, event_id in found[-EVIDENCE:]],
    )


def disputes(c: Customer, at: Moment) -> tuple[list[Case], list[Case]]:
    """Disputes that are open, and those that the customer lost within the window."""
    still_open, lost = [], []
    for dispute in c.cases.get(kinds.DISPUTE, {}).values():
        forgotten_day = dispute.closed_s // DAY_S + at.row.window_d
        if dispute.is_open:
            still_open.append(dispute)
        elif dispute.outcome == kinds.LOST and at.day < forgotten_day:
            at.until(forgotten_day * DAY_S)
            lost.append(dispute)
    return still_open, lost


@signal("fairness.dispute", number=14, depends=(DisputeOpened, DisputeResolved))
def dispute(c: Customer, at: Moment) -> float | None:
    """Disputes that are open, or were lost by the customer within the window."""
    if kinds.DISPUTE not in c.cases:
        return None
    still_open, lost = disputes(c, at)
    return float(len(still_open) + len(lost))


@dispute.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    still_open, lost = disputes(c, at)
    said = [f"{times(len(still_open), 'dispute')} open"] if still_open else []
    if lost:
        noun = "" if still_open else " dispute" if len(lost) == 1 else " disputes"
        said.append(f"{len(lost)}{noun} lost by the customer in {at.row.window_d} days")
    amount = sum(d.amount for d in still_open + lost) / 100
    return Because(
        f"{' and '.join(said)}{f', over {amount:.2f} together' if amount else ''}.",
        openings(still_open + lost),
    )


@signal("fairness.hidden_fee", number=15, depends=(InvoiceIssued,))
def hidden_fee(c: Customer, at: Moment) -> float | None:
    """Undisclosed fees ÷ invoice, of the worst invoice within the window."""
    if not c.heard & kinds.FEES:
        return None
    return max((p.value for p in at.in_points(c.points.get(kinds.HIDDEN_FEE), at.row.window_d)), default=0) / 10_000


@hidden_fee.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    bills = at.in_points(c.points.get(kinds.HIDDEN_FEE), at.row.window_d)
    fee, _, billed = max(bills, key=lambda p: (p.value, p)).label.partition("/")
    others = f"; {times(len(bills), 'invoice')} had such fees in {at.row.window_d} days" if len(bills) > 1 else ""
    return Because(
        f"Fees that were not disclosed made up {value:.0%} of an invoice: "
        f"{int(fee) / 100:.2f} of {int(billed) / 100:.2f}{others}.",
        newest(bills),
    )
