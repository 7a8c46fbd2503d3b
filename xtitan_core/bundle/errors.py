"""Why a bundle is refused."""

from __future__ import annotations

from enum import StrEnum

from xtitan_core.errors import XtitanError


class BundleProblem(StrEnum):
    """Why a bundle is refused. Closed: every refusal carries one of these."""

    UNREADABLE = "unreadable"  # the folder or a file cannot be read
    MISSING_FILE = "missing_file"  # one of the four files is not there
    UNEXPECTED_FILE = "unexpected_file"  # there is a fifth file
    NOT_A_FILE = "not_a_file"  # a link, folder or device instead of a regular file
    TOO_LARGE = "too_large"  # a file exceeds its size cap
    WRONG_ID = "wrong_id"  # not the manifest whose hash the registry names
    BAD_SIGNATURE = "bad_signature"  # the signature is malformed or does not fit the manifest
    UNKNOWN_KEY = "unknown_key"  # signed with a key that is not trusted here
    MALFORMED = "malformed"  # the manifest breaks its schema or is not in canonical form
    OLD_SEQUENCE = "old_sequence"  # an older registration than the caller accepts
    EXPIRED = "expired"  # expires_epoch has passed, in venue time
    RUNNER_TOO_OLD = "runner_too_old"  # needs a newer version of this program
    FILE_MISMATCH = "file_mismatch"  # model or golden vectors are not the bytes that were signed
    FEATURE_MISMATCH = "feature_mismatch"  # trained on other features than this install computes
    BAD_GOLDEN = "bad_golden"  # the golden vectors are malformed or do not fit the manifest


_ADVICE = {
    BundleProblem.UNREADABLE: "give the folder of a bundle",
    BundleProblem.WRONG_ID: "register the bundle again",
    BundleProblem.UNKNOWN_KEY: "give the public key it was signed with, or do not use it",
    BundleProblem.OLD_SEQUENCE: "use the newer one",
    BundleProblem.EXPIRED: "train and register a new one",
    BundleProblem.RUNNER_TOO_OLD: "update this program",
    BundleProblem.FEATURE_MISMATCH: "train it again with this version, or install the version it was trained with",
}


class BundleError(XtitanError, ValueError):
    """A bundle that must not be used; one line: what is wrong with it; what to do.

    Attributes:
        code: the closed reason.
        what: the line without its advice.
    """

    def __init__(self, code: BundleProblem, what: str) -> None:
        super().__init__(f"{what}; {_ADVICE.get(code, 'do not use it: fetch or package it again')}")
        self.code, self.what = code, what
