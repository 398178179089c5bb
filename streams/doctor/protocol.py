"""Requests of Kafka's protocol that aiokafka does not have: who may do what, and what the broker's clock says.

Field by field as Kafka's own message definitions have them (KIP-430 for the operations, KIP-664 for transactions).
"""

from __future__ import annotations

from typing import Any, Final

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    Boolean,
    Bytes,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    String,
    TaggedFields,
)

OPERATIONS: Final = {3: "Read", 4: "Write", 5: "Create", 6: "Delete", 7: "Alter", 8: "Describe", 10: "DescribeConfigs"}
NOT_SAID: Final = -(2**31)


def operations(bits: int) -> frozenset[str] | None:
    """The operations that a bit field of Kafka's names; None where the broker did not say.

    >>> sorted(operations(1 << 3 | 1 << 8)), operations(-(2**31))
    (['Describe', 'Read'], None)
    """
    return None if bits == NOT_SAID else frozenset(name for code, name in OPERATIONS.items() if bits >> code & 1)


class MetadataResponseV8(Response):  # type: ignore[misc]
    """Brokers and topics, with what the asker may do with each."""

    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", String()), ("port", Int32), ("rack", String()))),
        ("cluster_id", String()),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("name", String()),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("index", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline", Array(Int32)),
                    ),
                ),
                ("operations", Int32),
            ),
        ),
        ("cluster_operations", Int32),
    )


class MetadataRequestV8(RequestStruct):  # type: ignore[misc]
    """Ask for topics; none is made by it."""

    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = MetadataResponseV8
    SCHEMA = Schema(
        ("topics", Array(String())),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_operations", Boolean),
        ("include_topic_operations", Boolean),
    )


class DescribeGroupsResponseV3(Response):  # type: ignore[misc]
    """Groups, with what the asker may do with each."""

    API_KEY = 15
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "groups",
            Array(
                ("error_code", Int16),
                ("group", String()),
                ("state", String()),
                ("protocol_type", String()),
                ("protocol", String()),
                (
                    "members",
                    Array(
                        ("member_id", String()),
                        ("client_id", String()),
                        ("client_host", String()),
                        ("metadata", Bytes),
                        ("assignment", Bytes),
                    ),
                ),
                ("operations", Int32),
            ),
        ),
    )


class DescribeGroupsRequestV3(RequestStruct):  # type: ignore[misc]
    """Ask for groups."""

    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponseV3
    SCHEMA = Schema(("groups", Array(String())), ("include_operations", Boolean))


class DescribeTransactionsResponseV0(Response):  # type: ignore[misc]
    """Transactions, with when each began by the broker's clock, in ms."""

    API_KEY = 65
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "transactions",
            CompactArray(
                ("error_code", Int16),
                ("transactional_id", CompactString()),
                ("state", CompactString()),
                ("timeout_ms", Int32),
                ("start_ms", Int64),
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                (
                    "topics",
                    CompactArray(
                        ("topic", CompactString()), ("partitions", CompactArray(Int32)), ("tags", TaggedFields)
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeTransactionsRequestV0(RequestStruct):  # type: ignore[misc]
    """Ask for transactions by their ids."""

    FLEXIBLE_VERSION = True
    API_KEY = 65
    API_VERSION = 0
    RESPONSE_TYPE = DescribeTransactionsResponseV0
    SCHEMA = Schema(("transactional_ids", CompactArray(CompactString())), ("tags", TaggedFields))


class Metadata(Request[MetadataRequestV8]):  # type: ignore[misc]
    """Topics by name, and what may be done with them."""

    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self.topics = topics

    def build(self, request_struct_class: Any) -> Any:
        """The request in the one version that is known here."""
        return request_struct_class(self.topics, False, True, True)


class DescribeGroups(Request[DescribeGroupsRequestV3]):  # type: ignore[misc]
    """Groups by name, and what may be done with them."""

    API_KEY = 15

    def __init__(self, groups: list[str]) -> None:
        self.groups = groups

    def build(self, request_struct_class: Any) -> Any:
        """The request in the one version that is known here."""
        return request_struct_class(self.groups, True)


class DescribeTransactions(Request[DescribeTransactionsRequestV0]):  # type: ignore[misc]
    """Transactions by id."""

    API_KEY = 65

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids

    def build(self, request_struct_class: Any) -> Any:
        """The request in the one version that is known here."""
        return request_struct_class(self.ids, {})
