"""Runs the tests of the official IIIF validator, all levels and the optional ones, and prints a line of JSON for each.

Does what the validator's own iiif-validate.py does, but the random tests more than once.
"""

import json
import sys

from iiif_validator.validator import ImageAPI, TestSuite, ValidationInfo

TIMES = 25


def run(name, server, version, identifier):
    """The reason why a test fails, or None."""
    prefix = "iiif/" + {"1.0": "1.0", "1.1": "1.1", "2.0": "2", "3.0": "3"}[version]
    result = ImageAPI(identifier, server, prefix, "http", "", version, debug=False)
    try:
        TestSuite(ValidationInfo()).run_test(name, result)
    except Exception as error:  # as iiif-validate.py has it: whatever goes wrong is a failure
        return "%s: %s" % (type(error).__name__, error)
    if result.exception:
        error = result.exception
        return "%s: got %s, expected %s (%s)" % (error.type, error.got, error.expected, result.urls[-1:])
    return None


def main(server, version, identifier):
    for name, about in TestSuite(ValidationInfo()).list_tests(version).items():
        times = TIMES if name.endswith("_random") else 1
        reasons = [reason for reason in (run(name, server, version, identifier) for _ in range(times)) if reason]
        print(json.dumps({"test": name, "level": about["level"], "times": times, "reason": reasons[0] if reasons else None}), flush=True)


main(*sys.argv[1:])
