# SPDX-License-Identifier: ISC
"""X-Twilio-Signature. Source: docs "Security", section "Validating Requests". Pure."""
import base64
import hashlib
import hmac
import urllib.parse


def signed_text(url, parameters=()):
    """
    What is signed: the URL, then every name and value of a form, sorted by name byte by byte. A
    name that comes several times has each of its values once, sorted.
    """
    values = {}
    for name, value in parameters:
        values.setdefault(name, set()).add(value)
    return url + "".join(name + value for name in sorted(values, key=str.encode)
                         for value in sorted(values[name], key=str.encode))


def sign(token, url, parameters=()):
    digest = hmac.new(token.encode(), signed_text(url, parameters).encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def as_signed(url):
    """A URL as Twilio signs it: no user, no fragment, and over HTTPS no port."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme == "https" and parts.port is not None:
        host = host.rpartition(":")[0]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


def with_body_hash(url, body):
    """The URL of a JSON request, which carries the hash of its body."""
    mark = "&" if "?" in url else "?"
    return f"{url}{mark}bodySHA256={hashlib.sha256(body).hexdigest()}"
