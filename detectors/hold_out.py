"""The control group: customers whose alerts are logged and not acted on, so that what acting achieves can be measured.

Rules: whether a customer is in it follows from its id and the policy's salt alone, so that it stays in it; a larger
share keeps everyone who was in a smaller one.
"""

import hashlib
import zlib

from detectors.policy_care import HoldOutPolicy


def lot_of(p: HoldOutPolicy) -> int:
    """Which group is drawn, as a number that another salt changes and another share does not; 0 where none is.

    >>> lot_of(HoldOutPolicy()), lot_of(HoldOutPolicy(share=0.1)) == lot_of(HoldOutPolicy(share=0.2)) > 0
    (0, True)
    """
    return zlib.crc32(p.salt.encode()) or 1 if p.share else 0


def is_held_out(customer_id: str, p: HoldOutPolicy) -> bool:
    """Whether a customer belongs to the control group.

    >>> is_held_out("c-1", HoldOutPolicy(share=0.0)), is_held_out("c-1", HoldOutPolicy(share=1.0))
    (False, True)
    """
    if not p.share:
        return False
    digest = hashlib.sha256(f"{p.salt}\n{customer_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < p.share * 2**64
