"""What `churn.examples` carries: examples that models learn from, and what became of alerts, which says what acting
achieves. Each kind is decoded as what it is, and goes where it belongs.
"""

from typing import Final

from detectors.learning.alerted import AlertOutcome, decode_outcome
from detectors.learning.examples import Example, decode_example
from detectors.learning.learner import Learner

Lesson = Example | AlertOutcome

KIND: Final = b'{"kind":'  # how every kind but the first begins, as msgspec writes it


def decode_lesson(value: bytes) -> Lesson:
    """Decode a record of `churn.examples`; raises msgspec's errors for anything else.

    >>> decode_lesson(b'{"kind":"moon_phase"}')
    Traceback (most recent call last):
    msgspec.ValidationError: Invalid value 'moon_phase' - at `$.kind`
    """
    return decode_outcome(value) if value.startswith(KIND) else decode_example(value)


def taken(learner: Learner, lesson: Lesson) -> str | None:
    """Let a learner take it up; says why not, where it is refused."""
    return learner.learn(lesson) if isinstance(lesson, Example) else learner.note(lesson)


def time_of(lesson: Lesson) -> int:
    """When it was written down what is known of by now, in seconds since the epoch."""
    return lesson.landmark_s if isinstance(lesson, Example) else lesson.opened_s


def order_of(lesson: Lesson) -> tuple[int, bool, str, str]:
    """Where it stands in a replay, which knows all of one day: by landmark and customer, examples first."""
    if isinstance(lesson, Example):
        return lesson.landmark_s, False, lesson.customer_id, ""
    return lesson.opened_s, True, lesson.customer_id, lesson.alert_id
