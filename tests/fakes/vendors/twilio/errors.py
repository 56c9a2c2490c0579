# SPDX-License-Identifier: ISC
"""
Error answers of the REST API. Sources: docs "Error and Warning Dictionary", "Test Credentials".
"""
CODES = {
    20001: (400, "Bad request"),
    20003: (401, "Authenticate"),
    20005: (401, "Account not active"),
    20006: (403, "Access Denied"),
    20008: (403, "Resource not accessible with Test Account Credentials"),
    20403: (403, "Forbidden"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    20503: (503, "Service Unavailable"),
    21200: (400, "Unable to create the call"),
    21201: (400, "No 'To' number is specified"),
    21202: (400, "'To' number is a premium number"),
    21203: (400, "International calling not enabled"),
    21205: (400, "Url is not a valid URL"),
    21206: (400, "SendDigits is invalid"),
    21208: (400, "Timeout is invalid"),
    21209: (400, "HTTP method is invalid"),
    21210: (400, "'From' phone number not verified"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "The 'From' number is not a valid phone number"),
    21213: (400, "'From' phone number is required"),
    21214: (400, "'To' phone number cannot be reached"),
    21215: (400, "Account not authorized to call this number"),
    21216: (400, "Account not allowed to call this number"),
    21217: (400, "Phone number does not appear to be valid"),
    21218: (400, "Invalid ApplicationSid"),
    21219: (400, "'To' phone number not verified"),
    21220: (400, "Call is not in-progress. Cannot redirect."),
    22105: (400, "The URL is not valid"),
}
BY_STATUS = {400: 20001, 401: 20003, 403: 20403, 404: 20404, 429: 20429, 500: 20500, 503: 20503}
# Numbers with a meaning of their own: To and From.
TEST_TO = {"+15005550001": 21217, "+15005550002": 21214, "+15005550003": 21215,
           "+15005550004": 21216}
TEST_FROM = {"+15005550001": 21212}


class Refusal(Exception):
    """An error by its code."""

    def __init__(self, code, message=None):
        super().__init__(message or CODES[code][1])
        self.code, self.status = code, CODES[code][0]


def body(status, code, message):
    """The JSON of an error; `code` is a number, or None for that of the status."""
    code = int(code or BY_STATUS.get(status, 20500))
    return {"code": code, "message": message or CODES.get(code, (0, "Error"))[1],
            "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}
