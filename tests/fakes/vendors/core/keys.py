# SPDX-License-Identifier: ISC
"""Which API keys are good: every one that is not empty, unless a test names those that are."""

SETTINGS = {"keys": None}


def is_good(settings, key):
    if not key:
        return False
    return settings["keys"] is None or key in settings["keys"]


def bearer(request, scheme="Bearer"):
    """The secret of an Authorization header of this scheme, or None."""
    found, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if found.lower() == scheme.lower() else None


def secrets(request):
    """What a request shows for itself, wherever its vendor reads it."""
    shown = request.headers.get("authorization", "").split() + [request.headers.get("xi-api-key")]
    return [secret for secret in shown if secret]
