"""Stored numbers of what a state counts, keeps and has open. Append only: they are in every stored state."""

# day and hour counters
ACTIVITY, SESSIONS, ERRORS, FATALS, CALLS, INVOICES, ORDER_CENTS, FAULTS, GIVEN_UP = range(1, 10)

# Distinct days kept per counter, the newest: as many as the longest window that is read of it, and some.
DAYS_KEPT = {
    ACTIVITY: 52,
    SESSIONS: 8,
    ERRORS: 32,
    FATALS: 8,
    CALLS: 32,
    INVOICES: 24,
    ORDER_CENTS: 24,
    FAULTS: 112,
    GIVEN_UP: 32,
}

# groups A to C: counters 10 to 14
WAITED = 10  # seconds that answered calls waited
DAYS_KEPT |= {WAITED: 32}

MINUTES = 15  # of sessions that ended
DAYS_KEPT |= {MINUTES: 52}

# points: newest events of a kind
(
    ABANDONED,  # value: wait in ms
    CONTACT,  # label: topic
    RATING,  # value: score; label: kind
    MRR,  # value: cents; label: plan, "" where the event does not say
    EXIT,  # value: which look at the exit
    COMPETITOR,  # label: which
    ERROR,  # label: code
    FATAL,
    PROMISE_LOST,
    REFUSED,
    RUDE,  # value: tone in thousandths
    TERMS,  # changes of price or terms, when they come into force; value: which; label: notice days
    BILL,  # value: billed above quoted in ten-thousandths; label: quoted/billed in cents, "" without a quote
    OVERAGE,
    QUOTA,  # value: used share in thousandths
    REFUND,
    SEATS,  # value: new − old; label: old
    RELEASED,  # label: feature
    OFFER,  # label: offer id
    OPTED_OUT,
    GIVEN,  # value: what was given
    MARKET,  # value: cents; label: competitor
    ADVOCACY,
    UNAVAILABLE,  # value: response
    DOWNGRADE,  # value: share of mrr in ten-thousandths
    SURVEY,  # value: 0 asked, 1 answered
    LATE,  # orders fulfilled late; value: days
    ORDERED,  # value: cents
    CLOSED,  # value: outcome; label: kind of case and its name
) = range(1, 30)

# groups A to C: points 30 to 39
(
    SLOW_CALL,  # answered after a long wait; value: s
    TRANSFERRED,  # label: ticket id
    UNTOLD,  # changes in force that nobody is known to have been told of; value: which
    HIDDEN_FEE,  # value: share of the invoice in ten-thousandths; label: undisclosed/billed in cents
) = range(30, 34)

# points of groups D to L
BEGAN = 40  # a lead or a trial; label: which
CONTACTED = 41  # by the retention team; label: playbook

# cases
TICKET, INVOICE, PROMISE, DISPUTE, ORDER, OUTAGE, DISCOUNT, OFFERED = range(1, 9)

# outcomes of cases
SOLVED, WORKAROUND, UNANSWERED, DECLINED, KEPT, BROKEN, WON, LOST, PAID, ENDED = range(1, 11)

# values of TERMS and UNTOLD points
PRICE_UP, NEW_TERMS, PRICE_DOWN = range(1, 4)

# values of EXIT points
CANCEL_PAGE, DATA_EXPORT, INTEGRATION_REMOVED, AUTO_RENEW_OFF, SAID_LEAVING = range(1, 6)

# values of GIVEN points
CHECK_IN, NEWS, INVITATION, INCIDENT_NOTICE, APOLOGY, BENEFIT = range(1, 7)

# values of UNAVAILABLE points
NOTHING, DEFERRED, ALTERNATIVE, PARTNER = range(1, 5)

# groups A to C: bits of `Customer.heard`, inputs of which nothing else is kept while they are good news
TONE, REQUEST, FEES, DATED_ORDER = 1, 2, 4, 8
