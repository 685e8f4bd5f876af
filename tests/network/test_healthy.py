# SPDX-License-Identifier: MIT
"""Each pair of stacks once, beside busy loops: nothing is wrong, so dtls_probe must find nothing. ci/healthy makes 2,000."""

import json

from conftest import needs_namespaces
from healthy import installed, judge, watch


@needs_namespaces
def test_no_false_finding_on_healthy_handshakes(tmp_path):
    count = len(list(installed()))
    lines, errors, failed, _ = watch(count, tmp_path)
    wrong, seen = judge(lines)
    assert not wrong and not failed, (wrong, failed)
    assert seen == count, errors


def test_a_false_finding_would_be_noticed():
    lines = [json.dumps({"type": "handshake", "client": "a", "server": "b", "outcome": outcome,
                         "findings": [{"id": id, "severity": severity}]})
             for outcome, id, severity in (("ok", "loss-recovered", "warning"), ("ok", "weak-key", "fatal"),
                                           ("incomplete", "close", "info"), ("ok", "close", "info"))]
    wrong, seen = judge(lines)
    assert (len(wrong), seen) == (3, 4)
