"""What each event type leaves behind in a customer's state; importing this registers every handler."""

from detectors.history import app_errors, billing, engagement, retention, support, usage
from detectors.history.routes import HANDLERS, RefusedError

__all__ = ["HANDLERS", "RefusedError", "app_errors", "billing", "engagement", "retention", "support", "usage"]
