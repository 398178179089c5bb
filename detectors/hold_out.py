"""The control group: customers whose alerts are logged and not acted on, so that what acting achieves can be measured.

Rules: whether a customer is in it follows from its id and the policy's salt alone, so that it stays in it; a larger
share keeps everyone who was in a smaller one.
"""

import hashlib

from detectors.policy_care import HoldOutPolicy


def is_held_out(customer_id: str, p: HoldOutPolicy) -> bool:
    """Whether a customer belongs to the control group.

    >>> is_held_out("c-1", HoldOutPolicy(share=0.0)), is_held_out("c-1", HoldOutPolicy(share=1.0))
    (False, True)
    """
    if not p.share:
        return False
    digest = hashlib.sha256(f"{p.salt}\n{customer_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < p.share * 2**64
