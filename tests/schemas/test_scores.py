"""The score row on the wire."""

from schemas.scores import ScoreReason, ScoreRow, decode_score, encode_score


def test_a_row_is_one_compact_line_in_the_order_of_the_contract() -> None:
    row = ScoreRow(
        customer_id="c-1",
        as_of="2026-03-04T00:00:00Z",
        churn_probability=0.25,
        risk_level="medium",
        confidence="rules",
        lifecycle_stage="active",
        model_version="prior",
        policy_version="default",
        reasons=(ScoreReason(code="value.silence", contribution=0.5),),
    )
    expected = (
        b'{"customer_id":"c-1","as_of":"2026-03-04T00:00:00Z","churn_probability":0.25,"risk_level":"medium",'
        b'"confidence":"rules","lifecycle_stage":"active","model_version":"prior","policy_version":"default",'
        b'"reasons":[{"code":"value.silence","contribution":0.5}]}'
    )
    assert expected == encode_score(row)
    assert row == decode_score(expected)
